//! Image loads, and the convolution that uses them, against plain sums in f64.

use proptest::prelude::*;
use vitruvian_davinci::Kernel;
use vitruvian_davinci::answer;
use vitruvian_davinci::asm::{assemble, disassemble};
use vitruvian_davinci::functional::{Fault, FaultKind, GlobalMemory, execute};
use vitruvian_davinci::isa::{Pipe, Type};
use vitruvian_davinci::kernels::gemm::{Epilogue, GemmProblem, Image, Weights, kernel};
use vitruvian_davinci::tiling::{Menu, candidates, is_legal};
use vitruvian_davinci::timing::{Options, simulate};
use vitruvian_diagnostics::SourceText;

use crate::common::{machine, run, values};

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

/// The pixel under a tap, if it is not in the padding.
fn pixel(output: u32, stride: u32, tap: u32, dilation: u32, padding: u32, size: u32) -> Option<usize> {
    let at = i64::from(output * stride + tap * dilation) - i64::from(padding);
    usize::try_from(at).ok().filter(|at| *at < size as usize)
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

/// Kernel, stride, dilation and padding of one instruction, the two axes apart.
#[derive(Clone, Copy, Debug)]
struct Load {
    size: [u32; 2],
    channels: u32,
    kernel: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    padding: [u32; 4],
    value: f64,
}

impl Load {
    fn outputs(&self, axis: usize) -> u32 {
        let room = self.size[axis] + self.padding[2 * axis] + self.padding[2 * axis + 1];
        let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
        if room < reach { 0 } else { (room - reach) / self.stride[axis] + 1 }
    }

    fn depth(&self) -> u32 {
        self.kernel[0] * self.kernel[1] * self.channels
    }

    /// Element (m, k) of the matrix of patches; the map is NC1HWC0 of fp16.
    fn element(&self, map: &[f64], m: u32, k: u32) -> f64 {
        let taps = self.kernel[0] * self.kernel[1];
        let (group, tap) = (k / 16 / taps, k / 16 % taps);
        let at = |axis: usize, output: u32, tap: u32| {
            let padding = self.padding[2 * axis];
            pixel(output, self.stride[axis], tap, self.dilation[axis], padding, self.size[axis])
        };
        let x = at(0, m % self.outputs(0), tap % self.kernel[0]);
        let y = at(1, m / self.outputs(0), tap / self.kernel[0]);
        let Some((x, y)) = x.zip(y) else { return self.value };
        let pixel = (group * self.size[1]) as usize + y;
        map[(pixel * self.size[0] as usize + x) * 16 + (k % 16) as usize]
    }

    fn text(&self) -> String {
        let ([w, h], [kw, kh], [sw, sh]) = (self.size, self.kernel, self.stride);
        let ([dw, dh], [left, right, top, bottom]) = (self.dilation, self.padding);
        format!(
            "width={w}, height={h}, channels={}, kernel_w={kw}, kernel_h={kh}, stride_w={sw}, stride_h={sh}, \
             dilation_w={dw}, dilation_h={dh}, pad_left={left}, pad_right={right}, pad_top={top}, \
             pad_bottom={bottom}, pad_value={:?}",
            self.channels, self.value
        )
    }
}

/// A program that multiplies a block of patches, as the left or as the right operand, with another matrix.
fn program(load: &Load, left: bool, (m_start, m): (u32, u32), (k_start, k): (u32, u32)) -> Kernel {
    let (bytes, padded) = (load.channels * load.size[0] * load.size[1] * 2, m.next_multiple_of(16));
    let patches = format!("{}, m_start={m_start}, m={padded}, k_start={k_start}, k={k}", load.text());
    let (other, cut, product, columns) = if left {
        (
            format!("copy_gm_to_cbuf_multi_nd2nz.f16 l1[0x40000], gm[w], rows=16, cols={k}\n"),
            format!(
                "img2colv2_cbuf_to_ca.f16 l0a[0], l1[0], {patches}\n\
                 load_cbuf_to_cb.f16 l0b[0], l1[0x40000], rows=16, cols={k}\n"
            ),
            format!("m={m}, k={k}, n=16"),
            format!("m={m}, n=16"),
        )
    } else {
        (
            format!(
                "copy_gm_to_cbuf_multi_nd2nz.f16 l1[0x40000], gm[w], rows=16, cols={m}, src_pitch={}\n",
                2 * m
            ),
            format!(
                "load_cbuf_to_ca.f16 l0a[0], l1[0x40000], rows=16, cols={padded}\n\
                 img2colv2_cbuf_to_cb.f16 l0b[0], l1[0], {patches}\n"
            ),
            format!("m=16, k={m}, n={k}"),
            format!("m=16, n={k}"),
        )
    };
    let text = format!(
        ".tensor a {bytes}\n.tensor w 32768\n.tensor c 65536 output\n.core aic\n\
         copy_gm_to_cbuf l1[0], gm[a], bytes={bytes}\n{other}\
         set_flag PIPE_MTE2, PIPE_MTE1, 0\nwait_flag PIPE_MTE2, PIPE_MTE1, 0\n{cut}\
         set_flag PIPE_MTE1, PIPE_M, 0\nwait_flag PIPE_MTE1, PIPE_M, 0\n\
         mmad.f16 l0c[0], l0a[0], l0b[0], {product}, init\n\
         set_flag PIPE_M, PIPE_FIX, 0\nwait_flag PIPE_M, PIPE_FIX, 0\n\
         copy_matrix_cc_to_gm.f32.f32 gm[c], l0c[0], {columns}\n"
    );
    let kernel = assemble(&SourceText::new("load.dv", text)).unwrap();
    let back = assemble(&SourceText::new("back.dv", disassemble(&kernel))).unwrap();
    assert_eq!(back.programs[0].instructions, kernel.programs[0].instructions);
    kernel
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_block_of_patches(
        size in prop::array::uniform2(1u32..12), groups in 1u32..4, kernel in prop::array::uniform2(1u32..5),
        stride in prop::array::uniform2(1u32..5), dilation in prop::array::uniform2(1u32..4),
        padding in prop::array::uniform4(0u32..9), value in prop::sample::select(vec![0.0, -1.5]),
        left: bool, start in 0u32..64, count in 1u32..64, from in 0u32..64, columns in 1u32..8, seed in 0u64..1000,
    ) {
        let load = Load { size, channels: 16 * groups, kernel, stride, dilation, padding, value };
        let patches = load.outputs(0) * load.outputs(1);
        prop_assume!(patches > 0);
        let m_start = start % patches / 16 * 16;
        let m = count.min(patches - m_start);
        let k_start = from % (load.depth() / 16) * 16;
        let k = (columns * 16).min(load.depth() - k_start);
        let kernel = program(&load, left, (m_start, m), (k_start, k));
        let map = values(Type::F16, (load.channels * size[0] * size[1]) as usize, seed);
        let width = if left { k } else { m };
        let other = values(Type::F16, (16 * width) as usize, seed + 1);
        let gm = run(&machine("ascend-910b2"), &kernel, &[("a", Type::F16, &map), ("w", Type::F16, &other)]);
        let got = gm.read("c", Type::F32);
        let patch = |row: u32, column: u32| load.element(&map, m_start + row, k_start + column);
        let with = |row: u32, column: u32| other[(row * width + column) as usize];
        let (rows, columns) = if left { (m, 16) } else { (16, k) };
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let products: Vec<f64> = if left {
                (0..k).map(|i| patch(row, i) * with(column, i)).collect()
            } else {
                (0..m).map(|i| with(row, i) * patch(i, column)).collect()
            };
            let (want, bound): (f64, f64) = (products.iter().sum(), products.iter().map(|p| p.abs()).sum());
            let got = got[(row * columns + column) as usize];
            prop_assert!((got - want).abs() <= bound * f64::from(width + 1) * 2f64.powi(-23), "{row} {column}");
        }
    }
}

