//! Words beside points, clear of everything else.

use super::canvas::{Canvas, Place, Rect};
use super::metrics;

/// What words must keep clear of.
pub(super) struct Clearance {
    area: Rect,
    taken: Vec<Rect>,
}

/// A point that would like words beside it.
pub(super) struct Wish<'a> {
    pub(super) at: Place,
    pub(super) radius: f64,
    pub(super) words: &'a str,
    pub(super) weight: f64,
}

/// Steps along a line at which a small box keeps words away from it.
const STEP: f64 = 5.0;
/// How far from its mark a label may stand; beyond the first a thin line joins them.
const DISTANCES: [f64; 5] = [4.0, 16.0, 30.0, 46.0, 64.0];
/// Right, left, above, below, then the corners.
const DIRECTIONS: [Place; 8] =
    [(1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (0.8, -0.8), (0.8, 0.8), (-0.8, -0.8), (-0.8, 0.8)];

impl Clearance {
    pub(super) fn new(area: Rect) -> Self {
        Self { area, taken: Vec::new() }
    }

    /// Keeps words away from a box.
    pub(super) fn take(&mut self, place: Rect) {
        self.taken.push(place);
    }

    /// Keeps words away from a line.
    pub(super) fn take_line(&mut self, places: &[Place]) {
        for pair in places.windows(2) {
            let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            let steps = (dx.hypot(dy) / STEP).ceil().max(1.0);
            for step in 0..=(steps as usize) {
                let part = step as f64 / steps;
                self.take(Rect::around((pair[0].0 + dx * part, pair[0].1 + dy * part), 2.0));
            }
        }
    }

    /// Whether a box is inside the plot area and clear.
    pub(super) fn is_free(&self, place: &Rect) -> bool {
        self.area.contains(place) && !self.taken.iter().any(|taken| taken.overlaps(place))
    }

    /// Writes what finds room, the heaviest first. What does not is still shown on hovering.
    pub(super) fn place_all(&mut self, canvas: &mut Canvas, mut wishes: Vec<Wish<'_>>) {
        wishes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        for wish in &wishes {
            self.place(canvas, wish);
        }
    }

    fn place(&mut self, canvas: &mut Canvas, wish: &Wish<'_>) {
        let candidates =
            DISTANCES.into_iter().flat_map(|distance| DIRECTIONS.map(|direction| (distance, direction)));
        let boxed = candidates.map(|(distance, direction)| (distance, box_at(wish, distance, direction)));
        let Some((distance, place)) = boxed.into_iter().find(|(_, place)| self.is_free(place)) else {
            return;
        };
        if distance > DISTANCES[0] {
            canvas.line("leader", wish.at, nearest_of(&place, wish.at));
        }
        canvas.text((place.x, place.y + metrics::FONT * 0.8), "label", wish.words);
        self.take(place);
    }
}

/// The box of the words when they stand in a direction at a distance from the mark.
fn box_at(wish: &Wish<'_>, distance: f64, (dx, dy): Place) -> Rect {
    let reach = wish.radius + distance;
    let (width, height) = (metrics::width(wish.words), metrics::FONT);
    let x = wish.at.0 + dx * reach + (dx.signum() * f64::from(dx != 0.0) - 1.0) * width / 2.0;
    let y = wish.at.1 + dy * reach + (dy.signum() * f64::from(dy != 0.0) - 1.0) * height / 2.0;
    Rect { x, y, width, height }
}

fn nearest_of(place: &Rect, (x, y): Place) -> Place {
    (x.clamp(place.x, place.right()), y.clamp(place.y, place.bottom()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { x: 0.0, y: 0.0, width: 300.0, height: 200.0 };

    fn wish(at: Place, words: &str) -> Wish<'_> {
        Wish { at, radius: 4.0, words, weight: 1.0 }
    }

    #[test]
    fn words_stand_right_of_a_lonely_point() {
        let place = box_at(&wish((100.0, 100.0), "norm"), 4.0, DIRECTIONS[0]);
        assert_eq!((place.x, place.y), (108.0, 94.0));
    }

    #[test]
    fn no_two_labels_overlap() {
        let mut clearance = Clearance::new(AREA);
        let points: Vec<Place> = (0..6).map(|index| (120.0 + f64::from(index), 100.0)).collect();
        points.iter().for_each(|&at| clearance.take(Rect::around(at, 4.0)));
        let before = clearance.taken.len();
        clearance.place_all(&mut Canvas::default(), points.iter().map(|&at| wish(at, "gate_up")).collect());
        let labels = &clearance.taken[before..];
        assert_eq!(labels.len(), 6);
        for (index, label) in labels.iter().enumerate() {
            assert!(labels[index + 1..].iter().all(|other| !other.overlaps(label)));
        }
    }

    #[test]
    fn words_leave_the_way_of_a_line() {
        let mut clearance = Clearance::new(AREA);
        clearance.take_line(&[(0.0, 100.0), (300.0, 100.0)]);
        assert!(!clearance.is_free(&Rect { x: 100.0, y: 95.0, width: 30.0, height: 12.0 }));
        assert!(clearance.is_free(&Rect { x: 100.0, y: 80.0, width: 30.0, height: 12.0 }));
    }

    #[test]
    fn words_without_room_are_left_out() {
        let mut clearance = Clearance::new(Rect { width: 20.0, height: 20.0, ..AREA });
        let mut canvas = Canvas::default();
        clearance.place_all(&mut canvas, vec![wish((10.0, 10.0), "a long label")]);
        assert_eq!(canvas.finish(), "");
    }
}
