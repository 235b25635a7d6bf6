//! What a share of the requests sees, not only the mean.
//!
//! Prompts queue for c servers (instances, data-parallel groups, pipeline slots) of service time S, each loaded to ρ. A share
//! P of them waits, P ≈ ρ^(√(2(c+1)) − 1) (Sakasegawa 1977; ρ for one server), and for those the wait is close to
//! exponential with mean S / (2 c (1 − ρ)), half of what it were with exponential service (Pollaczek–Khinchine for one
//! server), so that P(wait > t) ≈ P exp(−2 c (1 − ρ) t / S).
//!
//! Data-parallel groups begin their steps together: who comes amid a step waits for its end, uniform over the step.

/// Servers behind one queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Queue {
    /// How many.
    pub(super) servers: f64,
    /// Time of one service.
    pub(super) service: f64,
    /// Share of their time that they work.
    pub(super) load: f64,
    /// Servers that begin together: data-parallel groups, whose steps wait for each other. One where each begins alone.
    pub(super) together: f64,
}

impl Queue {
    /// Share of the arrivals that wait.
    fn waiting(&self) -> f64 {
        self.load.powf((2.0 * (self.servers + 1.0)).sqrt() - 1.0)
    }

    /// Mean wait of those that wait.
    fn waited(&self) -> f64 {
        self.service / (2.0 * self.servers * (1.0 - self.load))
    }

    /// Share of the arrivals that find the servers which begin together in the middle of a service.
    fn amid(&self) -> f64 {
        if self.together > 1.0 { (self.load * self.together).min(1.0) } else { 0.0 }
    }

    /// Mean wait of all.
    pub(super) fn mean(&self) -> f64 {
        self.waiting() * self.waited() + self.amid() * self.service / 2.0
    }

    /// The wait that a share of the arrivals stays below.
    pub(super) fn wait(&self, share: f64) -> f64 {
        let queued = self.waited() * (self.waiting() / (1.0 - share)).ln().max(0.0);
        let amid = self.amid();
        let rest = if amid > 1.0 - share { self.service * (1.0 - (1.0 - share) / amid) } else { 0.0 };
        queued + rest
    }

    /// The largest load, up to `most`, at which a share of the arrivals waits no longer than `slack`.
    pub(super) fn load_for(&self, slack: f64, share: f64, most: f64) -> f64 {
        let keeps = |load: f64| Self { load, ..*self }.wait(share) <= slack;
        if keeps(most) {
            return most;
        }
        let (mut low, mut high) = (0.0, most);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if keeps(middle) { low = middle } else { high = middle }
        }
        low
    }
}

/// Places of `places` that are taken on average when a share `attainment` of arrivals finds one free.
///
/// The number of places that would be taken without bound is Poisson, close to normal: n + z √n = places (square-root
/// staffing, Halfin and Whitt 1981), so n = places + z²/2 − z √(places + z²/4).
pub(super) fn taken(places: f64, attainment: f64) -> f64 {
    let z = quantile(attainment);
    (places + z * z / 2.0 - z * (places + z * z / 4.0).sqrt()).clamp(0.0, places)
}

/// The normal quantile (Abramowitz and Stegun 26.2.23; error below 4.5e-4).
fn quantile(share: f64) -> f64 {
    let beyond = share.min(1.0 - share);
    let t = (-2.0 * beyond.ln()).sqrt();
    let over = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let under = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let z = t - over / under;
    if share < 0.5 { -z } else { z }
}

/// Halvings of the load: to a thousandth.
const HALVINGS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept_free_for_bursts() {
        // z(0.9) = 1.28155; 100 = n + 1.28155 √n: √n = −0.640775 + √(0.410593 + 100) = 9.379738, n = 87.9795.
        assert!((quantile(0.9) - 1.281_55).abs() < 4.5e-4 && (quantile(0.1) + 1.281_55).abs() < 4.5e-4);
        assert!((taken(100.0, 0.9) - 87.979_5).abs() < 0.01);
        assert_eq!(taken(0.0, 0.9), 0.0);
    }

    #[test]
    fn a_half_loaded_queue() {
        // One server, ρ = 0.5, S = 1 s: W = 0.5 · 1 / (2 · 0.5) = 0.5 s (M/D/1); 90 % wait below 1 · ln(0.5/0.1) = ln 5.
        let queue = Queue { servers: 1.0, service: 1.0, load: 0.5, together: 1.0 };
        assert!((queue.mean() - 0.5).abs() < 1e-12);
        assert!((queue.wait(0.9) - 5.0_f64.ln()).abs() < 1e-12);
        // Turned round, a slack of ln 5 allows a load of one half, and no slack the share that never waits.
        assert!((queue.load_for(5.0_f64.ln(), 0.9, 0.95) - 0.5).abs() < 1e-3);
        assert!((queue.load_for(0.0, 0.9, 0.95) - 0.1).abs() < 1e-3);
    }

    #[test]
    fn servers_that_share_a_queue_wait_less() {
        // Seven servers at ρ = 0.5: √16 − 1 = 3, P = 0.125, each S/(2·7·0.5) = S/7: mean S/56.
        let queue = Queue { servers: 7.0, service: 1.0, load: 0.5, together: 1.0 };
        assert!((queue.mean() - 1.0 / 56.0).abs() < 1e-12);
    }

    #[test]
    fn servers_that_begin_together_make_arrivals_wait_for_the_next_beginning() {
        // Four of four begin together at ρ = 0.125: half of the arrivals come amid a service of 1 s and wait U(0, 1 s); 90 %
        // wait below 1 − 0.1/0.5 = 0.8 s. Hardly any waits for a free server: 0.125^2.16 = 0.011 < 0.1.
        let queue = Queue { servers: 4.0, service: 1.0, load: 0.125, together: 4.0 };
        assert!((queue.wait(0.9) - 0.8).abs() < 1e-12);
    }
}
