//! From a request to a data set: files are read, columns chosen, labels learnt, rows split and checked.
//!
//! Everything that can be wrong with the data is found here, before any training. Read on in [`load_dataset`], in
//! [`crate::read`] for files and in [`crate::split`] for how rows are dealt out.

mod notice;
mod table;

use std::{
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Columns, Error, Labels, Place, ReadOptions, Result, Size, SplitSizes,
    read::{self, Records},
    split::{self, sample},
};
use table::Table;

pub use notice::Notice;

/// Where rows come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file, packed or not.
    File(PathBuf),
    /// A file that is in the program.
    Memory {
        /// Its name, which tells its format.
        name: String,
        /// Its content.
        bytes: Arc<[u8]>,
    },
}

impl Source {
    /// Its name in messages.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Memory { name, .. } => name.clone(),
        }
    }

    /// Begins to read it.
    ///
    /// # Errors
    /// As [`read::open`].
    pub fn open(&self, options: &ReadOptions) -> Result<Records> {
        match self {
            Self::File(path) => read::open(path, options),
            Self::Memory { name, bytes } => read::read_from(name, Cursor::new(Arc::clone(bytes)), options),
        }
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

/// The files of a data set.
#[derive(Debug, Clone)]
pub enum Files {
    /// One file that is split by sizes.
    One(Source),
    /// One file per split. Without a validation file, validation rows are taken from the training file when
    /// `validation_size` asks for them.
    PerSplit {
        /// Rows to learn from.
        train: Source,
        /// Rows to choose the best model by.
        validation: Option<Source>,
        /// Rows to report on.
        test: Option<Source>,
    },
}

/// What to load and how.
#[derive(Debug, Clone)]
pub struct DatasetRequest {
    /// The files.
    pub files: Files,
    /// How they are written.
    pub read: ReadOptions,
    /// The text column's name; `None`: found by itself.
    pub text_column: Option<String>,
    /// The label column's name; `None`: found by itself.
    pub label_column: Option<String>,
    /// Names for integer labels, or the order of string labels.
    pub label_names: Option<Vec<String>>,
    /// How one file is split; of several files, only how validation is taken from train.
    pub sizes: SplitSizes,
    /// A sample of the training rows.
    pub max_train_samples: Option<usize>,
    /// A sample of the validation rows.
    pub max_validation_samples: Option<usize>,
    /// A sample of the test rows.
    pub max_test_samples: Option<usize>,
}

impl DatasetRequest {
    /// A request with every setting at its default.
    pub fn new(files: Files) -> Self {
        Self {
            files,
            read: ReadOptions::default(),
            text_column: None,
            label_column: None,
            label_names: None,
            sizes: SplitSizes::default(),
            max_train_samples: None,
            max_validation_samples: None,
            max_test_samples: None,
        }
    }
}

/// Rows that are used for one purpose. All lists are of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The file they came from.
    pub source: String,
    /// The texts, empty ones included.
    pub texts: Vec<String>,
    /// Class ids.
    pub labels: Vec<u32>,
    /// Row numbers in the file, from 1.
    pub rows: Vec<u64>,
    /// What an example is called wherever randomness or reports speak of it: the file's number and the row, so it depends
    /// neither on the order of training nor on how rows are packed.
    pub example_ids: Vec<u64>,
}

impl Split {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// How many rows each of `classes` classes has.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        self.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }

    /// How many texts have nothing but blanks.
    pub fn empty_texts(&self) -> usize {
        self.texts.iter().filter(|text| text.trim().is_empty()).count()
    }

    /// Moves the rows at these positions out; what stays behind has lost their texts.
    fn take(&mut self, positions: &[usize]) -> Self {
        Self {
            source: self.source.clone(),
            texts: positions.iter().map(|&at| std::mem::take(&mut self.texts[at])).collect(),
            labels: positions.iter().map(|&at| self.labels[at]).collect(),
            rows: positions.iter().map(|&at| self.rows[at]).collect(),
            example_ids: positions.iter().map(|&at| self.example_ids[at]).collect(),
        }
    }
}

/// A data set that is ready to be tokenised.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The classes.
    pub labels: Labels,
    /// The columns chosen, and why.
    pub columns: Columns,
    /// Rows to learn from.
    pub train: Split,
    /// Rows to choose the best model by.
    pub validation: Option<Split>,
    /// Rows to report on.
    pub test: Option<Split>,
    /// What the user should be told.
    pub notices: Vec<Notice>,
}

