//! The keys of a fleet file.

use super::key::{Key, Kind, Section};

const ANY: f64 = f64::INFINITY;
// Beyond these the solver's tolerances, which are relative to the largest figure, would decide.
/// US dollars for a million tokens.
const MOST_PENALTY: f64 = 1e5;
/// US dollars a chip.
const MOST_PRICE: f64 = 1e8;
/// US dollars.
const MOST_MONEY: f64 = 1e13;
/// Requests per second.
const MOST_REQUESTS: f64 = 1e6;
/// Tokens a day.
const MOST_TOKENS: f64 = 1e15;
/// Chips.
const MOST_CHIPS: f64 = 1e8;

/// The whole file.
pub(super) static FILE: Section = Section {
    name: "",
    list: false,
    required: true,
    keys: TOP,
    inner: &[OBJECTIVE, LIMITS, DEMAND, SUPPLY, STACK, RISK],
    meaning: "A fleet to plan",
};

const TOP: &[Key] = &[
    Key::new("title", Kind::Text, "What is planned, in a few words."),
    Key::new("start", Kind::Text, "First quarter, such as \"2026-Q1\".").required(),
    Key::new("quarters", Kind::Count(1, 40), "Number of quarters.").required(),
    Key::new("region", Kind::Word(&["cn", "us"]), "Region whose tariff and rates hold; cn if left out."),
    Key::new(
        "samples",
        Kind::Count(1, 100_000),
        "Futures to draw; all combinations are taken where they are fewer. 100 if left out.",
    ),
    Key::new(
        "speed",
        Kind::Word(&["uncertain", "median"]),
        "Whether what a chip serves is uncertain, by the spread of its estimates, or the median; uncertain if left out.",
    ),
    Key::new("seed", Kind::Count(0, u32::MAX), "Seed of the futures; 1 if left out."),
];

const OBJECTIVE: Section = Section {
    name: "objective",
    list: false,
    required: true,
    keys: &[
        Key::new(
            "goal",
            Kind::Word(&["cost", "shortfall", "meet"]),
            "cost: least money, penalties included; shortfall: first the least shortfall, then the least money; meet: no shortfall if all goes as is likeliest. cost if left out.",
        ),
        Key::new(
            "penalty",
            Kind::Money(MOST_PENALTY),
            "What a million output tokens that are not served cost.",
        )
        .required(),
        Key::new(
            "discount",
            Kind::Number(0.0, 1.0),
            "Cost of capital a year; that of the region if left out.",
        ),
        Key::new(
            "wait",
            Kind::Quarter,
            "Until when the strategy `wait` buys nothing; two quarters after the start if left out.",
        ),
    ],
    inner: &[],
    meaning: "What is best",
};

const LIMITS: Section = Section {
    name: "limits",
    list: false,
    required: false,
    keys: &[
        Key::new("power", Kind::Power, "Power at the facility's meter, cooling included.").series(),
        Key::new("racks", Kind::Number(0.0, ANY), "Racks.").series(),
        Key::new("rack_power", Kind::Power, "Power that one rack can be given: how many nodes it takes."),
        Key::new("budget", Kind::Money(MOST_MONEY), "What may be spent on nodes and stacks in each quarter.")
            .series(),
        Key::new("total_budget", Kind::Money(MOST_MONEY), "What may be spent on nodes and stacks in all."),
    ],
    inner: &[],
    meaning: "Power, floor and money; what is left out does not bind",
};

const DEMAND: Section = Section {
    name: "demand",
    list: true,
    required: true,
    keys: &[
        Key::new("name", Kind::Text, "Name of the service.").required(),
        Key::new("model", Kind::Text, "A model of the catalog, or a config.json beside the fleet file.")
            .required(),
        Key::new("isl", Kind::Count(1, 100_000_000), "Prompt tokens of a request.").required(),
        Key::new("osl", Kind::Count(1, 100_000_000), "Output tokens of a request.").required(),
        Key::new("cached", Kind::Count(0, 100_000_000), "Prompt tokens found in the prefix cache."),
        Key::new("ttft", Kind::Time, "Mean time to first token at most."),
        Key::new("tpot", Kind::Time, "Mean time per output token at most."),
        Key::new(
            "requests_per_s",
            Kind::Number(0.0, MOST_REQUESTS),
            "Mean requests per second in the first quarter.",
        ),
        Key::new(
            "output_tokens_per_day",
            Kind::Number(0.0, MOST_TOKENS),
            "Output tokens a day in the first quarter; instead of `requests_per_s`.",
        ),
        Key::new("growth", Kind::Number(-0.99, 100.0), "Growth a quarter: 0.1 is ten percent."),
        Key::new(
            "factors",
            Kind::Number(0.0, ANY),
            "Demand of each quarter over that of the first; instead of `growth`.",
        )
        .series(),
        Key::new(
            "peak",
            Kind::Number(1.0, 1000.0),
            "Peak over mean rate; one over the region's share of used hours if left out.",
        ),
        Key::new("from", Kind::Quarter, "First quarter with demand."),
        Key::new("until", Kind::Quarter, "Last quarter with demand."),
        Key::new(
            "penalty",
            Kind::Money(MOST_PENALTY),
            "What a million output tokens that are not served cost; that of the objective if left out.",
        ),
        Key::new(
            "precision",
            Kind::Texts,
            "Precisions to consider; what chip and checkpoint suggest if left out.",
        ),
        Key::new("chips", Kind::Texts, "Chips that may serve it; all if left out."),
    ],
    inner: &[],
    meaning: "A service: model, lengths, service level, how much of it",
};

