//! Which weights a pruned matrix may keep.

use std::fmt;
use std::str::FromStr;

/// Which weights a pruned matrix may keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    /// Any, up to a share: 0.5 keeps every second weight.
    Unstructured {
        /// Share that is zero.
        sparsity: f32,
    },
    /// So many of every run of neighbours along a row.
    Kept {
        /// Weights kept of each run.
        kept: usize,
        /// Length of a run.
        of: usize,
    },
}

impl Pattern {
    /// 2:4, what NVIDIA's sparse tensor cores multiply at twice the rate.
    pub const TWO_OF_FOUR: Self = Self::Kept { kept: 2, of: 4 };
    /// 4:8, the same density with more freedom.
    pub const FOUR_OF_EIGHT: Self = Self::Kept { kept: 4, of: 8 };

    /// Refuses a share outside 0 … 1 and rows that are no whole number of runs.
    ///
    /// # Errors
    /// As above.
    pub fn check(self, cols: usize) -> Result<(), String> {
        match self {
            Self::Unstructured { sparsity } if !(0.0..=1.0).contains(&sparsity) => {
                Err(format!("a sparsity of {sparsity} is no share"))
            }
            Self::Kept { kept, of } if kept > of || of == 0 => {
                Err(format!("{kept} of {of} weights cannot be kept"))
            }
            Self::Kept { of, .. } if !cols.is_multiple_of(of) => {
                Err(format!("rows of {cols} weights are no whole number of runs of {of}"))
            }
            _ => Ok(()),
        }
    }

    /// Share of weights that is zero.
    pub fn sparsity(self) -> f32 {
        match self {
            Self::Unstructured { sparsity } => sparsity,
            Self::Kept { kept, of } => 1.0 - kept as f32 / of as f32,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unstructured { sparsity } => write!(f, "{:.0}%", sparsity * 100.0),
            Self::Kept { kept, of } => write!(f, "{kept}:{of}"),
        }
    }
}

/// NVIDIA writes "kept:of", Huawei's 4:2 "of:kept": both mean two of four. `50%` is unstructured.
impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no sparsity pattern: 2:4, 4:2, 4:8 or a share such as 50%");
        if let Some(share) = text.strip_suffix('%') {
            let share: f32 = share.trim().parse().map_err(|_| wrong())?;
            let pattern = Self::Unstructured { sparsity: share / 100.0 };
            return pattern.check(1).map(|()| pattern);
        }
        let (left, right) = text.split_once(':').ok_or_else(wrong)?;
        let (left, right) = (left.parse().map_err(|_| wrong())?, right.parse().map_err(|_| wrong())?);
        let pattern = Self::Kept { kept: usize::min(left, right), of: usize::max(left, right) };
        pattern.check(usize::max(left, right)).map(|()| pattern)
    }
}

/// Zeroes what a pattern may not keep of one row, the lowest scores first; of equal scores the later is kept.
pub(crate) fn prune_row(row: &mut [f32], scores: &[f32], pattern: Pattern) {
    match pattern {
        Pattern::Unstructured { sparsity } => {
            let gone = (row.len() as f32 * sparsity) as usize;
            lowest(scores, gone).into_iter().for_each(|index| row[index] = 0.0);
        }
        Pattern::Kept { kept: 2, of: 4 } => {
            for (run, scores) in row.as_chunks_mut::<4>().0.iter_mut().zip(scores.as_chunks::<4>().0) {
                keep_two(run, *scores);
            }
        }
        Pattern::Kept { kept, of } => {
            for (run, scores) in row.chunks_exact_mut(of).zip(scores.chunks_exact(of)) {
                lowest(scores, of - kept).into_iter().for_each(|index| run[index] = 0.0);
            }
        }
    }
}

/// Which two of four scores stay, the later of equal ones: each pair has one winner, and who wins two of three pairs stays.
#[inline]
#[allow(clippy::needless_bitwise_bool)] // no branches, so that neighbouring runs are compared together in vectors
pub(super) fn two_of_four([a, b, c, d]: [f32; 4]) -> [bool; 4] {
    let (ab, ac, ad, bc, bd, cd) = (a > b, a > c, a > d, b > c, b > d, c > d);
    let two = |x: bool, y: bool, z: bool| (x & y) | (x & z) | (y & z);
    [two(ab, ac, ad), two(!ab, bc, bd), two(!ac, !bc, cd), two(!ad, !bd, !cd)]
}

/// Zeroes two of four weights.
#[inline]
pub(super) fn keep_two(run: &mut [f32; 4], scores: [f32; 4]) {
    for (weight, stays) in run.iter_mut().zip(two_of_four(scores)) {
        // A mask rather than a choice, so that neighbouring runs are pruned together in vectors.
        *weight = f32::from_bits(weight.to_bits() & u32::from(stays).wrapping_neg());
    }
}

/// Indices of so many lowest scores, the earlier of equal ones first.
pub(crate) fn lowest(scores: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let by_score = |a: &usize, b: &usize| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b));
    if count < order.len() {
        order.select_nth_unstable_by(count, by_score);
    }
    order.truncate(count);
    order
}

#[cfg(test)]
mod tests {
    use super::{Pattern, prune_row};

    #[test]
    fn both_ways_of_writing_two_of_four() {
        assert_eq!("2:4".parse(), Ok(Pattern::TWO_OF_FOUR));
        assert_eq!("4:2".parse(), Ok(Pattern::TWO_OF_FOUR));
        assert_eq!("4:8".parse(), Ok(Pattern::FOUR_OF_EIGHT));
        assert_eq!("50%".parse(), Ok(Pattern::Unstructured { sparsity: 0.5 }));
        assert!("2;4".parse::<Pattern>().unwrap_err().contains("2:4"));
        assert!("150%".parse::<Pattern>().is_err());
        assert!(Pattern::TWO_OF_FOUR.check(6).unwrap_err().contains("runs of 4"));
    }

    #[test]
    fn every_order_of_four_keeps_its_two_largest() {
        for code in 0..256usize {
            let scores: Vec<f32> = (0..4).map(|place| (code >> (2 * place) & 3) as f32).collect();
            let mut row = vec![1.0; 4];
            prune_row(&mut row, &scores, Pattern::TWO_OF_FOUR);
            assert_eq!(row.iter().sum::<f32>(), 2.0, "{scores:?}");
            let worst_kept = (0..4).filter(|&i| row[i] > 0.0).map(|i| scores[i]).fold(9.0, f32::min);
            let best_gone = (0..4).filter(|&i| row[i] == 0.0).map(|i| scores[i]).fold(0.0, f32::max);
            assert!(worst_kept >= best_gone, "{scores:?}: {row:?}");
        }
    }
}
