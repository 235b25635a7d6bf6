//! Moving a cache from prefill to decode.

use vitruvian_event::{Instant, Span};

/// The way between a prefill and a decode replica.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transfer {
    /// Seconds before the first byte arrives.
    pub latency: f64,
    /// Bytes per second of all ranks together.
    pub bandwidth: f64,
    /// Bytes of each cached token, all ranks.
    pub token: f64,
    /// Bytes of a sequence whatever its length.
    pub fixed: f64,
    /// Layers that are sent as they are computed; one sends all at the end.
    pub layers: u32,
}

impl Transfer {
    /// Seconds on the wire.
    pub fn wire(&self, tokens: u32) -> f64 {
        let bytes = self.fixed + self.token * f64::from(tokens);
        if bytes > 0.0 { bytes / self.bandwidth } else { 0.0 }
    }

    /// When a cache of `tokens` has arrived, whose prompt took from `start` to `end` to compute, over a link that is taken
    /// until `link`.
    ///
    /// Layer by layer, each of L layers may leave when it is computed: the wire time w hides behind the prompt but for its
    /// last layer, max(w − (L−1)/L · prefill, w/L). A link that is taken adds its whole queue.
    pub fn arrival(&self, tokens: u32, start: Instant, end: Instant, link: Instant) -> Instant {
        let wire = self.wire(tokens);
        let layers = f64::from(self.layers.max(1));
        let behind = (layers - 1.0) / layers * (end - start).seconds();
        let shown = (wire - behind).max(wire / layers);
        let alone = end + Span::from_seconds(shown);
        let queued = link + Span::from_seconds(wire);
        alone.max(queued) + Span::from_seconds(self.latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAY: Transfer = Transfer { latency: 0.0, bandwidth: 1e9, token: 1e6, fixed: 0.0, layers: 1 };

    fn at(seconds: f64) -> Instant {
        Instant::from_seconds(seconds)
    }

    #[test]
    fn all_at_the_end_takes_the_wire_time() {
        // 1000 tokens · 1 MB / 1 GB/s = 1 s.
        assert_eq!(WAY.arrival(1000, at(0.0), at(2.0), at(0.0)), at(3.0));
    }

    #[test]
    fn layers_hide_behind_the_prompt() {
        let way = Transfer { layers: 10, ..WAY };
        // 1 s of wire, 2 s of prompt: only the last of ten layers shows.
        assert_eq!(way.arrival(1000, at(0.0), at(2.0), at(0.0)), at(2.1));
        // 1 s of wire, 0.5 s of prompt: 1 − 0.9 · 0.5 shows.
        assert_eq!(way.arrival(1000, at(0.0), at(0.5), at(0.0)), at(1.05));
    }

    #[test]
    fn a_link_that_is_taken_is_waited_for() {
        assert_eq!(WAY.arrival(1000, at(0.0), at(2.0), at(5.0)), at(6.0));
    }
}
