//! The device work of a layer's forward pass.

use vitruvian_model::{
    Ffn, Layer, Layout, Mixer, Model, Operator, PrefillAttention, Scheme, Step, VectorKind, VectorOp, tasks,
};

use super::{Line, Setting, attention, experts};
use crate::plan::Context;
use crate::stack::Attention;

/// Norms, mixer, feed-forward part, in order, without exchanges.
pub(super) fn lines(setting: &Setting<'_>, layer: &Layer) -> Vec<Line> {
    let mut lines = Vec::new();
    for task in dense_tasks(setting, layer) {
        let line = Line { count: task.count, ..Line::compute(task.name, task.operator) };
        match task.operator {
            Operator::Collective(_) => {}
            Operator::Vector(vector) if vector.kind == VectorKind::CacheWrite => {}
            Operator::Vector(vector) if is_resident(task.name) => {
                let rows = share(setting, vector.rows);
                lines.push(Line { operator: Operator::Vector(VectorOp { rows, ..vector }), ..line });
            }
            Operator::PrefillAttention(core) => push_core(setting, core, line, &mut lines),
            _ => lines.push(line),
        }
    }
    if let Ffn::Moe(moe) = &layer.ffn {
        lines.extend(experts::lines(setting, moe));
    }
    lines.extend(dropout(setting, layer));
    lines.extend(quantisation(setting, &lines));
    lines
}

/// The operators of the mixer and of a dense feed-forward part: those of a serving prefill of a model of three such
/// layers, of which a stage in the middle has one.
fn dense_tasks(setting: &Setting<'_>, layer: &Layer) -> Vec<vitruvian_model::Task> {
    let routed = matches!(layer.ffn, Ffn::Moe(_));
    let ffn = if routed { Ffn::None } else { layer.ffn };
    let sublayers = u32::from(layer.mixer != Mixer::None) + u32::from(ffn != Ffn::None);
    let norms = if routed { sublayers } else { layer.norms.max(sublayers) };
    let kinds = vec![Layer { mixer: layer.mixer, ffn, norms }];
    let model = Model { kinds, order: vec![0; 3], mtp: None, vision: None, ..header(setting.model) };
    let layout = Layout { tp: setting.degrees.tp, pp: 3, dp: 1, ep: 1, cp: setting.degrees.cp };
    let mut list = Vec::new();
    tasks(&model, setting.quant, layout, 1, &Step::prefill(setting.micro_batch, setting.sequence), &mut list);
    list
}

/// A model's shape without its layers.
fn header(model: &Model) -> Model {
    Model {
        name: String::new(),
        family: String::new(),
        kinds: Vec::new(),
        order: Vec::new(),
        mtp: None,
        left_out: Vec::new(),
        ..*model
    }
}

/// Work on the residual stream, which sequence parallelism shares out.
fn is_resident(name: &str) -> bool {
    matches!(name, "norm" | "streams_read" | "streams_write")
}

fn share(setting: &Setting<'_>, rows: u32) -> u32 {
    if setting.sequence_parallel { rows.div_ceil(setting.degrees.tp) } else { rows }
}

fn push_core(setting: &Setting<'_>, core: PrefillAttention, line: Line, lines: &mut Vec<Line>) {
    let core = if setting.context == Context::Ulysses && setting.degrees.cp > 1 {
        let cp = setting.degrees.cp;
        let kv_heads = (core.kv_heads / cp).max(1);
        PrefillAttention {
            new: setting.sequence,
            cached: 0,
            heads: (core.heads / cp).max(1),
            kv_heads,
            ..core
        }
    } else {
        core
    };
    match setting.stack.attention {
        Attention::Flash => {
            let line = Line { operator: Operator::PrefillAttention(core), ..line };
            lines.push(line.slower(setting.stack.figures.attention));
        }
        Attention::Unfused => lines.extend(attention::unfused(setting, &core, line.count)),
    }
}

/// Dropout of each sublayer's output: one read, one write and a byte of mask.
fn dropout(setting: &Setting<'_>, layer: &Layer) -> Option<Line> {
    let sublayers = u32::from(layer.mixer != Mixer::None) + u32::from(layer.ffn != Ffn::None);
    let (rows, width) = (setting.resident_tokens(), setting.model.hidden);
    let dtype = setting.quant.activation();
    let vector = Operator::Vector(VectorOp { kind: VectorKind::Activation, rows, width, dtype });
    let line = Line { count: sublayers, ..Line::compute("dropout", vector) };
    (setting.stack.figures.dropout > 0.0).then(|| line.at(1.25))
}

/// Casts of the inputs of 8-bit products.
fn quantisation(setting: &Setting<'_>, lines: &[Line]) -> Vec<Line> {
    let dtype = setting.quant.activation();
    let cast = |rows: f64, width: u32, count: u32| {
        let rows = rows.ceil() as u32;
        let vector = Operator::Vector(VectorOp { kind: VectorKind::Quantise, rows, width, dtype });
        Line { count, ..Line::compute("quantise", vector) }
    };
    let eight = |scheme: Scheme| scheme.activation().bits() == 8;
    lines
        .iter()
        .filter_map(|line| match line.operator {
            Operator::Gemm(gemm) if eight(gemm.scheme) => {
                Some(cast(f64::from(gemm.m) * f64::from(gemm.batch), gemm.k, line.count))
            }
            _ => None,
        })
        .collect()
}
