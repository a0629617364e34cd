//! How many rows go to the model at a time: as many as it answers in about a second.
//!
//! So a large model shows its first answers soon and hears a request to stop, and a small one does not stop for breath
//! after every few rows.

use std::time::Duration;

/// Enough rows to fill a batch even where texts are long.
const LEAST: usize = 32;

/// Few enough rows to hold.
const MOST: usize = 2048;

/// The rate at which rows are answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    rows: usize,
}

impl Pace {
    /// Nothing is known yet.
    pub(crate) fn new() -> Self {
        Self { rows: LEAST }
    }

    /// How many rows to take next.
    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// So many rows took so long.
    pub(crate) fn took(&mut self, rows: usize, time: Duration) {
        let in_a_second = rows as f64 / time.as_secs_f64().max(1e-6);
        self.rows = (in_a_second as usize).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_follow_the_model() {
        let mut pace = Pace::new();
        pace.took(32, Duration::from_millis(320));
        assert_eq!(pace.rows(), 100);
        pace.took(100, Duration::from_secs(50));
        assert_eq!(pace.rows(), LEAST);
        pace.took(32, Duration::ZERO);
        assert_eq!(pace.rows(), MOST);
    }
}
