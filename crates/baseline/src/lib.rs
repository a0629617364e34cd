//! What a network has to beat for its score to mean something: a linear model of words and pairs of words, trained in
//! seconds on the same rows.
//!
//! TF-IDF of 1-2-grams and softmax regression with an L2 penalty, as scikit-learn's `TfidfVectorizer` and
//! `LogisticRegression` do it (1.9), with the penalty chosen by cross-validation on the training rows. The same texts
//! give the same bits with any number of threads.
//!
//! Legend: N rows, C classes, F features. Read next: [`fit`] in `model.rs`; `words.rs` and `features.rs` for what a text
//! becomes; `solver.rs` for why the solver never sees a vector as long as the vocabulary.

mod choice;
mod error;
mod features;
mod matrix;
mod model;
mod softmax;
mod solver;
mod words;

pub use error::Error;
pub use model::{Model, Settings, fit};
