//! Which weights share a scale.

/// Weights that share a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// All of a matrix.
    Tensor,
    /// An output channel: a row.
    Channel,
    /// So many neighbours along a row; rows are whole numbers of groups.
    Group(usize),
    /// A rectangle; the last ones may be cut short (`DeepSeek`: 128×128 of weights, 1×128 of activations).
    Block {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
    },
}

/// A matrix cut into the rectangles that share a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of a rectangle.
    pub block_rows: usize,
    /// Columns of a rectangle.
    pub block_cols: usize,
    /// Rectangles below each other.
    pub down: usize,
    /// Rectangles beside each other.
    pub across: usize,
}

impl Granularity {
    /// How it cuts a matrix of `rows × cols`.
    ///
    /// # Errors
    /// A row that is no whole number of groups, or an empty matrix.
    pub fn shape(self, rows: usize, cols: usize) -> Result<Shape, String> {
        if rows == 0 || cols == 0 {
            return Err(format!("a matrix of {rows}×{cols} has no weights"));
        }
        let (block_rows, block_cols) = match self {
            Self::Tensor => (rows, cols),
            Self::Channel => (1, cols),
            Self::Group(size) if size == 0 || !cols.is_multiple_of(size) => {
                return Err(format!("rows of {cols} weights are no whole number of groups of {size}"));
            }
            Self::Group(size) => (1, size),
            Self::Block { rows, cols } if rows == 0 || cols == 0 => {
                return Err(format!("a block of {rows}×{cols} has no weights"));
            }
            Self::Block { rows: tall, cols: wide } => (tall, wide),
        };
        Ok(Shape {
            block_rows,
            block_cols,
            down: rows.div_ceil(block_rows),
            across: cols.div_ceil(block_cols),
        })
    }
}

impl Shape {
    /// Scales of the matrix.
    pub const fn count(&self) -> usize {
        self.down * self.across
    }

    /// Index of the scale of one weight.
    pub const fn index(&self, row: usize, col: usize) -> usize {
        row / self.block_rows * self.across + col / self.block_cols
    }
}

#[cfg(test)]
mod tests {
    use super::Granularity;

    #[test]
    fn blocks_may_be_cut_short_and_groups_may_not() {
        // ⌈300/128⌉ = 3, ⌈200/128⌉ = 2.
        let shape = Granularity::Block { rows: 128, cols: 128 }.shape(300, 200).unwrap();
        assert_eq!((shape.down, shape.across), (3, 2));
        assert_eq!(shape.index(299, 199), 5);
        assert!(Granularity::Group(128).shape(300, 200).unwrap_err().contains("no whole number of groups"));
        assert_eq!(Granularity::Group(50).shape(3, 200).unwrap().count(), 12);
    }
}
