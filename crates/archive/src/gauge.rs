//! How much comes out of an archive, and how much may.

use std::cell::Cell;
use std::io::{self, Read};

/// What an archive may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders in it.
    pub entries: usize,
    /// How many times its own size it may become. Weights shrink by a tenth and a vocabulary to a fifth; a hundredth is
    /// no model.
    pub ratio: u64,
    /// What any archive may become, however small it is: weights of a model that was never trained are all alike.
    pub always: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 2_000, ratio: 100, always: 64 << 20 }
    }
}

impl Limits {
    /// The bytes that an archive of `packed` bytes may become.
    pub(crate) fn unpacked(&self, packed: u64) -> u64 {
        packed.saturating_mul(self.ratio).max(self.always)
    }
}

/// What was read so far. It is looked at while the reader is lent out.
#[derive(Debug)]
pub(crate) struct Gauge {
    limit: u64,
    read: Cell<u64>,
    ended: Cell<bool>,
    exceeded: Cell<bool>,
}

impl Gauge {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, read: Cell::new(0), ended: Cell::new(false), exceeded: Cell::new(false) }
    }

    /// What may still come.
    pub(crate) fn left(&self) -> u64 {
        self.limit - self.read.get()
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether the reader has said that nothing more comes.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether more would have come than may.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded.get()
    }
}

/// A reader that stops at the limit of its gauge.
pub(crate) struct Gauged<'a, R> {
    pub(crate) inner: R,
    pub(crate) gauge: &'a Gauge,
}

impl<R: Read> Read for Gauged<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.gauge.ended.set(true);
        }
        if read as u64 > self.gauge.left() {
            self.gauge.exceeded.set(true);
            return Err(io::Error::other("more comes out of the archive than may"));
        }
        self.gauge.read.set(self.gauge.read.get() + read as u64);
        Ok(read)
    }
}
