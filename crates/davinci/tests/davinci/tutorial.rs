//! The tutorial's programs do what it says: each step is better than the one before.

use vitruvian_davinci::answer::program;
use vitruvian_davinci::isa::Pipe;
use vitruvian_davinci::timing::{Options, Warmth};
use vitruvian_diagnostics::SourceText;

use crate::common::machine;

#[test]
fn each_step_is_better_and_the_last_is_good() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/davinci");
    let text = std::fs::read_to_string(format!("{folder}/tutorial.md")).unwrap();
    let mut before = 0.0;
    let names = ["1-barriers", "2-flags", "3-double-l1", "4-wide-block", "5-double-l0", "6-whole-lines"];
    for name in names {
        let source = std::fs::read_to_string(format!("{folder}/programs/{name}.dv")).unwrap();
        let options = Options { warmth: Warmth::HOT, trace: false };
        let answer = program(&machine("ascend-910b2"), &SourceText::new(name, source), options).unwrap();
        let cube = answer.report.utilisation(Pipe::M);
        assert!(cube > before, "{name}: {cube}");
        let row = text.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap();
        assert!(row.contains(&format!("{:.1} %", cube * 100.0)), "{name} is busy {cube}: {row}");
        before = cube;
    }
    assert!(before >= 0.85);
}
