//! The runs in a folder: found, listed, shown and compared.
//!
//! A run is a folder with a journal, and the journal says all that is told here; there is no database. The [`index`] in a
//! folder of runs only saves the time of reading journals that did not change, and can be removed at any moment. Folders
//! may be foreign, journals garbled, and both may vanish while they are looked at: that becomes a [`Problem`] beside the
//! others, never a failure of all.
//!
//! Read next: [`list()`] for how runs are found, [`Summary`] for what a line of a list knows, [`Run`] for one run as a
//! whole, [`compare`](crate::compare()) and [`page()`] for several.

mod chart;
mod compare;
mod error;
mod figures;
mod find;
pub mod index;
mod list;
mod page;
mod paired;
mod place;
mod run;
mod status;
mod summary;
mod time;

pub use compare::{Comparison, Pair, Row, compare};
pub use error::Error;
pub use figures::{Interval, greater_is_better, interval, number};
pub use list::{Listing, Problem, list};
pub use page::page;
pub use paired::{Paired, paired};
pub use run::{Evaluation, Run, open};
pub use status::Status;
pub use summary::{Best, Entry, Summary};
pub use time::date;
