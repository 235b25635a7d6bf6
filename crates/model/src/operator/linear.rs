//! Mixers with a state of fixed size: delta rules and state spaces.

use vitruvian_quantity::{Bytes, Dtype, Flops};

/// A mixer with a state of fixed size per sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinearAttention {
    /// Which recurrence.
    pub kind: LinearKind,
    /// Sequences.
    pub batch: u32,
    /// New tokens per sequence; one in decode.
    pub new: u32,
    /// Key (or B/C group) heads of this rank.
    pub key_heads: u32,
    /// Value (or SSM) heads of this rank.
    pub value_heads: u32,
    /// Width of a key head, or the SSM state size.
    pub key_dim: u32,
    /// Width of a value head.
    pub value_dim: u32,
    /// Taps of the short convolution; zero if none.
    pub conv: u32,
    /// Format of activations.
    pub dtype: Dtype,
    /// Format of the state.
    pub state: Dtype,
}

/// Which recurrence a linear mixer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinearKind {
    /// Gated `DeltaNet` (Qwen3-Next, Qwen3.5): arXiv 2412.06464.
    GatedDeltaNet,
    /// Kimi Delta Attention: a gate per channel.
    KimiDelta,
    /// Mamba-2 state-space duality: arXiv 2405.21060.
    Mamba2,
}

impl LinearKind {
    /// Tokens of a chunk of the parallel form, as the kernels of flash-linear-attention and Mamba-2 choose it.
    pub const fn chunk(self) -> u32 {
        match self {
            Self::GatedDeltaNet | Self::KimiDelta => 64,
            Self::Mamba2 => 128,
        }
    }

    /// FLOP of the recurrent form per token and value head, in units of key width × value width.
    ///
    /// Delta rule: decay 1, read 2, correct 2, write and query 3; SSD: decay, write and read 2 each.
    const fn recurrent(self) -> f64 {
        match self {
            Self::GatedDeltaNet | Self::KimiDelta => 8.0,
            Self::Mamba2 => 6.0,
        }
    }

    /// FLOP of the chunked form per token and value head: `6·d_k·d_v` + `C(3·d_k` + `2·d_v`); SSD 4·N·P + 2C(N + P).
    fn chunked(self, key: f64, value: f64) -> f64 {
        let chunk = f64::from(self.chunk());
        match self {
            Self::GatedDeltaNet | Self::KimiDelta => 6.0 * key * value + chunk * (3.0 * key + 2.0 * value),
            Self::Mamba2 => 4.0 * key * value + 2.0 * chunk * (key + value),
        }
    }
}

impl LinearAttention {
    /// Channels that pass the short convolution: q, k and v (x, B and C).
    pub fn channels(&self) -> u64 {
        let keys = 2 * u64::from(self.key_heads) * u64::from(self.key_dim);
        keys + u64::from(self.value_heads) * u64::from(self.value_dim)
    }

    /// Bytes of one sequence's state: value heads · `d_k` · `d_v`, and conv − 1 columns of 16-bit channels.
    pub fn state_bytes(&self) -> f64 {
        let recurrent = f64::from(self.value_heads) * f64::from(self.key_dim) * f64::from(self.value_dim);
        let taps = f64::from(self.conv.saturating_sub(1));
        recurrent * self.state.bytes() + self.channels() as f64 * taps * self.dtype.bytes()
    }

    /// Recurrent form below a chunk, chunked form from there on; plus the convolution.
    pub fn flops(&self) -> Flops {
        let (key, value) = (f64::from(self.key_dim), f64::from(self.value_dim));
        let a_head = if self.new < self.kind.chunk() {
            self.kind.recurrent() * key * value
        } else {
            self.kind.chunked(key, value)
        };
        let convolution = 2.0 * f64::from(self.conv) * self.channels() as f64;
        let tokens = f64::from(self.batch) * f64::from(self.new);
        Flops::new(tokens * (f64::from(self.value_heads) * a_head + convolution))
    }

    /// The state read and written once, inputs read, outputs written.
    pub fn bytes(&self) -> Bytes {
        let outputs = f64::from(self.value_heads) * f64::from(self.value_dim);
        let a_token = (self.channels() as f64 + outputs) * self.dtype.bytes();
        Bytes::new(f64::from(self.batch) * (2.0 * self.state_bytes() + f64::from(self.new) * a_token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_qwen3_next_layer() {
        let layer = LinearAttention {
            kind: LinearKind::GatedDeltaNet,
            batch: 1,
            new: 1,
            key_heads: 16,
            value_heads: 32,
            key_dim: 128,
            value_dim: 128,
            conv: 4,
            dtype: Dtype::Bf16,
            state: Dtype::Fp32,
        };
        // 32·128·128·4 B + (32·128 + 2·16·128)·3·2 B
        assert_eq!(layer.state_bytes(), 2_097_152.0 + 49_152.0);
    }
}
