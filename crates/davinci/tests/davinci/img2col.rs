//! Loads of patches, one instruction at a time: what they bring, what they cost, and what they refuse.

use proptest::prelude::*;
use vitruvian_davinci::Kernel;
use vitruvian_davinci::asm::{assemble, disassemble};
use vitruvian_davinci::functional::{Fault, FaultKind, GlobalMemory, execute};
use vitruvian_davinci::isa::{Pipe, Type};
use vitruvian_diagnostics::SourceText;

use crate::common::{machine, pixel, run, values};

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
