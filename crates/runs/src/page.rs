//! A comparison as a page: one file that loads nothing, light or dark as its reader has it.

use std::fmt::Write;

use indexmap::IndexMap;
use journal::{Event, Split};
use serde_json::Value;

use crate::chart::{Curve, escape, svg};
use crate::{Comparison, Interval, Run, date, greater_is_better, number};

const STYLE: &str = include_str!("page.css");

/// Colours in the style; more runs than that use them again.
const COLOURS: usize = 8;

/// Charts on a page: figures of each of many classes would be no help.
const MOST_CHARTS: usize = 12;

/// The page of `comparison`, which was made of `runs`.
pub fn page(runs: &[Run], comparison: &Comparison) -> String {
    let names: Vec<String> = runs.iter().map(|run| run.entry.summary.name.clone()).collect();
    let title = format!("Runs compared: {}", names.join(", "));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title>\n<style>\n{STYLE}</style></head>\n<body>\n<h1>Runs compared</h1>\n",
        escape(&title)
    );
    runs_table(&mut page, runs);
    charts(&mut page, runs);
    let heads: String = names.iter().enumerate().map(|(run, name)| head(run, name)).collect();
    figures_table(&mut page, comparison, &heads);
    paired_table(&mut page, comparison, &names);
    settings_table(&mut page, comparison, &heads);
    page += "</body></html>\n";
    page
}

fn runs_table(page: &mut String, runs: &[Run]) {
    *page += "<div class=\"wide\"><table><tr><th>Run</th><th>Began (UTC)</th><th>Status</th><th>Model</th><th>Data</th>\
              <th class=\"number\">Training rows</th><th class=\"number\">Seconds</th></tr>\n";
    for (at, run) in runs.iter().enumerate() {
        let summary = &run.entry.summary;
        let rows = summary.rows.get("train").map_or_else(String::new, u64::to_string);
        let texts = [summary.model.clone(), summary.data.join(", ")].map(|text| format!("<td>{}</td>", escape(&text)));
        _ = writeln!(
            page,
            "<tr><td>{}{}</td><td>{}</td><td>{}</td>{}<td class=\"number\">{rows}</td><td class=\"number\">{:.0}</td></tr>",
            mark(at),
            escape(&summary.name),
            date(summary.began),
            run.entry.status.as_str(),
            texts.concat(),
            summary.seconds,
        );
    }
    *page += "</table></div>\n";
}

fn charts(page: &mut String, runs: &[Run]) {
    let mut charts: IndexMap<String, Vec<Curve>> = IndexMap::new();
    let mut add = |title: String, at: usize, run: &Run, point: (f64, f64)| {
        let curves = charts.entry(title).or_default();
        match curves.last_mut().filter(|curve| curve.run == at % COLOURS && curve.name == run.entry.summary.name) {
            Some(curve) => curve.points.push(point),
            None => {
                let name = run.entry.summary.name.clone();
                curves.push(Curve { run: at % COLOURS, name, points: vec![point] });
            }
        }
    };
    for (at, run) in runs.iter().enumerate() {
        for (epoch, loss, _) in training(run) {
            add("Training loss".to_owned(), at, run, (epoch, loss));
        }
        let mut last = f64::NEG_INFINITY;
        for record in &run.records {
            let Event::Evaluate { split: Split::Eval, epoch, metrics, .. } = &record.event else { continue };
            // The weights that were kept are measured again at the end, which says nothing new of their step.
            if *epoch <= last {
                continue;
            }
            last = *epoch;
            for (name, value) in metrics {
                add(format!("Validation: {name}"), at, run, (*epoch, *value));
            }
        }
        for (epoch, _, learning_rate) in training(run) {
            add("Learning rate".to_owned(), at, run, (epoch, learning_rate));
        }
    }
    let drawn: Vec<(String, String)> = charts
        .into_iter()
        .filter_map(|(title, curves)| Some((svg(&title, &curves)?, title)))
        .take(MOST_CHARTS)
        .collect();
    if drawn.is_empty() {
        return;
    }
    *page += "<h2>Curves</h2>\n<p class=\"note\">Over passes through the training rows.</p>\n<div class=\"charts\">\n";
    for (svg, title) in drawn {
        _ = writeln!(page, "<figure><h3>{}</h3>{svg}</figure>", escape(&title));
    }
    *page += "</div>\n";
}

