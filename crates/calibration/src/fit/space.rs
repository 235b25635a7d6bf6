//! Bounded parameters as a point of an unbounded space.

use nalgebra::DVector;
use vitruvian_cost::{Parameter, ProfileSet};

use crate::measurement::Slot;

/// The parameters of the fitted slots, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Space {
    slots: Vec<Slot>,
    axes: Vec<Axis>,
}

/// One parameter between its bounds, on a logarithmic scale where these are far apart.
#[derive(Clone, Copy, Debug)]
struct Axis {
    lower: f64,
    upper: f64,
    logarithmic: bool,
}

/// Parameters that choose between libraries.
const SWITCHES: [&str; 6] =
    ["row_granule", "flashinfer", "flash_attention_3", "packing", "block_per_token", "dispatch"];
/// Bounds further apart than this factor are searched by ratio.
const WIDE: f64 = 8.0;
/// A start stays this far from its bounds, where the slope would vanish.
const MARGIN: f64 = 0.01;

impl Axis {
    fn of(parameter: &Parameter) -> Self {
        let Parameter { lower, upper, .. } = *parameter;
        Self { lower, upper, logarithmic: lower > 0.0 && upper / lower > WIDE }
    }

    /// From a share of the way between the bounds to the value there.
    fn value(&self, share: f64) -> f64 {
        let value = if self.logarithmic {
            self.lower * (self.upper / self.lower).powf(share)
        } else {
            self.lower + share * (self.upper - self.lower)
        };
        value.clamp(self.lower, self.upper)
    }

    fn share(&self, value: f64) -> f64 {
        if self.logarithmic {
            (value / self.lower).ln() / (self.upper / self.lower).ln()
        } else {
            (value - self.lower) / (self.upper - self.lower)
        }
    }
}

impl Space {
    pub(super) fn of(slots: &[Slot]) -> Self {
        let axes = slots.iter().flat_map(|slot| slot.family.parameters()).map(Axis::of).collect();
        Self { slots: slots.to_vec(), axes }
    }

    /// The values with each parameter that chooses a library on either side.
    pub(super) fn sides(&self, values: &[f64]) -> Vec<Vec<f64>> {
        let list = self.slots.iter().flat_map(|slot| slot.family.parameters());
        let mut sides = vec![values.to_vec()];
        for (index, parameter) in list.enumerate().filter(|(_, parameter)| SWITCHES.contains(&parameter.name))
        {
            let ends = [parameter.upper, parameter.lower];
            let with = |side: &Vec<f64>, end: f64| {
                let mut side = side.clone();
                side[index] = end;
                side
            };
            sides = sides.iter().flat_map(|side| ends.map(|end| with(side, end))).collect();
        }
        sides
    }

    /// Axes of parameters that do not choose between libraries.
    pub(super) fn sliding(&self) -> impl Iterator<Item = usize> + '_ {
        let list = self.slots.iter().flat_map(|slot| slot.family.parameters()).enumerate();
        list.filter(|(_, parameter)| !SWITCHES.contains(&parameter.name)).map(|(axis, _)| axis)
    }

    /// Sets the parameters that choose between libraries to those of `values`.
    pub(super) fn switch(&self, profiles: &mut ProfileSet, values: &[f64]) {
        let mut own = self.values(profiles);
        let list = self.slots.iter().flat_map(|slot| slot.family.parameters());
        for (index, _) in list.enumerate().filter(|(_, parameter)| SWITCHES.contains(&parameter.name)) {
            own[index] = values[index];
        }
        self.set(profiles, &own);
    }

    /// The present values of the fitted slots.
    pub(super) fn values(&self, profiles: &ProfileSet) -> Vec<f64> {
        self.slots.iter().flat_map(|slot| profiles.profile(slot.family, slot.precision).parameters).collect()
    }

    /// The point of these values: the logit of each one's share of the way between its bounds.
    pub(super) fn inward(&self, values: &[f64]) -> DVector<f64> {
        let logit = |share: f64| (share / (1.0 - share)).ln();
        let point = self
            .axes
            .iter()
            .zip(values)
            .map(|(axis, value)| logit(axis.share(*value).clamp(MARGIN, 1.0 - MARGIN)));
        DVector::from_iterator(self.axes.len(), point)
    }

    /// Writes the values of a point into the profiles.
    pub(super) fn place(&self, profiles: &mut ProfileSet, at: &DVector<f64>) {
        let logistic = |x: f64| (1.0 + (-x).exp()).recip();
        let values: Vec<f64> =
            self.axes.iter().zip(at.iter()).map(|(axis, x)| axis.value(logistic(*x))).collect();
        self.set(profiles, &values);
    }

    fn set(&self, profiles: &mut ProfileSet, mut rest: &[f64]) {
        for slot in &self.slots {
            let (own, after) = rest.split_at(slot.family.parameters().len());
            profiles.set(slot.family, slot.precision, own);
            rest = after;
        }
    }

    /// The `index`-th point of a sequence that fills the space evenly: the additive recurrence on the powers of the
    /// generalised golden ratio, the root of x^(d+1) = x + 1.
    pub(super) fn scattered(&self, index: usize) -> DVector<f64> {
        let dimensions = self.axes.len();
        let mut ratio = 1.5_f64;
        for _ in 0..32 {
            ratio = (1.0 + ratio).powf(1.0 / (dimensions as f64 + 1.0));
        }
        let point = (1..=dimensions).map(|axis| {
            let share = (0.5 + index as f64 * ratio.powf(-(axis as f64))).fract().clamp(MARGIN, 1.0 - MARGIN);
            (share / (1.0 - share)).ln()
        });
        DVector::from_iterator(dimensions, point)
    }
}
