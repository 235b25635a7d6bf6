//! Words beside points, clear of everything else.

use super::canvas::{Canvas, Place, Rect};
use super::metrics;

/// What words must keep clear of.
pub(super) struct Clearance {
    area: Rect,
    /// Marks, lines and words.
    taken: Vec<Rect>,
    /// Words alone: lines from labels to their points may cross all else.
    words: Vec<Rect>,
}

/// A point that would like words beside it.
pub(super) struct Wish<'a> {
    pub(super) at: Place,
    pub(super) radius: f64,
    pub(super) words: &'a str,
    pub(super) weight: f64,
    pub(super) reach: Reach,
}

/// How far from its mark a label may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Right beside it.
    Beside,
    /// Farther away too, with a thin line to it.
    Far,
}

/// Steps along a line at which a small box keeps words away from it.
const STEP: f64 = 5.0;
/// How far from its mark a label may stand; beyond the first a thin line joins them.
const DISTANCES: [f64; 8] = [4.0, 14.0, 24.0, 36.0, 50.0, 66.0, 84.0, 104.0];
/// Least blank between two labels in a line.
const BLANK: f64 = 5.0;
/// Right, left, above, below, then between them.
const DIRECTIONS: [Place; 12] = [
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (0.8, -0.8),
    (0.8, 0.8),
    (-0.8, -0.8),
    (-0.8, 0.8),
    (0.4, -1.0),
    (0.4, 1.0),
    (-0.4, -1.0),
    (-0.4, 1.0),
];

impl Clearance {
    pub(super) fn new(area: Rect) -> Self {
        Self { area, taken: Vec::new(), words: Vec::new() }
    }

    /// Keeps words away from a box.
    pub(super) fn take(&mut self, place: Rect) {
        self.taken.push(place);
    }

    /// Keeps words, and the lines from labels to their points, away from words.
    pub(super) fn take_words(&mut self, place: Rect) {
        self.take(place);
        self.words.push(place);
    }

    /// Keeps words away from a line.
    pub(super) fn take_line(&mut self, places: &[Place]) {
        places.windows(2).flat_map(|pair| boxes_along(pair[0], pair[1])).for_each(|place| self.take(place));
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
        let distances = if wish.reach == Reach::Far { &DISTANCES[..] } else { &DISTANCES[..1] };
        let boxes = distances.iter().flat_map(|distance| DIRECTIONS.map(|way| box_at(wish, *distance, way)));
        let clear = |place: &Rect| self.is_free(place) && self.is_reached(wish, place);
        let Some(place) = boxes.into_iter().find(clear) else { return };
        canvas.text((place.x, place.y + metrics::FONT * 0.8), "label", wish.words);
        self.take_words(padded(place, wish.reach));
        if is_apart(wish, &place) {
            let ends = [wish.at, nearest_of(&place, wish.at)];
            canvas.line("leader", ends[0], ends[1]);
            self.take_line(&ends);
        }
    }

    /// Whether no words stand between a point and its label.
    fn is_reached(&self, wish: &Wish<'_>, place: &Rect) -> bool {
        let mut between = boxes_along(wish.at, nearest_of(place, wish.at));
        between.all(|step| !self.words.iter().any(|words| words.overlaps(&step)))
    }
}

/// A label with the blank around it: more above and below along a line, where labels would pile up.
fn padded(place: Rect, reach: Reach) -> Rect {
    let above = if reach == Reach::Beside { 2.0 * BLANK } else { 0.0 };
    Rect {
        x: place.x - BLANK,
        y: place.y - above,
        width: place.width + 2.0 * BLANK,
        height: place.height + 2.0 * above,
    }
}

/// Small boxes along a straight line.
fn boxes_along(from: Place, to: Place) -> impl Iterator<Item = Rect> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let steps = (dx.hypot(dy) / STEP).ceil().max(1.0);
    (0..=(steps as usize)).map(move |step| {
        let part = step as f64 / steps;
        Rect::around((from.0 + dx * part, from.1 + dy * part), 2.0)
    })
}

/// Whether a label stands so far from its mark that a line must join them.
fn is_apart(wish: &Wish<'_>, place: &Rect) -> bool {
    let (x, y) = nearest_of(place, wish.at);
    (x - wish.at.0).hypot(y - wish.at.1) > wish.radius + DISTANCES[1] - 1.0
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
        Wish { at, radius: 4.0, words, weight: 1.0, reach: Reach::Far }
    }

    #[test]
    fn words_stand_right_of_a_lonely_point() {
        let place = box_at(&wish((100.0, 100.0), "norm"), 4.0, DIRECTIONS[0]);
        assert_eq!((place.x, place.y), (108.0, 94.0));
    }

    #[test]
    fn no_two_labels_overlap() {
        let mut clearance = Clearance::new(AREA);
        let points: Vec<Place> = (0..6).map(|index| (60.0 + 16.0 * f64::from(index), 100.0)).collect();
        for &at in &points {
            clearance.take(Rect::around(at, 4.0));
        }
        clearance.place_all(&mut Canvas::default(), points.iter().map(|&at| wish(at, "gate_up")).collect());
        let unpadded = |taken: &Rect| Rect { x: taken.x + BLANK, width: taken.width - 2.0 * BLANK, ..*taken };
        let labels: Vec<Rect> = clearance.words.iter().map(unpadded).collect();
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
