//! `README.md`: the model card, in the form that the Hugging Face Hub reads (Mitchell et al. 2019, "Model cards for model
//! reporting").
//!
//! First the metadata, then the same for people. What is not known is left out: no licence and no language is made up.

mod markdown;
mod metadata;
mod on_hub;
mod sections;
mod yaml;

pub use on_hub::on_hub;

use crate::Story;
use crate::visible::visible;

/// By this we know a card that we wrote. Names and texts cannot hold it: their `<` is escaped.
pub(crate) const MARKER: &str = "<!-- made by tunesmith";

/// The model card of a run.
pub fn model_card(story: &Story) -> String {
    let parts = [
        metadata::block(story),
        sections::title(story),
        sections::intended_use(story),
        sections::training_data(story),
        sections::procedure(story),
        sections::results(story),
        sections::limits(story),
        sections::how_to_use(story),
        format!("{MARKER}; without this line it is yours, and is not written again -->\n"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    visible(&parts.join("\n"))
}

/// The base model as the Hub names it, where the run began from such a name.
fn base_model(story: &Story) -> Option<&str> {
    let model = &story.course.run.model;
    if let Some(name) = model.hub_name.as_deref().filter(|name| is_hub_name(name)) {
        return Some(name);
    }
    let source = model.source.as_str();
    (!story.began_from_folder && is_hub_name(source) && !source.starts_with("scratch:")).then_some(source)
}

/// The data sets that the Hub knows.
fn datasets(story: &Story) -> Vec<&str> {
    if let Some(origin) = &story.course.run.data.origin {
        return vec![origin.dataset.as_str()];
    }
    let files = story.course.run.data.files.iter();
    let names = files.filter(|file| file.digest.is_none() && file.path.contains('/') && is_hub_name(&file.path));
    names.map(|file| file.path.as_str()).collect()
}

/// `name` or `organisation/name`, as the Hub allows them.
fn is_hub_name(name: &str) -> bool {
    let part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        part.bytes().all(inner) && edge(part.as_bytes().first()) && edge(part.as_bytes().last()) && part.len() <= 96
    };
    name.split('/').count() <= 2 && name.split('/').all(part) && !name.contains("--") && !name.contains("..")
}

/// The last part of a path, or of a name on the Hub.
fn last_part(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hub_are_told_from_paths() {
        for name in ["bert-base-uncased", "distilbert/distilbert-base-uncased", "a/b_c.d"] {
            assert!(is_hub_name(name), "{name}");
        }
        for path in [
            "",
            "/home/me/model",
            "./model",
            "~/m",
            "a/b/c",
            "a//b",
            "a\\b",
            "scratch:small",
            "a b",
            "model/",
            "..",
            "a--b",
        ] {
            assert!(!is_hub_name(path), "{path}");
        }
    }
}
