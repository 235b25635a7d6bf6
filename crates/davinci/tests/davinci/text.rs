//! Text to programs and back.

use vitruvian_davinci::asm::{assemble, disassemble};
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{GemmProblem, GemmTiling, kernel};
use vitruvian_diagnostics::SourceText;

use crate::common::machine;

#[test]
fn a_kernel_survives_its_text() {
    let problem = GemmProblem::new(300, 500, 1000, Type::Bf16);
    let tiling = GemmTiling { m: 128, n: 256, k_l1: 256, k_l0: 64, l0c_buffers: 1, split_k: 1, swizzle: 2 };
    let kernel = kernel(&machine("ascend-910b2"), &problem, &tiling);
    let text = disassemble(&kernel);
    let back = assemble(&SourceText::new("kernel.dv", text.as_str())).unwrap();
    assert_eq!(kernel.tensors, back.tensors);
    assert_eq!(kernel.cores, back.cores);
    for (ours, theirs) in kernel.programs.iter().zip(&back.programs) {
        let different =
            ours.instructions.iter().zip(&theirs.instructions).find(|(ours, theirs)| ours != theirs);
        assert_eq!(different, None);
    }
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let text = ".core aic\n  mmda.f16 l0c[0], l0a[0], l0b[0]\n  loop 0\n  set_flag PIPE_MTE2, PIPE_MTE1, 9\n  loop 2\n";
    let mistakes = assemble(&SourceText::new("bad.dv", text)).unwrap_err().to_string();
    for expected in [
        "bad.dv:2:3",
        "did you mean `mmad`?",
        "bad.dv:3:8",
        "bad.dv:4:34",
        "bad.dv:5:3: error: `loop` without `end`",
    ] {
        assert!(mistakes.contains(expected), "{expected} in\n{mistakes}");
    }
}
