//! A folder as one `tar.gz` and back.
//!
//! Owns: which bytes an archive of given files has (the same for the same files, always), and which archives are
//! unpacked. What comes from elsewhere is hostile until it was read to its end: [`unpack()`] writes nothing into its place
//! before. Knows nothing of what the files are.
//!
//! Read next: [`pack()`], [`unpack()`], and [`open`] for archives that are used as if they were folders.

mod error;
mod gauge;
mod members;
mod names;
mod pack;
mod store;
mod unpack;

pub use error::Error;
pub use gauge::Limits;
pub use pack::{Packed, pack};
pub use store::{is_archive, open, store_of_this_user};
pub use unpack::{Unpacked, unpack};
