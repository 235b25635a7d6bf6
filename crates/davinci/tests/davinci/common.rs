//! What the tests share.

use vitruvian_davinci::functional::{GlobalMemory, execute};
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::{CoreTiming, Kernel, Machine};

/// The machine of a chip of the catalog.
pub(crate) fn machine(name: &str) -> Machine {
    let chip = vitruvian_hardware::catalog::chip(name).unwrap();
    Machine::new(&chip, CoreTiming::of(chip.architecture).unwrap()).unwrap()
}

/// Numbers in \[−1, 1) that depend on nothing but the seed.
pub(crate) fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The same rounded to a type; integers of 8 bits or less take their full range.
pub(crate) fn values(ty: Type, count: usize, seed: u64) -> Vec<f64> {
    use vitruvian_davinci::functional::{decode, encode};
    let scale = match ty {
        Type::S8 => 127.0,
        Type::S4 => 7.0,
        _ => 1.0,
    };
    let scaled: Vec<f64> = noise(count, seed).into_iter().map(|value| value * scale).collect();
    decode(ty, &encode(ty, &scaled)).into_iter().take(count).collect()
}

/// Runs a kernel on inputs and returns its memory.
pub(crate) fn run(machine: &Machine, kernel: &Kernel, inputs: &[(&str, Type, &[f64])]) -> GlobalMemory {
    let mut gm = GlobalMemory::new(kernel);
    for (name, ty, values) in inputs {
        gm.fill(name, *ty, values);
    }
    execute(machine, kernel, &mut gm).unwrap_or_else(|fault| panic!("{fault}"));
    gm
}

/// Path of a table that may be missing.
pub(crate) fn table(name: &str) -> Option<String> {
    let path = format!("{}/../../../shared/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {path} is not here");
    }
    text
}

/// The pixel under a tap of a patch on one axis of an image, if it is not in the padding.
pub(crate) fn pixel(
    output: u32,
    stride: u32,
    tap: u32,
    dilation: u32,
    padding: u32,
    size: u32,
) -> Option<usize> {
    let at = i64::from(output * stride + tap * dilation) - i64::from(padding);
    usize::try_from(at).ok().filter(|at| *at < size as usize)
}
