//! The events of TensorBoard: a time, a step, and something to show under a tag.
//!
//! Numbers of fields are those of `event.proto`, `summary.proto` and `tensor.proto` of TensorBoard 2.21.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::protobuf::Message;

/// `DataType` of `types.proto`.
const DT_FLOAT: u64 = 1;
const DT_STRING: u64 = 7;

/// `Summary.Image.colorspace`.
const RGB: u64 = 3;

/// When and at which step something is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct At {
    pub(super) time: SystemTime,
    pub(super) step: u64,
}

/// The first event of each file.
pub(super) fn version(time: SystemTime) -> Message {
    Message::new().double(1, seconds(time)).text(3, "brain.Event:2")
}

/// A figure. TensorBoard keeps 32 bits of it.
pub(super) fn scalar(at: At, tag: &str, value: f64) -> Message {
    summary(at, &Message::new().text(1, tag).float(2, value as f32))
}

/// Text in Markdown, under the tag that `SummaryWriter.add_text` makes of `name`.
pub(super) fn text(at: At, name: &str, markdown: &str) -> Message {
    let shape = Message::new().message(2, &Message::new().number(1, 1));
    let tensor = Message::new().number(1, DT_STRING).message(2, &shape).bytes(8, markdown.as_bytes());
    let value = Message::new().text(1, &format!("{name}/text_summary"));
    summary(at, &value.message(8, &tensor).message(9, &metadata("text", &Message::new())))
}

/// An image, as a PNG file.
pub(super) fn image(at: At, tag: &str, (width, height): (u32, u32), png: &[u8]) -> Message {
    let image = Message::new().number(1, height.into()).number(2, width.into()).number(3, RGB).bytes(4, png);
    summary(at, &Message::new().text(1, tag).message(4, &image))
}

/// Something that only a plugin understands; the value itself is empty.
pub(super) fn plugin(at: At, tag: &str, name: &str, content: &Message) -> Message {
    let shape = Message::new().message(2, &Message::new().number(1, 0));
    let tensor = Message::new().number(1, DT_FLOAT).message(2, &shape);
    summary(at, &Message::new().text(1, tag).message(8, &tensor).message(9, &metadata(name, content)))
}

/// Unix time.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn summary(at: At, value: &Message) -> Message {
    let summary = Message::new().message(1, value);
    Message::new().double(1, seconds(at.time)).number(2, at.step).message(5, &summary)
}

fn metadata(plugin: &str, content: &Message) -> Message {
    let data = Message::new().text(1, plugin).bytes(2, content.as_bytes());
    Message::new().message(1, &data)
}

/// What a test reads of an event.
#[cfg(test)]
pub(super) mod reading {
    use crate::protobuf::reading::{Value, first};

    /// An event that shows something.
    #[derive(Clone, Debug, PartialEq)]
    pub(in super::super) struct Shown {
        pub(in super::super) time: f64,
        pub(in super::super) step: u64,
        pub(in super::super) tag: String,
        /// The `Summary.Value`.
        pub(in super::super) value: Vec<u8>,
    }

    impl Shown {
        /// `None` for an event that shows nothing, as the first.
        pub(in super::super) fn of(event: &[u8]) -> Option<Self> {
            let Some(Value::Double(time)) = first(event, 1) else { panic!("no time") };
            let step = match first(event, 2) {
                Some(Value::Number(step)) => step,
                _ => 0,
            };
            let value = first(first(event, 5)?.bytes(), 1)?.bytes().to_vec();
            let tag = String::from_utf8(first(&value, 1)?.bytes().to_vec()).unwrap();
            Some(Self { time, step, tag, value })
        }

        pub(in super::super) fn scalar(&self) -> Option<f32> {
            match first(&self.value, 2) {
                Some(Value::Float(value)) => Some(value),
                _ => None,
            }
        }

        pub(in super::super) fn text(&self) -> Option<String> {
            let text = first(first(&self.value, 8)?.bytes(), 8)?;
            String::from_utf8(text.bytes().to_vec()).ok()
        }
    }
}