const SUPPLY: Section = Section {
    name: "supply",
    list: true,
    required: true,
    keys: &[
        Key::new("chip", Kind::Text, "A chip of the catalog, or a TOML file beside the fleet file.")
            .required(),
        Key::new(
            "offered",
            Kind::Number(0.0, MOST_CHIPS),
            "Chips that can be had, by the quarter in which they are due; they come in whole nodes.",
        )
        .series(),
        Key::new("first", Kind::Quarter, "First quarter in which an order can be due."),
        Key::new(
            "price",
            Kind::Money(MOST_PRICE),
            "Money a chip with its share of the server; that of the catalog if left out.",
        )
        .series(),
        Key::new("price_growth", Kind::Number(-0.99, 10.0), "Growth of the price a quarter."),
        Key::new("stock", Kind::Number(0.0, MOST_CHIPS), "Chips that are there from the start."),
        Key::new("retire", Kind::Quarter, "First quarter in which that stock is gone."),
        Key::new("spread", Kind::Number(0.0, 2.0), "Relative standard deviation of the whole supply."),
        Key::new("engine", Kind::Text, "Serving engine; the chip's default if left out."),
        Key::new(
            "nodes_per_rack",
            Kind::Number(0.01, 1000.0),
            "Nodes of one rack; what `rack_power` allows if left out.",
        ),
    ],
    inner: &[],
    meaning: "A chip on the market: how many, at what price, and what is there already",
};

const STACK: Section = Section {
    name: "stack",
    list: true,
    required: false,
    keys: &[
        Key::new("name", Kind::Text, "Name of the software stack.").required(),
        Key::new("chips", Kind::Texts, "Chips that need it.").required(),
        Key::new("migration", Kind::Money(MOST_MONEY), "What it costs to take it up.").required(),
        Key::new("upkeep", Kind::Money(MOST_MONEY), "What it costs in each quarter from then on."),
        Key::new("ready", Kind::Quarter, "First quarter in which it can be ready."),
    ],
    inner: &[],
    meaning: "A further software stack, which costs engineering before its chips serve",
};

const RISK: Section = Section {
    name: "risk",
    list: true,
    required: false,
    keys: &[
        Key::new("name", Kind::Text, "What is uncertain. Risks are independent of each other.").required()
    ],
    inner: &[OUTCOME],
    meaning: "Something that may turn out in several ways",
};

const OUTCOME: Section = Section {
    name: "outcome",
    list: true,
    required: true,
    keys: &[
        Key::new("name", Kind::Text, "How it turns out.").required(),
        Key::new("probability", Kind::Number(0.0, 1.0), "Its probability; those of one risk add up to 1.")
            .required(),
    ],
    inner: &[EFFECT],
    meaning: "One way, with its probability",
};

const EFFECT: Section = Section {
    name: "effect",
    list: true,
    required: false,
    keys: &[
        Key::new("chips", Kind::Texts, "Chips that it touches.").required(),
        Key::new("from", Kind::Quarter, "First quarter in which orders are due that it touches."),
        Key::new("until", Kind::Quarter, "Last such quarter."),
        Key::new(
            "share",
            Kind::Number(0.0, 1.0),
            "Part of an order that arrives: 0 is a ban; 1 if left out.",
        ),
        Key::new("ramp", Kind::Count(0, 40), "Quarters over which that part grows to the whole."),
        Key::new("delay", Kind::Count(0, 40), "Quarters that a delivery is late."),
        Key::new(
            "price",
            Kind::Number(0.01, 100.0),
            "Price over the price in the file: 1.15 is 15 % dearer.",
        ),
    ],
    inner: &[],
    meaning: "What it does to deliveries",
};
