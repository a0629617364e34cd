//! A plot with two axes.

use std::fmt::Write;

use maud::{Markup, html};

use super::scale::tick_label;
use super::{Colour, Scale, at};

/// Size of a plot, which is that of a phone's column.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
const SQUARE: f64 = 300.0;

/// Room for what is written around the plot.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 38.0;

/// A plot.
pub(crate) struct Chart {
    /// What it shows.
    pub(crate) title: String,
    /// What one should know to read it.
    pub(crate) note: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) bars: Vec<Bar>,
    pub(crate) lines: Vec<Line>,
    /// Upright lines at one x.
    pub(crate) marks: Vec<Mark>,
    /// What the cells of readings are.
    pub(crate) columns: Vec<String>,
    /// What is shown while one points at a place.
    pub(crate) readings: Vec<Reading>,
    /// As high as wide, where both axes are of one kind.
    pub(crate) square: bool,
}

/// An axis.
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) scale: Scale,
}

/// A line, with its name for the legend.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) colour: Colour,
    pub(crate) shape: Shape,
    pub(crate) points: Vec<(f64, f64)>,
}

/// How points are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Straight,
    /// Straight, with a dot at each point.
    Dotted,
    /// Not joined: a dot at each point.
    Dots,
    /// Level until the next point.
    Steps,
    /// Thin and broken: no data.
    Guide,
}

/// A bar over a stretch of the x axis.
pub(crate) struct Bar {
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Where it begins and ends on the y axis.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) colour: Colour,
}

/// Something that happened at one x.
pub(crate) struct Mark {
    pub(crate) x: f64,
    pub(crate) name: String,
}

/// What can be read at one x.
pub(crate) struct Reading {
    pub(crate) x: f64,
    /// One for each column.
    pub(crate) cells: Vec<String>,
    /// Points of lines there.
    pub(crate) dots: Vec<(f64, Colour)>,
}

