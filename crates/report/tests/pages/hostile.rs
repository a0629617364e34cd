//! Names and texts that would break a page, a card or their reader.

use journal::{EndReason, Event};
use report::{Story, html, model_card};

use crate::html_check::check;
use crate::made_up::{CALIBRATION, CHECK, MadeUp, begin, end, log};

const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "]]></svg></style></script><!-- -->",
    "{{7*7}} ${7*7} &lt; &amp;",
    "\u{202e}gpj.exe\u{2066}",
    "NUL \0 bell \u{7} escape \u{1b}[31m",
    "a | b\n---\n# heading\n```\nfence",
    "<!-- made by tunesmith; -->",
    "[link](javascript:alert(1)) **b** https://example.org",
    "",
    "👩‍👩‍👧 שלום مرحبا \u{feff}\u{ffff}",
];

fn hostile() -> Story {
    let labels: Vec<String> = HOSTILE.map(str::to_owned).to_vec();
    let run = MadeUp::new(&labels);
    run.say(&[begin(0), log(5), Event::Notice { message: HOSTILE.join("\n") }, end(EndReason::Completed, 5)]);
    let mut table = csv::Writer::from_path(run.path().join("test_predictions.csv")).unwrap();
    let head = ["row", "label", "predicted"].map(str::to_owned).into_iter();
    let columns = labels.iter().map(|label| format!("p:{label}"));
    table.write_record(head.chain(columns).chain(["text".to_owned()])).unwrap();
    for (row, text) in HOSTILE.iter().chain([&"x".repeat(1 << 20).as_str()]).enumerate() {
        let label = row % labels.len();
        let scores = (0..labels.len()).map(|class| if class == (label + row % 2) % labels.len() { "1" } else { "0" });
        let known = [row.to_string(), labels[label].clone(), String::new()];
        table.write_record(known.into_iter().chain(scores.map(str::to_owned)).chain([(*text).to_owned()])).unwrap();
    }
    table.flush().unwrap();
    run.put(
        "check.json",
        &CHECK.replace("free entry", "<script>alert(2)</script>").replace("some classes", "\\u0000<b>"),
    );
    run.put("calibration.json", &CALIBRATION.replace("class 0", "<script>alert(3)</script>\\u202e"));
    run.put(
        "all_results.json",
        r#"{"x\"><script>_url": "https://x\"><script>alert(4)</script>", "y_url": "javascript:alert(5)"}"#,
    );
    let mut list = csv::Writer::from_path(run.path().join("suspect_labels.csv")).unwrap();
    list.write_record(["rank", "split", "row", "label", "suggested", "score", "reason", "text"]).unwrap();
    for text in HOSTILE {
        list.write_record(["1", text, "1", text, text, "0.5", text, text]).unwrap();
    }
    list.flush().unwrap();
    let mut story = run.story();
    assert!(story.unread.is_empty() && story.suspects.is_some() && story.urls.len() == 1, "{:?}", story.unread);
    let info = &mut story.course.run;
    info.name = HOSTILE.join(" ");
    info.model.source = HOSTILE[1].to_owned();
    info.machine.processor = Some(HOSTILE[0].to_owned());
    info.data.files[0].path = HOSTILE.join("/");
    info.command = HOSTILE.map(str::to_owned).to_vec();
    info.settings = HOSTILE.iter().map(|text| ((*text).to_owned(), (*text).into())).collect();
    story
}

#[test]
fn a_page_shows_hostile_names_as_what_they_are() {
    let page = html(&hostile());
    let seen = check(&page).unwrap();
    assert_eq!(seen.iter().filter(|name| *name == "script").count(), 1, "ours alone");
    assert!(!seen.contains(&"img".to_owned()));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("[U+202E]gpj.exe[U+2066]") && page.contains("NUL ␀ bell ␇"));
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}

#[test]
fn a_card_means_nothing_by_hostile_names() {
    let card = model_card(&hostile());
    let (metadata, text) = card[4..].split_once("\n---\n").unwrap();
    // One key or item a line, every name in quotes.
    for line in metadata.lines() {
        let plain = line.trim_start().trim_start_matches("- ");
        let (key, value) = plain.split_once(": ").unwrap_or((plain.trim_end_matches(':'), ""));
        assert!(
            plain.starts_with('"') || key.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-".contains(&byte)),
            "{line}"
        );
        assert_eq!(value.starts_with('"'), value.ends_with('"'), "{line}");
    }
    let code: String = text.split("\n```").enumerate().filter(|(at, _)| at % 2 == 0).map(|(_, part)| part).collect();
    for forbidden in ["<script", "<img", "\n# heading", "[link](javascript", "https://example"] {
        assert!(!code.contains(forbidden), "{forbidden}");
    }
    assert_eq!(card.matches("<!--").count(), 1, "our mark alone");
    assert!(!card.chars().any(|character| character.is_control() && character != '\n'));
}
