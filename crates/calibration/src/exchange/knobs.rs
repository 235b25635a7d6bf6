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

/// Least and greatest value that a fit may give a figure.
type Bounds = (f64, f64);

const START: Bounds = (0.3, 400.0);
const PEER: Bounds = (0.01, 3.0);
const SHARE: Bounds = (0.003, 1.2);
const RATE: Bounds = (20.0, 900.0);

/// The values of the figures that measurements along a path inform, with their bounds.
pub(super) fn values(path: Path, profile: &CollectiveProfile) -> Vec<(f64, Bounds)> {
    let mut values = Vec::new();
    visit(path, &mut profile.clone(), &mut |bounds, figure| values.push((figure.value(), bounds)));
    values
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
    fn value(&self) -> f64 {
        match self {
            Self::Time(time) => time.get() * 1e6,
            Self::Rate(rate) => rate.get() / 1e9,
            Self::Ratio(ratio) => **ratio,
        }
    }

    fn set(self, value: f64) {
        match self {
            Self::Time(time) => *time = Seconds::new(value * 1e-6),
            Self::Rate(rate) => *rate = BytesPerSecond::new(value * 1e9),
            Self::Ratio(ratio) => *ratio = value,
        }
    }
}

type Visitor<'v> = &'v mut dyn FnMut(Bounds, Figure<'_>);

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
        visitor(START, Figure::Time(&mut pair.start));
        if pair.protocol != Protocol::Simple {
            visitor(SHARE, Figure::Ratio(&mut pair.peer));
        }
    }
    if let Some(switch) = &mut profile.in_switch {
        visitor(START, Figure::Time(&mut switch.start));
    }
    visitor((0.4, 1.0), Figure::Ratio(&mut profile.ramp));
}

/// LL sets the unit of steps, Simple that of bandwidth: both are the node's.
fn ring(ring: &mut RingProtocol, visitor: Visitor<'_>) {
    match ring.protocol {
        Protocol::Ll => visitor(SHARE, Figure::Ratio(&mut ring.bandwidth)),
        Protocol::Ll128 => {
            visitor((1.0, 4.0), Figure::Ratio(&mut ring.step));
            visitor(SHARE, Figure::Ratio(&mut ring.bandwidth));
        }
        Protocol::Simple => {
            visitor(START, Figure::Time(&mut ring.start));
            ring.copy.iter_mut().for_each(|copy| visitor((0.5, 10.0), Figure::Ratio(copy)));
        }
    }
}

fn custom(kernels: &mut Custom, visitor: Visitor<'_>) {
    for access in [&mut kernels.one_shot, &mut kernels.two_shot] {
        visitor(START, Figure::Time(&mut access.start));
        visitor(PEER, Figure::Time(&mut access.peer));
        visitor(SHARE, Figure::Ratio(&mut access.bandwidth));
    }
    if let Some(kernel) = &mut kernels.multimem {
        visitor(START, Figure::Time(&mut kernel.start));
        visitor(SHARE, Figure::Ratio(&mut kernel.bandwidth));
    }
}

fn experts(kernel: &mut ExpertKernel, visitor: Visitor<'_>) {
    for phase in [&mut kernel.dispatch, &mut kernel.combine] {
        visitor(START, Figure::Time(&mut phase.start));
        visitor(RATE, Figure::Rate(&mut phase.copy_bandwidth));
        visitor((0.5, 4.0), Figure::Ratio(&mut phase.ramp));
    }
}
