//! What is written is read back, and no file, however hostile, does more than give an error.

mod folders;
mod hostile;
mod pickles;
mod round_trip;
mod writing;

use std::{fs, path::Path};

/// A file of the format from a header as text and the data after it.
fn raw_file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// The names of everything in a folder, sorted.
fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
