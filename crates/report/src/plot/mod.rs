//! Plots as inline SVG: lines, steps, dots and bars on two axes, and intervals on one.
//!
//! Drawn at the size of a phone's column, so that letters have their own size there, and put side by side where there is
//! room. Colours are names of classes, which the page's style fills in for light and dark. What a pointer shows is styled,
//! not scripted: each reading is a band that shows itself while it is pointed at. The same readings are a table for those
//! who do not see the plot.

mod chart;
mod intervals;
mod scale;

pub(crate) use chart::{Axis, Bar, Chart, Line, Mark, Reading, Shape};
pub(crate) use intervals::{Interval, intervals};
pub(crate) use scale::Scale;

/// A colour by its number in the palette, from 1; 0 is the quiet one of guides.
pub(crate) type Colour = usize;

/// How many colours the palette has.
pub(crate) const COLOURS: usize = 6;

/// A coordinate: a tenth of a pixel is as fine as one sees.
fn at(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
