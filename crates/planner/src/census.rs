//! How many candidates there were, and what each fell to.

use std::fmt;

use vitruvian_quantity::{Bytes, Seconds};

use crate::space::Candidate;

/// Why a candidate is not among the answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Fall {
    /// A degree does not divide what it should; the text says which.
    DoesNotDivide(String),
    /// The chip cannot do an operator at this precision; the text says why.
    Unsupported(String),
    /// The fullest rank lacks this much memory.
    DoesNotFit {
        /// How much is missing.
        missing: Bytes,
        /// Pipeline stage of the fullest rank.
        stage: u32,
    },
    /// Prefill takes more than the whole device: the batch cannot be kept full.
    Saturated {
        /// Prefill work over what a step can carry; above one.
        load: f64,
    },
    /// Time to first token misses its target.
    Ttft(Seconds),
    /// Time per output token misses its target.
    Tpot(Seconds),
    /// Another candidate is at least as good in throughput and in speed per user.
    Dominated,
}

/// Kinds of [`Fall`], in the order in which a census lists them.
pub const KINDS: [&str; 7] =
    ["does not divide", "unsupported", "does not fit", "prefill saturated", "TTFT", "TPOT", "dominated"];

/// The candidate that came closest to passing one reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// The candidate.
    pub candidate: Candidate,
    /// Why it fell.
    pub fall: Fall,
    /// By how much: comparable within a kind, smaller is closer.
    pub distance: f64,
}

/// Counts of candidates by fate; the counts add up to `total`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    /// All candidates of the space.
    pub total: u64,
    /// Candidates on the Pareto front.
    pub front: u64,
    /// Candidates by what they fell to, in the order of [`KINDS`].
    pub fallen: [u64; KINDS.len()],
    /// The nearest miss of each kind.
    pub nearest: [Option<Miss>; KINDS.len()],
}

impl fmt::Display for Fall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DoesNotDivide(why) | Self::Unsupported(why) => f.write_str(why),
            Self::DoesNotFit { missing, stage } => {
                write!(f, "does not fit: the fullest rank, of pipeline stage {stage}, lacks {missing:.3}")
            }
            Self::Saturated { load } => {
                write!(f, "prefill asks for {load:.2} times what the replica can do beside decode")
            }
            Self::Ttft(time) => write!(f, "TTFT of {time:.3} misses its target"),
            Self::Tpot(time) => write!(f, "TPOT of {time:.3} misses its target"),
            Self::Dominated => f.write_str("another candidate is at least as good in throughput and speed"),
        }
    }
}

impl Fall {
    /// Index into [`KINDS`].
    pub const fn kind(&self) -> usize {
        match self {
            Self::DoesNotDivide(_) => 0,
            Self::Unsupported(_) => 1,
            Self::DoesNotFit { .. } => 2,
            Self::Saturated { .. } => 3,
            Self::Ttft(_) => 4,
            Self::Tpot(_) => 5,
            Self::Dominated => 6,
        }
    }

    fn distance(&self) -> f64 {
        match self {
            Self::DoesNotFit { missing, .. } => missing.get(),
            Self::Saturated { load } => *load,
            Self::Ttft(time) | Self::Tpot(time) => time.get(),
            Self::DoesNotDivide(_) | Self::Unsupported(_) | Self::Dominated => 0.0,
        }
    }
}

impl Census {
    /// Counts `count` candidates that fell to one reason, `candidate` being the nearest of them.
    pub fn fell(&mut self, candidate: &Candidate, fall: &Fall, count: u64) {
        let (kind, distance) = (fall.kind(), fall.distance());
        self.total += count;
        self.fallen[kind] += count;
        let nearer = self.nearest[kind].as_ref().is_none_or(|miss| distance < miss.distance);
        if nearer {
            self.nearest[kind] = Some(Miss { candidate: *candidate, fall: fall.clone(), distance });
        }
    }

    /// Adds another census of the same search.
    pub fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.front += other.front;
        for (kind, miss) in other.nearest.into_iter().enumerate() {
            self.fallen[kind] += other.fallen[kind];
            let Some(miss) = miss else { continue };
            if self.nearest[kind].as_ref().is_none_or(|mine| miss.distance < mine.distance) {
                self.nearest[kind] = Some(miss);
            }
        }
    }
}
