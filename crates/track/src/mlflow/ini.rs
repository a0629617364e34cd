//! Files of sections with keys, as `~/.databrickscfg` and `~/.mlflow/credentials` are.

use std::collections::BTreeMap;

/// The keys of one section, or nothing where there is no such section. Names of keys are compared in lower case.
pub(super) fn section(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = title.trim() == name;
            if inside {
                found.get_or_insert_default();
            }
        } else if inside && let (Some(section), Some((key, value))) = (&mut found, line.split_once('=')) {
            section.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let text = "[DEFAULT]\nhost = https://a\n; a remark\n[work]\n# another\nHOST=https://b=c\n token : no\n\n[x]\nhost = z";
        assert_eq!(section(text, "DEFAULT").unwrap()["host"], "https://a");
        let work = section(text, "work").unwrap();
        assert_eq!((work.len(), work["host"].as_str()), (1, "https://b=c"));
        assert_eq!(section(text, "elsewhere"), None);
    }
}
