//! The products and quotients of different quantities that mean something.

use std::ops::{Div, Mul};

use crate::unit::{
    Bytes, BytesPerSecond, Flops, FlopsPerSecond, Hertz, Joules, JoulesPerByte, JoulesPerFlop, Seconds, Watts,
};

macro_rules! product {
    ($a:ident * $b:ident = $c:ident) => {
        impl Mul<$b> for $a {
            type Output = $c;
            fn mul(self, other: $b) -> $c {
                $c::new(self.get() * other.get())
            }
        }
        impl Mul<$a> for $b {
            type Output = $c;
            fn mul(self, other: $a) -> $c {
                other * self
            }
        }
        impl Div<$a> for $c {
            type Output = $b;
            fn div(self, other: $a) -> $b {
                $b::new(self.get() / other.get())
            }
        }
        impl Div<$b> for $c {
            type Output = $a;
            fn div(self, other: $b) -> $a {
                $a::new(self.get() / other.get())
            }
        }
    };
}

product!(BytesPerSecond * Seconds = Bytes);
product!(FlopsPerSecond * Seconds = Flops);
product!(Watts * Seconds = Joules);
product!(JoulesPerByte * Bytes = Joules);
product!(JoulesPerFlop * Flops = Joules);

impl Seconds {
    /// The time of a (possibly fractional) number of clock cycles.
    pub fn of_cycles(cycles: f64, clock: Hertz) -> Self {
        Self::new(cycles / clock.get())
    }
}

impl Hertz {
    /// The rate of a unit that does `per_cycle` operations each cycle.
    pub fn times_flops(self, per_cycle: f64) -> FlopsPerSecond {
        FlopsPerSecond::new(self.get() * per_cycle)
    }

    /// The rate of a path that moves `per_cycle` bytes each cycle.
    pub fn times_bytes(self, per_cycle: f64) -> BytesPerSecond {
        BytesPerSecond::new(self.get() * per_cycle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_over_bandwidth_is_time() {
        // 8 GB / 4 TB/s = 2 ms
        assert_eq!(Bytes::new(8e9) / BytesPerSecond::new(4e12), Seconds::new(2e-3));
    }

    #[test]
    fn power_times_time_is_energy() {
        assert_eq!(Watts::new(500.0) * Seconds::new(2.0), Joules::new(1000.0));
    }

    #[test]
    fn cycles_at_a_clock_are_a_time() {
        assert_eq!(Seconds::of_cycles(1.8e9, Hertz::new(1.8e9)), Seconds::new(1.0));
    }
}
