//! Files in the run's folder.

use std::fs;

use report::{CARD, PAGE, write};

use crate::made_up::{MadeUp, names};

#[test]
fn both_are_written_and_written_again() {
    let run = MadeUp::whole(2, 100);
    let first = write(run.path(), &run.story()).unwrap();
    assert_eq!(
        (first.page.file_name().unwrap(), first.card.unwrap().file_name().unwrap()),
        (PAGE.as_ref(), CARD.as_ref())
    );
    let before = fs::read_to_string(run.path().join(CARD)).unwrap();
    run.put("all_results.json", "{}");
    assert!(write(run.path(), &run.story()).unwrap().card.is_some());
    assert_ne!(fs::read_to_string(run.path().join(CARD)).unwrap(), before);
    let left = fs::read_dir(run.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".tmp"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_readme_of_somebody_else_stays() {
    let run = MadeUp::new(&names(2));
    run.train();
    run.put(CARD, "my own words");
    let written = write(run.path(), &run.story()).unwrap();
    assert_eq!(written.card, None);
    assert_eq!(fs::read_to_string(run.path().join(CARD)).unwrap(), "my own words");
    assert!(written.page.exists());
}

#[test]
fn a_folder_that_refuses_is_named() {
    let run = MadeUp::new(&names(2));
    run.train();
    let story = run.story();
    let error = write(&run.path().join("not there"), &story).unwrap_err();
    assert!(error.to_string().contains("report.html"), "{error}");
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let run = MadeUp::whole(5, 300);
    assert_eq!(report::html(&run.story()), report::html(&run.story()));
}
