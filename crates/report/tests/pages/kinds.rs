//! Runs of every kind: of two classes and of three hundred, whole and cut off, with and without each file.

use std::fs::OpenOptions;
use std::io::Write;

use journal::{EndReason, Event, RunStatus, Split};
use report::{Error, Story, html, model_card};

use crate::html_check::check;
use crate::made_up::{MadeUp, RESULTS, begin, end, evaluated, log, names};

/// The page, once it is known to be sound.
fn page(story: &Story) -> String {
    let page = html(story);
    check(&page).unwrap();
    page
}

#[test]
fn every_number_of_classes_has_its_page() {
    for classes in [2, 5, 12, 13, 50, 51, 300] {
        let run = MadeUp::whole(classes, 1200.max(3 * classes));
        let story = run.story();
        let page = page(&story);
        assert!(page.len() < 1_500_000, "{classes} classes take {} bytes", page.len());
        assert_eq!(page.contains("table class=\"confusion"), classes <= 50, "{classes}");
        assert!(page.contains("scope=\"row\"><bdi>class "), "{classes}");
        assert!(page.contains("ROC curve") && page.contains("Reliability"), "{classes}");
        let card = model_card(&story);
        assert!(card.starts_with("---\nlibrary_name: transformers\n") && card.contains("model-index:"), "{classes}");
    }
}

#[test]
fn ten_thousand_rows_fit_into_a_page() {
    let run = MadeUp::whole(2, 10_000);
    let page = page(&run.story());
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}

#[test]
fn the_verdict_has_its_interval_and_stands_beside_the_baseline() {
    let page = page(&MadeUp::whole(2, 500).story());
    assert!(page.contains("Macro F1 on test rows"));
    assert!(page.contains("+5.7 ± 2.7 over the baseline"), "the difference is that of the file");
    assert!(page.contains("by more than chance explains"));
    assert!(page.contains("8 of 500 test rows (1.6%) were seen before: 5 exactly and 3 nearly in train"));
    assert!(page.contains("5 of 500 test rows (1.0%) have the text of a training row"));
    assert!(page.contains("A temperature of 1.31"));
    assert!(
        page.contains("tunesmith train &#39;a file.csv&#39; --lr 5e-5")
            || page.contains("tunesmith train 'a file.csv' --lr 5e-5")
    );
}

#[test]
fn a_difference_that_holds_nothing_is_not_called_better() {
    let run = MadeUp::whole(2, 500);
    run.put("all_results.json", &RESULTS.replace("0.0301", "-0.01"));
    assert!(page(&run.story()).contains("do not tell it apart"));
    run.put(
        "all_results.json",
        &RESULTS.replace("0.0571", "-0.05").replace("0.0301", "-0.08").replace("0.0843", "-0.01"),
    );
    let page = page(&run.story());
    assert!(page.contains("Worse than a linear model") && page.contains("\u{2212}5.0 ± 3.5 over the baseline"));
}

#[test]
fn rows_that_were_seen_are_left_out_of_the_second_score() {
    let story = MadeUp::whole(2, 500).story();
    let unseen = story.measured.as_ref().unwrap().unseen.as_ref().unwrap();
    assert_eq!((unseen.left_out, unseen.metrics.rows()), (8, 492));
    let score = story.deciding().unwrap();
    assert_eq!(score.unseen.unwrap().0, unseen.metrics.macro_average.f1);
    let interval = score.interval.unwrap();
    assert!(interval.0 < score.value && score.value < interval.1);
}