/// Loads what `request` asks for.
///
/// # Errors
/// When a file cannot be read, a column or label is unclear, missing or unknown, or the sizes do not fit.
pub fn load_dataset(request: &DatasetRequest) -> Result<Dataset> {
    let (source, validation, test) = match &request.files {
        Files::One(source) => (source, None, None),
        Files::PerSplit { train, validation, test } => (train, validation.as_ref(), test.as_ref()),
    };
    let choose = |file: &str, columns: &[String]| {
        Columns::choose(file, columns, request.text_column.as_deref(), request.label_column.as_deref())
    };
    let mut table = Table::read(source, &request.read, choose)?;
    let (labels, ids) = Labels::learn(&table.file, &table.found(), request.label_names.as_deref())?;

    let mut whole = table.rows(ids, 0);
    let sizes = sizes_for(request, validation.is_some());
    let assignment = split::split(&table.file, &whole.texts, &whole.labels, labels.len(), &sizes)?;
    let mut part = |rows: &[usize]| (!rows.is_empty()).then(|| whole.take(rows));
    let mut validation_split = part(&assignment.validation);
    let mut test_split = part(&assignment.test);
    let train = whole.take(&assignment.train);

    let other = |source: &Source, number: u64| -> Result<Split> {
        let again = |file: &str, columns: &[String]| table.columns.again(file, columns);
        let mut other = Table::read(source, &request.read, again)?;
        // Only names that were given say what an integer means; an order that was learnt does not.
        let found = other.found();
        let ids = match request.label_names {
            Some(_) => labels.by_name_or_id(&other.file, &found, "--label-names has")?,
            None => labels.by_name(&other.file, &found, "the training rows have")?,
        };
        Ok(other.rows(ids, number))
    };
    if let Some(source) = validation {
        validation_split = Some(other(source, 1)?);
    }
    if let Some(source) = test {
        test_split = Some(other(source, 2)?);
    }

    let mut dataset = Dataset {
        labels,
        columns: table.columns,
        train,
        validation: validation_split,
        test: test_split,
        notices: assignment.notices,
    };
    dataset.take_samples(request)?;
    dataset.check_classes()?;
    Ok(dataset)
}

/// Loads one labelled file against known labels, to evaluate a model: labels may be names or ids; a notice says so where
/// they are ids, since another order would turn every score around.
///
/// # Errors
/// When the file cannot be read, a column is unclear, or a label is missing or unknown.
pub fn load_labelled(
    source: &Source,
    options: &ReadOptions,
    text_column: Option<&str>,
    label_column: Option<&str>,
    labels: &Labels,
) -> Result<(Columns, Split, Option<Notice>)> {
    let choose = |file: &str, columns: &[String]| Columns::choose(file, columns, text_column, label_column);
    let mut table = Table::read(source, options, choose)?;
    let ids = labels.by_name_or_id(&table.file, &table.found(), "the model knows")?;
    let by_id = table.found().iter().all(|found| labels.id(found.label).is_none());
    let notice = by_id.then(|| Notice::LabelsAreIds { names: labels.names().to_vec() });
    let split = table.rows(ids, 0);
    Ok((table.columns, split, notice))
}

/// With a file per split, the sizes say only how validation is taken from train.
fn sizes_for(request: &DatasetRequest, has_validation: bool) -> SplitSizes {
    let mut sizes = request.sizes.clone();
    if matches!(request.files, Files::PerSplit { .. }) {
        sizes.train_size = None;
        sizes.test_size = Size::Count(0);
        if has_validation {
            sizes.validation_size = Size::Count(0);
        }
    }
    sizes
}

impl Dataset {
    fn take_samples(&mut self, request: &DatasetRequest) -> Result<()> {
        let classes = self.labels.len();
        let splits = [
            ("train", Some(&mut self.train), request.max_train_samples),
            ("validation", self.validation.as_mut(), request.max_validation_samples),
            ("test", self.test.as_mut(), request.max_test_samples),
        ];
        for (stream, (name, split, limit)) in splits.into_iter().enumerate() {
            let (Some(split), Some(limit)) = (split, limit) else { continue };
            if limit > split.len() {
                let rows = split.len();
                self.notices.push(Notice::SampleOfAll { split: name, asked: limit, rows });
            }
            let rows = sample(&split.labels, classes, limit, request.sizes.seed, stream as u64 + 1);
            *split = split.take(&rows);
        }
        self.validation.take_if(|split| split.is_empty());
        self.test.take_if(|split| split.is_empty());
        match self.train.is_empty() {
            true => Err(Error::Split {
                file: self.train.source.clone(),
                rows: 0,
                reason: "a sample of 0 rows leaves none to train on".to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// A class that only validation or test has could never be predicted.
    fn check_classes(&self) -> Result<()> {
        let trained = self.train.class_counts(self.labels.len());
        for split in [&self.validation, &self.test].into_iter().flatten() {
            let Some(at) = split.labels.iter().position(|&label| trained[label as usize] == 0) else { continue };
            let name = |id: u32| self.labels.name(id).unwrap_or_default().to_owned();
            let known: Vec<String> =
                (0..self.labels.len() as u32).filter(|&id| trained[id as usize] > 0).map(name).collect();
            return Err(Error::UnknownLabel {
                place: Place { file: split.source.clone(), row: split.rows[at], line: None },
                label: name(split.labels[at]),
                known_from: "the training rows have",
                known: crate::error::list(&known),
            });
        }
        if let [only] = (0..trained.len()).filter(|&id| trained[id] > 0).collect::<Vec<_>>()[..] {
            let label = self.labels.names()[only].clone();
            return Err(Error::OneClass { file: self.train.source.clone(), label });
        }
        Ok(())
    }
}
