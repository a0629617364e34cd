//! Names: which may be given, and which was meant.

/// The name among `known` that is nearest to what was said, if one is near.
#[must_use]
pub fn nearest<'a>(said: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let said = said.replace('-', "_");
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&said, &name.replace('-', "_")), name))
        .max_by(|(near, _), (nearer, _)| near.total_cmp(nearer))
        .filter(|(nearness, _)| *nearness > 0.75)
        .map(|(_, name)| name)
}

/// The end of an error about a name: a question, or all that there is.
pub(crate) fn hint<'a>(said: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(name) = nearest(said, known.iter().copied()) {
        return format!("; did you mean {name:?}?");
    }
    if known.is_empty() { "; there is none".to_owned() } else { format!("; there is {}", known.join(", ")) }
}

/// Whether it can name a step or a parameter: it becomes part of messages, flags and names of Python functions, so it is
/// plain.
pub(crate) fn is_plain(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
}

/// Whether it can name a variable of the environment.
pub(crate) fn is_variable(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_asked_for_and_a_far_one_is_not() {
        let known = ["train", "evaluate", "fetch-data"];
        assert_eq!(hint("trian", known), "; did you mean \"train\"?");
        assert_eq!(hint("fetch_dat", known), "; did you mean \"fetch-data\"?");
        assert_eq!(hint("quux", known), "; there is train, evaluate, fetch-data");
        assert_eq!(hint("quux", []), "; there is none");
    }

    #[test]
    fn names_lead_nowhere() {
        for name in ["", "..", "a/b", "1a", "-a", "a b", "a.b", "ä", &"a".repeat(65)] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("train-2_b"));
        assert!(is_variable("_HF_TOKEN2") && !is_variable("A=B") && !is_variable("") && !is_variable("A-B"));
    }
}
