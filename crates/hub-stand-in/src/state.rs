//! What all connections share.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::Options;
use crate::access::Access;
use crate::fault::Fault;
use crate::repos::Repos;
use crate::upload::Uploads;

/// What was asked, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// As `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Whether the store of large files was asked, which stands on another origin.
    pub of_store: bool,
    /// Whether a token came along.
    pub with_token: bool,
    /// The header of that name.
    pub range: Option<String>,
    /// Of the answer; 0 where the connection was closed without one.
    pub status: u16,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    /// Addresses without a slash at their end.
    pub(crate) hub_url: String,
    pub(crate) store_url: String,
    pub(crate) closed: AtomicBool,
    repos: Mutex<Repos>,
    access: Mutex<Access>,
    faults: Mutex<Vec<Fault>>,
    log: Mutex<Vec<Asked>>,
    uploads: Mutex<Uploads>,
}

impl State {
    pub(crate) fn new(options: Options, hub_url: String, store_url: String) -> Self {
        Self {
            options,
            hub_url,
            store_url,
            closed: AtomicBool::new(false),
            repos: Mutex::new(Repos::new(options.large)),
            access: Mutex::default(),
            faults: Mutex::default(),
            log: Mutex::default(),
            uploads: Mutex::default(),
        }
    }

    pub(crate) fn repos(&self) -> MutexGuard<'_, Repos> {
        lock(&self.repos)
    }

    pub(crate) fn access(&self) -> MutexGuard<'_, Access> {
        lock(&self.access)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        lock(&self.faults)
    }

    pub(crate) fn uploads(&self) -> MutexGuard<'_, Uploads> {
        lock(&self.uploads)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<Asked>> {
        lock(&self.log)
    }
}

/// A connection that panicked has left a whole state behind: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
