//! The rule of each instruction: which operands it takes.

use super::line::{Line, number, register};
use crate::isa::{
    Accumulate, Address, Burst, Condition, CrossMode, EventId, Fixpipe, FractalLoad, Img2col, Instruction,
    Layout, Mask, Mmad, Move, Nd2Nz, Patches, Pipe, Quant, Side, Space, Strides, Sync, Type, Vector,
    VectorOp,
};

/// Mnemonics besides the vector operations.
const NAMES: [&str; 28] = [
    "mov",
    "add",
    "mul",
    "loop",
    "end",
    "copy_gm_to_cbuf",
    "copy_gm_to_ubuf",
    "copy_ubuf_to_gm",
    "copy_ubuf_to_ubuf",
    "copy_cbuf_to_bt",
    "copy_cbuf_to_fbuf",
    "copy_cbuf_to_ubuf",
    "copy_ubuf_to_cbuf",
    "copy_gm_to_cbuf_multi_nd2nz",
    "load_cbuf_to_ca",
    "load_cbuf_to_cb",
    "load_cbuf_to_cb_sparse",
    "img2colv2_cbuf_to_ca",
    "img2colv2_cbuf_to_cb",
    "mmad",
    "mmad_sparse",
    "copy_matrix_cc_to_gm",
    "copy_matrix_cc_to_cbuf",
    "set_flag",
    "wait_flag",
    "pipe_barrier",
    "ffts_cross_core_sync",
    "wait_flag_dev",
];

/// Reads the instruction of a line.
pub(super) fn instruction(line: &mut Line<'_>) -> Option<Instruction> {
    let mut parts = line.mnemonic.text.split('.');
    let name = parts.next().unwrap_or("");
    let suffixes: Vec<&str> = parts.collect();
    let found = by_name(line, name, &suffixes);
    if found.is_some() {
        line.finish();
    }
    found.filter(|_| line.mistakes.is_empty())
}

fn by_name(line: &mut Line<'_>, name: &str, suffixes: &[&str]) -> Option<Instruction> {
    if let Some(route) = Move::ALL.into_iter().find(|route| route.name() == name) {
        return burst(line, route);
    }
    if let Some(op) = VectorOp::ALL.iter().copied().find(|op| op.name() == name) {
        return vector(line, op, suffixes);
    }
    match name {
        "mov" | "add" | "mul" => scalar(line, name),
        "loop" => looped(line),
        "end" => Some(Instruction::End),
        "copy_gm_to_cbuf_multi_nd2nz" => nd2nz(line, suffixes),
        "load_cbuf_to_ca" => fractal(line, Side::A, suffixes),
        "load_cbuf_to_cb" => fractal(line, Side::B, suffixes),
        "load_cbuf_to_cb_sparse" => fractal(line, Side::SparseB, suffixes),
        "img2colv2_cbuf_to_ca" => img2col(line, Space::L0a, suffixes),
        "img2colv2_cbuf_to_cb" => img2col(line, Space::L0b, suffixes),
        "mmad" | "mmad_sparse" => mmad(line, name == "mmad_sparse", suffixes),
        "copy_matrix_cc_to_gm" => fixpipe(line, Space::Gm, suffixes),
        "copy_matrix_cc_to_cbuf" => fixpipe(line, Space::L1, suffixes),
        "set_flag" => event(line).map(Sync::SetFlag).map(Instruction::Sync),
        "wait_flag" => event(line).map(Sync::WaitFlag).map(Instruction::Sync),
        "pipe_barrier" => barrier(line),
        "ffts_cross_core_sync" | "wait_flag_dev" => cross(line, name == "wait_flag_dev"),
        _ => unknown(line),
    }
}

fn unknown<T>(line: &mut Line<'_>) -> Option<T> {
    let known: Vec<&'static str> =
        NAMES.into_iter().chain(VectorOp::ALL.iter().map(|op| op.name())).collect();
    line.unknown(line.mnemonic, &known, "instruction")
}

