//! What is not as it should be is told, and the rest is told as well.

use std::fs;
use std::path::Path;

use journal::FILE_NAME;
use proptest::prelude::*;
use runs::{compare, list, open, page};

use crate::desk::{put, stand, told};

#[test]
fn foreign_folders_and_broken_journals_hide_no_run() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "good", &told("good", 0, 0.9));
    fs::create_dir_all(folder.path().join("photos/2023/summer/deep/er")).unwrap();
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    put(folder.path(), ".hidden", &told("hidden", 0, 0.9));
    put(folder.path(), "empty", &[]);
    fs::create_dir_all(folder.path().join("folder").join(FILE_NAME)).unwrap();
    put(folder.path(), "headless", &told("headless", 0, 0.9)[1..]);
    let garbled = put(folder.path(), "garbled", &[]);
    fs::write(garbled.join(FILE_NAME), b"\xff\xfe{}\n[]\n{\"event\":\"run_begin\"}\n").unwrap();
    let torn = put(folder.path(), "torn", &told("torn", 1, 0.9)[..5]);
    let mut text = fs::read(torn.join(FILE_NAME)).unwrap();
    text.extend(b"garbage\n{\"sequence\":6,\"att");
    fs::write(torn.join(FILE_NAME), text).unwrap();

    let listing = list(folder.path()).unwrap();
    assert_eq!(stand(&listing), [("torn", "died"), ("good", "finished")]);
    assert_eq!(listing.runs[0].summary.unreadable, 1);
    let problems: Vec<_> =
        listing.problems.iter().map(|problem| (name(&problem.folder), problem.what.as_str())).collect();
    assert_eq!(
        problems.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["empty", "folder", "garbled", "headless"]
    );
    assert!(problems[0].1.contains("nothing was said yet") && problems[1].1.contains("no file"), "{problems:?}");
    assert!(problems[2].1.contains("3 lines of it cannot be read"), "{problems:?}");
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_links_to_nothing_are_no_runs() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let good = put(folder.path(), "good", &told("good", 0, 0.9));
    symlink(folder.path(), folder.path().join("circle")).unwrap();
    symlink(&good, folder.path().join("latest")).unwrap();
    fs::create_dir(folder.path().join("dangling")).unwrap();
    symlink("/no/such/file", folder.path().join("dangling").join(FILE_NAME)).unwrap();
    let listing = list(folder.path()).unwrap();
    assert_eq!(stand(&listing), [("good", "finished")]);
    assert_eq!(listing.problems.len(), 1, "{:?}", listing.problems);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_listed_and_shown() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"run-\xff"));
    fs::create_dir(&odd).unwrap();
    put(&odd, "", &told("odd", 0, 0.9));
    let listing = list(folder.path()).unwrap();
    assert_eq!(stand(&listing), [("odd", "finished")]);
    assert!(serde_json::to_string(&listing).unwrap().contains("run-\u{fffd}"));
}

#[test]
fn what_is_no_run_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let error = open("absent", folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("find the run absent: neither absent nor "), "{error}");
    put(folder.path(), "headless", &told("headless", 0, 0.9)[1..]);
    let error = open("headless", folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("read the run in ") && error.contains("does not say what the run is"), "{error}");
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Lines of a journal of which some were changed by one byte, and some are anything.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let whole: Vec<String> = told("run", 0, 0.9).iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    let line = (prop::sample::select(whole), any::<prop::sample::Index>(), any::<u8>(), 0..4).prop_map(
        |(line, at, byte, kind)| {
            let mut line = line.into_bytes();
            let at = at.index(line.len());
            match kind {
                0 => line[at] = byte,
                1 => line.truncate(at),
                _ => {}
            }
            line.push(b'\n');
            line
        },
    );
    prop::collection::vec(prop_oneof![4 => line, 1 => prop::collection::vec(any::<u8>(), 0..60)], 0..20)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn nothing_in_a_folder_makes_us_panic(
        journal in lines(),
        predictions in "(row,label,predicted(,p:a)?\n)?[ab,\"\n0-9]{0,60}",
        results in prop_oneof![Just("{\"test_f1\": 0.5, \"x\": null}".to_owned()), ".{0,30}"],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let run = put(folder.path(), "run", &[]);
        fs::write(run.join(FILE_NAME), journal).unwrap();
        put(folder.path(), "good", &told("good", 0, 0.9));
        for name in ["run", "good"] {
            fs::write(folder.path().join(name).join("test_predictions.csv"), &predictions).unwrap();
            fs::write(folder.path().join(name).join("all_results.json"), &results).unwrap();
        }
        let listing = list(folder.path()).unwrap();
        prop_assert_eq!(listing.runs.len() + listing.problems.len(), 2);
        let opened: Vec<_> = ["good", "run"].into_iter().filter_map(|name| open(name, folder.path()).ok()).collect();
        prop_assert!(!opened.is_empty());
        let comparison = compare(&opened, |_| None);
        let text = page(&opened, &comparison);
        prop_assert!(text.ends_with("</html>\n") && !text.contains("NaN"));
        serde_json::to_string(&comparison).unwrap();
    }
}
