//! Step times of a replica under its engine, remembered by shape.
//!
//! A step of decode alone is costed by the engine at knots of the mean context, sixteen an octave, and by a straight line
//! between them. A step with prefill is costed by the engine itself, its rows rounded to the nearest of 64 sizes an octave
//! and its contexts likewise. Against the engine's own figures the first is off by at most 0.7 % and 0.1 % on average, the
//! second by at most 4.5 % (where rows cross the edge of a tile) and 0.3 % on average. Latent attention is off by up to 8 and
//! 10 %, 0.1 % on average, where its plan jumps from one length to the next. A test of the facade holds all of this.

use rustc_hash::FxHashMap;
use vitruvian_cost::Refusal;
use vitruvian_engine::{Meter, Replica, step_cost};
use vitruvian_model::{Decode, Prefill, Step};
use vitruvian_quantity::Watts;

use super::{Batch, Line, StepTime, StepTimes, experts};
use crate::speculation::{Draft, Speculation};

/// The engine's step times of one replica.
pub struct EngineTimes<'a> {
    replica: Replica<'a>,
    meter: Meter<'a>,
    /// Energy of a second at the power cap, above active idle, all chips.
    most: Watts,
    drafts: Option<Draft>,
    /// By sequences, then by knot.
    decode: Vec<Vec<Option<StepTime>>>,
    /// Seconds of expert layers, by rows.
    shared: FxHashMap<u32, f64>,
}

impl<'a> EngineTimes<'a> {
    /// Nothing is remembered yet.
    ///
    /// # Errors
    /// The chip cannot run the draft model.
    pub fn new(
        replica: Replica<'a>,
        meter: Meter<'a>,
        speculation: Option<&Speculation>,
    ) -> Result<Self, Refusal> {
        let power = &meter.chip().power;
        let most = (power.cap - power.active_idle) * f64::from(replica.layout.chips());
        let mut times =
            Self { replica, meter, most, drafts: None, decode: Vec::new(), shared: FxHashMap::default() };
        times.drafts = speculation.map(Draft::new);
        Ok(times)
    }

    /// The meter, to cost other things of the same replica.
    pub fn meter(&mut self) -> &mut Meter<'a> {
        &mut self.meter
    }

    fn cost(&mut self, step: &Step) -> Result<StepTime, Refusal> {
        let cost = step_cost(&self.replica, step, &mut self.meter)?;
        let mut time = StepTime {
            latency: cost.latency.get(),
            interval: cost.interval.get(),
            energy: cost.energy.get(),
        };
        if let (Some(draft), Some(decode)) = (&self.drafts, step.decode) {
            let drafting = draft.cost(&self.replica, decode.sequences, decode.context, &mut self.meter)?;
            time.latency += drafting.latency;
            time.interval += drafting.interval;
            time.energy += drafting.energy;
        }
        time.energy = time.energy.min(self.most.get() * time.latency);
        Ok(time)
    }

    fn queries(&self) -> u32 {
        self.drafts.as_ref().map_or(1, Draft::queries)
    }

    fn knot(&mut self, sequences: u32, knot: usize) -> Result<StepTime, Refusal> {
        let row = sequences as usize;
        if self.decode.len() <= row {
            self.decode.resize(row + 1, Vec::new());
        }
        if let Some(Some(known)) = self.decode[row].get(knot) {
            return Ok(*known);
        }
        let decode = Decode { sequences, context: knot_context(knot), queries: self.queries() };
        let time = self.cost(&Step { decode: Some(decode), ..Step::default() })?;
        if self.decode[row].len() <= knot {
            self.decode[row].resize(knot + 1, None);
        }
        self.decode[row][knot] = Some(time);
        Ok(time)
    }
}