fn scalar(line: &mut Line<'_>, name: &str) -> Option<Instruction> {
    let dst = line.register()?;
    if name == "mov" {
        return Some(Instruction::Mov { dst, value: line.integer("a value")? });
    }
    let src = line.register()?;
    let last = line.next("a register or a number")?;
    match (name, register(last.text)) {
        ("add", Some(b)) => Some(Instruction::Add { dst, a: src, b }),
        (_, Some(_)) => {
            line.error(last.span, "asm-operand", "`mul` multiplies by a number".to_owned(), "a register")
        }
        (_, None) => {
            let (_, value) = line.sum(last.text, last.span)?;
            let sum = Instruction::AddImmediate { dst, src, value };
            Some(if name == "add" { sum } else { Instruction::Mul { dst, src, value } })
        }
    }
}

fn looped(line: &mut Line<'_>) -> Option<Instruction> {
    let piece = line.next("a count")?;
    match number(piece.text).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0) {
        Some(count) => Some(Instruction::Loop { count }),
        None => line.error(
            piece.span,
            "asm-number",
            format!("`{}` is not a loop count", piece.text),
            "at least 1",
        ),
    }
}

/// One type suffix out of those allowed.
fn ty(line: &mut Line<'_>, suffixes: &[&str], index: usize) -> Option<Type> {
    let Some(name) = suffixes.get(index) else {
        let message = format!("`{}` needs a type, such as `.f16`", line.mnemonic.text);
        return line.error(line.mnemonic.span, "asm-type", message, "here");
    };
    match Type::ALL.into_iter().find(|ty| ty.name() == *name) {
        Some(ty) => Some(ty),
        None => line.error(line.mnemonic.span, "asm-type", format!("`{name}` is not a type"), "here"),
    }
}

fn burst(line: &mut Line<'_>, route: Move) -> Option<Instruction> {
    let (to, from) = route.ends();
    let (dst, src) = (line.address(to)?, line.address(from)?);
    let (count, bytes) = (line.size_or("count", 1)?, line.size("bytes")?);
    let (src_pitch, dst_pitch) = (line.size_or("src_pitch", bytes)?, line.size_or("dst_pitch", bytes)?);
    let atomic = line.option("atomic");
    Some(Instruction::Burst(Burst { route, dst, src, count, bytes, src_pitch, dst_pitch, atomic }))
}

fn nd2nz(line: &mut Line<'_>, suffixes: &[&str]) -> Option<Instruction> {
    let ty = ty(line, suffixes, 0)?;
    let (dst, src) = (line.address(Space::L1)?, line.address(Space::Gm)?);
    let (rows, cols) = (line.size("rows")?, line.size("cols")?);
    let src_pitch = line.size_or("src_pitch", ty.bytes(cols))?;
    let dst_rows = line.size_or("dst_rows", rows.next_multiple_of(16))?;
    Some(Instruction::Nd2Nz(Nd2Nz { dst, src, rows, cols, src_pitch, dst_rows, ty }))
}

fn fractal(line: &mut Line<'_>, side: Side, suffixes: &[&str]) -> Option<Instruction> {
    let ty = ty(line, suffixes, 0)?;
    let dst = line.address(if side == Side::A { Space::L0a } else { Space::L0b })?;
    let src = line.address(Space::L1)?;
    let index = if side == Side::SparseB { line.address(Space::L1)? } else { Address::at(Space::L1, 0) };
    let (rows, cols) = (line.size("rows")?, line.size("cols")?);
    let transpose = line.option("transpose");
    let src_rows = line.size_or("src_rows", if transpose { cols } else { rows })?;
    Some(Instruction::FractalLoad(FractalLoad { side, dst, src, index, rows, cols, src_rows, transpose, ty }))
}

fn img2col(line: &mut Line<'_>, to: Space, suffixes: &[&str]) -> Option<Instruction> {
    let ty = ty(line, suffixes, 0)?;
    let (dst, src) = (line.address(to)?, line.address(Space::L1)?);
    let patches = patches(line)?;
    let (m_start, m) = (line.size_or("m_start", 0)?, line.size("m")?);
    let (k_start, k) = (line.size_or("k_start", 0)?, line.size("k")?);
    Some(Instruction::Img2col(Img2col { dst, src, patches, m_start, m, k_start, k, ty }))
}

