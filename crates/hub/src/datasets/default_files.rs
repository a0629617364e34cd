//! Which files are which split where the card does not say: by names and folders, as `get_data_patterns` of
//! `datasets/data_files.py` has it.

use super::pattern::matches;

/// The splits that file names can tell, with the words that tell them.
const SPLIT_WORDS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];

/// What stands between words in a name.
const BETWEEN: &str = "[-._ 0-9]";

const SHARD: &str = "[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]";

/// Patterns for the files of each split: those of the first rule that finds anything.
pub(super) fn patterns(files: &[&str]) -> Vec<(String, Vec<String>)> {
    let found = |pattern: &String| matches(pattern, files).is_ok_and(|found| !found.is_empty());
    let sharded = sharded_splits(files);
    if !sharded.is_empty() {
        let pattern = |split: String| (split.clone(), vec![format!("data/{}-{SHARD}*.*", literal(&split))]);
        return sharded.into_iter().map(pattern).collect();
    }
    let rules: [fn(&str) -> Vec<String>; 2] = [in_folders, in_names];
    for rule in rules {
        let splits = SPLIT_WORDS.iter().map(|(split, words)| {
            let patterns: Vec<String> = words.iter().flat_map(|word| rule(word)).collect();
            ((*split).to_owned(), patterns)
        });
        let splits: Vec<(String, Vec<String>)> = splits.filter(|(_, patterns)| patterns.iter().any(found)).collect();
        if !splits.is_empty() {
            return splits;
        }
    }
    vec![("train".to_owned(), vec!["**".to_owned()])]
}

fn in_folders(word: &str) -> Vec<String> {
    let folder = [
        word.to_owned(),
        format!("{word}{BETWEEN}*"),
        format!("*{BETWEEN}{word}"),
        format!("*{BETWEEN}{word}{BETWEEN}*"),
    ];
    folder.into_iter().map(|folder| format!("**/{folder}/**")).collect()
}

fn in_names(word: &str) -> Vec<String> {
    vec![format!("**/{word}{BETWEEN}*"), format!("**/*{BETWEEN}{word}{BETWEEN}*")]
}

/// The splits of files like `data/train-00000-of-00001.parquet`, the usual ones first.
fn sharded_splits(files: &[&str]) -> Vec<String> {
    let found = matches(&format!("data/*-{SHARD}*.*"), files).unwrap_or_default();
    let mut splits: Vec<String> = found.iter().filter_map(|file| split_of_shard(file)).map(str::to_owned).collect();
    let usual = |split: &str| SPLIT_WORDS.iter().position(|(usual, _)| *usual == split).unwrap_or(SPLIT_WORDS.len());
    splits.sort_by(|a, b| (usual(a), a).cmp(&(usual(b), b)));
    splits.dedup();
    splits
}

/// `train` of `data/train-00000-of-00001.parquet`.
fn split_of_shard(file: &str) -> Option<&str> {
    let name = file.rsplit('/').next()?;
    let (before, _) = name.rsplit_once("-of-")?;
    before.rsplit_once('-').map(|(split, _)| split)
}

/// A name as a pattern that means itself.
fn literal(name: &str) -> String {
    glob::Pattern::escape(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splits(files: &[&str]) -> Vec<(String, Vec<String>)> {
        patterns(files)
            .into_iter()
            .map(|(split, patterns)| {
                let mut found: Vec<String> =
                    patterns.iter().flat_map(|pattern| matches(pattern, files).unwrap()).map(str::to_owned).collect();
                found.sort();
                found.dedup();
                (split, found)
            })
            .collect()
    }

    fn check(files: &[&str], expected: &[(&str, &[&str])]) {
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(split, files)| ((*split).to_owned(), files.iter().map(|file| (*file).to_owned()).collect()))
            .collect();
        assert_eq!(splits(files), expected, "{files:?}");
    }

    #[test]
    fn shards_in_data_tell_any_split() {
        check(
            &[
                "README.md",
                "data/test-00000-of-00001.parquet",
                "data/train-00000-of-00002.parquet",
                "data/train-00001-of-00002.parquet",
                "data/extra-00000-of-00001-ab12.parquet",
            ],
            &[
                ("train", &["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]),
                ("test", &["data/test-00000-of-00001.parquet"]),
                ("extra", &["data/extra-00000-of-00001-ab12.parquet"]),
            ],
        );
    }

    #[test]
    fn folders_come_before_names() {
        check(
            &["train/a.csv", "train/b.csv", "my-test/c.csv", "dev.csv"],
            &[("train", &["train/a.csv", "train/b.csv"]), ("test", &["my-test/c.csv"])],
        );
        check(
            &["sms_train.csv", "x/sms-dev.csv", "devices.csv"],
            &[("train", &["sms_train.csv"]), ("validation", &["x/sms-dev.csv"])],
        );
        check(
            &["train.csv", "valid.csv", "eval.csv"],
            &[("train", &["train.csv"]), ("validation", &["valid.csv"]), ("test", &["eval.csv"])],
        );
    }

    #[test]
    fn names_that_tell_nothing_are_train() {
        check(&["README.md", "b.csv", "a.csv"], &[("train", &["a.csv", "b.csv"])]);
    }
}
