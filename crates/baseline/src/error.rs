//! Why there is no baseline.

/// Why there is no baseline. Reads after "failed to ".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing to learn from.
    #[error("fit the baseline: expected at least one text and one class, found {texts} texts and {classes} classes")]
    Empty {
        /// Number of texts.
        texts: usize,
        /// Number of classes.
        classes: usize,
    },
    /// Not one label for each text.
    #[error("fit the baseline: expected a label for each of {texts} texts, found {labels}")]
    LabelCount {
        /// Number of texts.
        texts: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label has no class.
    #[error("fit the baseline: row {row} has label {label}, expected one below {classes}")]
    LabelOutOfRange {
        /// Row, from 1.
        row: usize,
        /// The label found.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A setting that no model can be fitted with.
    #[error("fit the baseline: expected a C above 0, found {c}")]
    BadC {
        /// The setting found.
        c: f64,
    },
    /// More than memory should hold for a number to compare with.
    #[error(
        "fit the baseline: {features} features of {classes} classes are more than the {most} weights that it may have"
    )]
    TooLarge {
        /// Number of features.
        features: usize,
        /// Number of classes.
        classes: usize,
        /// Most weights that it may have.
        most: usize,
    },
}