fn patches(line: &mut Line<'_>) -> Option<Patches> {
    let whole = Patches::pixels(line.size("width")?, line.size("height")?, line.size("channels")?);
    let mut both = |x: &str, y: &str| Some([step(line, x)?, step(line, y)?]);
    let kernel = both("kernel_w", "kernel_h")?;
    let stride = both("stride_w", "stride_h")?;
    let dilation = both("dilation_w", "dilation_h")?;
    let mut pad = |name: &str| line.size_or(name, 0);
    let padding = [pad("pad_left")?, pad("pad_right")?, pad("pad_top")?, pad("pad_bottom")?];
    let value = float(line, "pad_value").unwrap_or(0.0);
    Some(Patches { kernel, stride, dilation, padding, value, ..whole })
}

/// A size of one or more; one if not given.
fn step(line: &mut Line<'_>, name: &str) -> Option<u32> {
    match line.size_or(name, 1)? {
        0 => line.error(line.mnemonic.span, "asm-number", format!("`{name}` is zero"), "at least 1"),
        size => Some(size),
    }
}

fn mmad(line: &mut Line<'_>, sparse: bool, suffixes: &[&str]) -> Option<Instruction> {
    let ty = ty(line, suffixes, 0)?;
    let (dst, a, b) = (line.address(Space::L0c)?, line.address(Space::L0a)?, line.address(Space::L0b)?);
    let bias = if line.has_next() { Some(line.address(Space::Bt)?) } else { None };
    let (m, k, n) = (line.size("m")?, line.size("k")?, line.size("n")?);
    let accumulate = match (bias, line.option("init")) {
        (Some(bias), _) => Accumulate::Bias(bias),
        (None, true) => Accumulate::Init,
        (None, false) => Accumulate::Add,
    };
    Some(Instruction::Mmad(Mmad { dst, a, b, m, k, n, ty, accumulate, sparse }))
}

fn fixpipe(line: &mut Line<'_>, to: Space, suffixes: &[&str]) -> Option<Instruction> {
    let (ty, from) = (ty(line, suffixes, 0)?, ty(line, suffixes, 1)?);
    let (dst, src) = (line.address(to)?, line.address(Space::L0c)?);
    let scales = if line.has_next() { Some(line.address(Space::Fb)?) } else { None };
    let (m, n) = (line.size("m")?, line.size("n")?);
    let layout = if line.option("nz") { Layout::Nz } else { Layout::Nd };
    let src_rows = line.size_or("src_rows", m.next_multiple_of(16))?;
    let pitch = if layout == Layout::Nz { m.next_multiple_of(16) } else { ty.bytes(n) };
    let dst_pitch = line.size_or("dst_pitch", pitch)?;
    let quant = match (scales, float(line, "scale")) {
        (Some(scales), _) => Quant::Vector(scales),
        (None, Some(scale)) => Quant::Scalar(scale),
        (None, None) => Quant::None,
    };
    let (relu, atomic) = (line.option("relu"), line.option("atomic"));
    Some(Instruction::Fixpipe(Fixpipe {
        dst,
        src,
        m,
        n,
        src_rows,
        dst_pitch,
        ty,
        from,
        layout,
        quant,
        relu,
        atomic,
    }))
}

/// The value of `name=`, if given; a malformed one is reported.
fn float(line: &mut Line<'_>, name: &str) -> Option<f32> {
    let piece = line.raw(name)?;
    let message = format!("`{}` is not a number", piece.text);
    piece.text.parse().ok().or_else(|| line.error(piece.span, "asm-number", message, "here"))
}

