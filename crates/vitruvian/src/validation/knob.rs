//! Figures of an engine that may be fitted, and their descent: one coordinate at a time, each to the best of its neighbours.

use vitruvian_engine::EngineProfile;
use vitruvian_quantity::{Bytes, Seconds};

/// A figure that may be fitted.
pub(super) struct Knob {
    /// Key in the engine's file.
    pub(super) key: &'static str,
    get: fn(&EngineProfile) -> f64,
    set: fn(&mut EngineProfile, f64),
    /// Smallest and largest value that makes sense, in `unit`.
    range: [f64; 2],
    unit: &'static str,
}

/// Time to launch a kernel, in microseconds.
pub(super) const fn launch(range: [f64; 2]) -> Knob {
    Knob {
        key: "launch",
        get: |engine| engine.launch.get() * 1e6,
        set: |engine, value| engine.launch = Seconds::new(value * 1e-6),
        range,
        unit: "us",
    }
}

/// Time between two steps, in milliseconds.
pub(super) const fn gap(range: [f64; 2]) -> Knob {
    Knob {
        key: "gap",
        get: |engine| engine.gap.get() * 1e3,
        set: |engine, value| engine.gap = Seconds::new(value * 1e-3),
        range,
        unit: "ms",
    }
}

/// The same for each layer of experts, in microseconds.
pub(super) const fn gap_experts(range: [f64; 2]) -> Knob {
    Knob {
        key: "gap_experts",
        get: |engine| engine.gap_experts.get() * 1e6,
        set: |engine, value| engine.gap_experts = Seconds::new(value * 1e-6),
        range,
        unit: "us",
    }
}

/// Skew of tokens over experts.
pub(super) const fn expert_skew(range: [f64; 2]) -> Knob {
    Knob {
        key: "expert_skew",
        get: |engine| engine.expert_skew,
        set: |engine, value| engine.expert_skew = value,
        range,
        unit: "",
    }
}

/// Time of attention over prompts against the chip's own kernel.
pub(super) const fn prompt_attention(range: [f64; 2]) -> Knob {
    Knob {
        key: "prompt_attention",
        get: |engine| engine.prompt_attention,
        set: |engine, value| engine.prompt_attention = value,
        range,
        unit: "",
    }
}

/// Time of a request outside of steps, in milliseconds.
pub(super) const fn request(range: [f64; 2]) -> Knob {
    Knob {
        key: "request",
        get: |engine| engine.request.get() * 1e3,
        set: |engine, value| engine.request = Seconds::new(value * 1e-3),
        range,
        unit: "ms",
    }
}

/// The same for each request in flight, in milliseconds.
pub(super) const fn request_each(range: [f64; 2]) -> Knob {
    Knob {
        key: "request_each",
        get: |engine| engine.request_each.get() * 1e3,
        set: |engine, value| engine.request_each = Seconds::new(value * 1e-3),
        range,
        unit: "ms",
    }
}

/// Time of a request in the process that receives requests one by one, in milliseconds.
pub(super) const fn request_serial(range: [f64; 2]) -> Knob {
    Knob {
        key: "request_serial",
        get: |engine| engine.request_serial.get() * 1e3,
        set: |engine, value| engine.request_serial = Seconds::new(value * 1e-3),
        range,
        unit: "ms",
    }
}

/// The same for each layer of experts, in milliseconds.
pub(super) const fn request_experts(range: [f64; 2]) -> Knob {
    Knob {
        key: "request_experts",
        get: |engine| engine.request_experts.get() * 1e3,
        set: |engine, value| engine.request_experts = Seconds::new(value * 1e-3),
        range,
        unit: "ms",
    }
}

/// Memory beside weights and cache, in gigabytes.
pub(super) const fn runtime_reserve(range: [f64; 2]) -> Knob {
    Knob {
        key: "runtime_reserve",
        get: |engine| engine.runtime_reserve.get() * 1e-9,
        set: |engine, value| engine.runtime_reserve = Bytes::new(value * 1e9),
        range,
        unit: "GB",
    }
}

impl Knob {
    /// The figure as the engine's file writes it.
    pub(super) fn written(&self, engine: &EngineProfile) -> String {
        format!("{:.3} {}", (self.get)(engine), self.unit).trim_end().to_owned()
    }

    fn turned(&self, engine: &EngineProfile, value: f64) -> EngineProfile {
        let mut turned = engine.clone();
        (self.set)(&mut turned, value.clamp(self.range[0], self.range[1]));
        turned
    }
}

/// Every figure in the geometric middle of its range: what an earlier fit found must not leak into a fit that leaves rows out,
/// and the same rows give the same figures whatever the catalog holds.
pub(super) fn neutral<'a>(
    engine: &EngineProfile,
    knobs: impl IntoIterator<Item = &'a Knob>,
) -> EngineProfile {
    let middle = |knob: &Knob| (knob.range[0] * knob.range[1]).sqrt();
    knobs.into_iter().fold(engine.clone(), |engine, knob| knob.turned(&engine, middle(knob)))
}

/// The best figures found from a start and their loss. Each sweep tries its factors on one figure after another.
pub(super) fn descend(
    start: EngineProfile,
    knobs: &[Knob],
    sweeps: &[&[f64]],
    mut loss: impl FnMut(&EngineProfile) -> f64,
) -> (EngineProfile, f64) {
    let mut least = loss(&start);
    let mut best = start;
    for factors in sweeps {
        for knob in knobs {
            let middle = (knob.get)(&best);
            for factor in *factors {
                let trial = knob.turned(&best, middle * factor);
                let found = loss(&trial);
                if found < least {
                    (best, least) = (trial, found);
                }
            }
        }
    }
    (best, least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descent_finds_what_the_loss_asks_for_within_the_range() {
        let engine = vitruvian_engine::catalog::engine("vllm").unwrap();
        let knobs = [launch([2.0, 60.0]), gap([0.05, 0.8])];
        // From the middle of their ranges, 10.95 µs and 0.2 ms: one doubling leads launches past 20 µs and one step of 5 % back
        // to 20.8 µs; gaps, asked to be 2 ms, double twice and stop at the end of their range.
        let sweeps: [&[f64]; 4] = [&[0.5, 2.0], &[0.5, 2.0], &[0.5, 2.0], &[0.95, 1.05]];
        let loss = |engine: &EngineProfile| {
            (engine.launch.get() / 20e-6).ln().abs() + (engine.gap.get() / 2e-3).ln().abs()
        };
        let (best, least) = descend(neutral(&engine, &knobs), &knobs, &sweeps, loss);
        let found = 120_f64.sqrt() * 2.0 * 0.95;
        assert!((best.launch.get() * 1e6 - found).abs() < 1e-9, "{}", knobs[0].written(&best));
        assert_eq!(knobs[1].written(&best), "0.800 ms");
        assert_eq!(least, loss(&best));
    }
}
