//! Programs to text: what the assembler reads back to the same instructions. Defaults are left out.

use std::fmt::{self, Write as _};

use crate::isa::{
    Accumulate, Address, Burst, CrossMode, EventId, Fixpipe, FractalLoad, Img2col, Instruction, Layout, Mask,
    Mmad, Nd2Nz, Patches, Quant, Reg, Side, Space, Strides, Sync, Vector, VectorOp,
};
use crate::kernel::{CoreKind, Kernel, Role};

/// The text of a kernel.
pub fn disassemble(kernel: &Kernel) -> String {
    let mut text = String::new();
    for tensor in &kernel.tensors {
        let role = match tensor.role {
            Role::Input => "input",
            Role::Output => "output",
            Role::Workspace => "workspace",
        };
        let _ = writeln!(text, ".tensor {} {} {role}", tensor.name, tensor.bytes);
    }
    for core in &kernel.cores {
        let kind = match core.kind {
            CoreKind::Cube => "aic",
            CoreKind::Vector => "aiv",
            CoreKind::Coupled => "core",
        };
        let _ = writeln!(text, ".core {kind} {}", core.group);
        body(&mut text, &kernel.programs[core.program].instructions);
    }
    text
}

fn body(text: &mut String, instructions: &[Instruction]) {
    let mut depth = 1;
    for instruction in instructions {
        depth -= usize::from(*instruction == Instruction::End);
        let _ = writeln!(text, "{:1$}{instruction}", "", 2 * depth);
        depth += usize::from(matches!(instruction, Instruction::Loop { .. }));
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mov { dst, value } => write!(f, "mov {dst}, {value}"),
            Self::AddImmediate { dst, src, value } => write!(f, "add {dst}, {src}, {value}"),
            Self::Add { dst, a, b } => write!(f, "add {dst}, {a}, {b}"),
            Self::Mul { dst, src, value } => write!(f, "mul {dst}, {src}, {value}"),
            Self::Loop { count } => write!(f, "loop {count}"),
            Self::End => write!(f, "end"),
            Self::Burst(burst) => write_burst(f, burst),
            Self::Nd2Nz(nd2nz) => write_nd2nz(f, nd2nz),
            Self::FractalLoad(load) => write_fractal(f, load),
            Self::Img2col(load) => write_img2col(f, load),
            Self::Fixpipe(fixpipe) => write_fixpipe(f, fixpipe),
            Self::Mmad(mmad) => write_mmad(f, mmad),
            Self::Vector(vector) => write_vector(f, vector),
            Self::Sync(sync) => write_sync(f, *sync),
        }
    }
}

impl fmt::Display for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x{}", self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.space.name();
        match (self.reg, self.offset) {
            (Reg::ZERO, offset) => write!(f, "{name}[{offset:#x}]"),
            (reg, 0) => write!(f, "{name}[{reg}]"),
            (reg, offset) => write!(f, "{name}[{reg}+{offset}]"),
        }
    }
}

/// `, name=value` unless the value is the default.
fn size(f: &mut fmt::Formatter<'_>, name: &str, value: u32, default: u32) -> fmt::Result {
    if value == default { Ok(()) } else { write!(f, ", {name}={value}") }
}

fn option(f: &mut fmt::Formatter<'_>, name: &str, given: bool) -> fmt::Result {
    if given { write!(f, ", {name}") } else { Ok(()) }
}

fn write_burst(f: &mut fmt::Formatter<'_>, burst: &Burst) -> fmt::Result {
    write!(f, "{} {}, {}", burst.route.name(), burst.dst, burst.src)?;
    size(f, "count", burst.count, 1)?;
    write!(f, ", bytes={}", burst.bytes)?;
    size(f, "src_pitch", burst.src_pitch, burst.bytes)?;
    size(f, "dst_pitch", burst.dst_pitch, burst.bytes)?;
    option(f, "atomic", burst.atomic)
}

fn write_nd2nz(f: &mut fmt::Formatter<'_>, n: &Nd2Nz) -> fmt::Result {
    write!(
        f,
        "copy_gm_to_cbuf_multi_nd2nz.{} {}, {}, rows={}, cols={}",
        n.ty.name(),
        n.dst,
        n.src,
        n.rows,
        n.cols
    )?;
    size(f, "src_pitch", n.src_pitch, n.ty.bytes(n.cols))?;
    size(f, "dst_rows", n.dst_rows, n.rows.next_multiple_of(16))
}

fn write_fractal(f: &mut fmt::Formatter<'_>, load: &FractalLoad) -> fmt::Result {
    let name = match load.side {
        Side::A => "load_cbuf_to_ca",
        Side::B => "load_cbuf_to_cb",
        Side::SparseB => "load_cbuf_to_cb_sparse",
    };
    write!(f, "{name}.{} {}, {}", load.ty.name(), load.dst, load.src)?;
    if load.side == Side::SparseB {
        write!(f, ", {}", load.index)?;
    }
    write!(f, ", rows={}, cols={}", load.rows, load.cols)?;
    size(f, "src_rows", load.src_rows, if load.transpose { load.cols } else { load.rows })?;
    option(f, "transpose", load.transpose)
}

fn write_img2col(f: &mut fmt::Formatter<'_>, load: &Img2col) -> fmt::Result {
    let name = if load.dst.space == Space::L0a { "img2colv2_cbuf_to_ca" } else { "img2colv2_cbuf_to_cb" };
    write!(f, "{name}.{} {}, {}", load.ty.name(), load.dst, load.src)?;
    write_patches(f, &load.patches)?;
    size(f, "m_start", load.m_start, 0)?;
    write!(f, ", m={}", load.m)?;
    size(f, "k_start", load.k_start, 0)?;
    write!(f, ", k={}", load.k)
}

