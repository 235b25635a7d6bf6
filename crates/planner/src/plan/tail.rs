//! What a share of the requests sees, not only the mean.
//!
//! The wait of an M/D/1 queue of load ρ and service time S has mean W = ρ S / (2 (1 − ρ)) (Pollaczek–Khinchine). A share ρ
//! of the requests waits, and for them the wait is close to exponential with mean W/ρ, so that P(wait > t) ≈ ρ exp(−ρ t / W)
//! (Kingman's heavy-traffic approximation).

/// The wait that a share of the requests stays below, of a queue of mean wait `mean` and load `load`.
pub(super) fn wait(mean: f64, load: f64, share: f64) -> f64 {
    let beyond = 1.0 - share;
    if load <= beyond || mean <= 0.0 { 0.0 } else { mean / load * (load / beyond).ln() }
}

/// Mean wait of an M/D/1 queue.
pub(super) fn mean(load: f64, service: f64) -> f64 {
    load * service / (2.0 * (1.0 - load))
}

/// The largest load, up to `most`, at which a share of the requests waits no longer than `slack`.
pub(super) fn load_for(slack: f64, service: f64, share: f64, most: f64) -> f64 {
    let keeps = |load: f64| wait(mean(load, service), load, share) <= slack;
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
        // ρ = 0.5, S = 1 s: W = 0.5 · 1 / (2 · 0.5) = 0.5 s; 90 % wait below 0.5/0.5 · ln(0.5/0.1) = ln 5 = 1.609 s.
        assert_eq!(mean(0.5, 1.0), 0.5);
        assert!((wait(0.5, 0.5, 0.9) - 5.0_f64.ln()).abs() < 1e-12);
        // Turned round, a slack of ln 5 allows a load of one half, and no slack the share that never waits.
        assert!((load_for(5.0_f64.ln(), 1.0, 0.9, 0.95) - 0.5).abs() < 1e-3);
        assert!((load_for(0.0, 1.0, 0.9, 0.95) - 0.1).abs() < 1e-3);
    }
}
