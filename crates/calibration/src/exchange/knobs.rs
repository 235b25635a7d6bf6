//! The fitted figures of a collective profile: where each stands, and between which bounds.

use vitruvian_network::profile::{Custom, ExpertKernel, RingProtocol};
use vitruvian_network::{CollectiveProfile, Protocol};
use vitruvian_quantity::{BytesPerSecond, Seconds};

use super::Path;

/// A figure in its place.
enum Figure<'a> {
    /// Fitted in µs.
    Time(&'a mut Seconds),
    /// Fitted in GB/s.
    Rate(&'a mut BytesPerSecond),
    /// Fitted as it is.
    Ratio(&'a mut f64),
}

/// Where a fit begins, and between which values it stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub lower: f64,
    /// A figure without measurements stays here, whatever an earlier fit found, so that held-out errors are honest.
    pub start: f64,
    pub upper: f64,
}

/// µs from the launch to the first byte.
const fn start(start: f64) -> Range {
    Range { lower: 0.3, start, upper: 400.0 }
}

/// µs for each peer.
const fn peer(start: f64) -> Range {
    Range { lower: 0.01, start, upper: 3.0 }
}

/// Of the node's bandwidth.
const fn share(start: f64) -> Range {
    Range { lower: 0.003, start, upper: 1.2 }
}

/// Exponent of latency and wire.
const fn ramp(start: f64, upper: f64) -> Range {
    Range { lower: 0.4, start, upper }
}

const LL128_STEP: Range = Range { lower: 1.0, start: 1.4, upper: 4.0 };
const COPY: Range = Range { lower: 0.5, start: 2.0, upper: 10.0 };
/// GB/s that an expert kernel copies.
const RATE: Range = Range { lower: 20.0, start: 150.0, upper: 900.0 };

/// The ranges of the figures that measurements along a path inform.
pub(super) fn ranges(path: Path, profile: &CollectiveProfile) -> Vec<Range> {
    let mut ranges = Vec::new();
    visit(path, &mut profile.clone(), &mut |range, _| ranges.push(range));
    ranges
}

/// The profile with other values of these figures, in the same order.
pub(super) fn with_values(path: Path, profile: &CollectiveProfile, values: &[f64]) -> CollectiveProfile {
    let (mut profile, mut values) = (profile.clone(), values.iter());
    visit(path, &mut profile, &mut |_, figure| {
        if let Some(value) = values.next() {
            figure.set(*value);
        }
    });
    profile
}

impl Figure<'_> {
    fn set(self, value: f64) {
        match self {
            Self::Time(time) => *time = Seconds::new(value * 1e-6),
            Self::Rate(rate) => *rate = BytesPerSecond::new(value * 1e9),
            Self::Ratio(ratio) => *ratio = value,
        }
    }
}

type Visitor<'v> = &'v mut dyn FnMut(Range, Figure<'_>);

fn visit(path: Path, profile: &mut CollectiveProfile, visitor: Visitor<'_>) {
    match path {
        Path::Library => library(profile, visitor),
        Path::Engine(engine) => {
            let own = |kernels: &&mut Custom| kernels.engines.iter().any(|name| name == engine.name());
            profile.custom.iter_mut().filter(own).for_each(|kernels| custom(kernels, visitor));
        }
        Path::LowLatency => experts(&mut profile.experts.low_latency, visitor),
        Path::Normal => profile.experts.normal.iter_mut().for_each(|kernel| experts(kernel, visitor)),
    }
}

fn library(profile: &mut CollectiveProfile, visitor: Visitor<'_>) {
    profile.ring.iter_mut().for_each(|protocol| ring(protocol, visitor));
    for pair in &mut profile.pairwise {
        visitor(start(4.0), Figure::Time(&mut pair.start));
        if pair.protocol != Protocol::Simple {
            visitor(share(0.02), Figure::Ratio(&mut pair.peer));
        }
    }
    if let Some(switch) = &mut profile.in_switch {
        // NCCL's tuning gives NVLS 25 µs in all.
        visitor(start(20.0), Figure::Time(&mut switch.start));
    }
    visitor(ramp(0.7, 1.0), Figure::Ratio(&mut profile.ramp));
}

/// LL sets the unit of steps, Simple that of bandwidth: both are the node's.
fn ring(ring: &mut RingProtocol, visitor: Visitor<'_>) {
    match ring.protocol {
        Protocol::Ll => visitor(share(0.04), Figure::Ratio(&mut ring.bandwidth)),
        Protocol::Ll128 => {
            visitor(LL128_STEP, Figure::Ratio(&mut ring.step));
            visitor(share(0.3), Figure::Ratio(&mut ring.bandwidth));
        }
        Protocol::Simple => {
            visitor(start(3.0), Figure::Time(&mut ring.start));
            ring.copy.iter_mut().for_each(|copy| visitor(COPY, Figure::Ratio(copy)));
        }
    }
}

fn custom(kernels: &mut Custom, visitor: Visitor<'_>) {
    for access in [&mut kernels.one_shot, &mut kernels.two_shot] {
        visitor(start(5.0), Figure::Time(&mut access.start));
        visitor(peer(0.2), Figure::Time(&mut access.peer));
        visitor(share(0.8), Figure::Ratio(&mut access.bandwidth));
    }
    if let Some(kernel) = &mut kernels.multimem {
        visitor(start(9.0), Figure::Time(&mut kernel.start));
        visitor(share(0.5), Figure::Ratio(&mut kernel.bandwidth));
    }
}

fn experts(kernel: &mut ExpertKernel, visitor: Visitor<'_>) {
    for phase in [&mut kernel.dispatch, &mut kernel.combine] {
        visitor(start(80.0), Figure::Time(&mut phase.start));
        visitor(RATE, Figure::Rate(&mut phase.copy_bandwidth));
        visitor(ramp(1.5, 4.0), Figure::Ratio(&mut phase.ramp));
    }
}
