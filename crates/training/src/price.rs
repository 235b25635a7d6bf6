//! From lines to seconds: what a pass takes on one rank, and what of it waits for others.

use vitruvian_cost::Refusal;
use vitruvian_engine::Meter;
use vitruvian_model::Operator;

use crate::layer::{Lane, Line};
use crate::plan::Overlap;
use crate::stack::Figures;

/// Time of one pass, in seconds, by what it is spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pass {
    /// Kernels.
    pub compute: f64,
    /// Of which products.
    pub products: f64,
    /// Of which attention cores.
    pub attention: f64,
    /// Kernels launched.
    pub launches: f64,
    /// Tensor-parallel exchange that products wait for.
    pub tensor: f64,
    /// Tensor-parallel exchange beside the products.
    pub tensor_beside: f64,
    /// Context-parallel exchange beside attention.
    pub context_beside: f64,
    /// Context-parallel exchange that attention waits for.
    pub context: f64,
    /// Expert exchange.
    pub experts: f64,
    /// Algorithmic matrix operations.
    pub flops: f64,
    /// Energy above active idle, in joules.
    pub energy: f64,
    /// Variance of the time, in seconds squared, kernels of one family taken as one.
    pub spread: f64,
}

impl Pass {
    /// Prices lines.
    ///
    /// # Errors
    /// The chip cannot do one of the operators, with the reason.
    pub fn of(lines: &[Line], meter: &mut Meter<'_>, figures: &Figures) -> Result<Self, Refusal> {
        let mut pass = Self::default();
        for line in lines {
            pass.add(line, meter, figures)?;
        }
        Ok(pass)
    }

    fn add(&mut self, line: &Line, meter: &mut Meter<'_>, figures: &Figures) -> Result<(), Refusal> {
        let estimate = meter.operator(&line.operator)?;
        let runs = f64::from(line.count) * line.factor;
        let (time, lane) = (estimate.uncapped.get() * runs, line.lane);
        let works = f64::from(line.count) * line.work;
        self.energy += estimate.energy.get() * works;
        self.flops += estimate.work.matrix.get() * works;
        let exchanged = time * figures.collective + figures.exchange.get() * f64::from(line.count);
        match lane {
            Lane::Compute => self.add_kernel(line, time, estimate.floor.get() * works, figures),
            Lane::Tensor => self.tensor += exchanged,
            Lane::TensorBeside => self.tensor_beside += exchanged,
            Lane::ContextBeside => self.context_beside += exchanged,
            Lane::Context => self.context += exchanged,
            Lane::Experts => self.experts += exchanged,
        }
        self.spread += estimate.sigma * time;
        Ok(())
    }

    /// A kernel's time is the profile's times the stack's figure, and no less than what the power cap leaves.
    fn add_kernel(&mut self, line: &Line, time: f64, floor: f64, figures: &Figures) {
        // Experts are launched one by one, on several streams.
        let experts = match line.operator {
            Operator::Gemm(gemm) if line.name.starts_with("experts") => gemm.batch,
            _ => 1,
        };
        self.launches += f64::from(line.count) * f64::from(experts);
        let time = (time * figures.of(&line.operator)).max(floor);
        self.compute += time;
        match line.operator {
            Operator::Gemm(_) | Operator::GroupedGemm(_) => self.products += time,
            Operator::PrefillAttention(_)
            | Operator::DecodeAttention(_)
            | Operator::MlaDecode(_)
            | Operator::LinearAttention(_)
            | Operator::Indexer(_) => self.attention += time,
            _ => {}
        }
    }

    /// The same, several times.
    #[must_use]
    pub fn times(self, count: f64) -> Self {
        Self {
            compute: self.compute * count,
            products: self.products * count,
            attention: self.attention * count,
            launches: self.launches * count,
            tensor: self.tensor * count,
            tensor_beside: self.tensor_beside * count,
            context_beside: self.context_beside * count,
            context: self.context * count,
            experts: self.experts * count,
            flops: self.flops * count,
            energy: self.energy * count,
            spread: self.spread * count,
        }
    }

    /// One after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            compute: self.compute + other.compute,
            products: self.products + other.products,
            attention: self.attention + other.attention,
            launches: self.launches + other.launches,
            tensor: self.tensor + other.tensor,
            tensor_beside: self.tensor_beside + other.tensor_beside,
            context_beside: self.context_beside + other.context_beside,
            context: self.context + other.context,
            experts: self.experts + other.experts,
            flops: self.flops + other.flops,
            energy: self.energy + other.energy,
            spread: self.spread + other.spread,
        }
    }

    /// Time of the device itself: kernels, or their launches where those are slower.
    pub fn device(&self, figures: &Figures) -> f64 {
        self.compute.max(self.launches * figures.launch.get())
    }

    /// Time that the device waits for other ranks of its stage, expert exchange apart.
    pub fn exposed(&self, overlap: Overlap, figures: &Figures) -> f64 {
        let hidden = if overlap.tensor { figures.tensor_overlap } else { 0.0 };
        let beside = beside(self.tensor_beside, self.products, figures);
        let ring = beside_attention(self.context_beside, self.attention, figures);
        self.tensor * (1.0 - hidden) + beside + self.context + ring
    }

    /// Time of the pass.
    pub fn time(&self, overlap: Overlap, figures: &Figures) -> f64 {
        self.device(figures) + self.exposed(overlap, figures) + self.experts
    }
}

/// What an exchange beside a computation adds: the part that outlasts it, and its claim on units and memory.
pub(crate) fn beside(exchange: f64, computation: f64, figures: &Figures) -> f64 {
    (exchange - computation).max(0.0) + figures.contention * exchange.min(computation)
}

fn beside_attention(exchange: f64, attention: f64, figures: &Figures) -> f64 {
    if exchange > 0.0 { beside(exchange, attention, figures) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_shows_only_where_it_outlasts_what_runs_beside_it() {
        let mut figures = crate::catalog::stack("megatron-lm", "h100-sxm", &[]).unwrap().figures;
        figures.contention = 0.0;
        assert_eq!(beside(3.0, 5.0, &figures), 0.0);
        assert_eq!(beside(5.0, 3.0, &figures), 2.0);
        // A tenth of the hidden three seconds comes back.
        figures.contention = 0.1;
        assert!((beside(5.0, 3.0, &figures) - 2.3).abs() < 1e-12);
    }
}