/// Passes, loss and learning rate over the training: of stretches of steps where these are more than logs.
fn training(run: &Run) -> Vec<(f64, f64, f64)> {
    let (mut logs, mut stretches) = (Vec::new(), Vec::new());
    for record in &run.records {
        match record.event {
            Event::Log { epoch, loss, learning_rate, .. } => logs.push((epoch, loss, learning_rate)),
            Event::Stretch { epoch, loss, learning_rate, .. } => stretches.push((epoch, loss, learning_rate)),
            _ => {}
        }
    }
    if stretches.len() > logs.len() { stretches } else { logs }
}

fn figures_table(page: &mut String, comparison: &Comparison, heads: &str) {
    if comparison.figures.is_empty() {
        return;
    }
    _ = writeln!(page, "<h2>Figures</h2>\n<div class=\"wide\"><table><tr><th></th>{heads}</tr>");
    for row in &comparison.figures {
        _ = write!(page, "<tr><td class=\"name\">{}</td>", escape(&row.name));
        let best = best(&row.name, &row.values);
        for value in &row.values {
            let Some(figure) = value else {
                *page += "<td class=\"number\">–</td>";
                continue;
            };
            let class = if best == Some(figure.value) { "number best" } else { "number" };
            let bounds = figure.bounds.map_or_else(String::new, |(low, high)| {
                format!("<span class=\"bounds\">{} to {}</span>", number(low), number(high))
            });
            _ = write!(page, "<td class=\"{class}\">{}{bounds}</td>", number(figure.value));
        }
        *page += "</tr>\n";
    }
    *page += "</table></div>\n";
}

/// The best of a row of measures, where they are not all equal. Of what training took nothing is better.
fn best(name: &str, values: &[Option<Interval>]) -> Option<f64> {
    let is_measure = name.starts_with("test_") || name.starts_with("eval_");
    let mut found: Vec<f64> = values.iter().flatten().map(|figure| figure.value).collect();
    found.sort_by(f64::total_cmp);
    let (first, last) = (*found.first()?, *found.last()?);
    let best = if greater_is_better(name) { last } else { first };
    (is_measure && first != last && !name.ends_with("samples") && !name.ends_with("per_second")).then_some(best)
}

fn paired_table(page: &mut String, comparison: &Comparison, names: &[String]) {
    if comparison.paired.is_empty() {
        return;
    }
    *page += "<h2>On the same test rows</h2>\n<div class=\"wide\"><table><tr><th>First</th><th>Second</th>\
              <th class=\"number\">Rows</th><th class=\"number\">Only the first is right</th>\
              <th class=\"number\">Only the second is right</th><th class=\"number\">McNemar p</th></tr>\n";
    for pair in &comparison.paired {
        let name = |at: usize| names.get(at).map_or_else(String::new, |name| format!("{}{}", mark(at), escape(name)));
        let numbers = [pair.paired.rows, pair.paired.only_first, pair.paired.only_second];
        let numbers: String = numbers.iter().map(|number| format!("<td class=\"number\">{number}</td>")).collect();
        let p_value = pair.p_value.map_or_else(|| "–".to_owned(), number);
        _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td>{numbers}<td class=\"number\">{p_value}</td></tr>",
            name(pair.first),
            name(pair.second)
        );
    }
    *page += "</table></div>\n";
}

fn settings_table(page: &mut String, comparison: &Comparison, heads: &str) {
    *page += "<h2>Settings that differ</h2>\n";
    if comparison.settings.is_empty() {
        *page += "<p class=\"note\">None.</p>\n";
        return;
    }
    _ = writeln!(page, "<div class=\"wide\"><table><tr><th></th>{heads}</tr>");
    for row in &comparison.settings {
        _ = write!(page, "<tr><td class=\"name\">{}</td>", escape(&row.name));
        for value in &row.values {
            let shown = match value {
                None => "–".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            _ = write!(page, "<td class=\"number\">{}</td>", escape(&shown));
        }
        *page += "</tr>\n";
    }
    *page += "</table></div>\n";
}

fn head(run: usize, name: &str) -> String {
    format!("<th class=\"number\">{}{}</th>", mark(run), escape(name))
}

fn mark(run: usize) -> String {
    format!("<span class=\"mark run{}\"></span>", run % COLOURS)
}
