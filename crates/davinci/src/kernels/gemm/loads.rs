//! What MTE2 brings into L1 for a block, and from where.

use super::block::{A_ADDRESS, B_ADDRESS, BIAS, Block, INDEX_ADDRESS, SCALES};
use super::parts::{Chunk, Table};
use super::problem::{Epilogue, Weights};
use crate::isa::{Address, Burst, Instruction, Move, Nd2Nz, Pipe, Space};
use crate::program::{ProgramBuilder, at};

impl Block<'_> {
    pub(super) fn load_a(&self, b: &mut ProgramBuilder, half: u32, chunk: Chunk) {
        if let Some(image) = self.problem.image {
            return self.load_band(b, image, half, chunk);
        }
        b.push(Instruction::Nd2Nz(Nd2Nz {
            dst: self.a_half(half),
            src: Address::indexed(Space::Gm, A_ADDRESS, 0),
            rows: self.task.m.1,
            cols: chunk.depth,
            src_pitch: self.ty().bytes(self.problem.k),
            dst_rows: self.m,
            ty: self.ty(),
        }));
    }

    /// Indices of a chunk, in the order of its elements in L0B.
    pub(super) fn load_index(&self, half: u32, depth: u32) -> Instruction {
        let bytes = self.n * 8;
        Instruction::Burst(Burst {
            route: Move::GmToL1,
            dst: at(Space::L1, self.index_half(half)),
            src: Address::indexed(Space::Gm, INDEX_ADDRESS, 0),
            count: depth / 2 / 32,
            bytes,
            src_pitch: self.problem.n.next_multiple_of(16) * 8,
            dst_pitch: bytes,
            atomic: false,
        })
    }

    pub(super) fn load_b(&self, half: u32, depth: u32) -> Instruction {
        let dst = at(Space::L1, self.b_half(half));
        let src = Address::indexed(Space::Gm, B_ADDRESS, 0);
        let ty = self.ty();
        let depth = self.stored(depth);
        match self.problem.weights {
            Weights::RowsOfN => {
                let src_pitch = ty.bytes(self.problem.stored_k());
                Instruction::Nd2Nz(Nd2Nz {
                    dst,
                    src,
                    rows: self.task.n.1,
                    cols: depth,
                    src_pitch,
                    dst_rows: self.n,
                    ty,
                })
            }
            Weights::RowsOfK => {
                let (src_pitch, dst_rows) =
                    (ty.bytes(self.problem.n), depth.next_multiple_of(ty.fractal_depth().max(16)));
                Instruction::Nd2Nz(Nd2Nz {
                    dst,
                    src,
                    rows: depth,
                    cols: self.task.n.1,
                    src_pitch,
                    dst_rows,
                    ty,
                })
            }
            Weights::Nz => Instruction::Burst(Burst {
                route: Move::GmToL1,
                dst,
                src,
                count: depth.div_ceil(ty.fractal_depth()),
                bytes: self.n * 32,
                src_pitch: self.problem.n.next_multiple_of(16) * 32,
                dst_pitch: self.n * 32,
                atomic: false,
            }),
        }
    }

    pub(super) fn a_address(&self) -> u64 {
        if let Some(image) = self.problem.image {
            return self.operands.a + self.band_address(image);
        }
        let elements = u64::from(self.task.m.0) * u64::from(self.problem.k) + u64::from(self.task.k.0);
        self.operands.a + elements * u64::from(self.ty().bits()) / 8
    }

    pub(super) fn b_address(&self) -> u64 {
        let (n, k) = (u64::from(self.task.n.0), u64::from(self.stored(self.task.k.0)));
        let bits = u64::from(self.ty().bits());
        let elements = match self.problem.weights {
            Weights::RowsOfN => n * u64::from(self.problem.stored_k()) + k,
            Weights::RowsOfK => k * u64::from(self.problem.n) + n,
            Weights::Nz => {
                k * u64::from(self.problem.n.next_multiple_of(16)) + n * u64::from(self.ty().fractal_depth())
            }
        };
        self.operands.b + elements * bits / 8
    }

    pub(super) fn index_address(&self) -> u64 {
        let columns = u64::from(self.stored(self.task.k.0) / 32);
        let rows = u64::from(self.problem.n.next_multiple_of(16));
        self.operands.index + (columns * rows + u64::from(self.task.n.0)) * 8
    }

    pub(super) fn a_advance(&self, depth: u32) -> u64 {
        self.problem.image.map_or(self.bytes(depth), |image| self.groups_bytes(image, depth))
    }

    pub(super) fn b_advance(&self, depth: u32) -> u64 {
        let depth = self.stored(depth);
        match self.problem.weights {
            Weights::RowsOfN => self.bytes(depth),
            Weights::RowsOfK => self.bytes(self.problem.n) * u64::from(depth),
            Weights::Nz => self.bytes(self.problem.n.next_multiple_of(16)) * u64::from(depth),
        }
    }

    /// Scales go to FB and bias to BT, through L1. Both tables have one place, so the next block's wait for this one's use.
    pub(super) fn column_tables(&self, b: &mut ProgramBuilder) {
        let column = 4 * u64::from(self.task.n.0);
        let tables = self.tiling.l1_tables(self.problem);
        if self.problem.epilogue == Epilogue::Dequantise {
            let table = Table {
                gm: self.operands.scales + column,
                l1: tables,
                route: Move::L1ToFb,
                user: Pipe::Fix,
                flag: SCALES,
            };
            self.column_table(b, table);
        }
        if self.problem.bias {
            let l1 = tables + 4 * self.n;
            let table =
                Table { gm: self.operands.bias + column, l1, route: Move::L1ToBt, user: Pipe::M, flag: BIAS };
            self.column_table(b, table);
        }
    }

    pub(super) fn column_table(&self, b: &mut ProgramBuilder, table: Table) {
        let bytes = 4 * self.task.n.1;
        let copy = |route: Move, dst, src| {
            let burst =
                Burst { route, dst, src, count: 1, bytes, src_pitch: bytes, dst_pitch: bytes, atomic: false };
            Instruction::Burst(burst)
        };
        let small = if table.route == Move::L1ToFb { Space::Fb } else { Space::Bt };
        b.wait(Pipe::Mte1, Pipe::Mte2, table.flag);
        b.push(copy(Move::GmToL1, at(Space::L1, table.l1), Address::at(Space::Gm, table.gm)));
        b.order(Pipe::Mte2, Pipe::Mte1, table.flag).wait(table.user, Pipe::Mte1, table.flag);
        b.push(copy(table.route, at(small, 0), at(Space::L1, table.l1)));
        b.set(Pipe::Mte1, table.user, table.flag).set(Pipe::Mte1, Pipe::Mte2, table.flag);
    }
}
