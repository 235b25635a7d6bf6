//! Row kernels against plain f64.

use proptest::prelude::*;
use vitruvian_davinci::functional::{GlobalMemory, decode, encode};
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::rows::{RowShape, dequantise, quantise, rms_norm, rope, softmax, swiglu};
use vitruvian_davinci::timing::{Options, simulate};
use vitruvian_davinci::{Kernel, Machine};

use crate::common::{machine, noise, run, values};

/// One rounding of the type, relative.
fn unit(ty: Type) -> f64 {
    match ty {
        Type::F16 => 2f64.powi(-11),
        Type::Bf16 => 2f64.powi(-8),
        _ => 0.0,
    }
}

fn close(got: &[f64], want: &[f64], ty: Type, steps: f64) {
    assert_eq!(got.len(), want.len());
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        // the fp32 steps of the kernel, the output's rounding, and fp16's smallest step
        let bound = want.abs() * (steps * 2f64.powi(-23) + unit(ty)) + 2f64.powi(-24);
        assert!((got - want).abs() <= bound, "element {index}: {got} against {want} +- {bound}");
    }
}

fn both(machine: &Machine, kernel: &Kernel, inputs: &[(&str, Type, &[f64])]) -> GlobalMemory {
    simulate(machine, kernel, Options::default()).unwrap();
    run(machine, kernel, inputs)
}

