//! Text to programs and back.
//!
//! ```text
//! .tensor a 4096 input          # bytes in GM; `a` is its address from here on
//! .core aic                     # the instructions of one cube core follow
//!   mov x1, a
//!   loop 4
//!     copy_gm_to_cbuf l1[0], gm[x1], bytes=1024
//!     add x1, x1, 1024
//!   end
//! ```
//!
//! One instruction a line, `#` starts a comment. Operands are positional, sizes are `key=value`, options are bare words.
//! Every mistake of a text is reported with its line and column.

mod line;
mod parse;
mod print;
mod text;

pub use print::disassemble;
pub use text::assemble;
