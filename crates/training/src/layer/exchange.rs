//! Exchanges of tensor- and context-parallel ranks around the sublayers of a layer.

use vitruvian_model::{Collective, CollectiveKind, Ffn, Group, Layer, Mixer, Operator};

use super::{Lane, Line, Setting};
use crate::plan::Context;
use crate::stack::Inputs;

/// Forward: tokens gathered before a sublayer and its sums scattered after it; one all-reduce without sequence
/// parallelism (arXiv 2205.05198, figures 4 and 5). Attention's keys and values, or its heads, as context needs.
pub(super) fn forward(setting: &Setting<'_>, layer: &Layer, lines: &mut Vec<Line>) {
    let sublayers = sublayers(layer);
    let (group, bytes) = (setting.degrees.tp_group(), setting.row_bytes(setting.tokens()));
    if setting.sequence_parallel {
        push(lines, "tp_allgather", CollectiveKind::AllGather, (group, bytes), sublayers, Lane::Tensor);
        push(
            lines,
            "tp_reduce_scatter",
            CollectiveKind::ReduceScatter,
            (group, bytes),
            sublayers,
            Lane::Tensor,
        );
    } else {
        push(lines, "tp_allreduce", CollectiveKind::AllReduce, (group, bytes), sublayers, Lane::Tensor);
    }
    context(setting, layer, lines, 1);
}

/// Backward: the output's gradient is gathered before the products; the input's sums are scattered, and the kept input
/// gathered again, beside the products of the weight gradient.
pub(super) fn backward(setting: &Setting<'_>, layer: &Layer, input: &mut Vec<Line>, weight: &mut Vec<Line>) {
    let sublayers = sublayers(layer);
    let (group, bytes) = (setting.degrees.tp_group(), setting.row_bytes(setting.tokens()));
    let beside = Lane::TensorBeside;
    if setting.sequence_parallel {
        push(input, "tp_allgather", CollectiveKind::AllGather, (group, bytes), sublayers, Lane::Tensor);
        if setting.stack.inputs == Inputs::Regathered {
            push(input, "tp_regather", CollectiveKind::AllGather, (group, bytes), sublayers, beside);
        }
        push(weight, "tp_reduce_scatter", CollectiveKind::ReduceScatter, (group, bytes), sublayers, beside);
    } else {
        push(weight, "tp_allreduce", CollectiveKind::AllReduce, (group, bytes), sublayers, beside);
    }
    context(setting, layer, input, 2);
}

/// Sublayers whose weights are sliced by TP: experts exchange by rows instead.
fn sublayers(layer: &Layer) -> u32 {
    let dense = match layer.ffn {
        Ffn::Dense(_) => 1,
        Ffn::Moe(moe) => u32::from(moe.shared > 0),
        Ffn::None => 0,
    };
    dense + u32::from(layer.mixer != Mixer::None)
}

/// `rounds` is one forward and two backward: gradients of keys and values go round too.
fn context(setting: &Setting<'_>, layer: &Layer, lines: &mut Vec<Line>, rounds: u64) {
    let Some([queries, keys]) = widths(setting, layer) else { return };
    let group = setting.degrees.cp_group();
    let element = u64::from(setting.quant.activation().bits() / 8);
    let tokens = u64::from(setting.tokens()) * element;
    match setting.context {
        Context::Ring => {
            let bytes = rounds * tokens * keys * u64::from(group.size);
            push(lines, "cp_ring", CollectiveKind::AllGather, (group, bytes), 1, Lane::ContextBeside);
        }
        Context::Ulysses => {
            let bytes = tokens * (queries + keys);
            push(lines, "cp_all_to_all", CollectiveKind::AllToAll, (group, bytes), 1, Lane::Context);
        }
    }
}

/// Elements a token of queries with outputs, and of keys with values, on one rank.
fn widths(setting: &Setting<'_>, layer: &Layer) -> Option<[u64; 2]> {
    let tp = setting.degrees.tp;
    let widths = match &layer.mixer {
        Mixer::Attention(shape) => {
            let kv = (shape.kv_heads / tp).max(1) * (shape.qk_dim + shape.v_dim);
            [shape.heads / tp * (shape.qk_dim + shape.v_dim), kv]
        }
        Mixer::Mla(shape) => {
            [shape.heads / tp * (shape.nope + shape.rope + shape.v), shape.kv_lora + shape.rope]
        }
        Mixer::Compressed(shape) => [2 * shape.heads / tp * shape.head_dim, shape.head_dim],
        Mixer::None | Mixer::Linear(_) => return None,
    };
    Some(widths.map(u64::from))
}

fn push(
    lines: &mut Vec<Line>,
    name: &'static str,
    kind: CollectiveKind,
    (group, bytes): (Group, u64),
    count: u32,
    lane: Lane,
) {
    if group.size > 1 && count > 0 && bytes > 0 {
        let operator = Operator::Collective(Collective { kind, group, bytes });
        lines.push(Line { name, operator, count, factor: 1.0, work: 1.0, lane });
    }
}
