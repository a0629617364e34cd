//! Model folders: started, saved, loaded and asked.

mod asking;
mod ground;
mod loading;
mod scratch;
