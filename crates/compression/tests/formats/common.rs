//! The pseudo-random numbers and the checksum that the reference scripts use too.

use std::sync::Arc;

use vitruvian_compression::checkpoint::Memory;
use vitruvian_compression::{Grid, Matrix};

/// SplitMix64, a state a number.
pub(crate) fn random(count: u64, seed: u64) -> impl Iterator<Item = u64> {
    (1..=count).map(move |index| {
        let z = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// FNV-1a in 64 bits.
pub(crate) fn fnv(bytes: impl IntoIterator<Item = u8>) -> String {
    let step = |value: u64, byte: u8| (value ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The weights of `tools/quantised_layouts.py`: sums of four uniform numbers, a few of them large.
pub(crate) fn weights(rows: usize, cols: usize) -> Matrix {
    let value = |(index, z): (usize, u64)| {
        let sum: i64 = (0..4).map(|part| (z >> (16 * part) & 0xffff) as i64 - 32768).sum();
        let weight = sum as f32 / (1 << 21) as f32;
        if index % 97 == 0 { 4.0 * weight } else { weight }
    };
    Matrix { rows, cols, data: random((rows * cols) as u64, 7).enumerate().map(value).collect() }
}

/// A safetensors file of BF16 matrices.
pub(crate) fn safetensors(matrices: &[(&str, &Matrix)]) -> Vec<u8> {
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (name, matrix) in matrices {
        let start = data.len();
        data.extend(matrix.data.iter().flat_map(|weight| Grid::Bf16.encode(*weight).to_le_bytes()));
        let (rows, cols, end) = (matrix.rows, matrix.cols, data.len());
        entries.push(format!(
            r#""{name}":{{"dtype":"BF16","shape":[{rows},{cols}],"data_offsets":[{start},{end}]}}"#
        ));
    }
    file(&format!("{{{}}}", entries.join(",")), &data)
}

/// A safetensors file of some header and data.
pub(crate) fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A folder in memory.
pub(crate) fn folder<const N: usize>(files: [(&str, Vec<u8>); N]) -> Memory {
    Memory(files.into_iter().map(|(name, bytes)| (name.to_owned(), Arc::new(bytes))).collect())
}

/// A matrix rounded to BF16.
pub(crate) fn rounded(matrix: &Matrix) -> Matrix {
    Matrix { data: matrix.data.iter().map(|weight| Grid::Bf16.round(*weight)).collect(), ..matrix.clone() }
}
