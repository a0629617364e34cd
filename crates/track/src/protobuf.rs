//! Protocol buffers, as much as the files of places need: fields in the order in which they are added. See
//! <https://protobuf.dev/programming-guides/encoding>.

/// A message in the making. Numbers and texts of no value are left out, which is what the third version of the language
/// does; all others are there whatever they hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

impl Message {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A whole number, an enum or a bool.
    pub(crate) fn number(self, field: u64, value: u64) -> Self {
        if value == 0 { self } else { self.chosen_number(field, value) }
    }

    /// A number that is there even if it is 0: as one of several fields of which one is chosen.
    pub(crate) fn chosen_number(mut self, field: u64, value: u64) -> Self {
        self.key(field, VARINT);
        self.varint(value);
        self
    }

    pub(crate) fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, FIXED_64);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, FIXED_32);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Bytes, or a text that is there even if it is empty.
    pub(crate) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(crate) fn text(self, field: u64, value: &str) -> Self {
        if value.is_empty() { self } else { self.bytes(field, value.as_bytes()) }
    }

    pub(crate) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    pub(crate) fn messages(self, field: u64, values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(self, |message, value| message.message(field, &value))
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
pub(crate) mod reading {
    /// A field's value.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) enum Value {
        Number(u64),
        Double(f64),
        Float(f32),
        Bytes(Vec<u8>),
    }

    impl Value {
        pub(crate) fn bytes(&self) -> &[u8] {
            match self {
                Self::Bytes(bytes) => bytes,
                other => panic!("{other:?} is no bytes"),
            }
        }
    }

    /// All fields of a message, in order.
    pub(crate) fn fields(mut bytes: &[u8]) -> Vec<(u64, Value)> {
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
    pub(crate) fn first(bytes: &[u8], field: u64) -> Option<Value> {
        fields(bytes).into_iter().find(|(found, _)| *found == field).map(|(_, value)| value)
    }

    /// Every message or text in `field`.
    pub(crate) fn all(bytes: &[u8], field: u64) -> Vec<Vec<u8>> {
        let of_field = fields(bytes).into_iter().filter(|(found, _)| *found == field);
        of_field.map(|(_, value)| value.bytes().to_vec()).collect()
    }

    /// The text in `field`, which is empty where there is none.
    pub(crate) fn text(bytes: &[u8], field: u64) -> String {
        String::from_utf8(all(bytes, field).pop().unwrap_or_default()).unwrap()
    }

    /// The number in `field`, which is 0 where there is none.
    pub(crate) fn number(bytes: &[u8], field: u64) -> u64 {
        match first(bytes, field) {
            None => 0,
            Some(Value::Number(number)) => number,
            Some(other) => panic!("{other:?} is no number"),
        }
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

    #[test]
    fn no_value_is_left_out_where_nothing_was_chosen() {
        assert_eq!(Message::new().number(1, 0).text(2, "").as_bytes(), b"");
        let there = Message::new().chosen_number(1, 0).bytes(2, b"").float(3, 0.0).message(4, &Message::new());
        assert_eq!(fields(there.as_bytes()).len(), 4);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(field in 1_u64..1000, number in 1_u64.., double in -1e300..1e300, text in ".+") {
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
