//! What the columns are called that predicting adds.

/// An input whose columns leave no name for one that is added.
#[derive(Debug, thiserror::Error)]
#[error(
    "add the column {wanted:?} to {source_name}: it has that one and {instead:?} already, as if it had been predicted \
     before; rename one of them"
)]
pub(crate) struct NamesTaken {
    source_name: String,
    wanted: &'static str,
    instead: String,
}

/// The names of the added columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    /// The label that is given: the most probable one, or that of the thresholds.
    pub(crate) label: String,
    /// Its probability.
    pub(crate) score: String,
    /// The probabilities of all labels, by label.
    pub(crate) scores: String,
}

impl Added {
    /// Names that are free beside `columns` of the input called `source_name`: `label`, or `predicted_label` where the
    /// input has a `label`.
    ///
    /// # Errors
    /// When both are taken.
    pub(crate) fn beside(columns: &[String], source_name: &str) -> Result<Self, NamesTaken> {
        let taken = |name: &str| columns.iter().any(|column| column == name);
        let free = |wanted: &'static str| {
            let instead = format!("predicted_{wanted}");
            match (taken(wanted), taken(&instead)) {
                (false, _) => Ok(wanted.to_owned()),
                (true, false) => Ok(instead),
                (true, true) => Err(NamesTaken { source_name: source_name.to_owned(), wanted, instead }),
            }
        };
        Ok(Self { label: free("label")?, score: free("score")?, scores: free("scores")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(columns: &[&str]) -> Result<Added, NamesTaken> {
        Added::beside(&columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), "a.csv")
    }

    #[test]
    fn a_name_that_is_taken_gets_a_prefix() {
        let names = |label: &str, score: &str, scores: &str| Added {
            label: label.to_owned(),
            score: score.to_owned(),
            scores: scores.to_owned(),
        };
        assert_eq!(beside(&["text"]).unwrap(), names("label", "score", "scores"));
        assert_eq!(beside(&["text", "label"]).unwrap(), names("predicted_label", "score", "scores"));
        assert_eq!(
            beside(&["text", "scores", "score"]).unwrap(),
            names("label", "predicted_score", "predicted_scores")
        );
        let error = beside(&["label", "predicted_label"]).unwrap_err().to_string();
        assert!(error.contains("a.csv") && error.contains("predicted_label"), "{error}");
    }
}
