//! What a kernel did that it must not.

use std::fmt;

use vitruvian_diagnostics::Diagnostic;

use crate::isa::{Pipe, Space};
use crate::program::Program;

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An access past the end of a buffer, or of GM that no tensor covers.
    OutOfBounds {
        /// Where.
        space: Space,
        /// First byte of the access.
        address: u64,
        /// Bytes.
        length: u64,
        /// Size of the buffer.
        capacity: u64,
    },
    /// An address that is not a multiple of what the buffer asks for.
    Misaligned {
        /// Where.
        space: Space,
        /// The address.
        address: u64,
        /// What it must be a multiple of.
        alignment: u64,
    },
    /// Bytes were used that nothing had written.
    Unwritten {
        /// Where.
        space: Space,
        /// The first such byte.
        address: u64,
    },
    /// Two accesses of one address, at least one a write, that no flag orders.
    Race {
        /// Where.
        space: Space,
        /// The granule.
        address: u64,
        /// Pipe of this access.
        pipe: Pipe,
        /// Pipe of the other.
        other: Pipe,
        /// Core of the other.
        other_core: usize,
        /// Place of the other instruction.
        other_place: String,
        /// Whether the other access was a write.
        other_wrote: bool,
    },
    /// Pipes wait for what will never come.
    Deadlock {
        /// Each wait.
        waits: Vec<String>,
    },
    /// An instruction that the core does not have, or sizes it does not take.
    Illegal {
        /// Why.
        reason: String,
    },
}

/// A broken rule and where it was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Core.
    pub core: usize,
    /// Index of the instruction in the core's program.
    pub instruction: usize,
    /// Line of the instruction, or its number.
    pub place: String,
    /// Text of the instruction.
    pub text: String,
    /// Which rule.
    pub kind: FaultKind,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { space, address, length, capacity } => {
                let end = address + length;
                write!(f, "out of bounds: {}[{address:#x}..{end:#x}] of {capacity:#x} bytes", space.name())
            }
            Self::Misaligned { space, address, alignment } => {
                write!(f, "misaligned: {}[{address:#x}] is not a multiple of {alignment}", space.name())
            }
            Self::Unwritten { space, address } => {
                write!(f, "unwritten: {}[{address:#x}] is used before anything wrote it", space.name())
            }
            Self::Race { space, address, pipe, other, other_core, other_place, other_wrote } => {
                let did = if *other_wrote { "write" } else { "read" };
                let (space, pipe, other) = (space.name(), pipe.name(), other.name());
                write!(
                    f,
                    "race: {pipe} at {space}[{address:#x}] is not ordered after the {did} by {other} of core {other_core} at {other_place}"
                )
            }
            Self::Deadlock { waits } => write!(f, "deadlock: {}", waits.join("; ")),
            Self::Illegal { reason } => write!(f, "illegal: {reason}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` on core {}: {}", self.place, self.text, self.core, self.kind)
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// The fault as a diagnostic that points at the line.
    pub fn diagnostic(&self, program: &Program) -> Diagnostic {
        let diagnostic = Diagnostic::error("davinci-fault", self.kind.to_string());
        match (&program.source, program.spans.get(self.instruction)) {
            (Some(source), Some(span)) => diagnostic.at(source, *span, format!("core {}", self.core)),
            _ => diagnostic.help(format!("at {} `{}` of core {}", self.place, self.text, self.core)),
        }
    }
}
