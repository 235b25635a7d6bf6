//! Answers about export rules as tables.

use vitruvian_report::{Block, Cell, Column, Page, Row, Table, Tone};

use crate::export_control::answer::{
    CheckAnswer, ChipsAnswer, Comply, MemoryAnswer, RuleFinding, RulesAnswer, Settings, Test, TimelineAnswer,
};

/// A chip's classification. `explain` adds every number format, die and test, and the rules that are not in force;
/// `proposed` adds bills.
pub fn check(answer: &CheckAnswer, explain: bool, proposed: bool) -> Page {
    let mut blocks = vec![
        Block::Text(answer.banner.clone()),
        Block::Table(verdicts(answer, explain, proposed)),
        Block::Text(format!("{}.", capitalised(&answer.summary))),
        Block::Table(facts(answer)),
        Block::Table(distances(answer, explain)),
    ];
    if !answer.comply.is_empty() {
        blocks.push(Block::Table(comply(answer)));
    }
    if explain {
        blocks.extend([performance(answer), dies(answer), texts(answer)].map(Block::Table));
    }
    Page { blocks, ..Page::default() }
}

/// A table below what the answer says of itself.
fn with_banner(banner: &str, table: Table) -> Page {
    Page { blocks: vec![Block::Text(banner.to_owned()), Block::Table(table)], ..Page::default() }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn counts(rule: &RuleFinding, explain: bool, proposed: bool) -> bool {
    rule.in_force || explain || (proposed && rule.status == "proposed")
}

fn verdicts(answer: &CheckAnswer, explain: bool, proposed: bool) -> Table {
    let mut table = Table::new([
        Column::name("rule"),
        Column::text("title"),
        Column::text("says"),
        Column::text("since"),
        Column::text("text"),
    ])
    .title(format!("{} on {}", answer.title, answer.date));
    let shown = answer.rules.iter().filter(|rule| counts(rule, explain, proposed));
    let shown = shown.filter(|rule| explain || rule.verdict != "out-of-scope");
    for rule in shown {
        let since = match (&rule.ends, rule.in_force) {
            _ if rule.status == "proposed" => "proposed".to_owned(),
            (_, true) => rule.effective.clone(),
            (Some(ends), false) if *ends <= rule.effective => "never".to_owned(),
            (Some(ends), false) if *ends <= answer.date => format!("ended {ends}"),
            (_, false) => format!("from {}", rule.effective),
        };
        let tone = if rule.in_force { tone(rule) } else { Tone::Dim };
        let cells =
            [&rule.id, &rule.title, &says(rule), &since, &rule.grade].map(|text| Cell::text(text.as_str()));
        table.push(Row::new(cells).tone(tone));
    }
    table.note(format!("Rules known to {}.", answer.known_until));
    let proxies = answer.rules.iter().filter(|rule| rule.grade == "proxy" && counts(rule, explain, proposed));
    for rule in proxies.filter(|rule| rule.verdict != "out-of-scope") {
        table.note(format!("{}: {}.", rule.id, rule.note.as_deref().unwrap_or_default()));
    }
    answer.notes.iter().for_each(|note| table.note(format!("{note}.")));
    table
}

fn tone(rule: &RuleFinding) -> Tone {
    match (rule.applies, rule.kind.as_str()) {
        (Some(true), "control") => Tone::Bad,
        (Some(false), "control") => Tone::Good,
        _ => Tone::Plain,
    }
}

/// What a rule says, in a few words.
fn says(rule: &RuleFinding) -> String {
    let outcome = rule.outcome.as_deref().unwrap_or_default();
    match rule.verdict.as_str() {
        "applies" => match (&rule.exception, rule.effect.as_deref()) {
            (Some(exception), _) => format!("{outcome}; {exception}"),
            (None, Some(effect)) if effect != outcome => format!("{outcome}: {effect}"),
            _ => outcome.to_owned(),
        },
        "exempt" => format!("exempt: {outcome}"),
        "does-not-apply" => "not caught".to_owned(),
        "out-of-scope" => "not about such chips".to_owned(),
        _ => "cannot be decided".to_owned(),
    }
}

fn facts(answer: &CheckAnswer) -> Table {
    let mut table = Table::side_by_side([answer.title.clone()]);
    let best = answer.performance.first();
    let how = best.map_or(String::new(), |best| format!(" ({} × {} bit)", best.dtype, best.bits));
    table.metric(&format!("TPP{how}"), "", [tpp(answer.tpp, answer.tpp_low, answer.tpp_high)]);
    table.metric("area that counts", "mm²", [Cell::from(answer.die_area_mm2)]);
    table.metric("performance density", "1/mm²", [Cell::from(answer.performance_density)]);
    table.metric("memory bandwidth", "GB/s", [Cell::from(answer.dram_bandwidth_gb_per_s)]);
    table.metric("links, both directions", "GB/s", [Cell::from(answer.io_bandwidth_gb_per_s)]);
    let market = answer.data_centre.map(|yes| if yes { "data centres" } else { "other" });
    table.metric("designed or marketed for", "", [Cell::from(market)]);
    table
}

/// TPP to the last digit, as the lines are: with the span of sources where they differ.
fn tpp(typical: f64, low: f64, high: f64) -> Cell {
    let digits = |tpp: f64| format!("{}", (tpp * 10.0).round() / 10.0);
    if low == high {
        return Cell::text(digits(typical));
    }
    Cell::text(format!("{} ({}–{})", digits(typical), digits(low), digits(high)))
}

/// Each test of a figure against a line: of rules in force, or of all.
fn distances(answer: &CheckAnswer, explain: bool) -> Table {
    let mut table = Table::new([
        Column::name("rule"),
        Column::text("outcome"),
        Column::text("test"),
        Column::number("chip", ""),
        Column::number("from the line", ""),
        Column::text("holds"),
    ]);
    let licences = |rule: &RuleFinding| {
        let settled = ["out-of-scope", "exempt"].contains(&rule.verdict.as_str());
        rule.in_force && !settled && ["control", "review"].contains(&rule.kind.as_str())
    };
    for rule in answer.rules.iter().filter(|rule| explain || licences(rule)) {
        for test in rule.tests.iter().filter(|test| explain || test.line.is_some()) {
            table.row(distance(rule, test));
        }
    }
    table.note("Above the line: +; below: −. Tests of one alternative must all hold; `--explain` shows those of all rules.");
    table
}

fn distance(rule: &RuleFinding, test: &Test) -> [Cell; 6] {
    let from = test.distance.map(|distance| format!("{:+.1}%", distance * 100.0));
    let holds = match test.holds {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    [
        Cell::text(&rule.id),
        Cell::text(format!("{} ({})", test.outcome, test.alternative)),
        Cell::text(&test.test),
        Cell::text(test.value.map_or(String::new(), figure)),
        Cell::text(from.unwrap_or_default()),
        Cell::text(holds),
    ]
}

/// A figure with four digits, as near a line they matter.
fn figure(value: f64) -> String {
    if value >= 1e6 { format!("{value:.3e}") } else { vitruvian_quantity::significant(value, 4) }
}

fn comply(answer: &CheckAnswer) -> Table {
    let mut table = Table::new([
        Column::name("to stay below"),
        Column::number("cores", ""),
        Column::number("or clock", "MHz"),
        Column::number("or memory", "GB/s"),
        Column::number("or links", "GB/s"),
    ]);
    for row in &answer.comply {
        table.row(comply_row(row));
    }
    table.note("The most of each alone, the others as they are; – where that alone does not help.");
    match answer.together {
        Some(Settings { cores, dram_bandwidth_gb_per_s, io_bandwidth_gb_per_s, .. }) => table.note(format!(
            "Together: {cores:.0} cores, {dram_bandwidth_gb_per_s:.0} GB/s of memory and {io_bandwidth_gb_per_s:.0} GB/s of links stay below them all."
        )),
        None => table.note("No smaller chip of its kind stays below them all."),
    }
    table
}

fn comply_row(row: &Comply) -> [Cell; 5] {
    let most =
        |figure: Option<f64>| figure.map_or_else(|| Cell::text("–"), |most| Cell::integer(most as i64));
    [
        Cell::text(&row.rule),
        most(row.cores),
        most(row.clock_mhz),
        most(row.dram_bandwidth_gb_per_s),
        most(row.io_bandwidth_gb_per_s),
    ]
}

fn performance(answer: &CheckAnswer) -> Table {
    let mut table = Table::new([
        Column::name("format"),
        Column::number("bits", ""),
        Column::number("dense peak", "TOPS"),
        Column::number("TPP", ""),
        Column::text("from"),
    ]);
    for peak in &answer.performance {
        table.row([
            Cell::text(&peak.dtype),
            Cell::number(peak.bits),
            Cell::number(peak.peak_tops),
            tpp(peak.tpp, peak.tpp_low, peak.tpp_high),
            Cell::text(&peak.basis),
        ]);
    }
    table.note("TPP = dense peak × bit length, the largest counts. Where the maker states a peak of a bit length, it goes before arithmetic.");
    table
}

fn dies(answer: &CheckAnswer) -> Table {
    let mut table = Table::new([
        Column::name("logic die"),
        Column::number("count", ""),
        Column::number("area", "mm²"),
        Column::text("transistors"),
        Column::text("counts"),
    ]);
    for die in &answer.dies {
        table.row([
            Cell::text(&die.kind),
            Cell::integer(die.count),
            Cell::number(die.area_mm2),
            Cell::text(die.transistor.as_deref().unwrap_or("unknown")),
            Cell::text(if die.counts { "yes" } else { "no" }),
        ]);
    }
    table
}

/// Where each rule is published, where it holds, and what to know of it.
fn texts(answer: &CheckAnswer) -> Table {
    let columns = [
        Column::name("rule"),
        Column::text("published"),
        Column::detail("holds for"),
        Column::detail("note"),
    ];
    let mut table = Table::new(columns);
    for rule in &answer.rules {
        let note = rule.note.as_deref().unwrap_or_default();
        table.row([rule.id.as_str(), &rule.citation, &rule.destinations, note].map(Cell::text));
    }
    table
}

/// The time line of a chip.
pub fn timeline(answer: &TimelineAnswer) -> Page {
    let columns = [Column::name("day"), Column::text("rule"), Column::text("what"), Column::text("licence")];
    let mut table = Table::new(columns).title(format!("{}: rules by day", answer.title));
    for change in &answer.changes {
        let licence = match change.controlled {
            Some(true) => Cell::text("needed").tone(Tone::Bad),
            Some(false) => Cell::text("not by this rule").tone(Tone::Good),
            None => Cell::text(""),
        };
        let rule = change.rule.as_deref().unwrap_or("");
        table.row([Cell::text(&change.date), Cell::text(rule), Cell::text(&change.text), licence]);
    }
    table.note(format!("Rules known to {}.", answer.known_until));
    answer.notes.iter().for_each(|note| table.note(format!("{note}.")));
    with_banner(&answer.banner, table)
}

/// The rules of the collection.
pub fn rules(answer: &RulesAnswer) -> Page {
    let mut table = Table::new([
        Column::name("rule"),
        Column::text("title"),
        Column::text("status"),
        Column::text("from"),
        Column::text("until"),
        Column::text("outcome"),
        Column::detail("when"),
    ]);
    for rule in &answer.rules {
        let until = rule.ends.as_deref().unwrap_or("");
        let head = [&rule.id, &rule.title, &rule.status, &rule.effective].map(String::as_str);
        let mut lead = [head[0], head[1], head[2], head[3], until];
        if rule.tests.is_empty() {
            table.row(lead.iter().copied().chain(["no test", ""]).map(Cell::text));
        }
        for test in &rule.tests {
            table.row(lead.iter().copied().chain([test.outcome.as_str(), &test.when]).map(Cell::text));
            lead = [""; 5];
        }
    }
    table.note(format!("Rules known to {}.", answer.known_until));
    with_banner(&answer.banner, table)
}

/// A memory stack by itself.
pub fn memory(answer: &MemoryAnswer) -> Page {
    let columns =
        [Column::name("rule"), Column::text("title"), Column::text("says"), Column::text("in force")];
    let mut table = Table::new(columns).title(format!(
        "A stack of {:.0} GB/s on {:.0} mm²: {:.2} GB/s/mm², on {}",
        answer.bandwidth_gb_per_s, answer.area_mm2, answer.memory_bandwidth_density, answer.date
    ));
    for rule in &answer.rules {
        let in_force = if rule.in_force { "yes" } else { "no" };
        table.row([rule.id.as_str(), &rule.title, &says(rule), in_force].map(Cell::text));
    }
    with_banner(&answer.banner, table)
}

/// The chips of the catalog on a day.
pub fn chips(answer: &ChipsAnswer) -> Page {
    let mut table = Table::new([
        Column::name("chip"),
        Column::number("TPP", ""),
        Column::number("density", "1/mm²"),
        Column::number("links", "GB/s"),
        Column::number("memory", "GB/s"),
        Column::text("licence under"),
        Column::text("review"),
    ])
    .title(format!("Chips of the catalog on {}", answer.date));
    for line in &answer.chips {
        let open = line.open.iter().map(|rule| format!("{rule} open"));
        let rules: Vec<String> = line.caught.iter().cloned().chain(open).collect();
        let tone = if rules.is_empty() { Tone::Good } else { Tone::Bad };
        let under = if rules.is_empty() { "–".to_owned() } else { rules.join(", ") };
        table.row([
            Cell::text(&line.chip),
            tpp(line.tpp, line.tpp, line.tpp),
            Cell::from(line.performance_density),
            Cell::from(line.io_bandwidth_gb_per_s),
            Cell::from(line.dram_bandwidth_gb_per_s),
            Cell::text(under).tone(tone),
            Cell::text(line.review.as_deref().unwrap_or("")),
        ]);
    }
    table.note(format!(
        "Rules known to {}. For Ascend chips: what the thresholds would say.",
        answer.known_until
    ));
    with_banner(&answer.banner, table)
}
