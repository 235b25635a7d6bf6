//! What each chip does with each scheme.
#![allow(clippy::unwrap_used)]

use vitruvian_cost::execution::{self, Execution};
use vitruvian_hardware::catalog;
use vitruvian_model::{Scheme, Sparsity};
use vitruvian_quantity::Dtype;

fn on(chip: &str, scheme: Scheme, sparsity: Sparsity) -> Result<Execution, String> {
    execution::of(scheme, sparsity, &catalog::chip(chip).unwrap()).map_err(|refusal| refusal.to_string())
}

fn dense(chip: &str, scheme: Scheme) -> Execution {
    on(chip, scheme, Sparsity::Dense).unwrap()
}

#[test]
fn fp8_is_native_on_hopper_and_converted_on_910b() {
    let h20 = dense("h20", Scheme::Fp8Tensor);
    assert_eq!((h20.multiply, h20.dequantise, h20.weight_read), (Dtype::Fp8, None, 1.0));
    let ascend = dense("ascend-910b2", Scheme::Fp8Tensor);
    // W8A16: one byte a weight is read, 16 bits are multiplied.
    assert_eq!(
        (ascend.multiply, ascend.dequantise, ascend.weight_read),
        (Dtype::Bf16, Some(Dtype::Bf16), 1.0)
    );
    assert!(ascend.note.unwrap().contains("no FP8"));
}

#[test]
fn four_bit_floats_are_weight_only_before_blackwell() {
    for chip in ["h20", "ascend-910b2"] {
        for scheme in [Scheme::Mxfp4, Scheme::Nvfp4] {
            assert_eq!(dense(chip, scheme).multiply, Dtype::Bf16, "{chip} {scheme}");
        }
    }
    assert_eq!(dense("b200", Scheme::Nvfp4).multiply, Dtype::Nvfp4);
}

#[test]
fn int8_is_native_on_910b() {
    let execution = dense("ascend-910b2", Scheme::W8A8Dynamic);
    assert_eq!((execution.multiply, execution.dequantise), (Dtype::Int8, None));
}

#[test]
fn a_chip_without_bf16_runs_fp16_and_says_so() {
    let execution = dense("ascend-310p3", Scheme::Bf16);
    assert_eq!(execution.multiply, Dtype::Fp16);
    assert!(execution.note.unwrap().contains("FP16"));
}

#[test]
fn two_of_four_is_nvidias_and_four_to_two_is_da_vincis() {
    let sparse = on("h20", Scheme::Bf16, Sparsity::TwoOfFour).unwrap();
    // Half of two bytes, and two index bits for each half: 1 + 0.5·2/8 bytes a dense weight.
    assert_eq!((sparse.weight_read, sparse.speedup), (1.125, 2.0));
    let refusal = on("h20", Scheme::Bf16, Sparsity::FourToTwo).unwrap_err();
    assert_eq!(refusal, "NVIDIA H20 96 GB cannot run 4:2 sparsity: its matrix unit has 2:4");
    let undeployed = on("ascend-910b2", Scheme::W8A8Dynamic, Sparsity::FourToTwo).unwrap();
    assert!(undeployed.note.unwrap().contains("no released LLM stack"));
    let refusal = on("ascend-910b2", Scheme::Bf16, Sparsity::FourToTwo).unwrap_err();
    assert_eq!(
        refusal,
        "Huawei Ascend 910B2 cannot run 4:2 sparsity: its matrix unit has it for int8, not for bf16"
    );
}

#[test]
fn every_chip_executes_or_refuses_every_scheme_with_a_reason() {
    for chip in catalog::names() {
        for scheme in Scheme::ALL {
            match on(chip, scheme, Sparsity::Dense) {
                Ok(execution) => {
                    assert!(execution.weight_read > 0.0);
                    let native = execution.multiply == scheme.activation() && execution.dequantise.is_none();
                    assert_eq!(native, execution.note.is_none(), "{chip} {scheme}: {execution:?}");
                }
                Err(reason) => assert!(reason.len() > 20, "{chip} {scheme}: {reason}"),
            }
        }
    }
}
