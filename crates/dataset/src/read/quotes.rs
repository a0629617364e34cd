//! Watches quote characters go by.
//!
//! `csv-core` finds *a* reading of any bytes: a quote that is never closed swallows the rest of the file without a word,
//! and text after a closing quote is glued to the field. This machine makes the same moves beside it and remembers
//! where quotes opened, so that both become errors. It also knows on which line a record begins.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StartRecord,
    StartField,
    InField,
    InQuotes,
    /// A quote inside quotes: it closes the field, or is the first of two.
    QuoteInQuotes,
}

/// A quote that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stray {
    /// The line of the opening quote, from 1.
    pub(super) opened: u64,
    /// The line of the closing quote, from 1.
    pub(super) line: u64,
    /// The field, from 0.
    pub(super) field: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct QuoteWatch {
    delimiter: u8,
    quoting: bool,
    state: State,
    line: u64,
    field: usize,
    record_line: u64,
    opened: u64,
    text_after: Option<Stray>,
}

impl QuoteWatch {
    pub(super) fn new(delimiter: u8, quoting: bool) -> Self {
        Self {
            delimiter,
            quoting,
            state: State::StartRecord,
            line: 1,
            field: 0,
            record_line: 1,
            opened: 0,
            text_after: None,
        }
    }

    /// Goes on over bytes that the parser has consumed.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.step(byte);
            self.line += u64::from(byte == b'\n');
        }
    }

    fn step(&mut self, byte: u8) {
        let line_end = byte == b'\n' || byte == b'\r';
        match self.state {
            State::InQuotes => {
                if byte == b'"' {
                    self.state = State::QuoteInQuotes;
                }
                return;
            }
            State::QuoteInQuotes if byte == b'"' => {
                self.state = State::InQuotes;
                return;
            }
            State::StartRecord if line_end => return,
            State::StartRecord => {
                self.record_line = self.line;
                self.field = 0;
                self.text_after = None;
                self.state = State::StartField;
            }
            _ => {}
        }
        self.state = if byte == self.delimiter {
            self.field += 1;
            State::StartField
        } else if line_end {
            State::StartRecord
        } else if self.quoting && byte == b'"' && self.state == State::StartField {
            self.opened = self.line;
            State::InQuotes
        } else {
            if self.state == State::QuoteInQuotes {
                let stray = Stray { opened: self.opened, line: self.line, field: self.field };
                self.text_after.get_or_insert(stray);
            }
            State::InField
        };
    }

    /// The line on which the record at hand, or the last one, begins; from 1.
    pub(super) fn record_line(&self) -> u64 {
        self.record_line
    }

    /// The quote that is open now.
    pub(super) fn open(&self) -> Option<Stray> {
        let stray = Stray { opened: self.opened, line: self.line, field: self.field };
        (self.state == State::InQuotes).then_some(stray)
    }

    /// The first closing quote of this record that text follows.
    pub(super) fn text_after(&self) -> Option<Stray> {
        self.text_after
    }
}
