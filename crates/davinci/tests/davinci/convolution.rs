//! Convolutions against plain sums in f64.

use proptest::prelude::*;
use vitruvian_davinci::answer;
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{Epilogue, GemmProblem, Image, Weights, kernel};
use vitruvian_davinci::tiling::{Menu, candidates, is_legal};
use vitruvian_davinci::timing::{Options, simulate};

use crate::common::{machine, pixel, run, values};

/// Channels-last values as NC1HWC0, filled up with zeros.
fn grouped(pixels: usize, channels: usize, c0: usize, values: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; channels.div_ceil(c0) * pixels * c0];
    for pixel in 0..pixels {
        for c in 0..channels {
            out[(c / c0 * pixels + pixel) * c0 + c % c0] = values[pixel * channels + c];
        }
    }
    out
}

/// Output (y, x, filter), channels last, and the sum of the sizes of its products. Weights are (filter, ky, kx, c).
fn convolved(image: Image, filters: usize, pixels: &[f64], weights: &[f64]) -> Vec<(f64, f64)> {
    let (taps, channels) = (image.kernel, image.channels as usize);
    let mut out = Vec::new();
    for (y, x) in (0..image.rows()).flat_map(|y| (0..image.columns()).map(move |x| (y, x))) {
        for filter in 0..filters {
            let (mut sum, mut size) = (0.0, 0.0);
            for (ky, kx) in (0..taps).flat_map(|ky| (0..taps).map(move |kx| (ky, kx))) {
                let iy = pixel(y, image.stride, ky, image.dilation, image.padding, image.height);
                let ix = pixel(x, image.stride, kx, image.dilation, image.padding, image.width);
                let Some((iy, ix)) = iy.zip(ix) else { continue };
                for c in 0..channels {
                    let tap = (filter * taps as usize + ky as usize) * taps as usize + kx as usize;
                    let product =
                        pixels[(iy * image.width as usize + ix) * channels + c] * weights[tap * channels + c];
                    sum += product;
                    size += f64::abs(product);
                }
            }
            out.push((sum, size));
        }
    }
    out
}

/// Weights as rows of n, k in the order (c1, ky, kx, c0): each filter is a small image.
fn packed(image: Image, filters: usize, c0: usize, weights: &[f64]) -> Vec<f64> {
    let taps = (image.kernel * image.kernel) as usize;
    let filter = taps * image.channels as usize;
    (0..filters)
        .flat_map(|n| grouped(taps, image.channels as usize, c0, &weights[n * filter..(n + 1) * filter]))
        .collect()
}

/// Every tiling out of a few must give what the plain sum gives; the one of the search is timed as well.
fn check(image: Image, filters: u32, ty: Type, seed: u64) {
    let machine = machine("ascend-910b2");
    let out = ty.accumulator();
    let problem = GemmProblem { out, ..GemmProblem::convolution(image, filters, ty) };
    let (pixels, taps) = ((image.width * image.height) as usize, (image.kernel * image.kernel) as usize);
    let (c, c0, n) = (image.channels as usize, ty.fractal_depth() as usize, filters as usize);
    let (map, weights) = (values(ty, pixels * c, seed), values(ty, n * taps * c, seed + 1));
    let inputs =
        [("a", ty, &grouped(pixels, c, c0, &map)[..]), ("b", ty, &packed(image, n, c0, &weights)[..])];
    let want = convolved(image, n, &map, &weights);
    let roundings = if out == Type::F32 { (taps * c) as f64 + 1.0 } else { 0.0 };
    let legal: Vec<_> = candidates(&machine, &problem, &Menu::full())
        .into_iter()
        .filter(|tiling| is_legal(&machine, &problem, tiling) && tiling.split_k <= 2)
        .collect();
    assert!(!legal.is_empty(), "{image:?}");
    for tiling in legal.iter().step_by(legal.len().div_ceil(4)) {
        let kernel = kernel(&machine, &problem, tiling);
        let got = run(&machine, &kernel, &inputs).read("c", out);
        for (index, ((want, size), got)) in want.iter().zip(&got).enumerate() {
            let bound = size * roundings * 2f64.powi(-23);
            assert!(
                (got - want).abs() <= bound,
                "{image:?} {tiling:?} {index}: {got} against {want} +- {bound}"
            );
        }
        simulate(&machine, &kernel, Options::default()).unwrap();
    }
}

const PLAIN: Image =
    Image { width: 9, height: 9, channels: 16, kernel: 3, stride: 1, padding: 1, dilation: 1 };

#[test]
fn adversarial_shapes() {
    for image in [
        Image { channels: 3, kernel: 7, stride: 2, padding: 3, ..PLAIN },
        Image { padding: 5, ..PLAIN },
        Image { width: 1, height: 1, kernel: 3, padding: 6, stride: 5, ..PLAIN },
        Image { kernel: 1, stride: 3, padding: 0, ..PLAIN },
        Image { kernel: 2, stride: 5, padding: 0, ..PLAIN },
        Image { kernel: 3, dilation: 4, padding: 0, ..PLAIN },
        // Three whole rows would not fit half of L1.
        Image { width: 6000, height: 3, channels: 5, stride: 2, ..PLAIN },
        Image { width: 33, height: 2, channels: 50, padding: 2, ..PLAIN },
        Image { width: 2, height: 40, channels: 17, padding: 0, kernel: 2, ..PLAIN },
    ] {
        assert!(image.is_sound());
        check(image, 20, Type::F16, 11);
    }
}

