//! Model folders: started, saved, loaded and asked.

mod asking;
mod calibration;
mod ground;
mod loading;
mod scratch;
