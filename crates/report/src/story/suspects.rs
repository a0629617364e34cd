//! Labels that somebody should look at again: `suspect_labels.csv`, as `train` writes it.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use serde::Deserialize;

use crate::visible::excerpt;

/// How many are kept: the page is no place to go through all of them.
const KEPT: usize = 24;

/// Characters of a text that are kept.
const EXCERPT: usize = 500;

/// The list of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suspects {
    /// Rows in the file.
    pub listed: u64,
    /// The first of them, the most suspect one before all others.
    pub first: Vec<Suspect>,
}

/// A row whose label may be wrong.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Suspect {
    /// Its split.
    pub split: String,
    /// Its number in its file.
    pub row: u64,
    /// The name of the class that it was given.
    pub label: String,
    /// The name of the class that stands most against it.
    pub suggested: String,
    /// From 0 to 1: how much speaks against the label.
    pub score: f64,
    /// What does, in words.
    pub reason: String,
    /// The beginning of its text.
    pub text: String,
}

/// Reads the list if it is there; the error is a fragment that says what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Option<Suspects>, String> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
        Ok(file) => parse(BufReader::new(file)).map(Some),
    }
}

fn parse(source: impl io::Read) -> Result<Suspects, String> {
    let mut suspects = Suspects::default();
    for suspect in csv::Reader::from_reader(source).deserialize() {
        let mut suspect: Suspect = suspect.map_err(|error| error.to_string())?;
        if !(0.0..=1.0).contains(&suspect.score) {
            return Err(format!("{} is no score", suspect.score));
        }
        suspects.listed += 1;
        if suspects.first.len() < KEPT {
            suspect.text = excerpt(&suspect.text, EXCERPT);
            suspects.first.push(suspect);
        }
    }
    Ok(suspects)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "rank,split,row,label,suggested,score,reason,text\n";

    #[test]
    fn the_first_are_kept_and_all_are_counted() {
        let rows: String =
            (1..=100).map(|row| format!("{row},train,{row},ham,spam,0.75,why not,\"a\n text\"\n")).collect();
        let found = parse(format!("{HEAD}{rows}").as_bytes()).unwrap();
        assert_eq!((found.listed, found.first.len()), (100, KEPT));
        let second = &found.first[1];
        assert_eq!((second.split.as_str(), second.row, second.score), ("train", 2, 0.75));
        assert_eq!((second.label.as_str(), second.suggested.as_str()), ("ham", "spam"));
        assert_eq!((second.reason.as_str(), second.text.as_str()), ("why not", "a text"));
        assert_eq!(parse(HEAD.as_bytes()).unwrap(), Suspects::default());
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let with = |score: &str| format!("{HEAD}1,train,1,a,b,{score},r,t\n");
        for text in [with("NaN"), with("1.5"), with("high"), format!("{HEAD}1,train\n"), "a,b\n1,2\n".to_owned()] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