#[test]
fn what_has_no_output_or_fits_no_number_is_unsound() {
    assert!(PLAIN.is_sound() && Image { padding: 0, kernel: 9, ..PLAIN }.is_sound());
    for image in [
        Image { padding: 0, kernel: 10, ..PLAIN },
        Image { padding: 0, dilation: 5, ..PLAIN },
        Image { stride: 0, ..PLAIN },
        Image { channels: 0, ..PLAIN },
        Image { width: 32768, ..PLAIN },
        Image { width: 20000, height: 20000, ..PLAIN },
        Image { padding: 32767, ..PLAIN },
        Image { padding: 500, kernel: 1000, channels: 10000, ..PLAIN },
    ] {
        assert!(!image.is_sound(), "{image:?}");
    }
}

#[test]
fn each_type() {
    for ty in [Type::F16, Type::Bf16, Type::F32, Type::S8, Type::S4] {
        check(Image { channels: 70, stride: 2, ..PLAIN }, 33, ty, 5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_geometry(
        width in 1u32..24, height in 1u32..24, channels in 1u32..70, kernel in 1u32..6,
        stride in 1u32..6, padding in 0u32..8, dilation in 1u32..4, filters in 1u32..40, seed in 0u64..1000,
        ty in prop::sample::select(vec![Type::F16, Type::Bf16, Type::S8]),
    ) {
        let image = Image { width, height, channels, kernel, stride, padding, dilation };
        prop_assume!(image.is_sound());
        check(image, filters, ty, seed);
    }
}

#[test]
fn weights_may_be_fractals_and_have_bias() {
    let machine = machine("ascend-910b2");
    let image = Image { channels: 32, ..PLAIN };
    let (filters, k) = (16, 288);
    let plain = GemmProblem { out: Type::F32, ..GemmProblem::convolution(image, filters, Type::F16) };
    let problem = GemmProblem { weights: Weights::Nz, bias: true, epilogue: Epilogue::Relu, ..plain };
    let tiling = candidates(&machine, &problem, &Menu::full())
        .into_iter()
        .find(|tiling| is_legal(&machine, &problem, tiling))
        .unwrap();
    let (map, weights) = (values(Type::F16, 81 * 32, 3), values(Type::F16, 16 * 288, 4));
    let rows = packed(image, 16, 16, &weights);
    // Column of fractals k / 16, then filter, then k % 16.
    let order = (0..k / 16).flat_map(|column| (0..16).map(move |n| n * k + column * 16));
    let nz: Vec<f64> = order.flat_map(|start| rows[start..start + 16].to_vec()).collect();
    let bias: Vec<f64> = (0..16).map(|n| f64::from(n) - 8.0).collect();
    let inputs = [
        ("a", Type::F16, &grouped(81, 32, 16, &map)[..]),
        ("b", Type::F16, &nz[..]),
        ("bias", Type::F32, &bias[..]),
    ];
    let c = run(&machine, &kernel(&machine, &problem, &tiling), &inputs).read("c", Type::F32);
    for (index, ((sum, size), got)) in convolved(image, 16, &map, &weights).into_iter().zip(c).enumerate() {
        let want = (sum + bias[index % 16]).max(0.0);
        assert!((got - want).abs() <= (size + 8.0) * 290.0 * 2f64.powi(-23), "{index}: {got} against {want}");
    }
}

#[test]
fn layers_of_a_network_take_microseconds() {
    // ResNet-50: the first layer, and one of each size of 3 × 3.
    let machine = machine("ascend-910b2");
    let first = Image { width: 224, height: 224, channels: 3, kernel: 7, stride: 2, padding: 3, dilation: 1 };
    let layer = |width, channels| Image { width, height: width, channels, ..PLAIN };
    let layers = [
        (first, 64),
        (layer(56, 64), 64),
        (layer(28, 128), 128),
        (layer(14, 256), 256),
        (layer(7, 512), 512),
    ];
    for (image, filters) in layers {
        let problem = GemmProblem::convolution(image, filters, Type::F16);
        let found = answer::gemm(&machine, &problem, &Menu::full(), Options::default()).unwrap();
        let (time, limit) = (found.time.get() * 1e6, 20.0);
        println!("{image:?}: {time:.1} us, {:?}", found.search.unwrap().tiling);
        // What the cube needs at least, and a launch of 5 us with as much again for filling.
        let least = problem.flops() / (machine.cube_peak(Type::F16) * machine.clock.get()) * 1e6;
        assert!((least..limit).contains(&time), "{image:?}: {time} us, at least {least}");
    }
}
