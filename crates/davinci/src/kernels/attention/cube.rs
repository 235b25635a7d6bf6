//! The cube core: scores of step j + 1, then the output tile of step j.
//!
//! L1 holds Q, K, V and P once each; L0A, L0B and L0C in halves of 128 × 128 tiles.

use super::plan::{AttentionTiling, Places, Step, Work, flag};
use crate::isa::{
    Accumulate, Address, CrossMode, Fixpipe, FractalLoad, Instruction, Layout, Mmad, Nd2Nz, Pipe, Quant,
    Side, Space, Sync, Type,
};
use crate::program::{Program, ProgramBuilder, at};

/// Keys that one product takes.
const SLICE: u32 = 128;

/// Parts of L1; each is an event id between MTE2 and MTE1.
#[derive(Clone, Copy, Debug)]
enum Part {
    Q,
    K,
    V,
    P,
}

struct Cube<'a> {
    b: ProgramBuilder,
    problem: &'a Work,
    tiling: &'a AttentionTiling,
    places: Places,
    /// Which halves the next product and the next tile use.
    l0: u8,
    l0c: u8,
}

pub(super) fn program(problem: &Work, tiling: &AttentionTiling, places: Places, steps: &[Step]) -> Program {
    let mut cube = Cube { b: ProgramBuilder::default(), problem, tiling, places, l0: 0, l0c: 0 };
    cube.free(true);
    for (index, step) in steps.iter().enumerate() {
        cube.scores(step, index as u32 % 2);
        if let Some(before) = index.checked_sub(1) {
            cube.output(&steps[before], before as u32 % 2);
        }
    }
    if let Some(last) = steps.len().checked_sub(1) {
        cube.output(&steps[last], last as u32 % 2);
    }
    cube.free(false);
    cube.b.finish()
}

