//! Planted mistakes are caught, with the line named.

use vitruvian_davinci::asm::assemble;
use vitruvian_davinci::functional::{Fault, FaultKind, GlobalMemory, execute};
use vitruvian_davinci::isa::{Pipe, Type};
use vitruvian_davinci::timing::{Options, TimingFault, simulate};
use vitruvian_diagnostics::SourceText;

use crate::common::machine;

fn fault(text: &str) -> Fault {
    let kernel = assemble(&SourceText::new("planted.dv", text)).unwrap();
    let mut gm = GlobalMemory::new(&kernel);
    gm.fill("a", Type::F32, &[1.0; 1024]);
    execute(&machine("ascend-910b2"), &kernel, &mut gm).unwrap_err()
}

const HEAD: &str = ".tensor a 4096\n.tensor c 4096 output\n.core aiv\n";

#[test]
fn a_race_names_both_pipes_and_lines() {
    let fault = fault(&format!(
        "{HEAD}copy_gm_to_ubuf ub[0], gm[a], bytes=256\nvadds.f32 ub[256], ub[0], scalar=1.0\n"
    ));
    assert_eq!(fault.place, "planted.dv:5:1");
    let FaultKind::Race { pipe, other, other_place, other_wrote: true, address: 0, .. } = fault.kind else {
        panic!("{fault}")
    };
    assert_eq!((pipe, other, other_place.as_str()), (Pipe::V, Pipe::Mte2, "planted.dv:4:1"));
}

#[test]
fn a_flag_settles_the_race() {
    let text = format!(
        "{HEAD}copy_gm_to_ubuf ub[0], gm[a], bytes=256\nset_flag PIPE_MTE2, PIPE_V, 0\nwait_flag PIPE_MTE2, PIPE_V, 0\n\
         vadds.f32 ub[256], ub[0], scalar=1.0\nset_flag PIPE_V, PIPE_MTE3, 0\nwait_flag PIPE_V, PIPE_MTE3, 0\n\
         copy_ubuf_to_gm gm[c], ub[256], bytes=256\n"
    );
    let kernel = assemble(&SourceText::new("fine.dv", text)).unwrap();
    let mut gm = GlobalMemory::new(&kernel);
    gm.fill("a", Type::F32, &[1.0; 64]);
    execute(&machine("ascend-910b2"), &kernel, &mut gm).unwrap();
    assert_eq!(gm.read("c", Type::F32)[..64], [2.0; 64]);
}

#[test]
fn a_write_that_overtakes_a_read_is_a_race() {
    let text = format!(
        "{HEAD}copy_gm_to_ubuf ub[0], gm[a], bytes=256\nset_flag PIPE_MTE2, PIPE_V, 0\nwait_flag PIPE_MTE2, PIPE_V, 0\n\
         vadds.f32 ub[256], ub[0], scalar=1.0\ncopy_gm_to_ubuf ub[0], gm[a], bytes=256\n"
    );
    let fault = fault(&text);
    assert!(matches!(fault.kind, FaultKind::Race { other_wrote: false, .. }), "{fault}");
}

#[test]
fn an_overflow_names_the_range() {
    let fault = fault(&format!("{HEAD}copy_gm_to_ubuf ub[196480], gm[a], bytes=256\n"));
    assert!(fault.to_string().contains("out of bounds: ub[0x2ff80..0x30080] of 0x30000"), "{fault}");
    assert!(fault.to_string().starts_with("planted.dv:4:1"), "{fault}");
}

#[test]
fn reading_past_a_tensor_is_out_of_bounds() {
    assert!(matches!(
        fault(&format!("{HEAD}copy_gm_to_ubuf ub[0], gm[a+4000], bytes=256\n")).kind,
        FaultKind::OutOfBounds { .. }
    ));
}

#[test]
fn a_misaligned_address_is_refused() {
    let fault = fault(&format!("{HEAD}copy_gm_to_ubuf ub[16], gm[a], bytes=32\n"));
    assert!(matches!(fault.kind, FaultKind::Misaligned { address: 16, alignment: 32, .. }), "{fault}");
}

#[test]
fn unwritten_bytes_are_not_used() {
    let fault = fault(&format!("{HEAD}vadds.f32 ub[256], ub[64], scalar=1.0\n"));
    assert!(matches!(fault.kind, FaultKind::Unwritten { address: 64, .. }), "{fault}");
}

#[test]
fn a_deadlock_names_every_wait_in_both_simulators() {
    let text = format!("{HEAD}wait_flag PIPE_V, PIPE_MTE2, 3\ncopy_gm_to_ubuf ub[0], gm[a], bytes=32\n");
    let functional = fault(&text);
    assert!(functional.to_string().contains("planted.dv:4:1"), "{functional}");
    assert!(matches!(functional.kind, FaultKind::Deadlock { .. }));
    let kernel = assemble(&SourceText::new("planted.dv", text)).unwrap();
    let timing = simulate(&machine("ascend-910b2"), &kernel, Options::default()).unwrap_err();
    let TimingFault::Deadlock { waits } = &timing else { panic!("{timing}") };
    assert_eq!(waits[0].1, Pipe::Mte2);
    assert!(timing.to_string().contains("planted.dv:4:1 for PIPE_V -> PIPE_MTE2 EVENT_ID3"), "{timing}");
}

#[test]
fn a_cube_core_has_no_vector_unit() {
    let fault = fault(".tensor a 4096\n.core aic\nvector_dup.f32 ub[0], scalar=1.0\n");
    assert!(matches!(fault.kind, FaultKind::Illegal { .. }), "{fault}");
}
