//! Training plans as command lines of the stacks that run them. One file a stack.
//!
//! Flags of Megatron-LM are those of core 0.16; of MindSpeed-LLM those of 2.0; of torchtitan those of 0.3.

mod megatron;
mod mindspeed;
mod torchtitan;

/// What a launch line says. Plain values: nothing here knows how the plan was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingLaunch {
    /// Model, for comments.
    pub model: String,
    /// Title of the stack that the plan was estimated with.
    pub estimated_with: String,
    /// Nodes.
    pub nodes: u32,
    /// Chips of a node.
    pub chips_per_node: u32,
    /// Tensor parallel.
    pub tp: u32,
    /// Context parallel.
    pub cp: u32,
    /// Pipeline parallel.
    pub pp: u32,
    /// Data parallel.
    pub dp: u32,
    /// Expert parallel.
    pub ep: u32,
    /// Tensor parallel inside an expert.
    pub etp: u32,
    /// Model chunks of a device.
    pub chunks: u32,
    /// Layers of the model.
    pub depth: u32,
    /// Layers of each virtual stage, where they are not even.
    pub stage_layers: Vec<u32>,
    /// Whether the model has experts.
    pub experts: bool,
    /// Sequences of a micro-batch.
    pub micro_batch: u32,
    /// Sequences of a step.
    pub global_batch: u32,
    /// Tokens of a sequence.
    pub sequence: u32,
    /// Steps of the run, where one was asked for.
    pub steps: Option<u64>,
    /// `bf16`, `fp16`, `fp8`, `fp8-block` or `int8`.
    pub precision: String,
    /// `1f1b`, `zb-h1`, `zb-2p` or `dualpipe`.
    pub schedule: String,
    /// `none`, `selective`, `elementwise`, `every-second` or `full`.
    pub recompute: String,
    /// Layers of a device that full recomputation runs again, where not all.
    pub recompute_layers: Option<u32>,
    /// `none`, `zero-1`, `zero-2` or `zero-3`.
    pub sharding: String,
    /// Whether norms are shared out over TP ranks.
    pub sequence_parallel: bool,
    /// `ring` or `ulysses`.
    pub context: String,
    /// Exchanges to hide.
    pub overlap: Vec<String>,
    /// `none`, `optimizer` or `activations`.
    pub offload: String,
    /// Whether 16-bit weights are the upper halves of their master copies.
    pub reuse_master: bool,
}

/// A stack whose flags are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// NVIDIA Megatron-LM.
    Megatron,
    /// Huawei MindSpeed-LLM.
    MindSpeed,
    /// `PyTorch` torchtitan.
    Torchtitan,
}

impl Stack {
    /// Its title, with which those of its releases begin.
    const fn title(self) -> &'static str {
        match self {
            Self::Megatron => "Megatron-LM",
            Self::MindSpeed => "MindSpeed-LLM",
            Self::Torchtitan => "torchtitan",
        }
    }

    /// What to know of a plan that was estimated with another stack.
    fn estimated_with_another(self, plan: &TrainingLaunch) -> Option<String> {
        let same = plan.estimated_with.starts_with(self.title());
        (!same).then(|| {
            let (other, own) = (&plan.estimated_with, self.title());
            format!("# the estimate is of {other}; that of {own}: --stack {}\n", own.to_lowercase())
        })
    }
}

/// Lines of a command, what the stack cannot do noted as comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    flags: Vec<String>,
    comments: Vec<String>,
}

impl Lines {
    fn flag(&mut self, flag: impl Into<String>) {
        self.flags.push(flag.into());
    }

    fn value(&mut self, flag: &str, value: impl std::fmt::Display) {
        self.flags.push(format!("{flag} {value}"));
    }

    fn when(&mut self, condition: bool, flag: &str) {
        if condition {
            self.flag(flag);
        }
    }

    fn comment(&mut self, comment: impl Into<String>) {
        self.comments.push(comment.into());
    }

    /// Says that a stack cannot let weights be parts of their master copies, where that was asked.
    fn whole_masters(&mut self, plan: &TrainingLaunch, stack: &str) {
        if plan.reuse_master {
            self.comment(format!("{stack} keeps whole master weights: --reuse-master has no flag"));
        }
    }