const HEAD: &str = ".tensor a 8192\n.core aic\ncopy_gm_to_cbuf l1[0], gm[a], bytes=2048\n";
const ORDER: &str = "set_flag PIPE_MTE2, PIPE_MTE1, 0\nwait_flag PIPE_MTE2, PIPE_MTE1, 0\n";

/// What stops a program that loads a map of 8 × 8 pixels of one group and goes on as told.
fn fault(ordered: bool, text: &str) -> Fault {
    let text = format!("{HEAD}{}{text}\n", if ordered { ORDER } else { "" });
    let kernel = assemble(&SourceText::new("planted.dv", text)).unwrap();
    let mut gm = GlobalMemory::new(&kernel);
    gm.fill("a", Type::F16, &vec![1.0; 4096]);
    execute(&machine("ascend-910b2"), &kernel, &mut gm).unwrap_err()
}

#[test]
fn planted_mistakes_are_caught() {
    let load = |place: &str, sizes: &str| format!("img2colv2_cbuf_to_ca.f16 {place}, {sizes}");
    let map = "width=8, height=8, channels=16, m=16, k=16";
    let race = fault(false, &load("l0a[0], l1[0]", map));
    assert!(matches!(race.kind, FaultKind::Race { pipe: Pipe::Mte1, other: Pipe::Mte2, .. }), "{race}");
    let outside = fault(true, &load("l0a[0], l1[0x7ffe0]", map));
    assert!(matches!(outside.kind, FaultKind::OutOfBounds { .. }), "{outside}");
    let past = fault(true, &load("l0a[0xfe00], l1[0]", "width=8, height=8, channels=16, m=32, k=16"));
    assert!(matches!(past.kind, FaultKind::OutOfBounds { .. }), "{past}");
    for (place, address) in [("l0a[0x20], l1[0]", 0x20), ("l0a[0], l1[0x10]", 0x10)] {
        let crooked = fault(true, &load(place, map));
        assert!(
            matches!(crooked.kind, FaultKind::Misaligned { address: a, .. } if a == address),
            "{crooked}"
        );
    }
    for sizes in [
        "width=8, height=8, channels=8, m=16, k=16",
        "width=8, height=8, channels=16, m=24, k=16",
        "width=8, height=8, channels=16, m=16, m_start=8, k=16",
        "width=8, height=8, channels=16, m=16, m_start=64, k=16",
        "width=8, height=8, channels=16, m=16, k=16, k_start=16",
        "width=2, height=2, channels=16, kernel_w=3, kernel_h=3, m=16, k=16",
    ] {
        let illegal = fault(true, &load("l0a[0], l1[0]", sizes));
        assert!(matches!(illegal.kind, FaultKind::Illegal { .. }), "{sizes}: {illegal}");
    }
}

