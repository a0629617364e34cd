//! Protocol buffers, as much as events need: fields in the order in which they are added, those of no value left out by
//! the caller. See <https://protobuf.dev/programming-guides/encoding>.

/// A message in the making.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A whole number, an enum or a bool.
    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        self.key(field, VARINT);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, FIXED_64);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, FIXED_32);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
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
        Double(f64),
        Float(f32),
        Bytes(Vec<u8>),
    }

    impl Value {
        pub(in super::super) fn bytes(&self) -> &[u8] {
            match self {
                Self::Bytes(bytes) => bytes,
                other => panic!("{other:?} is no bytes"),
            }
        }
    }

    /// All fields of a message, in order.
    pub(in super::super) fn fields(mut bytes: &[u8]) -> Vec<(u64, Value)> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let value = match key & 7 {
                0 => Value::Number(varint(&mut bytes)),
                1 => Value::Double(f64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    Value::Bytes(take(&mut bytes, length).to_vec())
                }
                5 => Value::Float(f32::from_le_bytes(take(&mut bytes, 4).try_into().unwrap())),
                other => panic!("wire type {other}"),
            };
            fields.push((key >> 3, value));
        }
        fields
    }

    /// The first value of `field`.
    pub(in super::super) fn first(bytes: &[u8], field: u64) -> Option<Value> {
        fields(bytes).into_iter().find(|(found, _)| *found == field).map(|(_, value)| value)
    }

    fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(length);
        *bytes = rest;
        taken
    }

    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = take(bytes, 1)[0];
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
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(field in 1_u64..1000, number: u64, double in -1e300..1e300, text: String) {
            let message = Message::new().number(field, number).double(field, double).float(1, 0.5).text(field, &text);
            let expected = vec![
                (field, Value::Number(number)),
                (field, Value::Double(double)),
                (1, Value::Float(0.5)),
                (field, Value::Bytes(text.into_bytes())),
            ];
            prop_assert_eq!(fields(message.as_bytes()), expected);
        }
    }
}
