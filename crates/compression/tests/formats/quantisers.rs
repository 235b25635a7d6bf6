//! Scales, zero points and codes of compressed-tensors, bit by bit (`tools/quantised_layouts.py`).

use vitruvian_compression::{Granularity, Grid, ScaleFormat, Scheme, quantise};

use crate::common::{fnv, weights};

const REFERENCE: &str = include_str!("quantisers.txt");

fn scheme(name: &str) -> Scheme {
    let group = Granularity::Group(32);
    match name {
        "int8-tensor" => Scheme::symmetric(Grid::Int8, Granularity::Tensor),
        "int8-channel" => Scheme::symmetric(Grid::Int8, Granularity::Channel),
        "int8-channel-asymmetric" => Scheme::asymmetric(Grid::Int8, Granularity::Channel),
        "int4-channel" => Scheme::symmetric(Grid::Int4, Granularity::Channel),
        "int4-group32" => Scheme::symmetric(Grid::Int4, group),
        "int4-group32-asymmetric" => Scheme::asymmetric(Grid::Int4, group),
        "fp8-tensor" => Scheme::symmetric(Grid::E4m3, Granularity::Tensor),
        "fp8-channel" => Scheme::symmetric(Grid::E4m3, Granularity::Channel),
        "fp8-block128" => Scheme::fp8_block(),
        "mxfp8" => Scheme::mxfp8().with_scales(ScaleFormat::E8m0Nearest),
        "mxfp4" => Scheme::mxfp4().with_scales(ScaleFormat::E8m0Nearest),
        "nvfp4" => Scheme::nvfp4(),
        other => panic!("no scheme for {other}"),
    }
}

#[test]
fn scales_zero_points_and_codes_are_those_of_compressed_tensors() {
    let matrix = weights(256, 512);
    assert_eq!(REFERENCE.lines().count(), 12);
    for line in REFERENCE.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let quantised = quantise(&matrix, &scheme(fields[0])).unwrap();
        let bytes = |values: Vec<f32>| fnv(values.into_iter().flat_map(f32::to_le_bytes));
        let scales = bytes(quantised.scales.iter().map(|scale| scale.scale).collect());
        let zeros = bytes(quantised.scales.iter().map(|scale| scale.zero).collect());
        let grid = quantised.scheme.grid;
        let codes = bytes((0..256 * 512).map(|index| grid.decode(quantised.code(index))).collect());
        assert_eq!([scales, zeros, codes], fields[1..], "{}", fields[0]);
    }
}
