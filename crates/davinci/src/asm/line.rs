//! One line of text: a mnemonic, and arguments that are taken one by one.

use vitruvian_diagnostics::{Diagnostic, SourceText, Span};

use crate::isa::{Address, Pipe, Reg, Space};
use crate::kernel::Tensor;
use crate::near::nearest;

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'s> {
    pub(super) text: &'s str,
    pub(super) span: Span,
}

/// A line being read. Every `take` that fails reports why and returns nothing.
pub(super) struct Line<'s> {
    pub(super) source: &'s SourceText,
    pub(super) tensors: &'s [Tensor],
    pub(super) mnemonic: Piece<'s>,
    positional: std::collections::VecDeque<Piece<'s>>,
    named: Vec<(Piece<'s>, Piece<'s>)>,
    words: Vec<Piece<'s>>,
    pub(super) mistakes: Vec<Diagnostic>,
}

impl<'s> Line<'s> {
    /// Splits a line without comment. `start` is its first byte in the source. Nothing for a blank line.
    pub(super) fn split(
        source: &'s SourceText,
        tensors: &'s [Tensor],
        text: &'s str,
        start: usize,
    ) -> Option<Self> {
        let body = trimmed(text, start)?;
        let end = body.text.find(char::is_whitespace).unwrap_or(body.text.len());
        let mnemonic =
            Piece { text: &body.text[..end], span: Span::new(body.span.start, body.span.start + end) };
        let mut line = Self {
            source,
            tensors,
            mnemonic,
            positional: std::collections::VecDeque::new(),
            named: Vec::new(),
            words: Vec::new(),
            mistakes: Vec::new(),
        };
        let mut at = body.span.start + end;
        for part in body.text[end..].split(',') {
            if let Some(piece) = trimmed(part, at) {
                line.sort_in(piece);
            }
            at += part.len() + 1;
        }
        Some(line)
    }

    fn sort_in(&mut self, piece: Piece<'s>) {
        if let Some(equals) = piece.text.find('=') {
            let (start, end) = (piece.span.start, piece.span.end);
            let key = Piece { text: &piece.text[..equals], span: Span::new(start, start + equals) };
            let value = Piece { text: &piece.text[equals + 1..], span: Span::new(start + equals + 1, end) };
            self.named.push((key, value));
        } else if is_word(piece.text) {
            self.words.push(piece);
        } else {
            self.positional.push_back(piece);
        }
    }

    pub(super) fn error<T>(
        &mut self,
        span: Span,
        code: &'static str,
        message: String,
        hint: &str,
    ) -> Option<T> {
        self.mistakes.push(Diagnostic::error(code, message).at(self.source, span, hint));
        None
    }

