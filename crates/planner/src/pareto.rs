//! Pareto sets over two figures, both better when larger.

/// Indices of the points that no other point beats in both figures, by falling first figure.
///
/// Sort by the first figure, sweep the second: O(n log n). Of equal points the first given stays.
pub fn front(points: &[(f64, f64)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| {
        let (first, second) = (points[b].0.total_cmp(&points[a].0), points[b].1.total_cmp(&points[a].1));
        first.then(second).then(a.cmp(&b))
    });
    let mut best = f64::NEG_INFINITY;
    order.retain(|&index| {
        let beats = points[index].1 > best;
        best = best.max(points[index].1);
        beats
    });
    order
}

#[cfg(test)]
mod tests {
    use super::front;
    use proptest::prelude::*;

    #[test]
    fn beaten_and_equal_points_fall() {
        let points = [(1.0, 5.0), (2.0, 4.0), (2.0, 3.0), (0.5, 5.0), (2.0, 4.0), (3.0, 1.0)];
        assert_eq!(front(&points), [5, 1, 0]);
    }

    proptest! {
        #[test]
        fn the_front_is_what_no_other_point_beats(points in prop::collection::vec((0u8..20, 0u8..20), 0..60)) {
            let points: Vec<(f64, f64)> = points.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
            let beaten = |p: (f64, f64)| points.iter().any(|q| q.0 >= p.0 && q.1 >= p.1 && *q != p);
            let kept = front(&points);
            for &index in &kept {
                prop_assert!(!beaten(points[index]));
            }
            for &point in points.iter().filter(|p| !beaten(**p)) {
                prop_assert!(kept.iter().any(|&index| points[index] == point));
            }
        }
    }
}
