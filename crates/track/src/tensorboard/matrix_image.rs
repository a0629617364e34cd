//! A confusion matrix as people look at it: right answers in blue, wrong ones in orange, each as strong as its share of
//! the rows of its class.

use embedded_graphics::mono_font::MonoFont;
use embedded_graphics::mono_font::iso_8859_1::{FONT_5X8, FONT_6X10, FONT_7X13, FONT_9X15, FONT_9X15_BOLD};

use super::canvas::{Canvas, Colour};
use super::confusion::Confusion;

const MARGIN: u32 = 16;
const GAP: u32 = 8;
/// Characters of a class name that are shown.
const NAME: usize = 24;
/// Width of all cells, where there are many.
const MOST_WIDTH: usize = 1280;

const INK: Colour = [38, 38, 38];
const PALE_INK: Colour = [150, 150, 150];
const PAPER: Colour = [255, 255, 255];
const EMPTY: Colour = [244, 245, 247];
const RIGHT: Colour = [8, 81, 156];
const WRONG: Colour = [217, 95, 2];

/// Draws the matrix of the rows that `split` names.
pub(super) fn draw(split: &str, confusion: &Confusion) -> Canvas {
    let layout = Layout::of(confusion, split);
    let mut canvas = Canvas::new(layout.width, layout.height);
    canvas.text((MARGIN, MARGIN), &layout.title, &FONT_9X15_BOLD, INK);
    cells(&mut canvas, &layout, confusion);
    names(&mut canvas, &layout);
    let middle = layout.left + layout.grid / 2;
    let (title, width) = ("predicted", width("predicted", &FONT_9X15_BOLD));
    canvas.text((middle.saturating_sub(width / 2), layout.height - MARGIN - 15), title, &FONT_9X15_BOLD, INK);
    let (title, width) = ("label", self::width("label", &FONT_9X15_BOLD));
    canvas.text_upwards((MARGIN, layout.top + layout.grid / 2 + width / 2), title, &FONT_9X15_BOLD, INK);
    canvas
}

/// Where everything is, in pixels.
struct Layout {
    title: String,
    /// Names as they are shown; none where cells are too small for them.
    names: Vec<String>,
    font: MonoFont<'static>,
    /// Whether names under the columns run upwards.
    upwards: bool,
    cell: u32,
    /// Width and height of all cells.
    grid: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Layout {
    fn of(confusion: &Confusion, split: &str) -> Self {
        let classes = confusion.classes();
        let cell = match classes {
            0..=6 => 88,
            7..=12 => 64,
            13..=20 => 48,
            21..=40 => 32,
            _ => (MOST_WIDTH / classes).max(2) as u32,
        };
        let font = if cell >= 16 { FONT_9X15 } else { FONT_6X10 };
        let shown = cell >= font.character_size.height;
        let names: Vec<String> = if shown {
            confusion.names.iter().enumerate().map(|(id, name)| shown_name(id, name)).collect()
        } else {
            Vec::new()
        };
        let widest = names.iter().map(|name| width(name, &font)).max().unwrap_or(0);
        let upwards = widest + 6 > cell;
        let below = if upwards { widest } else { font.character_size.height };
        let (rows, right) = (confusion.rows(), confusion.right());
        let title = format!("{split}: {right} of {rows} rows right, {classes} classes");
        let grid = cell * classes as u32;
        let left = MARGIN + 15 + GAP + widest + GAP;
        let top = MARGIN + 15 + 2 * GAP;
        let right_edge = (left + grid).max(MARGIN + width(&title, &FONT_9X15_BOLD));
        let (width, height) = (right_edge + MARGIN, top + grid + GAP + below + GAP + 15 + MARGIN);
        Self { title, names, font, upwards, cell, grid, left, top, width, height }
    }
}

fn cells(canvas: &mut Canvas, layout: &Layout, confusion: &Confusion) {
    let (classes, cell) = (confusion.classes(), layout.cell);
    // A line between cells, where they are large enough to lose one.
    let filled = if cell >= 6 { cell - 1 } else { cell };
    for (label, counts) in confusion.counts.chunks(classes).enumerate() {
        let rows: u64 = counts.iter().sum();
        for (predicted, &count) in counts.iter().enumerate() {
            let at = (layout.left + predicted as u32 * cell, layout.top + label as u32 * cell);
            let share = if rows == 0 { 0.0 } else { count as f64 / rows as f64 };
            let colour = shade(if label == predicted { RIGHT } else { WRONG }, share);
            canvas.rectangle(at, (filled, filled), colour);
            // Of many classes most pairs are never confused: their zeros would only hide the rest.
            if count > 0 || classes <= 12 {
                figures(canvas, at, filled, count, share, ink_on(colour, count));
            }
        }
    }
}

/// A count in the largest letters that its cell has room for, and where there is more room its share.
fn figures(canvas: &mut Canvas, at: (u32, u32), cell: u32, count: u64, share: f64, ink: Colour) {
    let fits =
        |text: &str, font: &MonoFont<'_>| width(text, font) + 3 <= cell && font.character_size.height + 2 <= cell;
    let fonts = [&FONT_9X15, &FONT_7X13, &FONT_6X10, &FONT_5X8];
    let found = [count.to_string(), short(count)].into_iter().find_map(|text| {
        let font = fonts.into_iter().find(|font| fits(&text, font))?;
        Some((text, font))
    });
    let Some((text, font)) = found else { return };
    let percent = format!("{:.1}%", share * 100.0);
    let with_percent = cell >= 56 && count > 0;
    let height = font.character_size.height + if with_percent { 4 + FONT_6X10.character_size.height } else { 0 };
    let top = at.1 + (cell - height) / 2;
    canvas.text((at.0 + (cell - width(&text, font)) / 2, top), &text, font, ink);
    if with_percent {
        let left = at.0 + cell.saturating_sub(width(&percent, &FONT_6X10)) / 2;
        canvas.text((left, top + font.character_size.height + 4), &percent, &FONT_6X10, ink);
    }
}

fn names(canvas: &mut Canvas, layout: &Layout) {
    let Layout { font, cell, left, top, grid, .. } = layout;
    let letter = font.character_size.height;
    for (id, name) in layout.names.iter().enumerate() {
        let (offset, length) = (id as u32 * cell, width(name, font));
        let row = (left.saturating_sub(GAP + length), top + offset + cell.saturating_sub(letter) / 2);
        canvas.text(row, name, font, INK);
        if layout.upwards {
            let column = (left + offset + cell.saturating_sub(letter) / 2, top + grid + GAP + length);
            canvas.text_upwards(column, name, font, INK);
        } else {
            canvas.text((left + offset + (cell - length) / 2, top + grid + GAP), name, font, INK);
        }
    }
}

/// A name as far as there is room for it; its number where the font has not all of its letters.
fn shown_name(id: usize, name: &str) -> String {
    let latin = |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{ff}');
    if name.is_empty() || !name.chars().all(latin) {
        return format!("class {id}");
    }
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 2).chain("..".chars()).collect()
}

