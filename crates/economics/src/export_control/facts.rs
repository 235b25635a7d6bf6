//! What the tests of the rules look at, computed from a chip's description.
//!
//! TPP = 2 × MacTOPS × bit length, the largest over the formats, dense only, summed over all processing units of the
//! package; `2 × MacTOPS` is the peak of a data sheet. Performance density = TPP / applicable die area: all area of logic
//! dies whose transistors are not planar, input and output included, memory excluded (15 CFR 774 Supp. 1, Technical
//! Notes to 3A090).

use vitruvian_hardware::{Chip, Figure, Transistor};
use vitruvian_quantity::{Area, Dtype, FlopsPerSecond};

use super::catalog::Definitions;
use super::condition::Field;

/// A figure that a rule looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fact {
    /// Known.
    Is(f64),
    /// There is nothing of the kind: no die that counts, no memory stack.
    Undefined,
    /// The chip's description does not say.
    #[default]
    Unknown,
}

/// Everything that a rule looks at, in the units of [`Field::unit`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Facts {
    /// Total processing performance.
    pub tpp: Fact,
    /// TPP over the area that counts.
    pub performance_density: Fact,
    /// Inputs and outputs but those to memory, both directions.
    pub io_bandwidth: Fact,
    /// Device memory.
    pub dram_bandwidth: Fact,
    /// One stack's bandwidth over its area.
    pub memory_bandwidth_density: Fact,
    /// Transistors of the package.
    pub transistors: Fact,
    /// One if designed or marketed for data centres.
    pub data_centre: Fact,
    /// One if a logic die has transistors that are not planar.
    pub non_planar: Fact,
    /// One if the memory shares the package of a dominant logic die.
    pub co_packaged: Fact,
}

/// What is counted where the rule's text is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaseDies {
    /// Logic dies below memory stacks are memory.
    #[default]
    Excluded,
    /// They are logic dies.
    Included,
}

/// The peak of one number format, and what it adds up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Performance {
    /// Number format.
    pub dtype: Dtype,
    /// Bit length of one operation.
    pub bits: f64,
    /// Dense peak of all processing units.
    pub peak: FlopsPerSecond,
    /// Where it comes from: a key of the chip's file, or `arithmetic`.
    pub basis: String,
    /// Peak in TOPS × bit length.
    pub tpp: f64,
    /// The same by the lowest and the highest figure that any source gives.
    pub range: [f64; 2],
}

/// One kind of logic die.
#[derive(Clone, Debug, PartialEq)]
pub struct CountedDie {
    /// `compute`, `input and output`, `memory base`.
    pub kind: &'static str,
    /// How many.
    pub count: u32,
    /// Area of one.
    pub area: Area,
    /// Its transistors, where known.
    pub transistor: Option<Transistor>,
    /// Whether its area counts.
    pub counts: bool,
}

/// The facts, and how they were come by.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// What the tests look at.
    pub facts: Facts,
    /// Every number format, largest TPP first.
    pub performance: Vec<Performance>,
    /// The logic dies.
    pub dies: Vec<CountedDie>,
    /// Area that counts, mm²; zero where every die is planar, nothing where it is not known.
    pub area: Option<f64>,
}

impl Fact {
    /// The figure, if it is known.
    pub fn value(self) -> Option<f64> {
        if let Self::Is(value) = self { Some(value) } else { None }
    }

    /// A scaled figure; what is not known stays so.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        if let Self::Is(value) = self { Self::Is(value * factor) } else { self }
    }

    fn of(value: Option<f64>) -> Self {
        value.map_or(Self::Unknown, Self::Is)
    }
}

impl Facts {
    /// The figure of a field.
    pub fn get(&self, field: Field) -> Fact {
        match field {
            Field::Tpp => self.tpp,
            Field::PerformanceDensity => self.performance_density,
            Field::IoBandwidth => self.io_bandwidth,
            Field::DramBandwidth => self.dram_bandwidth,
            Field::MemoryBandwidthDensity => self.memory_bandwidth_density,
            Field::Transistors => self.transistors,
            Field::DataCentre => self.data_centre,
            Field::NonPlanar => self.non_planar,
            Field::CoPackaged => self.co_packaged,
        }
    }

    /// The facts of a memory stack that is sold by itself, GB/s and mm².
    pub fn of_memory(bandwidth: f64, area: f64) -> Self {
        Self {
            dram_bandwidth: Fact::Is(bandwidth),
            memory_bandwidth_density: Fact::Is(bandwidth / area),
            co_packaged: Fact::Is(0.0),
            ..Self::default()
        }
    }
}

/// The facts of a chip.
pub fn facts(chip: &Chip, definitions: &Definitions, base_dies: BaseDies) -> Account {
    let performance = performance(chip, definitions);
    let dies = dies(chip, base_dies);
    let area = area(&dies);
    let tpp = performance.first().map_or(0.0, |best| best.tpp);
    let performance_density = match area {
        Some(area) if area > 0.0 => Fact::Is(tpp / area),
        Some(_) => Fact::Undefined,
        None => Fact::Unknown,
    };
    let stacked = chip.hbm.stacks > 0 || chip.memory.starts_with("HBM");
    let facts = Facts {
        tpp: Fact::Is(tpp),
        performance_density,
        io_bandwidth: Fact::of(chip.io.map(|io| io.in_unit("GB/s"))),
        dram_bandwidth: Fact::Is((chip.hbm.bandwidth + chip.further_memory).in_unit("GB/s")),
        memory_bandwidth_density: if stacked { Fact::Unknown } else { Fact::Undefined },
        transistors: Fact::of(chip.die.transistors),
        data_centre: Fact::of(chip.data_centre.map(f64::from)),
        non_planar: non_planar(&dies),
        co_packaged: Fact::Is(f64::from(stacked)),
    };
    Account { facts, performance, dies, area }
}

