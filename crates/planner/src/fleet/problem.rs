//! What is planned, as plain data.

/// Demand, supply, limits and money of a fleet. Vectors by quarter have one entry a quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Number of quarters.
    pub quarters: usize,
    /// What can be bought, and what is there already.
    pub chips: Vec<ChipSupply>,
    /// Services.
    pub demands: Vec<Demand>,
    /// Ways to serve a demand on a chip.
    pub columns: Vec<Column>,
    /// Software stacks that cost something to take up.
    pub stacks: Vec<Stack>,
    /// Power, space, money.
    pub limits: Limits,
    /// Present value of a dollar paid at the begin of each quarter.
    pub cash: Vec<f64>,
    /// Present value of a dollar paid at the end of each quarter: running costs.
    pub running: Vec<f64>,
    /// Present value, per dollar of price, of the use of a node from each quarter to the last: capital recovery and
    /// operations.
    pub upkeep: Vec<f64>,
    /// By how much penalties count more in the search than in the books; one where money is all that counts.
    pub priority: f64,
}

/// One chip on the market, counted in nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct ChipSupply {
    /// Name.
    pub name: String,
    /// Chips of one node.
    pub chips_per_node: u32,
    /// US dollars a node, by the quarter in which it is due.
    pub price: Vec<f64>,
    /// The same at the dearest that any future makes it: what the budget must hold.
    pub payable: Vec<f64>,
    /// Nodes that can be had, by the quarter in which they are due.
    pub offered: Vec<f64>,
    /// Nodes that are there without being bought.
    pub stock: Vec<f64>,
    /// Racks that one node takes.
    pub racks_per_node: f64,
    /// The stack it needs, where that stack costs something.
    pub stack: Option<usize>,
}

/// One service.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Name.
    pub name: String,
    /// Requests per second at the peak.
    pub rate: Vec<f64>,
    /// US dollars a quarter for each request per second (at the peak) that is not served.
    pub penalty: Vec<f64>,
    /// Output tokens a quarter behind each request per second at the peak.
    pub tokens: f64,
}

/// A deployment of one demand on one chip, to be placed any number of times.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Index into [`Problem::demands`].
    pub demand: usize,
    /// Index into [`Problem::chips`].
    pub chip: usize,
    /// Nodes that it takes.
    pub nodes: f64,
    /// Requests per second that it serves.
    pub rate: f64,
    /// Power at the peak.
    pub power: f64,
    /// US dollars of electricity a quarter.
    pub energy: f64,
}

/// A software stack that must be taken up before its chips can serve.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// Name.
    pub name: String,
    /// US dollars to take it up.
    pub migration: f64,
    /// US dollars a quarter from then on.
    pub upkeep: f64,
    /// First quarter in which it can be ready.
    pub ready: usize,
}

/// Power, space and money; what is not given does not bind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Kilowatts at the facility's meter.
    pub power: Option<Vec<f64>>,
    /// Racks.
    pub racks: Option<Vec<f64>>,
    /// US dollars a quarter.
    pub budget: Option<Vec<f64>>,
    /// US dollars in all.
    pub total: Option<f64>,
}

impl Problem {
    /// Present value of one node of `chip` that is due in one quarter, arrives in another and costs `factor` of the price.
    pub fn charge(&self, chip: usize, due: usize, arrival: usize, factor: f64) -> f64 {
        self.chips[chip].price[due] * factor * self.upkeep[arrival]
    }

    /// Present value of taking a stack up in a quarter and keeping it.
    pub fn stack_charge(&self, stack: usize, quarter: usize) -> f64 {
        let Stack { migration, upkeep, .. } = &self.stacks[stack];
        migration * self.cash[quarter] + upkeep * self.running[quarter..].iter().sum::<f64>()
    }

    /// The columns of a chip, with their indices.
    pub fn columns_of(&self, chip: usize) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(move |(_, column)| column.chip == chip)
    }

    /// Present value of a request per second that is not served in a quarter.
    pub fn penalty(&self, demand: usize, quarter: usize) -> f64 {
        self.demands[demand].penalty[quarter] * self.running[quarter]
    }

    /// The same problem with only the chips that `keep` names on the market; what is there stays.
    #[must_use]
    pub fn buying_only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut other = self.clone();
        for (_, chip) in other.chips.iter_mut().enumerate().filter(|(index, _)| !keep(*index)) {
            chip.offered.iter_mut().for_each(|nodes| *nodes = 0.0);
        }
        other
    }
}
