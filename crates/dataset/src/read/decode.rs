//! Bytes of one field to characters.

use super::Encoding;

/// Why a field is no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A byte that is not UTF-8, and where in the field it is.
    NotUtf8 { at: usize, value: u8 },
    /// A byte of value 0.
    Nul,
}

/// A field as text.
pub(super) fn decode(bytes: &[u8], encoding: Encoding) -> Result<String, Fault> {
    if bytes.contains(&0) {
        return Err(Fault::Nul);
    }
    match encoding {
        Encoding::Latin1 => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Encoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(Fault::NotUtf8 { at: error.valid_up_to(), value: bytes[error.valid_up_to()] }),
        },
    }
}
