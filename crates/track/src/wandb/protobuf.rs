//! Protocol buffers, as much as records need. See <https://protobuf.dev/programming-guides/encoding>.

/// A message in the making. Fields of no value are left out, which is what the third version of the language does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const BYTES: u64 = 2;

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A whole number, an enum or a bool.
    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        if value != 0 {
            self.varint(field << 3 | VARINT);
            self.varint(value);
        }
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        if value.is_empty() { self } else { self.bytes(field, value.as_bytes()) }
    }

    /// A message inside, which is there even when it is empty.
    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    pub(super) fn messages(self, field: u64, values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(self, |message, value| message.message(field, &value))
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A reader for tests.
#[cfg(test)]
pub(super) mod reading {
    /// A field's value.
    #[derive(Clone, Debug, PartialEq)]
    pub(in super::super) enum Value {
        Number(u64),
        Bytes(Vec<u8>),
    }

    /// All fields of a message, in order.
    pub(in super::super) fn fields(mut bytes: &[u8]) -> Vec<(u64, Value)> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let value = match key & 7 {
                0 => Value::Number(varint(&mut bytes)),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    let (taken, rest) = bytes.split_at(length);
                    bytes = rest;
                    Value::Bytes(taken.to_vec())
                }
                other => panic!("wire type {other}"),
            };
            fields.push((key >> 3, value));
        }
        fields
    }

    /// Every message or text in `field`.
    pub(in super::super) fn all(bytes: &[u8], field: u64) -> Vec<Vec<u8>> {
        let of_field = fields(bytes).into_iter().filter(|(found, _)| *found == field);
        let bytes = of_field.map(|(_, value)| match value {
            Value::Bytes(bytes) => bytes,
            Value::Number(number) => panic!("{number} is no message"),
        });
        bytes.collect()
    }

    /// The text in `field`, which is empty where there is none.
    pub(in super::super) fn text(bytes: &[u8], field: u64) -> String {
        let found = all(bytes, field).pop().unwrap_or_default();
        String::from_utf8(found).unwrap()
    }

    /// The number in `field`, which is 0 where there is none.
    pub(in super::super) fn number(bytes: &[u8], field: u64) -> u64 {
        let found = fields(bytes).into_iter().find(|(found, _)| *found == field);
        match found {
            None => 0,
            Some((_, Value::Number(number))) => number,
            Some((_, other)) => panic!("{other:?} is no number"),
        }
    }

    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::reading::{Value, fields};
    use super::*;

    #[test]
    fn the_examples_of_the_specification() {
        assert_eq!(Message::new().number(1, 150).as_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::new().text(2, "testing").as_bytes(), b"\x12\x07testing");
        let inner = Message::new().number(1, 150);
        assert_eq!(Message::new().message(3, &inner).as_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::new().number(1, 0).text(2, "").as_bytes(), b"");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(field in 1_u64..1000, number in 1_u64.., text in ".+") {
            let message = Message::new().number(field, number).text(field, &text);
            let expected = vec![(field, Value::Number(number)), (field, Value::Bytes(text.into_bytes()))];
            prop_assert_eq!(fields(message.as_bytes()), expected);
        }
    }
}
