//! The commit that a folder is at, read from the files of its Git repository.
//!
//! Only where it is certain: whatever this does not know (a link that leads nowhere, references kept in another form)
//! gives no commit, and a run is as good without one. Whether files differ from the commit is not looked at.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No file that is read here is longer, but for lists of references.
const SMALL: u64 = 4 << 10;

/// A list of references in a large repository.
const LARGE: u64 = 16 << 20;

/// The commit that the repository around `folder` has checked out, in hexadecimal.
pub(super) fn commit(folder: &Path) -> Option<String> {
    // The nearest one: what lies around a broken repository is another.
    let git = folder.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let git = git_folder(&git)?;
    let head = read(&git.join("HEAD"), SMALL)?;
    match head.trim_end().strip_prefix("ref: ") {
        Some(name) => reference(&git, name),
        None => id(head.trim_end()),
    }
}

/// `.git` itself, or where it leads: a worktree or a submodule has a file there.
fn git_folder(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.to_owned());
    }
    let text = read(git, SMALL)?;
    let to = text.trim_end().strip_prefix("gitdir: ")?;
    // Relative to where the file is.
    Some(git.parent()?.join(to)).filter(|folder| folder.is_dir())
}

/// The commit of a branch: a file of its own, or a line of the packed references.
fn reference(git: &Path, name: &str) -> Option<String> {
    let plain = name.starts_with("refs/") && !name.split('/').any(|part| part == ".." || part.is_empty());
    if !plain {
        return None;
    }
    // A worktree shares its branches with the repository that it belongs to.
    let shared = match read(&git.join("commondir"), SMALL) {
        Some(to) => git.join(to.trim_end()),
        None => git.to_owned(),
    };
    if let Some(text) = read(&shared.join(name), SMALL) {
        return id(text.trim_end());
    }
    let packed = read(&shared.join("packed-refs"), LARGE)?;
    packed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, of)| *of == name)
        .and_then(|(commit, _)| id(commit))
}

/// SHA-1 or SHA-256.
fn id(text: &str) -> Option<String> {
    let is_id = [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_owned())
}

/// A file of text, if it is there and no longer than it may be.
fn read(path: &Path, most: u64) -> Option<String> {
    let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()))?;
    let mut text = String::new();
    let length = file.take(most + 1).read_to_string(&mut text).ok()?;
    (length as u64 <= most).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef01234567";
    const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_branch_is_a_file_or_a_packed_line() {
        let packed = format!("# pack-refs with: peeled fully-peeled sorted\n{OTHER} refs/heads/main\n^{ONE}\n");
        let files = [(".git/HEAD", "ref: refs/heads/main\n"), (".git/packed-refs", packed.as_str()), ("a/b/c", "")];
        let repository = folder(&files);
        assert_eq!(commit(&repository.path().join("a/b")).as_deref(), Some(OTHER), "from a folder within");
        fs::create_dir_all(repository.path().join(".git/refs/heads")).unwrap();
        fs::write(repository.path().join(".git/refs/heads/main"), format!("{ONE}\n")).unwrap();
        assert_eq!(commit(repository.path()).as_deref(), Some(ONE), "the file is newer");
    }

    #[test]
    fn a_head_without_a_branch_is_a_commit() {
        assert_eq!(commit(folder(&[(".git/HEAD", ONE)]).path()).as_deref(), Some(ONE));
        let long = format!("{}\n", "0a".repeat(32));
        assert_eq!(commit(folder(&[(".git/HEAD", &long)]).path()).as_deref(), Some(long.trim_end()));
    }

    #[test]
    fn a_worktree_shares_the_branches_of_its_repository() {
        let repository = folder(&[
            ("tree/.git", "gitdir: ../whole/.git/worktrees/tree\n"),
            ("whole/.git/HEAD", "ref: refs/heads/main\n"),
            ("whole/.git/refs/heads/main", OTHER),
            ("whole/.git/refs/heads/topic/one", ONE),
            ("whole/.git/worktrees/tree/HEAD", "ref: refs/heads/topic/one\n"),
            ("whole/.git/worktrees/tree/commondir", "../..\n"),
        ]);
        assert_eq!(commit(&repository.path().join("tree")).as_deref(), Some(ONE));
    }

    #[test]
    fn what_is_odd_gives_no_commit() {
        for files in [
            &[("x", "")][..],
            &[(".git/HEAD", "")],
            &[(".git/HEAD", "ref: refs/heads/unborn\n")],
            &[(".git/HEAD", "ref: refs/heads/.invalid\n"), (".git/packed-refs", "garbled")],
            &[(".git/HEAD", "ref: refs/../../secret\n"), ("secret", ONE)],
            &[(".git/HEAD", "ref: secret\n"), (".git/secret", ONE)],
            &[(".git/HEAD", "0123456789abcdef")],
            &[(".git", "gitdir: nowhere\n")],
            &[(".git/HEAD", &format!("{ONE}{}", " ".repeat(5000)))],
        ] {
            assert_eq!(commit(folder(files).path()), None, "{files:?}");
        }
    }
}
