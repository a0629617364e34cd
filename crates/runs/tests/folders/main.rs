//! Folders of runs: whole ones, foreign ones, and those that something happened to.

mod desk;
mod hostile;
mod list;
mod side_by_side;
