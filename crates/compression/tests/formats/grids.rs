//! Numbers of all codes and codes of three sets of numbers, as `tools/number_formats.py` got them from `ml_dtypes` and
//! `en_dtypes`.

use vitruvian_compression::Grid;

use crate::common::{fnv, random};

const REFERENCE: &str = include_str!("reference.txt");
const COUNT: u64 = 1 << 20;

/// The fields of a grid's line of some title.
fn line(grid: Grid, title: &str) -> Option<Vec<&'static str>> {
    let fields = REFERENCE.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mut found = fields.filter(|fields| fields[0] == grid.name() && fields[1] == title);
    found.next().map(|fields| fields[2..].to_vec())
}

fn patterns() -> Vec<f32> {
    let value = |z: u64| f32::from_bits((z >> 32) as u32);
    random(COUNT, 1).map(value).map(|value| if value.is_finite() { value } else { 0.0 }).collect()
}

fn within() -> Vec<f32> {
    let value = |z: u64| {
        let (exponent, mantissa, sign) = (101 + (z >> 40) % 44, z & 0x7f_ffff, z >> 23 & 1);
        f32::from_bits((sign << 31 | exponent << 23 | mantissa) as u32)
    };
    random(COUNT, 2).map(value).collect()
}

fn halfway(grid: Grid) -> Vec<f32> {
    let codes = 0..=u16::MAX >> (16 - grid.bits());
    let mut numbers: Vec<f32> = codes.map(|code| grid.decode(code)).filter(|n| n.is_finite()).collect();
    numbers.sort_by(f32::total_cmp);
    numbers.dedup_by(|a, b| a == b);
    let around = |pair: &[f32]| {
        let middle = f64::midpoint(f64::from(pair[0]), f64::from(pair[1])) as f32;
        [middle.next_down(), middle, middle.next_up()]
    };
    numbers.windows(2).flat_map(around).collect()
}

fn agrees(grid: Grid, title: &str, values: &[f32]) {
    let wanted = line(grid, title).unwrap();
    let bytes = grid.bits().div_ceil(8) as usize;
    let codes = values.iter().flat_map(|&value| grid.encode(value).to_le_bytes().into_iter().take(bytes));
    assert_eq!([values.len().to_string(), fnv(codes)], wanted[..], "{} {title}", grid.name());
}

#[test]
fn the_numbers_of_all_codes() {
    for grid in Grid::ALL.into_iter().filter(|grid| grid.bits() <= 8) {
        let wanted = line(grid, "numbers").unwrap();
        assert_eq!(wanted.len(), 1 << grid.bits());
        for (code, bits) in wanted.into_iter().enumerate() {
            let (ours, theirs) =
                (grid.decode(code as u16), f32::from_bits(u32::from_str_radix(bits, 16).unwrap()));
            let same = ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan();
            assert!(same, "{} code {code}: {ours} against {theirs}", grid.name());
        }
    }
}

#[test]
fn the_codes_of_numbers_halfway_between_neighbours() {
    Grid::ALL.into_iter().for_each(|grid| agrees(grid, "halfway", &halfway(grid)));
}

#[test]
fn the_codes_of_random_numbers() {
    let (patterns, within) = (patterns(), within());
    for grid in Grid::ALL {
        agrees(grid, "within", &within);
        agrees(grid, "patterns", &patterns);
    }
}
