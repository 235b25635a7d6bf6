//! Energy and money of a simulated service.

use vitruvian_economics::hourly;
use vitruvian_quantity::Watts;
use vitruvian_serving::Outcome;

use super::pools::Prepared;

/// What a pool drew and cost from the start to the last token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bill {
    /// Joules of the chips.
    pub(super) chips: f64,
    /// The same with their share of hosts, fans and NICs.
    pub(super) wall: f64,
    /// Dollars, where the price of the chip is known.
    pub(super) money: Option<f64>,
}

/// Chips idle at their active idle power, and steps add their energy; hosts draw their share all the time.
pub(super) fn bill(pool: &Prepared, outcome: &Outcome, index: usize) -> Bill {
    let (chips, seconds) = (f64::from(pool.chips()), outcome.end.seconds());
    let (chip, node) = (&pool.setup.chip, &pool.setup.node);
    let idle = chip.power.active_idle.get() * chips * seconds;
    let energy = idle + outcome.energy[index];
    let host = node.host_power.get() / f64::from(node.size) * chips * seconds;
    let wall = energy + host;
    let hours = seconds / 3600.0;
    let money = pool.setup.finance().capital.filter(|_| seconds > 0.0).map(|capital| {
        let power = Watts::new(wall / seconds / chips);
        hourly(&capital, power, &pool.setup.region).total().get() * chips * hours
    });
    Bill { chips: energy, wall, money }
}

impl Bill {
    /// Everything of two pools; money only where both are known.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            chips: self.chips + other.chips,
            wall: self.wall + other.wall,
            money: self.money.zip(other.money).map(|(a, b)| a + b),
        }
    }
}

/// Watts of all chips and hosts while nothing steps.
pub(super) fn idle_watts(pools: &[Prepared]) -> f64 {
    let each = pools.iter().map(|pool| {
        let (chip, node) = (&pool.setup.chip, &pool.setup.node);
        (chip.power.active_idle.get() + node.host_power.get() / f64::from(node.size))
            * f64::from(pool.chips())
    });
    each.sum()
}
