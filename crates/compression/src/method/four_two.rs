//! The 4:2 layout of the Da Vinci cube: INT8 weights, two of every four along K, with two-bit places.
//!
//! `mmad_sparse` reads kept element j of a column as `k = 4·⌊j/2⌋ + index_j`.

/// A matrix n × k of INT8 with two of every four kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FourTwo {
    /// Output channels.
    pub rows: usize,
    /// Kept weights of a row: half the depth.
    pub kept: usize,
    /// `rows × kept` weights.
    pub values: Vec<i8>,
    /// `rows × kept` places, 0 … 3, within each four.
    pub places: Vec<u8>,
}

impl FourTwo {
    /// Packs a matrix of `rows × depth` row-major weights.
    ///
    /// A run with fewer than two weights keeps zeros, at the first free places.
    ///
    /// # Errors
    /// A depth that is no multiple of four; a run with three or four weights, named.
    pub fn pack(weights: &[i8], depth: usize) -> Result<Self, String> {
        if depth == 0 || !depth.is_multiple_of(4) {
            return Err(format!("rows of {depth} weights are no whole number of runs of 4"));
        }
        let (mut values, mut places) = (Vec::new(), Vec::new());
        for (number, run) in weights.chunks_exact(4).enumerate() {
            let pair = pair(run).ok_or_else(|| {
                let (row, col) = (number * 4 / depth, number * 4 % depth);
                format!("row {row} has more than two weights in columns {col} to {}", col + 3)
            })?;
            for place in pair {
                values.push(run[place]);
                places.push(place as u8);
            }
        }
        Ok(Self { rows: weights.len() / depth, kept: depth / 2, values, places })
    }

    /// The places as the cube reads them: NZ fractals of 16 rows by 32 kept weights, four places a byte, the first lowest.
    pub fn index(&self) -> Vec<u8> {
        let rows = self.rows.next_multiple_of(16);
        let mut bytes = vec![0; rows * self.kept.next_multiple_of(32) / 4];
        for (number, place) in self.places.iter().enumerate() {
            let (row, kept) = (number / self.kept, number % self.kept);
            let at = kept / 32 * rows * 32 + row * 32 + kept % 32;
            bytes[at / 4] |= place << (2 * (at % 4));
        }
        bytes
    }

    /// The matrix with its zeros.
    pub fn unpack(&self) -> Vec<i8> {
        let mut weights = vec![0; self.values.len() * 2];
        for (index, (value, place)) in self.values.iter().zip(&self.places).enumerate() {
            weights[index / 2 * 4 + usize::from(*place)] = *value;
        }
        weights
    }
}

/// The two places of a run that are kept, in order.
fn pair(run: &[i8]) -> Option<[usize; 2]> {
    let taken: Vec<usize> = (0..4).filter(|&place| run[place] != 0).collect();
    match taken[..] {
        [] | [0] => Some([0, 1]),
        [one] => Some([0, one]),
        [one, two] => Some([one, two]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::FourTwo;

    #[test]
    fn packing_keeps_every_weight_and_its_place() {
        let weights = [0, 5, 0, -3, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        let packed = FourTwo::pack(&weights, 8).unwrap();
        assert_eq!(packed.values, [5, -3, 7, 0, 0, 0, 0, 9]);
        assert_eq!(packed.places, [1, 3, 0, 1, 0, 1, 0, 3]);
        assert_eq!((packed.rows, packed.kept), (2, 4));
        assert_eq!(packed.unpack(), weights);
        // One fractal of 16 × 32 places; rows of 4 kept weights fill one byte each, at the start of their 32.
        let index = packed.index();
        assert_eq!((index.len(), index[0], index[8]), (128, 0b01_00_11_01, 0b11_00_01_00));
    }

    #[test]
    fn a_crowded_run_is_named() {
        let error = FourTwo::pack(&[0, 0, 0, 0, 1, 1, 1, 0], 4).unwrap_err();
        assert_eq!(error, "row 1 has more than two weights in columns 0 to 3");
    }
}
