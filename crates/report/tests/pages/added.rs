//! What stands in files beside the predictions: doubtful labels, levels, other seeds, addresses, stretches of steps.

use std::fs;

use journal::{EndReason, Event};
use report::{Story, html};

use crate::html_check::check;
use crate::made_up::{MadeUp, RESULTS, SEEDS, begin, end, log, names};

fn page(run: &MadeUp) -> String {
    let story = run.story();
    assert!(story.unread.is_empty(), "{:?}", story.unread);
    let page = html(&story);
    check(&page).unwrap();
    page
}

#[test]
fn doubtful_labels_are_shown_with_what_speaks_against_them() {
    let run = MadeUp::whole(2, 100);
    let found = page(&run);
    for said in
        ["Doubtful labels", "the text of a doubtful row 1", "0.99", "never learnt", "lists 30 rows", "6 others are"]
    {
        assert!(found.contains(said), "{said}");
    }
    assert!(!found.contains("the text of a doubtful row 25"));
    run.suspect(0);
    assert!(!page(&run).contains("Doubtful labels"), "an empty list is none");
    run.put("suspect_labels.csv", "a,b\n1,2\n");
    assert!(html(&run.story()).contains("suspect_labels.csv could not be read"));
}

#[test]
fn levels_are_told_with_what_they_give() {
    let page = page(&MadeUp::whole(2, 100));
    assert!(page.contains(
        "For a precision of 99.0 it gives no answer where its best probability is below 0.925. Of 500 validation rows that \
         answers 75.0%, and 99.2% of those are right (at least 98.1, with 95% confidence). Of 400 test rows that answers \
         70.0%, and 98.0% of those are right."
    ));
    assert!(
        page.contains("Thresholds of the classes") && page.contains(">0.438<") && page.contains("no validation row")
    );
}

#[test]
fn a_precision_out_of_reach_is_said() {
    let run = MadeUp::whole(2, 100);
    run.put("calibration.json", r#"{"temperature": 1.0, "abstain": {"wanted_precision": 0.999, "level": null}}"#);
    let page = page(&run);
    assert!(page.contains("No probability gives a precision of 99.9") && !page.contains("Thresholds of the classes"));
}

#[test]
fn other_seeds_stand_beside_a_run_that_is_one_of_them() {
    let made = MadeUp::whole(2, 100);
    let above = tempfile::tempdir().unwrap();
    fs::write(above.path().join("seeds.json"), SEEDS).unwrap();
    let copy = |name: &str| {
        let folder = above.path().join(name);
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(made.path()).unwrap().flatten() {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        let story = Story::read(&folder).unwrap();
        let page = html(&story);
        check(&page).unwrap();
        (story, page)
    };
    let (story, page) = copy("seed-2");
    assert_eq!(story.seeds.as_ref().map(|seeds| (seeds.runs.len(), seeds.this)), Some((3, 1)));
    for said in
        ["under 3 seeds, of which this is seed 2", "± 5.0", "72.6 to 97.4", "<th class=\"strong\" scope=\"col\">Seed 2"]
    {
        assert!(page.contains(said), "{said}");
    }
    for other in ["seed-4", "another", "seed-x"] {
        assert_eq!(copy(other).0.seeds, None, "{other}");
    }
}

#[test]
fn the_address_at_a_tracker_can_be_followed() {
    let run = MadeUp::whole(2, 100);
    let with =
        RESULTS.replacen('{', r#"{"wandb_url": "https://wandb.test/a/b?c=1&d=2", "mlflow_url": "file:///x", "#, 1);
    run.put("all_results.json", &with);
    let page = page(&run);
    assert!(
        page.contains(r#"wandb: <a href="https://wandb.test/a/b?c=1&amp;d=2" rel="noreferrer">"#)
            && !page.contains("file:///x")
    );
}

#[test]
fn a_run_that_hardly_logs_has_a_curve() {
    let run = MadeUp::new(&names(2));
    let stretches = (2..=20).step_by(2).map(|step| {
        let Event::Log { epoch, loss, learning_rate, grad_norm, tokens_per_second, .. } = log(step) else {
            panic!("a log")
        };
        Event::Stretch { step, epoch, loss, learning_rate, grad_norm, tokens_per_second }
    });
    let said: Vec<Event> =
        [begin(0)].into_iter().chain(stretches).chain([log(20), end(EndReason::Completed, 20)]).collect();
    run.say(&said);
    let story = run.story();
    assert_eq!((story.course.logs.len(), story.course.points().len()), (1, 10));
    assert!(page(&run).contains("A point of the training loss is the mean of 2 steps."));
}
