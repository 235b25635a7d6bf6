//! One rank's view of a step, and the list it writes to.

use crate::layout::Layout;
use crate::model::Model;
use crate::operator::{Collective, CollectiveKind, Gemm, Group, Operator, Task, VectorKind, VectorOp};
use crate::quant::QuantPlan;
use crate::scheme::Scheme;
use crate::step::{Decode, Prefill, Step};
use crate::weights::Module;

/// What one rank of a stage sees of a step.
pub(super) struct Rank<'a> {
    pub(super) model: &'a Model,
    pub(super) plan: &'a QuantPlan,
    pub(super) layout: Layout,
    /// The step of the whole data-parallel group.
    pub(super) step: &'a Step,
    /// This rank's share of the prefill: with context parallelism, fewer tokens behind a longer average past.
    pub(super) prefill: Option<Prefill>,
    /// This rank's share of the decode: with context parallelism, a shorter past.
    pub(super) decode: Option<Decode>,
    /// Rows that this rank's TP group computes, padding included.
    pub(super) tokens: u32,
    out: &'a mut Vec<Task>,
    first: usize,
}

impl<'a> Rank<'a> {
    pub(super) fn new(
        model: &'a Model,
        plan: &'a QuantPlan,
        layout: Layout,
        step: &'a Step,
        out: &'a mut Vec<Task>,
    ) -> Self {
        let prefill = step.prefill.filter(|p| p.tokens() > 0).map(|p| share_of_prefill(p, layout.cp));
        let decode = step.decode.filter(|d| d.tokens() > 0);
        let tokens = Step { prefill, decode, padding: step.padding }.tokens();
        let decode = decode.map(|d| Decode { context: d.context.div_ceil(layout.cp), ..d });
        let first = out.len();
        Self { model, plan, layout, step, prefill, decode, tokens, out, first }
    }

    /// Appends an operator, or counts it with an equal one of this name.
    pub(super) fn push(&mut self, name: &'static str, operator: Operator, count: u32) {
        if count == 0 {
            return;
        }
        let same = |task: &&mut Task| task.name == name && task.operator == operator;
        match self.out[self.first..].iter_mut().find(same) {
            Some(task) => task.count += count,
            None => self.out.push(Task { name, operator, count }),
        }
    }

    /// A projection of `module`'s weights; `shape` is m, n, k.
    pub(super) fn gemm(&mut self, name: &'static str, module: Module, shape: [u32; 3], count: u32) {
        let [m, n, k] = shape;
        let scheme = self.plan.scheme(module);
        let sparsity = self.plan.sparsity_of(module);
        self.push(name, Operator::Gemm(Gemm { m, n, k, batch: 1, scheme, sparsity }), count);
    }

    /// `batch` independent 16-bit products; `shape` is m, n, k of one.
    pub(super) fn batched(
        &mut self,
        name: &'static str,
        scheme: Scheme,
        batch: u32,
        shape: [u32; 3],
        count: u32,
    ) {
        let [m, n, k] = shape;
        let sparsity = crate::scheme::Sparsity::Dense;
        self.push(name, Operator::Gemm(Gemm { m, n, k, batch, scheme, sparsity }), count);
    }

    /// Vector work on activations.
    pub(super) fn vector(&mut self, name: &'static str, kind: VectorKind, rows: u32, width: u32, count: u32) {
        let dtype = self.plan.activation();
        self.push(name, Operator::Vector(VectorOp { kind, rows, width, dtype }), count);
    }

    /// New entries of `width` elements for the cache of this rank.
    pub(super) fn cache_write(&mut self, width: u32, count: u32) {
        let write = VectorOp { kind: VectorKind::CacheWrite, rows: self.tokens, width, dtype: self.plan.kv };
        self.push("cache_write", Operator::Vector(write), count);
    }

    /// An exchange; none in a group of one.
    pub(super) fn collective(
        &mut self,
        name: &'static str,
        kind: CollectiveKind,
        group: Group,
        bytes: u64,
        count: u32,
    ) {
        if group.size > 1 {
            self.push(name, Operator::Collective(Collective { kind, group, bytes }), count);
        }
    }

    /// Bytes of `rows` rows of the residual stream.
    pub(super) fn row_bytes(&self, rows: u32) -> u64 {
        u64::from(rows) * u64::from(self.model.hidden) * u64::from(self.plan.activation().bits() / 8)
    }

    /// The sum into the residual stream and the norm before a sublayer on `rows` tokens.
    ///
    /// With s parallel streams: a projection of all of them gives the weights that read one input from s streams (s + 1
    /// rows moved) and write its output back into them (2·s + 1 rows).
    pub(super) fn residual(&mut self, rows: u32, count: u32) {
        let (hidden, streams) = (self.model.hidden, self.model.streams);
        if streams == 1 {
            return self.vector("norm", VectorKind::AddNorm, rows, hidden, count);
        }
        let mixing = [rows, self.model.mixing_width(), streams * hidden];
        self.gemm("streams_proj", Module::Small, mixing, count);
        // A `Norm` reads and writes its width once: half of what moves.
        self.vector("streams_read", VectorKind::Norm, rows, (streams + 1) * hidden / 2, count);
        self.vector("streams_write", VectorKind::Norm, rows, (2 * streams + 1) * hidden / 2, count);
        self.vector("norm", VectorKind::Norm, rows, hidden, count);
    }

    /// One rank's TP share of `columns`.
    pub(super) fn share(&self, columns: u64) -> u32 {
        (columns / u64::from(self.layout.tp)) as u32
    }
}

/// `1/cp` of the new tokens of each sequence, behind a past that keeps the number of pairs: p + (s − s/cp)/2.
fn share_of_prefill(prefill: Prefill, cp: u32) -> Prefill {
    let new = prefill.new.div_ceil(cp);
    Prefill { new, cached: prefill.cached.saturating_add((prefill.new - new) / 2), ..prefill }
}