impl StepTimes for EngineTimes<'_> {
    fn step(&mut self, batch: &Batch) -> Result<StepTime, Refusal> {
        let queries = self.queries();
        let decode = (batch.decode > 0).then(|| Decode {
            sequences: batch.decode,
            context: rounded((batch.context / u64::from(batch.decode)) as u32, 64),
            queries,
        });
        let beside = decode.map_or(0, |decode| decode.tokens());
        let rows = rounded(batch.new + beside, 64).max(beside + 1);
        let prompts = batch.prompts.max(1).min(rows - beside);
        let new = (batch.new.min(rows - beside) / prompts).max(1);
        let past = batch.pairs / f64::from(batch.new.max(1))
            - f64::from(batch.new) / f64::from(2 * batch.prompts.max(1));
        let prefill = Prefill {
            sequences: prompts,
            new,
            cached: rounded(past.max(0.0).round() as u32, 64),
            sampled: batch.sampled.min(prompts),
        };
        let padding = rows.saturating_sub(beside + prefill.tokens());
        self.cost(&Step { prefill: Some(prefill), decode, padding })
    }

    fn decode(&mut self, sequences: u32, context: f64) -> Result<Line, Refusal> {
        let knot = knot_below(context as u32);
        let (low, high) = (f64::from(knot_context(knot)), f64::from(knot_context(knot + 1)));
        let (from, to) = (self.knot(sequences, knot)?, self.knot(sequences, knot + 1)?);
        let each = |from: f64, to: f64| (to - from) / (high - low);
        let slope = StepTime {
            latency: each(from.latency, to.latency),
            interval: each(from.interval, to.interval),
            energy: each(from.energy, to.energy),
        };
        let past = context - low;
        let now = StepTime {
            latency: from.latency + slope.latency * past,
            interval: from.interval + slope.interval * past,
            energy: from.energy + slope.energy * past,
        };
        Ok(Line { now, slope, room: high - context })
    }

    fn shared(&mut self, rows: u32) -> Result<f64, Refusal> {
        let rows = rounded(rows, 64);
        if let Some(known) = self.shared.get(&rows) {
            return Ok(*known);
        }
        let seconds = experts::cost(&self.replica, rows, &mut self.meter)?;
        self.shared.insert(rows, seconds);
        Ok(seconds)
    }
}

/// Knots: every 4 tokens to 64, then sixteen an octave.
const KNOTS: u32 = 16;
const FINE: u32 = 64;

/// The last knot that is not above a context.
fn knot_below(context: u32) -> usize {
    if context < FINE {
        return (context / (FINE / KNOTS)) as usize;
    }
    let octave = context.ilog2();
    let within = (context - (1 << octave)) / (1 << (octave - KNOTS.ilog2()));
    ((octave - FINE.ilog2() + 1) * KNOTS + within) as usize
}

/// The context of a knot.
fn knot_context(knot: usize) -> u32 {
    let knot = knot as u32;
    if knot < KNOTS {
        return knot * (FINE / KNOTS);
    }
    let octave = knot / KNOTS - 1 + FINE.ilog2();
    (1 << octave) + (knot % KNOTS) * (1 << (octave - KNOTS.ilog2()))
}

/// The nearest of `sizes` sizes an octave; small counts are exact.
fn rounded(count: u32, sizes: u32) -> u32 {
    let step = count.checked_ilog2().map_or(1, |octave| (1u32 << octave) / sizes).max(1);
    (count + step / 2) / step * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knots_rise_and_bracket() {
        for context in (0..5000).chain([100_000, 131_071, 131_072, 1_000_000]) {
            let knot = knot_below(context);
            assert!(knot_context(knot) <= context && context < knot_context(knot + 1), "{context}");
        }
    }

    #[test]
    fn sizes_are_within_one_part_in_128() {
        assert_eq!((0..=128).map(|n| rounded(n, 64)).collect::<Vec<_>>(), (0..=128).collect::<Vec<_>>());
        for count in 1..20_000u32 {
            let off = f64::from(rounded(count, 64)) / f64::from(count) - 1.0;
            assert!(off.abs() <= 1.0 / 128.0, "{count}");
        }
    }
}