impl Cube<'_> {
    /// At the start every buffer is declared free, at the end the last declarations are consumed.
    fn free(&mut self, set: bool) {
        let events = [(Pipe::Mte1, Pipe::Mte2, 4u8), (Pipe::M, Pipe::Mte1, 2), (Pipe::Fix, Pipe::M, 2)];
        for (src, dst, count) in events {
            for id in 0..count {
                if set {
                    self.b.set(src, dst, id)
                } else {
                    self.b.wait(src, dst, id)
                };
            }
        }
    }

    fn scores(&mut self, step: &Step, slot: u32) {
        if step.begins {
            let row = self.problem.query(&step.task, 0);
            let tile =
                Tile { gm: self.places.q + self.bytes(row), rows: self.tiling.rows, cols: self.problem.dim };
            self.load(Part::Q, tile, self.problem.dim);
        }
        let row = self.problem.key(&step.task, step.first);
        self.load(
            Part::K,
            Tile { gm: self.places.k + self.bytes(row), rows: step.keys, cols: self.problem.dim },
            self.problem.dim,
        );
        for first in (0..step.keys).step_by(SLICE as usize) {
            let keys = SLICE.min(step.keys - first);
            let half = self.begin_product();
            self.cut(
                Side::A,
                half,
                self.l1(Part::Q),
                (self.tiling.rows, self.problem.dim, self.tiling.rows),
                false,
            );
            self.cut(
                Side::B,
                half,
                self.l1(Part::K) + first * 32,
                (keys, self.problem.dim, step.keys),
                false,
            );
            let tile = self.l0c;
            self.b.wait(Pipe::Fix, Pipe::M, tile);
            self.product(half, tile, (self.problem.dim, keys), true);
            let offset = u64::from(slot) * self.tile_elements() * 4 + u64::from(first) * 4;
            self.store(tile, self.places.scores + offset, keys, step.keys * 4);
        }
        if step.ends {
            self.b.set(Pipe::Mte1, Pipe::Mte2, Part::Q as u8);
        }
        self.b.set(Pipe::Mte1, Pipe::Mte2, Part::K as u8);
        self.announce(flag::SCORES);
    }

    fn output(&mut self, step: &Step, slot: u32) {
        let row = self.problem.key(&step.task, step.first);
        self.load(
            Part::V,
            Tile { gm: self.places.v + self.bytes(row), rows: step.keys, cols: self.problem.dim },
            self.problem.dim,
        );
        let wait = Sync::CrossWait { pipe: Pipe::Mte2, mode: CrossMode::Group, id: flag::WEIGHTS };
        self.b.push(Instruction::Sync(wait));
        let weights = self.places.weights + u64::from(slot) * self.bytes(self.tile_elements());
        self.load(Part::P, Tile { gm: weights, rows: self.tiling.rows, cols: step.keys }, step.keys);
        let tile = self.l0c;
        self.b.wait(Pipe::Fix, Pipe::M, tile);
        for first in (0..step.keys).step_by(SLICE as usize) {
            let keys = SLICE.min(step.keys - first);
            let half = self.begin_product();
            let column = first / self.depth() * self.tiling.rows * 32;
            self.cut(
                Side::A,
                half,
                self.l1(Part::P) + column,
                (self.tiling.rows, keys, self.tiling.rows),
                false,
            );
            self.cut(Side::B, half, self.l1(Part::V) + first * 32, (self.problem.dim, keys, step.keys), true);
            self.product(half, tile, (keys, self.problem.dim), first == 0);
        }
        self.b.set(Pipe::Mte1, Pipe::Mte2, Part::V as u8).set(Pipe::Mte1, Pipe::Mte2, Part::P as u8);
        let output = u64::from(self.tiling.rows) * u64::from(self.problem.dim) * 4;
        self.store(
            tile,
            self.places.partial + u64::from(slot) * output,
            self.problem.dim,
            self.problem.dim * 4,
        );
        self.announce(flag::OUTPUT);
    }

    /// Brings a row-major block into its part of L1.
    fn load(&mut self, part: Part, tile: Tile, pitch: u32) {
        self.b.wait(Pipe::Mte1, Pipe::Mte2, part as u8);
        self.b.push(Instruction::Nd2Nz(Nd2Nz {
            dst: at(Space::L1, self.l1(part)),
            src: Address::at(Space::Gm, tile.gm),
            rows: tile.rows,
            cols: tile.cols,
            src_pitch: self.problem.ty.bytes(pitch),
            dst_rows: tile.rows,
            ty: self.problem.ty,
        }));
        self.b.order(Pipe::Mte2, Pipe::Mte1, part as u8);
    }

    fn begin_product(&mut self) -> u8 {
        let half = self.l0;
        self.l0 = 1 - self.l0;
        self.b.wait(Pipe::M, Pipe::Mte1, half);
        half
    }

    /// Fills a half of L0A or L0B. A transposed operand lies in L1 as keys × width.
    fn cut(
        &mut self,
        side: Side,
        half: u8,
        src: u32,
        (rows, cols, src_rows): (u32, u32, u32),
        transpose: bool,
    ) {
        let space = if side == Side::A { Space::L0a } else { Space::L0b };
        self.b.push(Instruction::FractalLoad(FractalLoad {
            side,
            dst: at(space, u32::from(half) * self.problem.ty.bytes(SLICE * SLICE)),
            src: at(Space::L1, src),
            index: at(Space::L1, 0),
            rows,
            cols,
            src_rows,
            transpose,
            ty: self.problem.ty,
        }));
    }

    fn product(&mut self, half: u8, tile: u8, (k, n): (u32, u32), init: bool) {
        let operand = u32::from(half) * self.problem.ty.bytes(SLICE * SLICE);
        self.b.order(Pipe::Mte1, Pipe::M, half);
        self.b.push(Instruction::Mmad(Mmad {
            dst: self.accumulator(tile),
            a: at(Space::L0a, operand),
            b: at(Space::L0b, operand),
            m: self.tiling.rows,
            k,
            n,
            ty: self.problem.ty,
            accumulate: if init { Accumulate::Init } else { Accumulate::Add },
            sparse: false,
        }));
        self.b.set(Pipe::M, Pipe::Mte1, half);
    }

    fn store(&mut self, tile: u8, gm: u64, n: u32, dst_pitch: u32) {
        self.b.order(Pipe::M, Pipe::Fix, tile);
        self.b.push(Instruction::Fixpipe(Fixpipe {
            dst: Address::at(Space::Gm, gm),
            src: self.accumulator(tile),
            m: self.tiling.rows,
            n,
            src_rows: self.tiling.rows,
            dst_pitch,
            ty: Type::F32,
            from: Type::F32,
            layout: Layout::Nd,
            quant: Quant::None,
            relu: false,
            atomic: false,
        }));
        self.b.set(Pipe::Fix, Pipe::M, tile);
        self.l0c = 1 - tile;
    }

    fn announce(&mut self, id: u8) {
        self.b.push(Instruction::Sync(Sync::CrossSet { pipe: Pipe::Fix, mode: CrossMode::Group, id }));
    }

    fn accumulator(&self, tile: u8) -> Address {
        at(Space::L0c, u32::from(tile) * self.tiling.rows * SLICE * 4)
    }

    fn l1(&self, part: Part) -> u32 {
        let ty = self.problem.ty;
        let (q, kv) =
            (ty.bytes(self.tiling.rows * self.problem.dim), ty.bytes(self.tiling.keys * self.problem.dim));
        match part {
            Part::Q => 0,
            Part::K => q,
            Part::V => q + kv,
            Part::P => q + 2 * kv,
        }
    }

    fn depth(&self) -> u32 {
        self.problem.ty.fractal_depth()
    }

    fn tile_elements(&self) -> u64 {
        u64::from(self.tiling.rows) * u64::from(self.tiling.keys)
    }

    fn bytes(&self, elements: u64) -> u64 {
        elements * u64::from(self.problem.ty.bits() / 8)
    }
}

/// A row-major block of GM.
#[derive(Clone, Copy, Debug)]
struct Tile {
    gm: u64,
    rows: u32,
    cols: u32,
}
