//! Cycles of one instruction that runs alone.

use crate::isa::{Burst, Fixpipe, FractalLoad, Img2col, Instruction, Mmad, Move, Nd2Nz, Side, Space, Vector};
use crate::machine::{CoreTiming, Machine, PathTiming};

/// What an instruction costs its pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Cycles the pipe is occupied.
    pub cycles: u32,
    /// Cycles more until the result is visible.
    pub latency: u32,
    /// Part of `cycles` caused by bank conflicts.
    pub conflict: u32,
}

/// Cycles of an instruction on an idle machine with all data in L2, until its result is visible.
pub fn cycles(machine: &Machine, instruction: &Instruction) -> u64 {
    if let Some(path) = gm_path(instruction) {
        let shape = path.shape(machine);
        return shape.alone() + u64::from(machine.core.hit_latency);
    }
    let cost = local(machine, instruction);
    u64::from(cost.cycles + cost.latency)
}

/// Cycles an instruction occupies its pipe on an idle machine with all data in L2: the time of each of many in a row.
pub fn occupation(machine: &Machine, instruction: &Instruction) -> u64 {
    match gm_path(instruction) {
        Some(path) => path.shape(machine).alone(),
        None => u64::from(local(machine, instruction).cycles),
    }
}

/// Cost of an instruction that stays within its core.
pub(super) fn local(machine: &Machine, instruction: &Instruction) -> Cost {
    match instruction {
        Instruction::Burst(burst) => occupied(burst_cycles(machine, burst)),
        Instruction::FractalLoad(load) => occupied(fractal_cycles(machine, load)),
        Instruction::Img2col(load) => occupied(img2col_cycles(machine, load)),
        Instruction::Fixpipe(fixpipe) => occupied(fixpipe_to_l1(machine, fixpipe)),
        Instruction::Mmad(mmad) => mmad_cost(machine, mmad),
        Instruction::Vector(vector) => vector_cost(machine, vector),
        _ => occupied(machine.core.issue),
    }
}

fn occupied(cycles: u32) -> Cost {
    Cost { cycles, ..Cost::default() }
}

fn path_cycles(timing: PathTiming, width: f64, bytes: f64) -> u32 {
    let ramped = f64::from(timing.startup) + bytes / (timing.burst * width);
    ramped.max(bytes / width).max(f64::from(timing.minimum)).ceil() as u32
}

fn burst_cycles(machine: &Machine, burst: &Burst) -> u32 {
    let width = match burst.route {
        Move::L1ToBt => machine.core.l1_bt_width,
        Move::L1ToFb => machine.core.l1_fb_width,
        _ => machine.paths.ub_ub,
    };
    path_cycles(machine.core.burst(burst.route), width, f64::from(burst.count) * f64::from(burst.bytes))
}

fn fractal_cycles(machine: &Machine, load: &FractalLoad) -> u32 {
    let bytes = f64::from(load.rows) * f64::from(load.cols) * f64::from(load.ty.bits()) / 8.0;
    match load.side {
        Side::A => path_cycles(machine.core.l1_l0a, machine.paths.l1_l0a, bytes),
        Side::B => path_cycles(machine.core.l1_l0b, machine.paths.l1_l0b, bytes),
        // half of the elements, and a quarter byte of index for each kept one
        Side::SparseB => path_cycles(machine.core.l1_l0b, machine.paths.l1_l0b, bytes * 0.5 * 1.25),
    }
}

/// The bytes written, at the width of the path; what it reads of L1 more than once is not counted.
fn img2col_cycles(machine: &Machine, load: &Img2col) -> u32 {
    let bytes = f64::from(load.m) * f64::from(load.k) * f64::from(load.ty.bits()) / 8.0;
    match load.dst.space {
        Space::L0a => path_cycles(machine.core.img2col_l0a, machine.paths.l1_l0a, bytes),
        _ => path_cycles(machine.core.img2col_l0b, machine.paths.l1_l0b, bytes),
    }
}

fn fixpipe_to_l1(machine: &Machine, fixpipe: &Fixpipe) -> u32 {
    path_cycles(machine.core.l0c_l1, machine.paths.l0c_l1, fixpipe_bytes(fixpipe))
}

fn fixpipe_bytes(fixpipe: &Fixpipe) -> f64 {
    f64::from(fixpipe.m) * f64::from(fixpipe.n) * f64::from(fixpipe.ty.bits()) / 8.0
}