/// Every format with a peak, largest TPP first; formats of one bit length go by what is stated, where anything is.
fn performance(chip: &Chip, definitions: &Definitions) -> Vec<Performance> {
    let formats = Dtype::ALL.into_iter().filter_map(|dtype| Some((dtype, bits(definitions, dtype)?)));
    let all: Vec<Performance> = formats.filter_map(|(dtype, bits)| one(chip, dtype, bits)).collect();
    let rank = |one: &Performance| {
        ["rated.", "stated."].iter().position(|table| one.basis.starts_with(table)).unwrap_or(2)
    };
    let best = |one: &Performance| {
        all.iter().filter(|other| other.bits == one.bits).map(rank).min() == Some(rank(one))
    };
    let mut kept: Vec<Performance> = all.iter().filter(|one| best(one)).cloned().collect();
    // Of equal figures the one of eight bits first, as the regulation's own example counts.
    let from_eight = |one: &Performance| (one.bits - 8.0).abs();
    kept.sort_by(|a, b| b.tpp.total_cmp(&a.tpp).then(from_eight(a).total_cmp(&from_eight(b))));
    kept
}

fn bits(definitions: &Definitions, dtype: Dtype) -> Option<f64> {
    definitions.bit_length.get(dtype.name())?.as_integer().map(|bits| bits as f64)
}

fn one(chip: &Chip, dtype: Dtype, bits: f64) -> Option<Performance> {
    let stated = ["rated", "stated"].iter().find_map(|table| chip.stated_peak(table, dtype));
    let (basis, peak, range) = if let Some(figure) = stated {
        (figure.key.clone(), figure.number?, among(figure))
    } else {
        let peak = arithmetic(chip, dtype);
        ("arithmetic".to_owned(), peak, [peak, peak])
    };
    let peak = FlopsPerSecond::new(peak);
    let tpp = |peak: f64| FlopsPerSecond::new(peak).in_unit("TOPS") * bits;
    (peak.get() > 0.0).then(|| Performance {
        dtype,
        bits,
        peak,
        basis,
        tpp: tpp(peak.get()),
        range: range.map(tpp),
    })
}

/// The lowest and the highest of a figure and its alternatives.
fn among(figure: &Figure) -> [f64; 2] {
    let others = figure.provenance.alternatives.iter();
    let others = others.filter_map(|other| Some(other.value.parse::<FlopsPerSecond>().ok()?.get()));
    let all = figure.number.into_iter().chain(others);
    all.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], peak| [low.min(peak), high.max(peak)])
}

/// Matrix units and, where they are cores of their own, vector units: all processing units count.
fn arithmetic(chip: &Chip, dtype: Dtype) -> f64 {
    let matrix = chip.matrix_peak(dtype).get();
    let apart = chip.vector.separate && matrix > 0.0;
    if apart { matrix + chip.vector_peak(dtype).get() } else { matrix }
}

fn dies(chip: &Chip, base_dies: BaseDies) -> Vec<CountedDie> {
    let die = &chip.die;
    let unplanar = |transistor: Option<Transistor>| transistor != Some(Transistor::Planar);
    let counted =
        |kind, count, area, transistor, counts| CountedDie { kind, count, area, transistor, counts };
    let compute = die
        .area
        .map(|area| counted("compute", chip.compute.dies, area, die.transistor, unplanar(die.transistor)));
    let other = (die.io.count > 0).then(|| {
        counted("input and output", die.io.count, die.io.area, die.io.transistor, unplanar(die.io.transistor))
    });
    let base = (die.base.area > Area::ZERO && chip.hbm.stacks > 0).then(|| {
        let counts = base_dies == BaseDies::Included && unplanar(die.base.transistor);
        counted("memory base", chip.hbm.stacks, die.base.area, die.base.transistor, counts)
    });
    [compute, other, base].into_iter().flatten().collect()
}

/// Nothing where the area or the transistors of a die that counts are not known.
fn area(dies: &[CountedDie]) -> Option<f64> {
    let compute = dies.iter().any(|die| die.kind == "compute");
    let known =
        dies.iter().filter(|die| die.counts).all(|die| die.transistor.is_some() && die.area > Area::ZERO);
    let counted = dies.iter().filter(|die| die.counts);
    (compute && known).then(|| counted.map(|die| f64::from(die.count) * die.area.get()).sum())
}

fn non_planar(dies: &[CountedDie]) -> Fact {
    let known: Vec<bool> = dies
        .iter()
        .filter_map(|die| die.transistor)
        .map(|transistor| transistor != Transistor::Planar)
        .collect();
    if known.is_empty() { Fact::Unknown } else { Fact::Is(f64::from(known.contains(&true))) }
}
