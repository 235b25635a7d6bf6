//! Number formats that an accelerator stores or multiplies.

use std::fmt;
use std::str::FromStr;

/// A number format. Block formats count their shared scales in [`Dtype::bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Dtype {
    /// IEEE binary32.
    Fp32,
    /// NVIDIA TF32 or Ascend HF32: fp32 storage, 19-bit multiplier.
    Tf32,
    /// IEEE binary16.
    Fp16,
    /// bfloat16.
    Bf16,
    /// OCP FP8 (E4M3 or E5M2).
    Fp8,
    /// Huawei HiF8.
    Hif8,
    /// OCP MXFP8: FP8 with one E8M0 scale every 32.
    Mxfp8,
    /// 8-bit integer.
    Int8,
    /// 4-bit integer.
    Int4,
    /// OCP MXFP4: E2M1 with one E8M0 scale every 32.
    Mxfp4,
    /// NVIDIA NVFP4: E2M1 with one E4M3 scale every 16.
    Nvfp4,
}

impl Dtype {
    /// All formats, in declaration order: `ALL[d as usize] == d`.
    pub const ALL: [Self; 11] = [
        Self::Fp32,
        Self::Tf32,
        Self::Fp16,
        Self::Bf16,
        Self::Fp8,
        Self::Hif8,
        Self::Mxfp8,
        Self::Int8,
        Self::Int4,
        Self::Mxfp4,
        Self::Nvfp4,
    ];

    /// Bits of one element as the multiplier sees it (without shared scales).
    pub const fn bits(self) -> u32 {
        match self {
            Self::Fp32 | Self::Tf32 => 32,
            Self::Fp16 | Self::Bf16 => 16,
            Self::Fp8 | Self::Hif8 | Self::Mxfp8 | Self::Int8 => 8,
            Self::Int4 | Self::Mxfp4 | Self::Nvfp4 => 4,
        }
    }

    /// Bytes of one stored element, shared scales of block formats included.
    pub const fn bytes(self) -> f64 {
        match self {
            Self::Mxfp8 => (8.0 + 8.0 / 32.0) / 8.0,
            Self::Mxfp4 => (4.0 + 8.0 / 32.0) / 8.0,
            Self::Nvfp4 => (4.0 + 8.0 / 16.0) / 8.0,
            other => other.bits() as f64 / 8.0,
        }
    }

    /// The name used in files and output: `"bf16"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
            Self::Hif8 => "hif8",
            Self::Mxfp8 => "mxfp8",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::Mxfp4 => "mxfp4",
            Self::Nvfp4 => "nvfp4",
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Dtype {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|dtype| dtype.name() == text);
        found.ok_or_else(|| {
            format!("`{text}` is not a number format: use one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

impl serde::Serialize for Dtype {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Dtype {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Dtype;

    #[test]
    fn order_and_names_round_trip() {
        for (index, dtype) in Dtype::ALL.into_iter().enumerate() {
            assert_eq!(dtype as usize, index);
            assert_eq!(dtype.name().parse(), Ok(dtype));
        }
    }

    #[test]
    fn block_formats_carry_their_scales() {
        // MXFP4: 4 bits + one 8-bit scale / 32 = 4.25 bits; NVFP4: 4 + 8/16 = 4.5 bits.
        assert_eq!(Dtype::Mxfp4.bytes(), 4.25 / 8.0);
        assert_eq!(Dtype::Nvfp4.bytes(), 4.5 / 8.0);
    }
}
