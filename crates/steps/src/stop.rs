//! The wish to stop, which comes from outside and is heard by all that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often the user asked to stop. Clones hear the same.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicUsize>);

impl Stop {
    /// Asks once more.
    pub fn ask(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Whether it was asked at all.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked() > 0
    }
}