#[test]
fn figures_of_a_file_without_predictions_are_shown() {
    let run = MadeUp::new(&names(2));
    run.train();
    run.put("all_results.json", r#"{"test_accuracy": 0.9, "test_f1": 0.875, "test_f1_low": 0.85, "test_f1_high": 0.9, "epoch": 3.0, "x": null}"#);
    let story = run.story();
    assert_eq!(story.split(), Some("test"));
    let page = page(&story);
    assert!(page.contains("87.5") && page.contains("85.0 to 90.0") && !page.contains("Confusion matrix"));
    assert!(model_card(&story).contains("value: 0.875000"));
}

#[test]
fn validation_rows_are_named_as_what_they_are() {
    let run = MadeUp::new(&names(3));
    run.train();
    run.predict("validation", 90);
    let story = run.story();
    assert_eq!(story.split(), Some("validation"));
    assert!(page(&story).contains("The test rows were not measured; these chose the weights"));
    assert!(model_card(&story).contains("split: \"validation\""));
}

#[test]
fn a_journal_alone_has_a_page() {
    let run = MadeUp::new(&names(2));
    run.say(&[]);
    let story = run.story();
    let page = page(&story);
    assert!(
        page.contains("Nothing was measured yet") && page.contains("did not end") && page.contains("was not checked")
    );
    assert!(!page.contains("id=\"training\"") && !page.contains("id=\"examples\""));
    let card = model_card(&story);
    assert!(!card.contains("model-index") && card.contains("Nothing was measured."));
}

#[test]
fn without_a_journal_there_is_no_story() {
    let run = MadeUp::new(&names(2));
    assert!(matches!(Story::read(run.path()), Err(Error::Journal(_))));
    run.put(journal::FILE_NAME, "nothing\n");
    assert!(matches!(Story::read(run.path()), Err(Error::Empty { .. })));
}

#[test]
fn what_cannot_be_read_is_said_and_left_out() {
    let run = MadeUp::whole(2, 100);
    run.put("check.json", "[1, 2");
    run.put("all_results.json", "7");
    run.put("test_predictions.csv", "row,label\n1,2\n");
    OpenOptions::new().append(true).open(run.path().join(journal::FILE_NAME)).unwrap().write_all(b"garbled\n").unwrap();
    let story = run.story();
    assert!(story.check.is_none() && story.results.is_empty() && story.measured.is_none());
    let page = page(&story);
    for said in [
        "check.json could not be read",
        "all_results.json could not",
        "test_predictions.csv could not",
        "1 line of the journal",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let interrupted = MadeUp::new(&names(2));
    let status = Event::RunEnd { status: RunStatus::Interrupted, message: Some("stop".to_owned()) };
    interrupted.say(&[begin(0), log(5), end(EndReason::Interrupted, 5), status]);
    assert!(page(&interrupted.story()).contains("interrupted after step 5 of 100"));

    let failed = MadeUp::new(&names(2));
    let status = Event::RunEnd { status: RunStatus::Failed, message: Some("the loss is <NaN>".to_owned()) };
    failed.say(&[begin(0), log(5), status]);
    assert!(page(&failed.story()).contains("failed after step 5 of 100: the loss is &lt;NaN&gt;."));

    let killed = MadeUp::new(&names(2));
    killed.say(&[begin(0), log(5), log(10)]);
    assert!(page(&killed.story()).contains("did not end: its journal stops at step 10 of 100"));
    assert!(model_card(&killed.story()).contains("did not come to its end"));
}

#[test]
fn a_resumed_run_is_told_once() {
    let run = MadeUp::new(&names(2));
    run.say(&[begin(0), log(5), log(10), evaluated(Split::Eval, 10)]);
    run.say(&[begin(5), log(10), evaluated(Split::Eval, 10), end(EndReason::EarlyStopped, 10)]);
    run.say(&[]);
    let story = run.story();
    assert_eq!(story.course.logs.iter().map(|log| log.step).collect::<Vec<_>>(), [5, 10]);
    assert_eq!((story.course.evaluations.len(), story.course.attempts), (1, 3));
    assert_eq!(story.course.reason, None, "the third attempt did not end");
    let page = page(&story);
    assert!(page.contains("It took 3 starts.") && page.contains(">resumed<"));
}

#[test]
fn a_run_that_stopped_early_says_so() {
    let run = MadeUp::new(&names(2));
    let status = Event::RunEnd { status: RunStatus::Finished, message: None };
    run.say(&[begin(0), log(5), end(EndReason::EarlyStopped, 5), status]);
    let page = page(&run.story());
    assert!(page.contains("stopped early") && !page.contains("did not end"));
}

#[test]
fn figures_that_are_no_numbers_draw_nothing() {
    let run = MadeUp::new(&names(2));
    let mut odd = Vec::new();
    for step in 1..=5 {
        let Event::Log { epoch, learning_rate, .. } = log(step) else { panic!("a log") };
        let loss = if step == 3 { 1e300 } else { 0.5 };
        odd.push(Event::Log { step, epoch, loss, learning_rate, grad_norm: 0.0, tokens_per_second: 0.0 });
    }
    run.say(&odd);
    let page = page(&run.story());
    let body = page.split_once("</head>").unwrap().1.split_once("<script>").unwrap().0;
    assert!(!body.contains("NaN") && !body.contains("inf"));
}
