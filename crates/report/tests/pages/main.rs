//! The page and the card of runs of every kind: whole, cut off, hostile.

mod added;
mod hostile;
mod html_check;
mod kinds;
mod made_up;
mod written;