fn types() -> impl Strategy<Value = Type> {
    prop::sample::select(vec![Type::F16, Type::Bf16, Type::F32])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn softmax_sums_to_one(rows in 1u32..200, width in 1u32..700, ty in types(), scale in 0.1f64..30.0) {
        let machine = machine("ascend-910b2");
        let kernel = softmax(&machine, RowShape { rows, width, ty }).unwrap();
        let x: Vec<f64> = noise((rows * width) as usize, 1).into_iter().map(|v| v * scale).collect();
        let x = decode(ty, &encode(ty, &x));
        let y = both(&machine, &kernel, &[("x", ty, &x)]).read("y", ty);
        let want: Vec<f64> = x.chunks(width as usize).flat_map(|row| {
            let max = row.iter().copied().fold(f64::MIN, f64::max);
            let exp: Vec<f64> = row.iter().map(|v| (v - max).exp()).collect();
            let sum: f64 = exp.iter().sum();
            exp.into_iter().map(move |v| v / sum).collect::<Vec<_>>()
        }).collect();
        // e^x turns an absolute error of x (up to 60 · 2⁻²⁴) into a relative one; the sum adds log₂ width
        close(&y, &want, ty, 64.0 + f64::from(width).log2());
    }

    #[test]
    fn rms_norm_has_unit_mean_square(rows in 1u32..150, width in 1u32..900, ty in types()) {
        let machine = machine("ascend-910b2");
        let kernel = rms_norm(&machine, RowShape { rows, width, ty }, 1e-6).unwrap();
        let (x, gamma) = (values(ty, (rows * width) as usize, 2), values(Type::F32, width as usize, 3));
        let y = both(&machine, &kernel, &[("x", ty, &x), ("gamma", Type::F32, &gamma)]).read("y", ty);
        let want: Vec<f64> = x.chunks(width as usize).flat_map(|row| {
            let mean = row.iter().map(|v| v * v).sum::<f64>() / f64::from(width);
            let norm = (mean + f64::from(1e-6f32)).sqrt();
            row.iter().zip(&gamma).map(move |(v, g)| v / norm * g).collect::<Vec<_>>()
        }).collect();
        close(&y, &want, ty, 16.0 + f64::from(width).log2());
    }

    #[test]
    fn swiglu_gates(rows in 1u32..100, width in 1u32..900, ty in types()) {
        let machine = machine("ascend-910b2");
        let kernel = swiglu(&machine, RowShape { rows, width, ty }).unwrap();
        let count = (rows * width) as usize;
        let (gate, up) = (values(ty, count, 4), values(ty, count, 5));
        let y = both(&machine, &kernel, &[("gate", ty, &gate), ("up", ty, &up)]).read("y", ty);
        let want: Vec<f64> = gate.iter().zip(&up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
        close(&y, &want, ty, 8.0);
    }

    #[test]
    fn rope_rotates(rows in 1u32..150, halves in 1u32..5, ty in types()) {
        let (width, machine) = (halves * 32, machine("ascend-910b2"));
        let kernel = rope(&machine, RowShape { rows, width, ty }).unwrap();
        let half = width as usize / 2;
        let x = values(ty, rows as usize * 2 * half, 6);
        let angles = noise(rows as usize * half, 7);
        let f32s = |values: Vec<f64>| decode(Type::F32, &encode(Type::F32, &values));
        let (cos, sin) = (f32s(angles.iter().map(|a| a.cos()).collect()), f32s(angles.iter().map(|a| a.sin()).collect()));
        let y = both(&machine, &kernel, &[("x", ty, &x), ("cos", Type::F32, &cos), ("sin", Type::F32, &sin)]).read("y", ty);
        for (r, row) in x.chunks(2 * half).enumerate() {
            for i in 0..half {
                let (c, s) = (cos[r * half + i], sin[r * half + i]);
                let want = [row[i] * c - row[half + i] * s, row[half + i] * c + row[i] * s];
                for (got, want) in [y[2 * half * r + i], y[2 * half * r + half + i]].into_iter().zip(want) {
                    // cancellation: the products round before they are added
                    let bound = 4.0 * 2f64.powi(-23) + want.abs() * unit(ty) + 2f64.powi(-24);
                    assert!((got - want).abs() <= bound, "{got} against {want}");
                }
            }
        }
    }

    #[test]
    fn dequantise_scales_rows_and_columns(rows in 1u32..100, width in 1u32..600, ty in types()) {
        let machine = machine("ascend-910b2");
        let kernel = dequantise(&machine, RowShape { rows, width, ty }).unwrap();
        let sums: Vec<f64> = noise((rows * width) as usize, 3).into_iter().map(|v| (v * 1e4).round()).collect();
        let columns = values(Type::F32, width as usize, 4);
        let scales = values(Type::F32, rows as usize, 5);
        let blocks: Vec<f64> = scales.iter().flat_map(|scale| [*scale; 8]).collect();
        let inputs =
            [("sums", Type::S32, &sums[..]), ("row_scales", Type::F32, &blocks), ("column_scales", Type::F32, &columns)];
        let y = both(&machine, &kernel, &inputs).read("y", ty);
        let want: Vec<f64> = sums
            .iter()
            .enumerate()
            .map(|(index, sum)| sum * scales[index / width as usize] * columns[index % width as usize])
            .collect();
        close(&y, &want, ty, 4.0);
    }

    #[test]
    fn quantise_is_exact_but_for_ties(rows in 1u32..150, width in 1u32..900, ty in types()) {
        let machine = machine("ascend-910b2");
        let kernel = quantise(&machine, RowShape { rows, width, ty }).unwrap();
        let x = values(ty, (rows * width) as usize, 8);
        let gm = both(&machine, &kernel, &[("x", ty, &x)]);
        let (q, scales) = (gm.read("q", Type::S8), gm.read("scales", Type::F32));
        for (r, row) in x.chunks(width as usize).enumerate() {
            let max = row.iter().fold(0f64, |max, v| max.max(v.abs()));
            let scale = scales[8 * r];
            assert!((scale - max / 127.0).abs() <= max / 127.0 * 2f64.powi(-22));
            for (v, q) in row.iter().zip(&q[r * width as usize..]) {
                assert!((v / scale - q).abs() <= 0.5 + 127.0 * 2f64.powi(-22), "{v} / {scale} is not {q}");
            }
        }
    }
}

/// Few rows, or wide ones: the scales' broadcast writes eight blocks whatever the rows are.
#[test]
fn quantise_keeps_to_its_buffers() {
    let machine = machine("ascend-910b2");
    for (rows, width) in [(1, 2), (1, 8), (200, 4096)] {
        let kernel = quantise(&machine, RowShape { rows, width, ty: Type::F32 }).unwrap();
        let x = values(Type::F32, (rows * width) as usize, 8);
        let q = both(&machine, &kernel, &[("x", Type::F32, &x)]).read("q", Type::S8);
        for (row, q) in x.chunks(width as usize).zip(q.chunks(width as usize)) {
            let max = row.iter().fold(0f64, |max, v| max.max(v.abs()));
            let far = row.iter().zip(q).find(|(v, q)| (*v * 127.0 / max - *q).abs() > 0.51);
            assert_eq!(far, None, "{rows} x {width}");
        }
    }
}