/// head + ⌈M/16⌉·⌈N/16⌉·⌈K/k₀⌉ · (2·16·16·k₀ / rate): one fractal step a cycle at 8192 FLOP/cycle and k₀ = 16
/// (PTO-ISA cost model).
fn mmad_cost(machine: &Machine, mmad: &Mmad) -> Cost {
    let depth = mmad.ty.fractal_depth();
    let steps =
        f64::from(mmad.m.div_ceil(16)) * f64::from(mmad.n.div_ceil(16)) * f64::from(mmad.k.div_ceil(depth));
    let speedup = if mmad.sparse { machine.sparse_speedup.max(1.0) } else { 1.0 };
    let step = 2.0 * 256.0 * f64::from(depth) / machine.cube_rate(mmad.ty).max(1.0) / speedup;
    let timing = machine.core.mmad;
    let work = (f64::from(timing.head) + steps * step).ceil() as u32;
    let cycles = work.max(timing.minimum);
    // The shortest interval between two instructions does not delay the result of the first.
    Cost { cycles, latency: (work + timing.latency).saturating_sub(cycles), conflict: 0 }
}

/// slope · repeats + fixed, plus counter mode and bank conflicts. The measured slopes are of a 256 B/cycle unit.
fn vector_cost(machine: &Machine, vector: &Vector) -> Cost {
    let timing = &machine.core.vector;
    let (slope, fixed) = timing.ops[vector.op as usize];
    let repeats = f64::from(vector.repeats());
    let narrow = 256.0 / timing.width;
    let counting = if matches!(vector.mask, crate::isa::Mask::Count(_)) { timing.count_mode } else { 0 };
    let conflict = if conflicts(vector) { timing.bank_conflict * vector.repeats() } else { 0 };
    let cycles = (slope * narrow * repeats + fixed).ceil() as u32 + counting + conflict;
    Cost { cycles, latency: 0, conflict }
}

/// UB is 16 groups of 3 banks; rows of 32 B go round the groups, a bank being 64 KiB further on. Both sources of an
/// instruction collide when they start in the same group of the same bank (hiascend.com, UB bank conflicts).
fn conflicts(vector: &Vector) -> bool {
    const GROUPS: i64 = 16;
    const BANK_STRIDE: i64 = 64 * 1024;
    let place = |offset: i64| (offset / 32 % GROUPS, offset / BANK_STRIDE);
    let both = vector.op.sources() == 2 && vector.src0 != vector.src1;
    both && vector.src0.reg == vector.src1.reg && place(vector.src0.offset) == place(vector.src1.offset)
}

/// An instruction that crosses the core's port to L2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum GmPath<'i> {
    /// GM to L1 or UB, or UB to GM.
    Burst(&'i Burst),
    /// GM to L1 with conversion.
    Nd2Nz(&'i Nd2Nz),
    /// L0C to GM.
    Fixpipe(&'i Fixpipe),
}

/// The port a transfer uses, which decides its width and start-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Port {
    GmL1,
    GmL1Nd2nz,
    GmUb,
    UbGm,
    L0cGm,
}

impl Port {
    pub(super) const ALL: [Self; 5] = [Self::GmL1, Self::GmL1Nd2nz, Self::GmUb, Self::UbGm, Self::L0cGm];

    pub(super) fn timing(self, machine: &Machine) -> PathTiming {
        match self {
            Self::GmL1 => machine.core.gm_l1,
            Self::GmL1Nd2nz => machine.core.gm_l1_nd2nz,
            Self::GmUb => machine.core.gm_ub,
            Self::UbGm => machine.core.ub_gm,
            Self::L0cGm => machine.core.l0c_gm,
        }
    }

    pub(super) fn width(self, machine: &Machine) -> f64 {
        match self {
            Self::GmL1 => machine.paths.gm_l1,
            Self::GmL1Nd2nz => machine.paths.gm_l1_nd2nz,
            Self::GmUb => machine.paths.gm_ub,
            Self::UbGm => machine.paths.ub_gm,
            Self::L0cGm => machine.paths.l0c_gm,
        }
    }

    pub(super) const fn writes(self) -> bool {
        matches!(self, Self::UbGm | Self::L0cGm)
    }
}

/// A transfer to or from GM, as its port sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) port: Port,
    /// Bytes moved, whole lines for reads.
    pub(super) bytes: u64,
    /// Slices of L2 that a read touches; zero for writes.
    pub(super) slices: u8,
    /// Cycles before the first byte.
    pub(super) startup: u32,
    /// Cycles below which the pipe is not freed.
    pub(super) floor: u32,
    /// Cycles of the bytes at the port's burst rate.
    pub(super) streaming: u32,
}

impl Shape {
    /// Pipe occupation on an idle machine.
    pub(super) fn alone(&self) -> u64 {
        u64::from(self.startup.saturating_add(self.streaming).max(self.floor))
    }
}

pub(super) fn gm_path(instruction: &Instruction) -> Option<GmPath<'_>> {
    match instruction {
        Instruction::Burst(burst) if matches!(burst.route, Move::GmToL1 | Move::GmToUb | Move::UbToGm) => {
            Some(GmPath::Burst(burst))
        }
        Instruction::Nd2Nz(nd2nz) => Some(GmPath::Nd2Nz(nd2nz)),
        Instruction::Fixpipe(fixpipe) if fixpipe.dst.space == Space::Gm => Some(GmPath::Fixpipe(fixpipe)),
        _ => None,
    }
}

