//! Names that once stood without an owner, and where they stand now.
//!
//! The Hub answers to the old ones with a redirect; this table is for the cache, which has the folder of whichever name
//! was asked for first.

use crate::RepoKind;

const MODELS: [(&str, &str); 15] = [
    ("albert-base-v2", "albert/albert-base-v2"),
    ("bert-base-cased", "google-bert/bert-base-cased"),
    ("bert-base-multilingual-cased", "google-bert/bert-base-multilingual-cased"),
    ("bert-base-multilingual-uncased", "google-bert/bert-base-multilingual-uncased"),
    ("bert-base-uncased", "google-bert/bert-base-uncased"),
    ("bert-large-cased", "google-bert/bert-large-cased"),
    ("bert-large-uncased", "google-bert/bert-large-uncased"),
    ("distilbert-base-cased", "distilbert/distilbert-base-cased"),
    ("distilbert-base-multilingual-cased", "distilbert/distilbert-base-multilingual-cased"),
    ("distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
    ("distilroberta-base", "distilbert/distilroberta-base"),
    ("roberta-base", "FacebookAI/roberta-base"),
    ("roberta-large", "FacebookAI/roberta-large"),
    ("xlm-roberta-base", "FacebookAI/xlm-roberta-base"),
    ("xlm-roberta-large", "FacebookAI/xlm-roberta-large"),
];

const DATASETS: [(&str, &str); 11] = [
    ("ag_news", "fancyzhx/ag_news"),
    ("amazon_polarity", "fancyzhx/amazon_polarity"),
    ("banking77", "legacy-datasets/banking77"),
    ("dbpedia_14", "fancyzhx/dbpedia_14"),
    ("emotion", "dair-ai/emotion"),
    ("glue", "nyu-mll/glue"),
    ("imdb", "stanfordnlp/imdb"),
    ("rotten_tomatoes", "cornell-movie-review-data/rotten_tomatoes"),
    ("sms_spam", "ucirvine/sms_spam"),
    ("tweet_eval", "cardiffnlp/tweet_eval"),
    ("yelp_polarity", "fancyzhx/yelp_polarity"),
];

fn moved(kind: RepoKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        RepoKind::Model => &MODELS,
        RepoKind::Dataset => &DATASETS,
    }
}

/// The full name that the Hub knows a repo by, as far as this table has it.
#[must_use]
pub fn canonical(kind: RepoKind, name: &str) -> &str {
    moved(kind).iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// The name that a repo had before, if it had another one.
pub(crate) fn former(kind: RepoKind, name: &str) -> Option<&'static str> {
    moved(kind).iter().find(|(_, new)| *new == name).map(|(old, _)| *old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_names_lead_to_each_other() {
        assert_eq!(canonical(RepoKind::Model, "distilbert-base-uncased"), "distilbert/distilbert-base-uncased");
        assert_eq!(canonical(RepoKind::Dataset, "imdb"), "stanfordnlp/imdb");
        assert_eq!(canonical(RepoKind::Model, "imdb"), "imdb");
        assert_eq!(former(RepoKind::Dataset, "stanfordnlp/imdb"), Some("imdb"));
        assert_eq!(former(RepoKind::Model, "org/name"), None);
    }
}