impl Chart {
    pub(crate) fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            note: String::new(),
            x,
            y,
            bars: Vec::new(),
            lines: Vec::new(),
            marks: Vec::new(),
            columns: Vec::new(),
            readings: Vec::new(),
            square: false,
        }
    }

    /// The plot with its title, legend, and its readings as a table.
    pub(crate) fn render(&self) -> Markup {
        let legend: Vec<&Line> = self.lines.iter().filter(|line| !line.name.is_empty()).collect();
        html! {
            figure.chart {
                figcaption {
                    strong { (self.title) }
                    @if legend.len() > 1 {
                        span.legend {
                            @for line in legend { span { i class=(format!("k{}", line.colour)) {} bdi { (line.name) } } }
                        }
                    }
                }
                (self.svg())
                @if !self.note.is_empty() { p.note { (self.note) } }
                @if !self.readings.is_empty() {
                    details.figures {
                        summary { "Figures" }
                        div.scroll { table {
                            thead { tr { @for column in &self.columns { th scope="col" { (column) } } } }
                            tbody { @for reading in &self.readings { tr { @for cell in &reading.cells { td { (cell) } } } } }
                        } }
                    }
                }
            }
        }
    }

    fn height(&self) -> f64 {
        if self.square { SQUARE } else { HEIGHT }
    }

    fn px(&self, x: f64) -> f64 {
        self.x.scale.place(x, LEFT, WIDTH - RIGHT)
    }

    fn py(&self, y: f64) -> f64 {
        self.y.scale.place(y, self.height() - BOTTOM, TOP)
    }

    fn svg(&self) -> Markup {
        let (floor, edge) = (self.height() - BOTTOM, WIDTH - RIGHT);
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {}", self.height())) role="img" aria-label=(self.told()) {
                @for tick in self.y.scale.ticks() {
                    path.grid d=(format!("M{LEFT} {}H{edge}", at(self.py(*tick)))) {}
                    text.tick x=(LEFT - 6.0) y=(at(self.py(*tick) + 3.5)) text-anchor="end" { (tick_label(*tick)) }
                }
                @for tick in self.x.scale.ticks() {
                    path.stub d=(format!("M{} {floor}v4", at(self.px(*tick)))) {}
                    text.tick x=(at(self.px(*tick))) y=(floor + 15.0) text-anchor="middle" { (tick_label(*tick)) }
                }
                path.axis d=(format!("M{LEFT} {floor}H{edge}")) {}
                text.name x=(edge) y=(floor + 31.0) text-anchor="end" { (self.x.name) }
                text.name.yname x="0" y="10" { (self.y.name) }
                @for bar in &self.bars { (self.bar(bar)) }
                @for line in &self.lines { (self.line(line)) }
                @for mark in &self.marks { (self.mark(mark)) }
                @for (at, reading) in self.readings.iter().enumerate() { (self.reading(at, reading)) }
            }
        }
    }

    /// What the plot shows, for those who do not see it.
    fn told(&self) -> String {
        let lines: Vec<String> = self
            .lines
            .iter()
            .filter(|line| line.shape != Shape::Guide)
            .filter_map(|line| {
                let (first, last) = (line.points.first()?, line.points.last()?);
                let name = if line.name.is_empty() { &self.y.name } else { &line.name };
                Some(format!("{name} from {} to {}", tick_label(first.1), tick_label(last.1)))
            })
            .take(8)
            .collect();
        let told = format!("{}: {} over {}", self.title, self.y.name, self.x.name);
        if lines.is_empty() { told } else { format!("{told}; {}", lines.join(", ")) }
    }

    /// Its name stands above the plot, where no line runs.
    fn mark(&self, mark: &Mark) -> Markup {
        let x = self.px(mark.x);
        let anchor = if x > WIDTH - 40.0 { "end" } else { "middle" };
        html! {
            path.mark d=(format!("M{} {}V{TOP}", at(x), self.height() - BOTTOM)) {}
            text.marked x=(at(x)) y=(TOP - 3.0) text-anchor=(anchor) { (mark.name) }
        }
    }

    fn bar(&self, bar: &Bar) -> Markup {
        let (left, right) = (self.px(bar.from), self.px(bar.to));
        let (low, high) = (self.py(bar.low), self.py(bar.high));
        // A bar that is there is seen, however low.
        let height = (low - high).max(if bar.high > bar.low { 1.0 } else { 0.0 });
        let width = (right - left - 1.0).max(1.0);
        html! {
            rect class=(format!("b{}", bar.colour)) x=(at(left + 0.5)) y=(at(low - height)) width=(at(width)) height=(at(height)) {}
        }
    }

    fn line(&self, line: &Line) -> Markup {
        let mut path = String::new();
        let mut before: Option<(f64, f64)> = None;
        let seen = line.points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        let places: Vec<(f64, f64)> = seen.map(|(x, y)| (self.px(*x), self.py(*y))).collect();
        for &(x, y) in &places {
            // Writing to a string cannot fail.
            let _ = match before {
                None => write!(path, "M{} {}", at(x), at(y)),
                Some(_) if line.shape == Shape::Steps => write!(path, "V{}H{}", at(y), at(x)),
                Some(_) => write!(path, "L{} {}", at(x), at(y)),
            };
            before = Some((x, y));
        }
        let kind = if line.shape == Shape::Guide { "guide".to_owned() } else { format!("l{}", line.colour) };
        // A line of one point is not seen without its dot.
        let dots =
            matches!(line.shape, Shape::Dotted | Shape::Dots) || (places.len() == 1 && line.shape != Shape::Guide);
        html! {
            @if line.shape != Shape::Dots { path class=(kind) d=(path) {} }
            @if dots {
                @for (x, y) in &places { circle class=(format!("d{}", line.colour)) cx=(at(*x)) cy=(at(*y)) r="2.5" {} }
            }
        }
    }

    /// The band around an x, up to half the way to its neighbours.
    fn reading(&self, place: usize, reading: &Reading) -> Markup {
        let x = self.px(reading.x);
        let half_way = |other: Option<&Reading>, edge: f64| other.map_or(edge, |other| (x + self.px(other.x)) / 2.0);
        let left = half_way(place.checked_sub(1).and_then(|place| self.readings.get(place)), LEFT);
        let right = half_way(self.readings.get(place + 1), WIDTH - RIGHT);
        let (left, right) = (left.min(right), left.max(right));
        let cells = self.columns.iter().zip(&reading.cells).filter(|(_, cell)| !cell.is_empty());
        let tip: Vec<String> = cells.map(|(column, cell)| format!("{column} {cell}")).collect();
        let floor = self.height() - BOTTOM;
        html! {
            g.r {
                rect x=(at(left)) y=(TOP) width=(at(right - left)) height=(floor - TOP) {}
                path d=(format!("M{} {floor}V{TOP}", at(x))) {}
                @for (y, colour) in &reading.dots { circle class=(format!("d{colour}")) cx=(at(x)) cy=(at(self.py(*y))) r="3" {} }
                text x=(WIDTH - RIGHT) y="10" text-anchor="end" { (tip.join(" · ")) }
            }
        }
    }
}