fn write_patches(f: &mut fmt::Formatter<'_>, p: &Patches) -> fmt::Result {
    write!(f, ", width={}, height={}, channels={}", p.width, p.height, p.channels)?;
    let steps = [
        ("kernel_w", p.kernel[0]),
        ("kernel_h", p.kernel[1]),
        ("stride_w", p.stride[0]),
        ("stride_h", p.stride[1]),
        ("dilation_w", p.dilation[0]),
        ("dilation_h", p.dilation[1]),
    ];
    steps.into_iter().try_for_each(|(name, value)| size(f, name, value, 1))?;
    let sides = ["pad_left", "pad_right", "pad_top", "pad_bottom"];
    sides.into_iter().zip(p.padding).try_for_each(|(name, value)| size(f, name, value, 0))?;
    if p.value == 0.0 { Ok(()) } else { write!(f, ", pad_value={:?}", p.value) }
}

fn write_mmad(f: &mut fmt::Formatter<'_>, mmad: &Mmad) -> fmt::Result {
    let name = if mmad.sparse { "mmad_sparse" } else { "mmad" };
    write!(f, "{name}.{} {}, {}, {}", mmad.ty.name(), mmad.dst, mmad.a, mmad.b)?;
    if let Accumulate::Bias(bias) = mmad.accumulate {
        write!(f, ", {bias}")?;
    }
    write!(f, ", m={}, k={}, n={}", mmad.m, mmad.k, mmad.n)?;
    option(f, "init", mmad.accumulate == Accumulate::Init)
}

fn write_fixpipe(f: &mut fmt::Formatter<'_>, x: &Fixpipe) -> fmt::Result {
    let name = if x.dst.space == Space::Gm { "copy_matrix_cc_to_gm" } else { "copy_matrix_cc_to_cbuf" };
    write!(f, "{name}.{}.{} {}, {}", x.ty.name(), x.from.name(), x.dst, x.src)?;
    if let Quant::Vector(scales) = x.quant {
        write!(f, ", {scales}")?;
    }
    write!(f, ", m={}, n={}", x.m, x.n)?;
    size(f, "src_rows", x.src_rows, x.m.next_multiple_of(16))?;
    let pitch = if x.layout == Layout::Nz { x.m.next_multiple_of(16) } else { x.ty.bytes(x.n) };
    size(f, "dst_pitch", x.dst_pitch, pitch)?;
    if let Quant::Scalar(scale) = x.quant {
        write!(f, ", scale={scale:?}")?;
    }
    option(f, "nz", x.layout == Layout::Nz)?;
    option(f, "relu", x.relu)?;
    option(f, "atomic", x.atomic)
}

fn write_vector(f: &mut fmt::Formatter<'_>, v: &Vector) -> fmt::Result {
    write!(f, "{}.{}", v.op.name(), v.ty.name())?;
    match v.op {
        VectorOp::Conv => write!(f, ".{}", v.to.name())?,
        VectorOp::Cmp => write!(f, ".{}", v.condition.name())?,
        _ => {}
    }
    write!(f, " {}", v.dst)?;
    if v.op.sources() > 0 {
        write!(f, ", {}", v.src0)?;
    }
    if v.op.sources() > 1 {
        write!(f, ", {}", v.src1)?;
    }
    if v.scalar != 0.0 {
        write!(f, ", scalar={:?}", v.scalar)?;
    }
    size(f, "repeat", v.repeat, 1)?;
    match v.mask {
        Mask::All => {}
        Mask::First(lanes) => write!(f, ", mask={lanes}")?,
        Mask::Bits(bits) => write!(f, ", bits={bits:#x}")?,
        Mask::Count(elements) => write!(f, ", elements={elements}")?,
    }
    write_strides(f, v.strides)
}

fn write_strides(f: &mut fmt::Formatter<'_>, s: Strides) -> fmt::Result {
    let unit = Strides::UNIT;
    let all = [
        ("dst_block", s.dst_block, unit.dst_block),
        ("src0_block", s.src0_block, unit.src0_block),
        ("src1_block", s.src1_block, unit.src1_block),
        ("dst_repeat", s.dst_repeat, unit.dst_repeat),
        ("src0_repeat", s.src0_repeat, unit.src0_repeat),
        ("src1_repeat", s.src1_repeat, unit.src1_repeat),
    ];
    all.into_iter().try_for_each(|(name, value, default)| size(f, name, u32::from(value), u32::from(default)))
}

fn write_sync(f: &mut fmt::Formatter<'_>, sync: Sync) -> fmt::Result {
    let event = |e: EventId| format!("{}, {}, {}", e.src.name(), e.dst.name(), e.id);
    let mode = |mode| if mode == CrossMode::SameKind { 0 } else { 2 };
    match sync {
        Sync::SetFlag(e) => write!(f, "set_flag {}", event(e)),
        Sync::WaitFlag(e) => write!(f, "wait_flag {}", event(e)),
        Sync::Barrier(pipe) => write!(f, "pipe_barrier {}", pipe.name()),
        Sync::BarrierAll => write!(f, "pipe_barrier PIPE_ALL"),
        Sync::CrossSet { pipe, mode: m, id } => {
            write!(f, "ffts_cross_core_sync {}, {}, {id}", pipe.name(), mode(m))
        }
        Sync::CrossWait { pipe, mode: m, id } => {
            write!(f, "wait_flag_dev {}, {}, {id}", pipe.name(), mode(m))
        }
    }
}
