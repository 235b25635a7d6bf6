//! Tables and figures as plain values, and what draws them.
//!
//! A [`Table`], a [`Figure`] or a whole [`Page`] says what is shown; it knows nothing of chips, models or plans. The
//! modules [`text`], [`mod@csv`], [`markdown`], [`svg`] and [`html`] each turn such a value into a string. Nothing here
//! reads or writes a file.

pub mod cell;
pub mod columns;
pub mod csv;
pub mod figure;
pub mod html;
pub mod launch;
pub mod launch_training;
pub mod markdown;
pub mod page;
pub mod svg;
pub mod table;
pub mod text;

pub use cell::{Cell, Tone, Value};
pub use figure::{
    Axis, Bar, Bars, Figure, Mark, Panel, Plot, Point, Roof, Roofline, Rule, Scale, Segment, Series, Xy,
};
pub use page::{Block, Page};
pub use table::{Align, Column, Role, Row, Section, Table};
pub use text::{Charset, TextStyle};