fn width(text: &str, font: &MonoFont<'_>) -> u32 {
    text.chars().count() as u32 * (font.character_size.width + font.character_spacing)
}

/// `12k`, `3M`: for cells that have no room for more.
fn short(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}

/// From paper to `colour`; what is there at all is seen.
fn shade(colour: Colour, share: f64) -> Colour {
    if share <= 0.0 {
        return EMPTY;
    }
    let strength = 0.12 + 0.88 * share.min(1.0);
    std::array::from_fn(|part| {
        let (paper, colour) = (f64::from(PAPER[part]), f64::from(colour[part]));
        (paper + (colour - paper) * strength).round() as u8
    })
}

fn ink_on(colour: Colour, count: u64) -> Colour {
    // ITU-R BT.601.
    let light = 0.299 * f64::from(colour[0]) + 0.587 * f64::from(colour[1]) + 0.114 * f64::from(colour[2]);
    match count {
        0 => PALE_INK,
        _ if light < 150.0 => PAPER,
        _ => INK,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cut_or_numbered() {
        assert_eq!(shown_name(3, "Straße"), "Straße");
        assert_eq!(shown_name(3, "日本"), "class 3");
        assert_eq!(shown_name(3, "a\nb"), "class 3");
        assert_eq!(shown_name(0, &"x".repeat(30)), format!("{}..", "x".repeat(22)));
    }

    #[test]
    fn counts_are_as_long_as_there_is_room() {
        assert_eq!([999, 12_345, 9_999_999].map(short), ["999", "12k", "9M"]);
    }

    #[test]
    fn more_of_a_class_is_darker() {
        let light = |share| shade(RIGHT, share).iter().map(|&part| u32::from(part)).sum::<u32>();
        assert!(light(0.0) > light(0.001) && light(0.001) > light(0.5) && light(0.5) > light(1.0));
        assert_eq!(shade(WRONG, 1.0), WRONG);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_matrix_is_drawn(classes in 1_usize..120, count: u32, name in ".{0,40}") {
            let mut counts = vec![u64::from(count); classes * classes];
            counts[0] = u64::MAX / 2;
            counts[classes * classes - 1] = 0;
            let confusion = Confusion { names: vec![name; classes], counts };
            let (width, height) = draw("test", &confusion).size();
            prop_assert!(width > 100 && height > 100 && width < 2000 && height < 2000);
        }
    }
}
