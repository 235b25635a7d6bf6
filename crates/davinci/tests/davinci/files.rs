//! File tests: `.dv` programs with what is expected of them as comments at their end.
//!
//! `DAVINCI_BLESS=1 cargo test -p vitruvian-davinci files` rewrites the expectations. A header line `#! chip: NAME` chooses the
//! machine, `#! fill: TENSOR TYPE` fills a tensor with 1, 2, 3 …, `#! show: TENSOR TYPE COUNT` prints the start of one.

use std::fmt::Write as _;
use std::path::PathBuf;

use vitruvian_davinci::Kernel;
use vitruvian_davinci::asm::assemble;
use vitruvian_davinci::functional::{GlobalMemory, execute};
use vitruvian_davinci::isa::{Pipe, Type, VectorOp};
use vitruvian_davinci::timing::{Cause, Options, Report, Warmth, simulate};
use vitruvian_diagnostics::SourceText;

use crate::common::machine;

const MARK: &str = "#= ";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs"))
}

fn programs() -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn directives<'t>(text: &'t str, key: &str) -> Vec<Vec<&'t str>> {
    let lines =
        text.lines().filter_map(|line| line.strip_prefix("#! ")?.strip_prefix(key)?.strip_prefix(':'));
    lines.map(|line| line.split_whitespace().collect()).collect()
}

fn ty(name: &str) -> Type {
    Type::ALL.into_iter().find(|ty| ty.name() == name).unwrap_or_else(|| panic!("`{name}` is not a type"))
}

fn expectation(name: &str, text: &str) -> String {
    let chip = directives(text, "chip").first().map_or("ascend-910b2", |words| words[0]);
    let machine = machine(chip);
    let kernel = match assemble(&SourceText::new(name, text)) {
        Ok(kernel) => kernel,
        Err(mistakes) => return format!("{mistakes}\n"),
    };
    let mut out = String::new();
    match simulate(&machine, &kernel, Options { warmth: Warmth::HOT, trace: false }) {
        Ok(report) => timing(&mut out, &report),
        Err(fault) => writeln!(out, "{fault}").unwrap(),
    }
    data(&mut out, &machine, &kernel, text);
    out
}

fn timing(out: &mut String, report: &Report) {
    writeln!(out, "cycles {}", report.cycles).unwrap();
    for (index, core) in report.cores.iter().enumerate() {
        for pipe in Pipe::ALL {
            let run = core.pipes[pipe as usize];
            if run.instructions == 0 {
                continue;
            }
            write!(out, "core {index} {}: {} instructions, busy {}", pipe.name(), run.instructions, run.busy)
                .unwrap();
            for cause in Cause::ALL.into_iter().filter(|cause| run.stalls[*cause as usize] > 0) {
                write!(out, ", {} {}", cause.name(), run.stalls[cause as usize]).unwrap();
            }
            out.push('\n');
        }
    }
}

fn data(out: &mut String, machine: &vitruvian_davinci::Machine, kernel: &Kernel, text: &str) {
    let mut gm = GlobalMemory::new(kernel);
    for words in directives(text, "fill") {
        let ty = ty(words[1]);
        let bytes = kernel.tensor(words[0]).map_or(0, |tensor| tensor.bytes);
        let count = bytes * 8 / u64::from(ty.bits());
        let period = if ty.bits() <= 8 { 7 } else { 64 };
        gm.fill(words[0], ty, &(0..count).map(|i| (1 + i % period) as f64).collect::<Vec<f64>>());
    }
    if let Err(fault) = execute(machine, kernel, &mut gm) {
        writeln!(out, "{fault}").unwrap();
        return;
    }
    for words in directives(text, "show") {
        let count: usize = words[2].parse().unwrap();
        let values: Vec<String> =
            gm.read(words[0], ty(words[1])).iter().take(count).map(ToString::to_string).collect();
        writeln!(out, "{} = {}", words[0], values.join(" ")).unwrap();
    }
}

#[test]
fn every_program_does_what_it_says() {
    let bless = std::env::var_os("DAVINCI_BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, text) in programs() {
        let body: String = text
            .lines()
            .filter(|line| !line.starts_with(MARK))
            .fold(String::new(), |body, line| body + line + "\n");
        let got = expectation(&name, &body);
        let want: String = text
            .lines()
            .filter_map(|line| line.strip_prefix(MARK))
            .fold(String::new(), |all, line| all + line + "\n");
        if bless {
            let marked: String = got.lines().map(|line| format!("{MARK}{line}\n")).collect();
            std::fs::write(folder().join(&name), body + &marked).unwrap();
        } else if got != want {
            wrong.push(format!("{name}\n--- expected\n{want}--- got\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "{}\nDAVINCI_BLESS=1 rewrites the expectations", wrong.join("\n"));
}

#[test]
fn every_instruction_has_a_program() {
    let all: String = programs().into_iter().map(|(_, text)| text).collect();
    let names = [
        "mov",
        "add",
        "mul",
        "loop",
        "copy_gm_to_cbuf",
        "copy_gm_to_cbuf_multi_nd2nz",
        "copy_gm_to_ubuf",
        "copy_ubuf_to_gm",
        "copy_ubuf_to_ubuf",
        "copy_cbuf_to_bt",
        "copy_cbuf_to_fbuf",
        "copy_cbuf_to_ubuf",
        "copy_ubuf_to_cbuf",
        "load_cbuf_to_ca",
        "load_cbuf_to_cb",
        "load_cbuf_to_cb_sparse",
        "img2colv2_cbuf_to_ca",
        "img2colv2_cbuf_to_cb",
        "mmad",
        "mmad_sparse",
        "copy_matrix_cc_to_gm",
        "copy_matrix_cc_to_cbuf",
        "set_flag",
        "wait_flag",
        "pipe_barrier",
        "ffts_cross_core_sync",
        "wait_flag_dev",
    ];
    let uses = |name: &str| all.lines().any(|line| line.trim_start().split([' ', '.']).next() == Some(name));
    let missing: Vec<&str> = names
        .into_iter()
        .chain(VectorOp::ALL.iter().map(|op| op.name()))
        .filter(|name| !uses(name))
        .collect();
    assert!(missing.is_empty(), "without a program: {missing:?}");
}