fn vector(line: &mut Line<'_>, op: VectorOp, suffixes: &[&str]) -> Option<Instruction> {
    let ty = ty(line, suffixes, 0)?;
    let to = if op == VectorOp::Conv { self::ty(line, suffixes, 1)? } else { ty };
    let condition = if op == VectorOp::Cmp { condition(line, suffixes)? } else { Condition::Lt };
    let dst = line.address(Space::Ub)?;
    let none = Address::at(Space::Ub, 0);
    let src0 = if op.sources() > 0 { line.address(Space::Ub)? } else { none };
    let src1 = if op.sources() > 1 { line.address(Space::Ub)? } else { none };
    let scalar = float(line, "scalar").unwrap_or(0.0);
    let (repeat, mask) = (line.size_or("repeat", 1)?, mask(line)?);
    let strides = strides(line)?;
    Some(Instruction::Vector(Vector {
        op,
        ty,
        to,
        condition,
        dst,
        src0,
        src1,
        scalar,
        repeat,
        mask,
        strides,
    }))
}

fn condition(line: &mut Line<'_>, suffixes: &[&str]) -> Option<Condition> {
    let found = suffixes
        .get(1)
        .and_then(|name| Condition::ALL.into_iter().find(|condition| condition.name() == *name));
    match found {
        Some(condition) => Some(condition),
        None => line.error(
            line.mnemonic.span,
            "asm-type",
            "`vcmp` needs a condition, such as `.f32.lt`".to_owned(),
            "here",
        ),
    }
}

fn mask(line: &mut Line<'_>) -> Option<Mask> {
    if let Some(piece) = line.raw("bits") {
        let digits = piece.text.strip_prefix("0x").unwrap_or(piece.text);
        return match u128::from_str_radix(digits, 16) {
            Ok(bits) => Some(Mask::Bits(bits)),
            Err(_) => line.error(
                piece.span,
                "asm-number",
                format!("`{}` is not a bit mask", piece.text),
                "hexadecimal",
            ),
        };
    }
    let (first, count) = (line.size_or("mask", 0)?, line.size_or("elements", 0)?);
    Some(match (first, count) {
        (0, 0) => Mask::All,
        (first, 0) => Mask::First(first),
        (_, count) => Mask::Count(count),
    })
}

fn strides(line: &mut Line<'_>) -> Option<Strides> {
    let unit = Strides::UNIT;
    let mut stride = |name, default: u16| line.size_or(name, u32::from(default)).map(|size| size as u16);
    Some(Strides {
        dst_block: stride("dst_block", unit.dst_block)?,
        src0_block: stride("src0_block", unit.src0_block)?,
        src1_block: stride("src1_block", unit.src1_block)?,
        dst_repeat: stride("dst_repeat", unit.dst_repeat)?,
        src0_repeat: stride("src0_repeat", unit.src0_repeat)?,
        src1_repeat: stride("src1_repeat", unit.src1_repeat)?,
    })
}

fn event(line: &mut Line<'_>) -> Option<EventId> {
    let (src, dst) = (line.pipe()?, line.pipe()?);
    let id = id(line, EventId::IDS)?;
    Some(EventId { src, dst, id })
}

fn id(line: &mut Line<'_>, limit: usize) -> Option<u8> {
    let piece = line.next("an event number")?;
    match number(piece.text).and_then(|id| u8::try_from(id).ok()).filter(|id| usize::from(*id) < limit) {
        Some(id) => Some(id),
        None => line.error(
            piece.span,
            "asm-event",
            format!("`{}` is not an event", piece.text),
            &format!("0 to {}", limit - 1),
        ),
    }
}

fn barrier(line: &mut Line<'_>) -> Option<Instruction> {
    if line.option("PIPE_ALL") {
        return Some(Instruction::Sync(Sync::BarrierAll));
    }
    line.pipe().map(Sync::Barrier).map(Instruction::Sync)
}

fn cross(line: &mut Line<'_>, wait: bool) -> Option<Instruction> {
    let pipe: Pipe = line.pipe()?;
    let piece = line.next("a mode, 0 or 2")?;
    let mode = match piece.text {
        "0" => CrossMode::SameKind,
        "2" => CrossMode::Group,
        other => return line.error(piece.span, "asm-mode", format!("`{other}` is not a mode"), "0 or 2"),
    };
    let id = id(line, Sync::CROSS_IDS)?;
    let sync = if wait { Sync::CrossWait { pipe, mode, id } } else { Sync::CrossSet { pipe, mode, id } };
    Some(Instruction::Sync(sync))
}