#[test]
fn what_was_never_loaded_and_what_lies_past_the_last_patch_is_not_used() {
    let multiply = |map: &str, m: u32| {
        format!(
            "img2colv2_cbuf_to_ca.f16 l0a[0], l1[0], {map}\nload_cbuf_to_cb.f16 l0b[0], l1[0], rows=16, cols=16\n\
             set_flag PIPE_MTE1, PIPE_M, 0\nwait_flag PIPE_MTE1, PIPE_M, 0\n\
             mmad.f16 l0c[0], l0a[0], l0b[0], m={m}, k=16, n=16, init"
        )
    };
    // Rows 8 and 9 of the map were not loaded; 5 × 5 pixels fill 25 of 32 patches.
    let rows = fault(true, &multiply("width=8, height=10, channels=16, m_start=64, m=16, k=16", 16));
    assert!(matches!(rows.kind, FaultKind::Unwritten { .. }), "{rows}");
    let past = fault(true, &multiply("width=5, height=5, channels=16, m=32, k=16", 26));
    assert!(matches!(past.kind, FaultKind::Unwritten { .. }), "{past}");
}

#[test]
fn a_load_costs_what_it_writes() {
    let cost = |text: &str| {
        let text = format!(".core aic\n{text}\n");
        let kernel = assemble(&SourceText::new("cost.dv", text)).unwrap();
        vitruvian_davinci::timing::occupation(&machine("ascend-910b2"), &kernel.programs[0].instructions[0])
    };
    // 64 × 144 fp16 elements are 18,432 bytes: 72 cycles at 256 B/cycle and 2 of start-up; 144 at 128 and 1.
    let patches = "l1[0], width=8, height=8, channels=16, kernel_w=3, kernel_h=3, pad_left=1, pad_right=1, \
                   pad_top=1, pad_bottom=1, m=64, k=144";
    assert_eq!(cost(&format!("img2colv2_cbuf_to_ca.f16 l0a[0], {patches}")), 74);
    assert_eq!(cost(&format!("img2colv2_cbuf_to_cb.f16 l0b[0], {patches}")), 145);
}
