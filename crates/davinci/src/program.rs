//! A decoded program: what both simulators run.

use vitruvian_diagnostics::{SourceText, Span};

use crate::isa::{Address, EventId, Instruction, Pipe, Reg, Sync};

/// Instructions of one core, with the text they came from if they came from text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// In program order. Every `Loop` has its `End`.
    pub instructions: Vec<Instruction>,
    /// For each instruction, its place in `source`; empty if there is none.
    pub spans: Vec<Span>,
    /// The text.
    pub source: Option<SourceText>,
}

impl Program {
    /// How an instruction is named in a message: its line, or its number.
    pub fn place(&self, index: usize) -> String {
        match (&self.source, self.spans.get(index)) {
            (Some(source), Some(span)) => {
                let (line, column) = source.line_column(span.start);
                format!("{}:{line}:{column}", source.name())
            }
            _ => format!("instruction {index}"),
        }
    }

    /// Instructions that run, loops counted.
    pub fn dynamic_length(&self) -> u64 {
        let mut factors = vec![1u64];
        let mut total = 0;
        for instruction in &self.instructions {
            let factor = factors.last().copied().unwrap_or(1);
            total += factor;
            match instruction {
                Instruction::Loop { count } => factors.push(factor * u64::from(*count)),
                Instruction::End => {
                    factors.pop();
                }
                _ => {}
            }
        }
        total
    }

    /// For each `Loop` the index of its `End`, and the reverse; itself elsewhere.
    pub fn matching(&self) -> Vec<u32> {
        let mut partner: Vec<u32> = (0..self.instructions.len() as u32).collect();
        let mut open = Vec::new();
        for (index, instruction) in self.instructions.iter().enumerate() {
            match instruction {
                Instruction::Loop { .. } => open.push(index),
                Instruction::End => {
                    if let Some(start) = open.pop() {
                        partner[start] = index as u32;
                        partner[index] = start as u32;
                    }
                }
                _ => {}
            }
        }
        partner
    }
}

/// Writes a program instruction by instruction.
#[derive(Clone, Debug, Default)]
pub struct ProgramBuilder {
    instructions: Vec<Instruction>,
}

impl ProgramBuilder {
    /// Adds an instruction.
    pub fn push(&mut self, instruction: Instruction) -> &mut Self {
        self.instructions.push(instruction);
        self
    }

    /// Sets an event.
    pub fn set(&mut self, src: Pipe, dst: Pipe, id: u8) -> &mut Self {
        self.push(Instruction::Sync(Sync::SetFlag(EventId { src, dst, id })))
    }

    /// Waits for an event.
    pub fn wait(&mut self, src: Pipe, dst: Pipe, id: u8) -> &mut Self {
        self.push(Instruction::Sync(Sync::WaitFlag(EventId { src, dst, id })))
    }

    /// Sets an event and waits for it: `dst` goes on when the work of `src` so far is complete.
    pub fn order(&mut self, src: Pipe, dst: Pipe, id: u8) -> &mut Self {
        self.set(src, dst, id).wait(src, dst, id)
    }

    /// Gives a register a value.
    pub fn mov(&mut self, dst: Reg, value: u64) -> &mut Self {
        self.push(Instruction::Mov { dst, value: value as i64 })
    }

    /// Adds to a register.
    pub fn advance(&mut self, reg: Reg, value: u64) -> &mut Self {
        self.push(Instruction::AddImmediate { dst: reg, src: reg, value: value as i64 })
    }

    /// Runs `body` `count` times: nothing for zero, without loop for one.
    pub fn repeat(&mut self, count: u32, body: impl FnOnce(&mut Self)) -> &mut Self {
        if count == 0 {
            return self;
        }
        if count > 1 {
            self.push(Instruction::Loop { count });
        }
        body(self);
        if count > 1 {
            self.push(Instruction::End);
        }
        self
    }

    /// The program.
    pub fn finish(self) -> Program {
        Program { instructions: self.instructions, spans: Vec::new(), source: None }
    }
}

/// Address arithmetic shared by kernels: an address of a buffer from a byte count.
pub(crate) fn at(space: crate::isa::Space, offset: u32) -> Address {
    Address::at(space, u64::from(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_loops_multiply() {
        let mut builder = ProgramBuilder::default();
        builder.repeat(3, |b| {
            b.mov(Reg(1), 0);
            b.repeat(4, |b| {
                b.mov(Reg(2), 0);
            });
        });
        // loop + 3·(mov + loop + 4·(mov + end) + end)
        assert_eq!(builder.finish().dynamic_length(), 1 + 3 * (1 + 1 + 4 * 2 + 1));
    }

    #[test]
    fn loops_find_their_ends() {
        let mut builder = ProgramBuilder::default();
        builder.repeat(2, |b| {
            b.repeat(2, |b| {
                b.mov(Reg(0), 1);
            });
        });
        assert_eq!(builder.finish().matching(), vec![4, 3, 2, 1, 0]);
    }
}
