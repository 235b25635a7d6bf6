//! Operators of a step as a table.

use vitruvian_report::{Cell, Column, Table};

use crate::answer::OperatorShare;

/// Every operator with count, shape, time, share, work, achieved rates and bound.
pub(super) fn operator_table(title: &str, operators: &[OperatorShare]) -> Table {
    let mut table = Table::new([
        Column::name("operator"),
        Column::number("count", ""),
        Column::text("shape"),
        Column::number("each", "µs"),
        Column::number("all", "µs"),
        Column::number("share", ""),
        Column::number("work", "GFLOP"),
        Column::number("data", "MB"),
        Column::number("rate", "TFLOP/s"),
        Column::number("bandwidth", "GB/s"),
        Column::text("bound"),
        Column::detail("how"),
    ])
    .title(title);
    for operator in operators {
        table.row([
            Cell::text(&*operator.operator),
            Cell::integer(operator.count),
            Cell::text(&*operator.shape),
            Cell::number(operator.time_us),
            Cell::number(operator.total_us),
            Cell::share(operator.share),
            Cell::number(operator.flop / 1e9),
            Cell::number(operator.bytes / 1e6),
            Cell::number(operator.flop_per_s / 1e12),
            Cell::number(operator.bytes_per_s / 1e9),
            Cell::text(&*operator.bound),
            Cell::text(&*operator.choice),
        ]);
    }
    table
}
