//! Archives from anywhere: what comes back is what went in, and traps leave no trace.

mod bench;
mod damage;
mod round;
mod store;
mod traps;
