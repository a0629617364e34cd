//! Where the time of the operations goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What an operation's time is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Matrix products of linear layers, with what is fused into them, and the packing they need.
    Products,
    /// Attention, products and softmax.
    Attention,
    /// What goes row by row and waits for memory: normalisation, dropout, embeddings, sums of gradients.
    Rows,
    /// AdamW, the gradient's norm, and the packing of weights that follows.
    Optimizer,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Products, Self::Attention, Self::Rows, Self::Optimizer];
}

/// Time by kind since the backend was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// By the clock, while operations of this kind ran.
    pub wall: Duration,
    /// Of all threads together, at work.
    pub busy: Duration,
}

/// The counters of one backend.
#[derive(Debug, Default)]
pub(super) struct Profile {
    wall: [AtomicU64; Kind::ALL.len()],
    busy: [AtomicU64; Kind::ALL.len()],
}

impl Profile {
    pub(super) fn spent(&self, kind: Kind) -> Spent {
        let read = |counters: &[AtomicU64]| Duration::from_nanos(counters[kind as usize].load(Ordering::Relaxed));
        Spent { wall: read(&self.wall), busy: read(&self.busy) }
    }

    pub(super) fn add_wall(&self, kind: Kind, since: Instant) {
        add(&self.wall[kind as usize], since);
    }

    pub(super) fn add_busy(&self, kind: Kind, since: Instant) {
        add(&self.busy[kind as usize], since);
    }
}

fn add(counter: &AtomicU64, since: Instant) {
    let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
    counter.fetch_add(nanos, Ordering::Relaxed);
}
