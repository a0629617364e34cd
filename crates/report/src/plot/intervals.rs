//! Figures and their intervals, one under the other on one axis.

use maud::{Markup, html};

use super::scale::tick_label;
use super::{Colour, Scale, at};

const WIDTH: f64 = 360.0;
const LEFT: f64 = 8.0;
const RIGHT: f64 = 12.0;
const ROW: f64 = 40.0;

/// A figure and how sure it is.
pub(crate) struct Interval {
    pub(crate) name: String,
    /// As it is written.
    pub(crate) told: String,
    pub(crate) value: f64,
    pub(crate) ends: Option<(f64, f64)>,
    pub(crate) colour: Colour,
}

/// The figures on an axis that holds them all, and ends at `most` where figures cannot be larger.
pub(crate) fn intervals(title: &str, rows: &[Interval], most: f64) -> Markup {
    let values = rows
        .iter()
        .flat_map(|row| [row.value].into_iter().chain(row.ends.map(|ends| [ends.0, ends.1]).into_iter().flatten()));
    let scale = Scale::of(values, 4).up_to(most);
    let place = |value: f64| scale.place(value, LEFT, WIDTH - RIGHT);
    let floor = rows.len() as f64 * ROW + 6.0;
    let told: Vec<String> = rows.iter().map(|row| format!("{} {}", row.name, row.told)).collect();
    html! {
        svg.intervals viewBox=(format!("0 0 {WIDTH} {}", floor + 22.0)) role="img" aria-label=(format!("{title}: {}", told.join("; "))) {
            @for tick in scale.ticks() {
                path.grid d=(format!("M{} 0V{floor}", at(place(*tick)))) {}
                text.tick x=(at(place(*tick))) y=(floor + 15.0) text-anchor="middle" { (tick_label(*tick)) }
            }
            @for (at_row, row) in rows.iter().enumerate() {
                @let y = at_row as f64 * ROW + 27.0;
                text.name x=(LEFT) y=(y - 11.0) { (row.name) tspan.told dx="6" { (row.told) } }
                @if let Some((low, high)) = row.ends {
                    path class=(format!("w{}", row.colour)) d=(format!("M{} {y}H{}", at(place(low)), at(place(high)))) {}
                }
                circle class=(format!("d{}", row.colour)) cx=(at(place(row.value))) cy=(y) r="5" {}
            }
        }
    }
}