    /// The next positional argument.
    pub(super) fn next(&mut self, what: &str) -> Option<Piece<'s>> {
        let next = self.positional.pop_front();
        if next.is_none() {
            let message = format!("`{}` needs {what}", self.mnemonic.text);
            return self.error(self.mnemonic.span, "asm-missing", message, "here");
        }
        next
    }

    pub(super) fn has_next(&self) -> bool {
        !self.positional.is_empty()
    }

    pub(super) fn address(&mut self, space: Space) -> Option<Address> {
        self.address_in(&[space])
    }

    /// An address in one of several memories.
    pub(super) fn address_in(&mut self, spaces: &[Space]) -> Option<Address> {
        let names: Vec<String> = spaces.iter().map(|space| format!("{}[...]", space.name())).collect();
        let expected = names.join(" or ");
        let piece = self.next(&expected)?;
        let found = spaces.iter().find_map(|&space| {
            let inner = piece.text.strip_prefix(space.name())?.strip_prefix('[')?.strip_suffix(']')?;
            Some((space, inner))
        });
        let Some((space, inner)) = found else {
            let message = format!("expected {expected}, found `{}`", piece.text);
            return self.error(piece.span, "asm-operand", message, "wrong memory");
        };
        self.sum(inner, piece.span).map(|(reg, offset)| Address { space, reg, offset })
    }

    /// `x1 + a + 0x40`: at most one register, names of tensors, numbers.
    pub(super) fn sum(&mut self, text: &str, span: Span) -> Option<(Reg, i64)> {
        let (mut reg, mut offset) = (Reg::ZERO, 0);
        for term in text.split('+').map(str::trim) {
            if let Some(number) = register(term) {
                reg = number;
            } else if let Some(number) = number(term) {
                offset += number;
            } else if let Some(tensor) = self.tensors.iter().find(|tensor| tensor.name == term) {
                offset += tensor.address as i64;
            } else {
                return self.error(
                    span,
                    "asm-term",
                    format!("`{term}` is not a register, number or tensor"),
                    "here",
                );
            }
        }
        Some((reg, offset))
    }

    pub(super) fn register(&mut self) -> Option<Reg> {
        let piece = self.next("a register, x0 to x30")?;
        match register(piece.text) {
            Some(reg) => Some(reg),
            None => self.error(
                piece.span,
                "asm-operand",
                format!("`{}` is not a register", piece.text),
                "x0 to x30",
            ),
        }
    }

    pub(super) fn integer(&mut self, what: &str) -> Option<i64> {
        let piece = self.next(what)?;
        let (reg, value) = self.sum(piece.text, piece.span)?;
        if reg == Reg::ZERO {
            Some(value)
        } else {
            self.error(piece.span, "asm-operand", format!("expected {what}"), "a register")
        }
    }

    pub(super) fn pipe(&mut self) -> Option<Pipe> {
        let piece = self.word("a pipe, such as PIPE_MTE2")?;
        match Pipe::ALL.into_iter().find(|pipe| pipe.name() == piece.text) {
            Some(pipe) => Some(pipe),
            None => self.unknown(piece, &Pipe::ALL.map(Pipe::name), "pipe"),
        }
    }

    /// The next bare word.
    pub(super) fn word(&mut self, what: &str) -> Option<Piece<'s>> {
        if self.words.is_empty() {
            let message = format!("`{}` needs {what}", self.mnemonic.text);
            return self.error(self.mnemonic.span, "asm-missing", message, "here");
        }
        Some(self.words.remove(0))
    }

    pub(super) fn unknown<T>(&mut self, piece: Piece<'_>, known: &[&'static str], kind: &str) -> Option<T> {
        let mut diagnostic =
            Diagnostic::error("asm-unknown", format!("`{}` is not a known {kind}", piece.text));
        diagnostic = diagnostic.at(self.source, piece.span, "here");
        if let Some(near) = nearest(piece.text, known.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        self.mistakes.push(diagnostic);
        None
    }

    /// Whether an option is given.
    pub(super) fn option(&mut self, name: &str) -> bool {
        let found = self.words.iter().position(|word| word.text == name);
        found.map(|index| self.words.remove(index)).is_some()
    }

    /// The value of `name=`, if given.
    pub(super) fn raw(&mut self, name: &str) -> Option<Piece<'s>> {
        let found = self.named.iter().position(|(key, _)| key.text == name)?;
        Some(self.named.remove(found).1)
    }

    /// A size that must be given.
    pub(super) fn size(&mut self, name: &str) -> Option<u32> {
        if self.named.iter().any(|(key, _)| key.text == name) {
            return self.size_or(name, 0);
        }
        self.error(
            self.mnemonic.span,
            "asm-missing",
            format!("`{}` needs `{name}=`", self.mnemonic.text),
            "here",
        )
    }

    /// A size with a default.
    pub(super) fn size_or(&mut self, name: &str, default: u32) -> Option<u32> {
        let Some(piece) = self.raw(name) else { return Some(default) };
        match number(piece.text).and_then(|number| u32::try_from(number).ok()) {
            Some(size) => Some(size),
            None => self.error(
                piece.span,
                "asm-number",
                format!("`{}` is not a size", piece.text),
                "a whole number",
            ),
        }
    }

    /// Reports what no rule took.
    pub(super) fn finish(&mut self) {
        let named: Vec<Piece<'s>> = std::mem::take(&mut self.named).into_iter().map(|(key, _)| key).collect();
        let left = std::mem::take(&mut self.positional)
            .into_iter()
            .chain(std::mem::take(&mut self.words))
            .chain(named);
        for piece in left.collect::<Vec<_>>() {
            let message = format!("`{}` takes no `{}`", self.mnemonic.text, piece.text);
            let _: Option<()> = self.error(piece.span, "asm-surplus", message, "not expected here");
        }
    }
}

fn trimmed(text: &str, start: usize) -> Option<Piece<'_>> {
    let body = text.trim();
    let offset = text.len() - text.trim_start().len();
    let span = Span::new(start + offset, start + offset + body.len());
    (!body.is_empty()).then_some(Piece { text: body, span })
}

/// A word is neither a number, an address, nor a register; names of tensors are taken by `sum`.
fn is_word(text: &str) -> bool {
    let known = ["init", "relu", "atomic", "transpose", "nz"];
    known.contains(&text) || text.starts_with("PIPE_")
}

pub(super) fn register(text: &str) -> Option<Reg> {
    let number: u8 = text.strip_prefix('x')?.parse().ok()?;
    (usize::from(number) < Reg::COUNT).then_some(Reg(number))
}

/// Decimal or hexadecimal, with a sign.
pub(super) fn number(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let value = match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { -value } else { value })
}
