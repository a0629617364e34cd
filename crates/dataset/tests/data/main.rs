//! Files as people have them, and files as nobody should have them, through the public functions.

mod cache;
mod hostile;
mod loading;
mod reading;
mod tokenizing;
mod tools;
