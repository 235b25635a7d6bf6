//! Registers to numbers.

use crate::isa::{
    Accumulate, Address, Burst, Fixpipe, FractalLoad, Img2col, Instruction, Mmad, Nd2Nz, Quant, Reg, Vector,
};

/// The same instruction with registers replaced by their values.
pub(super) fn resolve(instruction: Instruction, registers: &[i64; Reg::COUNT]) -> Instruction {
    let fix = |address: Address| Address {
        reg: Reg::ZERO,
        offset: address.offset + registers[usize::from(address.reg.0)],
        ..address
    };
    match instruction {
        Instruction::Burst(b) => Instruction::Burst(Burst { dst: fix(b.dst), src: fix(b.src), ..b }),
        Instruction::Nd2Nz(n) => Instruction::Nd2Nz(Nd2Nz { dst: fix(n.dst), src: fix(n.src), ..n }),
        Instruction::FractalLoad(l) => Instruction::FractalLoad(FractalLoad {
            dst: fix(l.dst),
            src: fix(l.src),
            index: fix(l.index),
            ..l
        }),
        Instruction::Img2col(l) => Instruction::Img2col(Img2col { dst: fix(l.dst), src: fix(l.src), ..l }),
        Instruction::Fixpipe(x) => {
            let quant =
                if let Quant::Vector(scales) = x.quant { Quant::Vector(fix(scales)) } else { x.quant };
            Instruction::Fixpipe(Fixpipe { dst: fix(x.dst), src: fix(x.src), quant, ..x })
        }
        Instruction::Mmad(x) => {
            let accumulate = if let Accumulate::Bias(bias) = x.accumulate {
                Accumulate::Bias(fix(bias))
            } else {
                x.accumulate
            };
            Instruction::Mmad(Mmad { dst: fix(x.dst), a: fix(x.a), b: fix(x.b), accumulate, ..x })
        }
        Instruction::Vector(v) => {
            Instruction::Vector(Vector { dst: fix(v.dst), src0: fix(v.src0), src1: fix(v.src1), ..v })
        }
        other => other,
    }
}
