//! A linear program with whole numbers, as plain data.

/// A variable of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableId(usize);

/// A row of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowId(usize);

/// Minimise the cost of all variables under all rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// Columns.
    pub variables: Vec<Variable>,
    /// Constraints.
    pub rows: Vec<Row>,
}

/// One variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variable {
    /// Cost of one unit.
    pub cost: f64,
    /// At least; not below zero.
    pub lower: f64,
    /// At most; may be infinite.
    pub upper: f64,
    /// How much its being a whole number matters; nothing where it need not be one.
    pub whole: Option<Rank>,
}

/// Which whole numbers are settled first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Placements.
    Last,
    /// Orders.
    Middle,
    /// Stacks.
    First,
}

/// One constraint: the sum of its terms at most, at least or just a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Variables with their coefficients.
    pub terms: Vec<(VariableId, f64)>,
    /// Which side.
    pub sense: Sense,
    /// The bound.
    pub bound: f64,
}

/// On which side of its bound a row keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// At most.
    AtMost,
    /// At least.
    AtLeast,
    /// Just so much.
    Equal,
}

impl VariableId {
    /// Position in [`Program::variables`] and in a solution.
    pub const fn index(self) -> usize {
        self.0
    }
}

impl RowId {
    /// Position in [`Program::rows`].
    pub const fn index(self) -> usize {
        self.0
    }
}

impl Variable {
    /// A variable from zero to `upper`.
    pub const fn new(cost: f64, upper: f64) -> Self {
        Self { cost, lower: 0.0, upper, whole: None }
    }

    /// The same as a whole number.
    #[must_use]
    pub const fn whole(mut self, rank: Rank) -> Self {
        self.whole = Some(rank);
        self
    }
}

impl Program {
    /// Adds a variable.
    pub fn add(&mut self, variable: Variable) -> VariableId {
        self.variables.push(variable);
        VariableId(self.variables.len() - 1)
    }

    /// Adds a row; terms of nothing are left out.
    pub fn row(&mut self, terms: Vec<(VariableId, f64)>, sense: Sense, bound: f64) -> RowId {
        let terms = terms.into_iter().filter(|(_, factor)| *factor != 0.0).collect();
        self.rows.push(Row { terms, sense, bound });
        RowId(self.rows.len() - 1)
    }

    /// The cost of a point.
    pub fn cost(&self, values: &[f64]) -> f64 {
        self.variables.iter().zip(values).map(|(variable, value)| variable.cost * value).sum()
    }

    /// Whether a point keeps all bounds and rows, within a relative tolerance.
    pub fn allows(&self, values: &[f64], tolerance: f64) -> bool {
        let within = self.variables.iter().zip(values).all(|(variable, value)| {
            *value >= variable.lower - tolerance && *value <= variable.upper + tolerance
        });
        within && self.rows.iter().all(|row| row.slack(values) >= -tolerance * row.size(values))
    }
}

impl Row {
    /// How far a point is inside.
    pub fn slack(&self, values: &[f64]) -> f64 {
        let sum: f64 = self.terms.iter().map(|(variable, factor)| factor * values[variable.0]).sum();
        match self.sense {
            Sense::AtMost => self.bound - sum,
            Sense::AtLeast => sum - self.bound,
            Sense::Equal => -(sum - self.bound).abs(),
        }
    }

    fn size(&self, values: &[f64]) -> f64 {
        let terms = self.terms.iter().map(|(variable, factor)| (factor * values[variable.0]).abs());
        terms.fold(self.bound.abs().max(1.0), f64::max)
    }
}
