//! What was predicted of each row: `test_predictions.csv`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use metrics::Predictions;

/// Before the name of a class, in the column of its probabilities.
const PROBABILITY: &str = "p:";

/// A table of predictions.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Names of the classes in the order of their ids.
    pub(super) labels: Vec<String>,
    pub(super) predictions: Predictions,
    /// Number of each row in its file.
    pub(super) rows: Vec<u64>,
    pub(super) texts: Vec<String>,
}

/// A row that is shown as an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// Its number in its file.
    pub row: u64,
    /// Its class by id.
    pub label: usize,
    /// The class that was predicted.
    pub predicted: usize,
    /// The probability of that class.
    pub confidence: f64,
    /// The probability of its own class.
    pub probability: f64,
    /// The beginning of its text.
    pub text: String,
    /// Whether it was seen before, in training or validation.
    pub leaked: bool,
}

/// Reads a table if it is there; the error is a fragment that says what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Option<Table>, String> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| error.to_string())?,
    };
    parse(BufReader::new(file)).map(Some)
}

fn parse(source: impl io::Read) -> Result<Table, String> {
    let mut table = csv::Reader::from_reader(source);
    let head = table.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| head.iter().position(|column| column == name);
    let row_column = column("row").ok_or("it has no column \"row\"")?;
    let label_column = column("label").ok_or("it has no column \"label\"")?;
    // A class may be called anything, so only the columns between the known ones are asked.
    let text_column = head.len().checked_sub(1).filter(|&last| head.get(last) == Some("text"));
    let text_column = text_column.ok_or("its last column is not \"text\"")?;
    let first = head.iter().position(|column| column.starts_with(PROBABILITY)).unwrap_or(text_column);
    let labels: Vec<String> = head
        .iter()
        .take(text_column)
        .skip(first)
        .map(|column| column.strip_prefix(PROBABILITY).unwrap_or(column).to_owned())
        .collect();
    let ids: HashMap<&str, u32> = labels.iter().map(String::as_str).zip(0..).collect();

    let (mut rows, mut truth, mut probabilities, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut record = csv::StringRecord::new();
    while table.read_record(&mut record).map_err(|error| error.to_string())? {
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |what: &str| format!("line {line}: {what}");
        let cell = |at: usize| record.get(at).unwrap_or_default();
        rows.push(cell(row_column).parse().map_err(|_| wrong("its row is no number"))?);
        truth.push(*ids.get(cell(label_column)).ok_or_else(|| wrong("its label is none of the classes"))?);
        for at in first..text_column {
            probabilities.push(cell(at).parse::<f64>().map_err(|_| wrong("a probability is no number"))?);
        }
        texts.push(cell(text_column).to_owned());
    }
    let predictions = Predictions::from_probabilities(&truth, &probabilities, labels.len());
    let predictions = predictions.map_err(|error| error.to_string())?;
    Ok(Table { labels, predictions, rows, texts })
}

impl Table {
    /// The row at a position.
    pub(super) fn example(&self, at: usize, leaked: bool) -> Predicted {
        let classes = self.predictions.n_classes();
        let probabilities = &self.predictions.probabilities()[at * classes..(at + 1) * classes];
        let (label, predicted) = (self.predictions.labels()[at] as usize, self.predictions.predicted()[at] as usize);
        Predicted {
            row: self.rows[at],
            label,
            predicted,
            confidence: probabilities[predicted],
            probability: probabilities[label],
            text: self.texts[at].clone(),
            leaked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "row,label,predicted,p:a,\"p:b, \"\"c\"\"\",text\n";

    #[test]
    fn classes_are_as_the_columns_name_them() {
        let table = parse(format!("{HEAD}7,\"b, \"\"c\"\"\",a,0.75,0.25,\"x\ny\"\n").as_bytes()).unwrap();
        assert_eq!(table.labels, ["a", "b, \"c\""]);
        let example = table.example(0, true);
        assert_eq!((example.row, example.label, example.predicted), (7, 1, 0));
        assert_eq!((example.confidence, example.probability, example.text.as_str()), (0.75, 0.25, "x\ny"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let cases = [
            ("x,a,a,0.5,0.5,t", "line 2: its row is no number"),
            ("1,z,a,0.5,0.5,t", "line 2: its label is none of the classes"),
            ("1,a,a,0.5,half,t", "line 2: a probability is no number"),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(format!("{HEAD}{line}\n").as_bytes()).unwrap_err(), expected);
        }
        for (text, part) in [
            ("a,b\n1,2\n", "no column \"row\""),
            ("row,label,predicted\n", "last column"),
            ("row,label,predicted,text\n1,a,a,t\n", "none of the classes"),
            (HEAD, "row"),
            ("", "no column \"row\""),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        assert!(parse(format!("{HEAD}1,a,a,0.9,0.9,t\n").as_bytes()).is_err(), "no distribution");
        assert!(parse(format!("{HEAD}1,a,a,NaN,0.9,t\n").as_bytes()).is_err(), "not a number");
    }
}
