//! From which probability on to believe an answer: the level to abstain below, and the thresholds of the classes.

use maud::{Markup, html};

use super::class_name;
use crate::numbers::{count, points};
use crate::{Abstain, Answered, Calibration};

/// A table of more classes scrolls by itself.
const LONG: usize = 30;

/// What was chosen on validation rows.
pub(super) fn levels(calibration: &Calibration) -> Markup {
    html! {
        @if let Some(abstain) = &calibration.abstain { p.abstain { (abstaining(abstain)) } }
        @if calibration.thresholds.values().any(Option::is_some) { (table(calibration)) }
    }
}

/// What the level does, in words.
fn abstaining(abstain: &Abstain) -> String {
    let wanted = points(abstain.wanted_precision);
    let Some(level) = abstain.level else {
        return format!(
            "No probability gives a precision of {wanted} on the validation rows, so every row is answered."
        );
    };
    let mut said =
        format!("For a precision of {wanted} it gives no answer where its best probability is below {level:.3}.");
    let answered = |rows: &Answered, name: &str| {
        let (coverage, precision) = (rows.coverage?, rows.precision?);
        let least = rows.precision_at_least.map(|least| format!(" (at least {}, with 95% confidence)", points(least)));
        Some(format!(
            " Of {} {name} rows that answers {}%, and {}% of those are right{}.",
            count(rows.rows),
            points(coverage),
            points(precision),
            least.unwrap_or_default()
        ))
    };
    said.extend(abstain.validation.as_ref().and_then(|rows| answered(rows, "validation")));
    said.extend(abstain.test.as_ref().and_then(|rows| answered(rows, "test")));
    said
}

fn table(calibration: &Calibration) -> Markup {
    let thresholds = &calibration.thresholds;
    html! {
        details.thresholds open[thresholds.len() <= LONG] {
            summary { "Thresholds of the classes" }
            div.scroll.long[thresholds.len() > LONG] { table {
                thead { tr {
                    th scope="col" { "Class" }
                    th scope="col" { "From" }
                    th scope="col" { "Precision" }
                    th scope="col" { "Recall" }
                    th scope="col" { "F1" }
                    th scope="col" { "Rows" }
                } }
                tbody { @for (name, threshold) in thresholds {
                    tr {
                        th scope="row" { bdi { (class_name(name)) } }
                        @if let Some(found) = threshold {
                            td.strong { (format!("{:.3}", found.threshold)) }
                            td { (points(found.precision)) }
                            td { (points(found.recall)) }
                            td { (points(found.f1)) }
                            td { (count(found.support)) }
                        } @else {
                            td.quiet colspan="5" { "no validation row" }
                        }
                    }
                } }
            } }
            p.note {
                "From this probability on, a row is best taken for the class, if it is to be told from all others: the best F1 on the "
                "validation rows, which flatters a little. " code { "tunesmith predict --use-thresholds" } " goes by them; labels on this "
                "page are those of the highest probability."
            }
        }
    }
}