impl GmPath<'_> {
    pub(super) fn shape(&self, machine: &Machine) -> Shape {
        let port = self.port();
        let bytes = self.moved(&machine.core);
        let (timing, width) = (port.timing(machine), port.width(machine));
        let streaming = (bytes as f64 / (timing.burst * width)).ceil() as u32;
        let floor = (bytes as f64 / width).ceil() as u32;
        let slices = self.slices(&machine.core);
        Shape { port, bytes, slices, startup: timing.startup, floor: floor.max(timing.minimum), streaming }
    }

    fn port(&self) -> Port {
        match self {
            Self::Burst(burst) => match burst.route {
                Move::GmToL1 => Port::GmL1,
                Move::GmToUb => Port::GmUb,
                _ => Port::UbGm,
            },
            Self::Nd2Nz(_) => Port::GmL1Nd2nz,
            Self::Fixpipe(_) => Port::L0cGm,
        }
    }

    /// Address in GM, rows, bytes a row, pitch.
    pub(super) fn footprint(&self) -> (crate::isa::Address, u32, u32, u32) {
        match self {
            Self::Burst(b) if b.route == Move::UbToGm => (b.dst, b.count, b.bytes, b.dst_pitch),
            Self::Burst(b) => (b.src, b.count, b.bytes, b.src_pitch),
            Self::Nd2Nz(n) => (n.src, n.rows, n.ty.bytes(n.cols), n.src_pitch),
            Self::Fixpipe(f) => match f.layout {
                crate::isa::Layout::Nd => (f.dst, f.m, f.ty.bytes(f.n), f.dst_pitch),
                crate::isa::Layout::Nz => (f.dst, 1, nz_bytes(f), 0),
            },
        }
    }

    /// Slices that a read touches: where its rows start on a round of all slices, and how far each goes on.
    fn slices(&self, core: &CoreTiming) -> u8 {
        let (_, rows, length, pitch) = self.footprint();
        if self.port().writes() {
            return 0;
        }
        let (rows, length) = if pitch == length { (1, rows.saturating_mul(length)) } else { (rows, length) };
        let round = core.l2_slices * core.l2_interleave;
        let starts = rows.min(round / gcd(round, pitch));
        starts.saturating_mul(length.div_ceil(core.l2_interleave)).clamp(1, core.l2_slices) as u8
    }

    fn moved(&self, core: &CoreTiming) -> u64 {
        let (address, rows, length, pitch) = self.footprint();
        let (rows, length) = (u64::from(rows), u64::from(length));
        if self.port().writes() {
            return rows * length;
        }
        let aligned = address.offset % i64::from(core.line) == 0 && pitch % core.line == 0;
        read_bytes(rows, length, u64::from(pitch), u64::from(core.line), aligned, core.misaligned)
    }
}

/// Bytes that a read of `rows` × `length` moves: whole lines when rows start on lines; otherwise a row touches
/// one line more, which costs at most the measured penalty of misaligned rows.
fn read_bytes(rows: u64, length: u64, pitch: u64, line: u64, aligned: bool, penalty: f64) -> u64 {
    if rows == 1 || pitch == length {
        return (rows * length).next_multiple_of(32);
    }
    let whole = length.next_multiple_of(line);
    if aligned {
        return rows * whole;
    }
    let penalised = (length as f64 * penalty).ceil() as u64;
    rows * (length + line).min(whole.max(penalised))
}

/// Greatest common divisor; `a` is not zero.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn nz_bytes(fixpipe: &Fixpipe) -> u32 {
    fixpipe.ty.bytes(fixpipe.m.next_multiple_of(16) * fixpipe.n.next_multiple_of(16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Address, Type};

    #[test]
    fn rows_of_a_large_power_of_two_pitch_touch_few_slices() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let core = CoreTiming::of(chip.architecture).unwrap();
        let slices = |cols: u32, src_pitch: u32| {
            let (dst, src) = (Address::at(Space::L1, 0), Address::at(Space::Gm, 0));
            GmPath::Nd2Nz(&Nd2Nz { dst, src, rows: 128, cols, src_pitch, dst_rows: 128, ty: Type::Bf16 })
                .slices(&core)
        };
        // A round is 16 slices of 2 KiB: 32 KiB. Rows 32, 16 and 24 KiB apart start in 1, 2 and 32/gcd(24, 32) = 4 of them.
        assert_eq!([32, 16, 24, 64].map(|kib| slices(256, kib << 10)), [1, 2, 4, 1]);
        // A row of 4 KiB goes on into a second slice; rows 14 KiB apart start everywhere; one block of 64 KiB is in all.
        assert_eq!([slices(2048, 32 << 10), slices(256, 14 << 10), slices(256, 512)], [2, 16, 16]);
    }
}
