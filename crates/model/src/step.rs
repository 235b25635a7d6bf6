//! What one iteration of an engine processes.

/// The tokens of one iteration of one data-parallel group: prefill only, decode only, or both (mixed, chunked).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Step {
    /// Sequences in prefill.
    pub prefill: Option<Prefill>,
    /// Sequences in decode.
    pub decode: Option<Decode>,
    /// Rows that a captured graph adds to the tokens: they pass through the layers, attend to nothing and sample nothing.
    pub padding: u32,
}

/// Equal sequences in prefill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefill {
    /// Sequences.
    pub sequences: u32,
    /// New tokens of each.
    pub new: u32,
    /// Tokens of each already cached (earlier chunks, shared prefix).
    pub cached: u32,
    /// How many of them sample a token at the end of this step (those whose prompt ends here).
    pub sampled: u32,
}

/// Equal sequences in decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decode {
    /// Sequences.
    pub sequences: u32,
    /// Cached tokens of each.
    pub context: u32,
    /// Query tokens of each: one, plus drafted ones under speculation.
    pub queries: u32,
}

impl Step {
    /// Whole prompts in one go.
    pub fn prefill(sequences: u32, new: u32) -> Self {
        Self { prefill: Some(Prefill { sequences, new, cached: 0, sampled: sequences }), ..Self::default() }
    }

    /// One token for each of `sequences`.
    pub fn decode(sequences: u32, context: u32) -> Self {
        Self { decode: Some(Decode { sequences, context, queries: 1 }), ..Self::default() }
    }

    /// Rows that pass through the layers. Absurd sizes saturate.
    pub fn tokens(&self) -> u32 {
        let prefill = self.prefill.map_or(0, |p| p.tokens());
        let decode = self.decode.map_or(0, |d| d.tokens());
        self.padding.saturating_add(prefill).saturating_add(decode)
    }

    /// Rows that sample a token.
    pub fn sampled(&self) -> u32 {
        self.prefill.map_or(0, |p| p.sampled).saturating_add(self.decode.map_or(0, |d| d.tokens()))
    }
}

impl Prefill {
    /// New tokens of all sequences.
    pub fn tokens(&self) -> u32 {
        self.sequences.saturating_mul(self.new)
    }

    /// Tokens of one sequence at the end of the step.
    pub fn length(&self) -> u32 {
        self.cached.saturating_add(self.new)
    }

    /// Tokens of all sequences at the end of the step, cached ones included.
    pub fn context(&self) -> u32 {
        self.sequences.saturating_mul(self.length())
    }
}

impl Decode {
    /// Query tokens of all sequences.
    pub fn tokens(&self) -> u32 {
        self.sequences.saturating_mul(self.queries)
    }

    /// Tokens of one sequence at the end of the step: what its last query attends to.
    pub fn length(&self) -> u32 {
        self.context.saturating_add(self.queries)
    }
}
