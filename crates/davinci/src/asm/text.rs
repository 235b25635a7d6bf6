//! A whole text: directives, and instructions of each core.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};

use super::line::Line;
use super::parse::instruction;
use crate::isa::Instruction;
use crate::kernel::{CoreKind, Kernel, Role};
use crate::program::Program;

/// Assembles a `.dv` text.
///
/// # Errors
/// Every mistake, with line and column.
pub fn assemble(source: &SourceText) -> Result<Kernel, Diagnostics> {
    let mut text = Text {
        kernel: Kernel { name: source.name().to_owned(), ..Kernel::default() },
        mistakes: Vec::new(),
        open: Vec::new(),
    };
    let mut start = 0;
    for raw in source.text().split_inclusive('\n') {
        let code = raw.split('#').next().unwrap_or("");
        text.line(source, code, start);
        start += raw.len();
    }
    text.close_core(source);
    if text.mistakes.is_empty() { Ok(text.kernel) } else { Err(Diagnostics(text.mistakes)) }
}

struct Text {
    kernel: Kernel,
    mistakes: Vec<Diagnostic>,
    /// Places of the loops that are open.
    open: Vec<Span>,
}

impl Text {
    fn line(&mut self, source: &SourceText, code: &str, start: usize) {
        // The tensors are cloned so that the line may borrow them while the kernel changes: a text has few.
        let tensors = self.kernel.tensors.clone();
        let Some(mut line) = Line::split(source, &tensors, code, start) else { return };
        match line.mnemonic.text {
            ".tensor" => self.tensor(code, start, source),
            ".core" => {
                self.close_core(source);
                self.core(code, start, source);
            }
            _ => {
                let found = instruction(&mut line);
                let (span, mistakes) = (line.mnemonic.span, std::mem::take(&mut line.mistakes));
                self.mistakes.extend(mistakes);
                self.push(source, found, span);
            }
        }
    }

    fn push(&mut self, source: &SourceText, found: Option<Instruction>, span: Span) {
        let Some(instruction) = found else { return };
        self.nest(source, instruction, span);
        let Some(program) = self.kernel.programs.last_mut() else {
            self.mistakes.push(
                Diagnostic::error("asm-core", "an instruction before any `.core`").at(source, span, "here"),
            );
            return;
        };
        program.instructions.push(instruction);
        program.spans.push(span);
    }

    fn nest(&mut self, source: &SourceText, instruction: Instruction, span: Span) {
        match instruction {
            Instruction::Loop { .. } => self.open.push(span),
            Instruction::End if self.open.pop().is_none() => {
                self.mistakes
                    .push(Diagnostic::error("asm-loop", "`end` without `loop`").at(source, span, "here"));
            }
            _ => {}
        }
    }

    fn close_core(&mut self, source: &SourceText) {
        for span in std::mem::take(&mut self.open) {
            self.mistakes
                .push(Diagnostic::error("asm-loop", "`loop` without `end`").at(source, span, "here"));
        }
    }

    /// `.tensor NAME BYTES [input|output|workspace]`
    fn tensor(&mut self, code: &str, start: usize, source: &SourceText) {
        let words: Vec<&str> = code.split_whitespace().collect();
        let role = match words.get(3).copied() {
            None | Some("input") => Some(Role::Input),
            Some("output") => Some(Role::Output),
            Some("workspace") => Some(Role::Workspace),
            _ => None,
        };
        let bytes = words
            .get(2)
            .and_then(|word| super::line::number(word))
            .and_then(|bytes| u64::try_from(bytes).ok());
        match (words.get(1), bytes, role) {
            (Some(name), Some(bytes), Some(role)) => {
                self.kernel.place(name, bytes, role);
            }
            _ => self.malformed(code, start, source, ".tensor NAME BYTES [input|output|workspace]"),
        }
    }

    /// `.core aic|aiv|core [GROUP]`
    fn core(&mut self, code: &str, start: usize, source: &SourceText) {
        let words: Vec<&str> = code.split_whitespace().collect();
        let kind = match words.get(1).copied() {
            Some("aic") => Some(CoreKind::Cube),
            Some("aiv") => Some(CoreKind::Vector),
            Some("core") => Some(CoreKind::Coupled),
            _ => None,
        };
        let group = words.get(2).map_or(Some(0), |word| word.parse().ok());
        match (kind, group) {
            (Some(kind), Some(group)) => {
                let program = Program { source: Some(source.clone()), ..Program::default() };
                self.kernel.add_core(kind, group, program);
            }
            _ => self.malformed(code, start, source, ".core aic|aiv|core [GROUP]"),
        }
    }

    fn malformed(&mut self, code: &str, start: usize, source: &SourceText, form: &str) {
        let indent = code.len() - code.trim_start().len();
        let span = Span::new(start + indent, start + code.trim_end().len());
        self.mistakes
            .push(Diagnostic::error("asm-directive", format!("expected `{form}`")).at(source, span, "here"));
    }
}
