//! Names of entries: which of them stay in their folder on every file system, and apart from each other.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

/// The longest name of an entry, and of one part of it, in bytes, and the most parts. The middle one is what file systems
/// take; the others keep what is remembered of an archive small.
const NAME: usize = 512;
const PART: usize = 255;
const PARTS: usize = 16;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
}

/// The parts of a name that leads from a folder into it; none for the folder itself (`./`).
///
/// # Errors
/// What is wrong with it, as the end of a sentence about an entry.
pub(crate) fn parts(name: &[u8]) -> Result<Vec<&str>, &'static str> {
    if name.len() > NAME {
        return Err("has too long a name");
    }
    let Ok(name) = str::from_utf8(name) else { return Err("has a name that is no UTF-8") };
    if name.is_empty() {
        return Err("has no name");
    }
    // So Python's `tarfile` calls the folder that it was told to add under no name.
    if name == "/" {
        return Ok(Vec::new());
    }
    if name.starts_with('/') {
        return Err("has an absolute name");
    }
    if name.contains(['\\', ':']) || name.chars().any(char::is_control) {
        return Err("has a name with a character that some systems take for something else");
    }
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err("leads out of the folder"),
            _ if part.len() > PART => return Err("has too long a name"),
            _ if parts.len() == PARTS => return Err("stands in too many folders"),
            _ => parts.push(part),
        }
    }
    Ok(parts)
}

/// The names of an archive so far, as a file system sees them that knows neither case nor accents' spelling.
#[derive(Debug, Default)]
pub(crate) struct Names {
    taken: HashMap<String, (String, Kind)>,
}

impl Names {
    /// Takes a name and those of the folders that it stands in.
    ///
    /// # Errors
    /// When another entry has it, as the end of a sentence about an entry.
    pub(crate) fn take(&mut self, parts: &[&str], kind: Kind) -> Result<(), String> {
        for end in 1..=parts.len() {
            let name = parts[..end].join("/");
            let kind = if end < parts.len() { Kind::Folder } else { kind };
            let folded: String = name.nfc().flat_map(char::to_lowercase).nfc().collect();
            match self.taken.get(&folded) {
                None => {
                    self.taken.insert(folded, (name, kind));
                }
                Some((earlier, of)) if *earlier == name && (*of, kind) == (Kind::Folder, Kind::Folder) => {}
                Some((earlier, _)) if *earlier == name => return Err("stands in it twice".to_owned()),
                Some((earlier, _)) => {
                    return Err(format!("is {earlier:?}, which is in it too, on systems that do not tell them apart"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_into_the_folder() {
        assert_eq!(parts(b"config.json"), Ok(vec!["config.json"]));
        assert_eq!(parts(b"./a//b/./c"), Ok(vec!["a", "b", "c"]));
        assert_eq!(parts(b"./"), Ok(vec![]));
        assert_eq!(parts(b"/"), Ok(vec![]));
        assert_eq!(parts("Köln/..a/b..".as_bytes()), Ok(vec!["Köln", "..a", "b.."]));
        let long = "x".repeat(256);
        let deep = "x/".repeat(17);
        for name in [
            "",
            "//",
            "/etc/passwd",
            "..",
            "a/../b",
            "a/..",
            "a\\..\\b",
            "C:x",
            "a\0b",
            "a\nb",
            long.as_str(),
            deep.as_str(),
        ] {
            assert!(parts(name.as_bytes()).is_err(), "{name:?}");
        }
        assert!(parts(b"\xff").is_err());
    }

    #[test]
    fn entries_stand_beside_each_other() {
        let mut names = Names::default();
        assert_eq!(names.take(&["a"], Kind::Folder), Ok(()));
        assert_eq!(names.take(&["a", "b"], Kind::File), Ok(()));
        assert_eq!(names.take(&["a", "c"], Kind::File), Ok(()));
        assert_eq!(names.take(&["a"], Kind::Folder), Ok(()), "a folder may be told again");
        for (parts, kind) in [
            (vec!["a", "b"], Kind::File),
            (vec!["a", "B"], Kind::File),
            (vec!["a"], Kind::File),
            (vec!["A", "x"], Kind::File),
            (vec!["a", "b", "c"], Kind::File),
        ] {
            assert!(names.take(&parts, kind).is_err(), "{parts:?}");
        }
        assert_eq!(names.take(&["caf\u{e9}"], Kind::File), Ok(()));
        assert!(names.take(&["CAFE\u{301}"], Kind::File).is_err());
    }
}