    fn command(self, head: &str) -> String {
        let comments = self.comments.iter().map(|comment| format!("# {comment}\n"));
        let flags = self.flags.iter().map(|flag| format!(" \\\n    {flag}"));
        let ends = [head.to_owned()].into_iter().chain(flags).chain(["\n".to_owned()]);
        comments.chain(ends).collect::<Vec<_>>().concat()
    }
}

impl TrainingLaunch {
    fn hides(&self, what: &str) -> bool {
        self.overlap.iter().any(|name| name == what)
    }

    fn torchrun(&self, script: &str) -> String {
        format!(
            "torchrun --nnodes {} --nproc-per-node {} --node-rank $NODE_RANK --master-addr $MASTER_ADDR \
             --master-port $MASTER_PORT {script}",
            self.nodes, self.chips_per_node
        )
    }

    /// Layers of a virtual stage, if all have as many.
    fn even_stage(&self) -> Option<u32> {
        let stages = self.pp * self.chunks;
        let even = self.stage_layers.is_empty() && stages > 0 && self.depth.is_multiple_of(stages);
        even.then(|| self.depth / stages)
    }
}

/// The command that launches a plan under a stack.
pub fn launch(stack: Stack, plan: &TrainingLaunch) -> String {
    let command = match stack {
        Stack::Megatron => megatron::command(plan),
        Stack::MindSpeed => mindspeed::command(plan),
        Stack::Torchtitan => torchtitan::command(plan),
    };
    stack.estimated_with_another(plan).unwrap_or_default() + &command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> TrainingLaunch {
        TrainingLaunch {
            model: "m".into(),
            estimated_with: "Megatron-LM of 2023".into(),
            nodes: 4,
            chips_per_node: 8,
            tp: 4,
            cp: 1,
            pp: 4,
            dp: 2,
            ep: 1,
            etp: 4,
            chunks: 2,
            depth: 32,
            micro_batch: 1,
            global_batch: 64,
            sequence: 4096,
            precision: "bf16".into(),
            schedule: "1f1b".into(),
            recompute: "full".into(),
            sharding: "zero-1".into(),
            sequence_parallel: true,
            context: "ring".into(),
            overlap: vec!["gradients".into(), "tensor".into()],
            offload: "none".into(),
            ..TrainingLaunch::default()
        }
    }

    #[test]
    fn megatron_gets_layers_of_a_virtual_stage() {
        let text = launch(Stack::Megatron, &plan());
        for flag in [
            "--tensor-model-parallel-size 4",
            "--pipeline-model-parallel-size 4",
            // 32 layers over 4 · 2 virtual stages
            "--num-layers-per-virtual-pipeline-stage 4",
            "--sequence-parallel",
            "--use-distributed-optimizer",
            "--overlap-grad-reduce",
            "--tp-comm-overlap",
            "--recompute-granularity full",
        ] {
            assert!(text.contains(flag), "{flag} in {text}");
        }
        assert!(!text.contains("--overlap-param-gather"));
    }

    #[test]
    fn each_stack_has_its_own_words() {
        assert!(launch(Stack::MindSpeed, &plan()).contains("--use-ascend-mc2"));
        let titan = launch(Stack::Torchtitan, &plan());
        assert!(titan.contains("--parallelism.tensor_parallel_degree 4"), "{titan}");
        assert!(titan.contains("Interleaved1F1B"), "{titan}");
    }

    #[test]
    fn a_plan_estimated_with_another_stack_says_so() {
        let own = launch(Stack::Megatron, &plan());
        assert!(!own.contains("the estimate is of"), "{own}");
        let other = launch(Stack::MindSpeed, &plan());
        let head = "# the estimate is of Megatron-LM of 2023; that of MindSpeed-LLM: --stack mindspeed-llm\n";
        assert!(other.starts_with(head), "{other}");
    }

    #[test]
    fn what_a_stack_cannot_do_is_said() {
        let dual = TrainingLaunch { schedule: "dualpipe".into(), chunks: 1, ..plan() };
        assert!(launch(Stack::Megatron, &dual).starts_with("# "));
        let reused = TrainingLaunch { reuse_master: true, ..plan() };
        assert!(launch(Stack::MindSpeed, &reused).contains("--reuse-fp32-param"));
        for stack in [Stack::Megatron, Stack::Torchtitan] {
            assert!(launch(stack, &reused).contains("keeps whole master weights"));
        }
    }
}
