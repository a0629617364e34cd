//! The client against the stand-in: what it fetches, where it puts it, and what it makes of trouble.

mod access;
mod addresses;
mod cached;
mod faults;
mod fetching;
mod scene;
mod together;
