//! A picture of rectangles and text, and its PNG file.

use std::convert::Infallible;

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};
use embedded_graphics::{Drawable, Pixel};

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// Pixels, white at first. What is drawn beyond the edge is not there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![255; width as usize * height as usize * 3] }
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    pub(super) fn rectangle(&mut self, (left, top): (u32, u32), (width, height): (u32, u32), colour: Colour) {
        for y in top..top.saturating_add(height) {
            for x in left..left.saturating_add(width) {
                self.dot(i64::from(x), i64::from(y), colour);
            }
        }
    }

    /// Text in one line whose left upper corner is `at`.
    pub(super) fn text(&mut self, at: (u32, u32), text: &str, font: &MonoFont<'_>, colour: Colour) {
        self.write(at, text, font, colour, false);
    }

    /// Text that runs upwards: what would be its left upper corner is `at`, and its lines would follow to the right.
    pub(super) fn text_upwards(&mut self, at: (u32, u32), text: &str, font: &MonoFont<'_>, colour: Colour) {
        self.write(at, text, font, colour, true);
    }

    fn write(&mut self, at: (u32, u32), text: &str, font: &MonoFont<'_>, colour: Colour, upwards: bool) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let style = MonoTextStyle::new(font, BinaryColor::On);
        let mut pen = Pen { canvas: self, at, colour, upwards };
        let Ok(_) = Text::with_baseline(&text, Point::zero(), style, Baseline::Top).draw(&mut pen);
    }

    fn dot(&mut self, x: i64, y: i64, colour: Colour) {
        if (0..i64::from(self.width)).contains(&x) && (0..i64::from(self.height)).contains(&y) {
            let at = (y * i64::from(self.width) + x) as usize * 3;
            self.pixels[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// When it has no pixels.
    pub(super) fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(file)
    }
}

/// Pixels on, or pixels across, a font's letters at a place of the canvas.
struct Pen<'a> {
    canvas: &'a mut Canvas,
    at: (u32, u32),
    colour: Colour,
    upwards: bool,
}

impl OriginDimensions for Pen<'_> {
    fn size(&self) -> Size {
        Size::new(self.canvas.width, self.canvas.height)
    }
}

impl DrawTarget for Pen<'_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        let (left, top) = (i64::from(self.at.0), i64::from(self.at.1));
        for Pixel(point, _) in pixels.into_iter().filter(|pixel| pixel.1.is_on()) {
            let (x, y) = (i64::from(point.x), i64::from(point.y));
            let (x, y) = if self.upwards { (left + y, top - x) } else { (left + x, top + y) };
            self.canvas.dot(x, y, self.colour);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::mono_font::iso_8859_1::FONT_6X10;

    use super::*;

    fn dark(canvas: &Canvas) -> Vec<(u32, u32)> {
        let pixels = canvas.pixels.chunks(3).enumerate().filter(|(_, pixel)| pixel != &[255; 3]);
        pixels.map(|(at, _)| (at as u32 % canvas.width, at as u32 / canvas.width)).collect()
    }

    #[test]
    fn text_that_runs_upwards_is_turned_by_a_quarter() {
        let (mut plain, mut turned) = (Canvas::new(40, 40), Canvas::new(40, 40));
        plain.text((0, 0), "L7", &FONT_6X10, [0; 3]);
        turned.text_upwards((0, 39), "L7", &FONT_6X10, [0; 3]);
        let mut expected: Vec<_> = dark(&plain).into_iter().map(|(x, y)| (y, 39 - x)).collect();
        expected.sort_by_key(|&(x, y)| (y, x));
        assert_eq!(dark(&turned), expected);
        assert!(expected.len() > 10);
    }

    #[test]
    fn nothing_is_drawn_beyond_the_edge() {
        let mut canvas = Canvas::new(8, 8);
        canvas.text((4, 4), "wide\ntext", &FONT_6X10, [0; 3]);
        canvas.rectangle((6, 6), (u32::MAX, 1), [9, 9, 9]);
        assert_eq!(canvas.pixels.len(), 8 * 8 * 3);
    }

    #[test]
    fn the_file_has_the_pixels() {
        let mut canvas = Canvas::new(5, 3);
        canvas.rectangle((1, 1), (2, 1), [1, 2, 3]);
        let file = canvas.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; 5 * 3 * 3];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, pixels), (5, 3, canvas.pixels));
    }
}
