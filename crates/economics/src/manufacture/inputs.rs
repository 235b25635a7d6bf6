//! What the cost of a chip depends on.

use super::spread::Spread;

/// What a cost depends on. Prices in US dollars, densities in defects a cm².
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Wafer of the compute die.
    WaferPrice,
    /// Defects of the compute die's process.
    DefectDensity,
    /// α of the negative binomial model.
    Clustering,
    /// Share that losses other than random defects leave.
    SystematicYield,
    /// Share of the compute die that its cores take.
    CoreShare,
    /// Device memory, a GB.
    MemoryPrice,
    /// Wafer of interposers.
    InterposerWafer,
    /// Interposer area over what stands on it.
    InterposerOverhead,
    /// Share of good interposers.
    InterposerYield,
    /// Substrate and attachment.
    Substrate,
    /// Share of packages of one compute die that survive assembly.
    AssemblyYield,
    /// Share that survives attaching one further large compute die.
    FurtherDieYield,
    /// Test and what else is spent on each chip.
    Test,
    /// Wafer of the dies that are no compute dies.
    OtherWaferPrice,
    /// Defects of their process.
    OtherDefectDensity,
}

/// One value for each input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs<T>([T; Input::ALL.len()]);

impl Input {
    /// All inputs.
    pub const ALL: [Self; 15] = [
        Self::WaferPrice,
        Self::DefectDensity,
        Self::Clustering,
        Self::SystematicYield,
        Self::CoreShare,
        Self::MemoryPrice,
        Self::InterposerWafer,
        Self::InterposerOverhead,
        Self::InterposerYield,
        Self::Substrate,
        Self::AssemblyYield,
        Self::FurtherDieYield,
        Self::Test,
        Self::OtherWaferPrice,
        Self::OtherDefectDensity,
    ];

    /// As a table says it, with its unit.
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::WaferPrice => ("wafer price", "USD"),
            Self::DefectDensity => ("defect density", "1/cm²"),
            Self::Clustering => ("clustering α", ""),
            Self::SystematicYield => ("systematic yield", ""),
            Self::CoreShare => ("share of the die that is cores", ""),
            Self::MemoryPrice => ("memory price", "USD/GB"),
            Self::InterposerWafer => ("interposer wafer price", "USD"),
            Self::InterposerOverhead => ("interposer overhead", ""),
            Self::InterposerYield => ("interposer yield", ""),
            Self::Substrate => ("substrate", "USD"),
            Self::AssemblyYield => ("assembly yield", ""),
            Self::FurtherDieYield => ("assembly yield of a further die", ""),
            Self::Test => ("test and finish", "USD"),
            Self::OtherWaferPrice => ("wafer price of other dies", "USD"),
            Self::OtherDefectDensity => ("defect density of other dies", "1/cm²"),
        }
    }

    /// Whether it is a share that one bounds.
    pub(super) fn is_share(self) -> bool {
        matches!(
            self,
            Self::SystematicYield
                | Self::CoreShare
                | Self::InterposerYield
                | Self::AssemblyYield
                | Self::FurtherDieYield
        )
    }
}

impl<T: Copy> Inputs<T> {
    /// One value for each input.
    pub fn new(value: impl FnMut(Input) -> T) -> Self {
        Self(Input::ALL.map(value))
    }

    /// The value of an input.
    pub fn get(&self, input: Input) -> T {
        self.0[input as usize]
    }

    /// The same with another value for one input.
    #[must_use]
    pub fn with(mut self, input: Input, value: T) -> Self {
        self.0[input as usize] = value;
        self
    }
}

impl Inputs<Spread> {
    /// What is used.
    pub fn typical(&self) -> Inputs<f64> {
        Inputs::new(|input| self.get(input).typical)
    }
}
