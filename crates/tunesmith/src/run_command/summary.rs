//! The table at a job's end: what became of each step, how long it took, and where its output is.

use steps::Report;

use super::near;
use crate::render::duration;

/// The table.
pub(super) fn table(reports: &[Report]) -> String {
    let width = reports.iter().map(|report| report.step.len()).max().unwrap_or_default().max("step".len());
    let mut text = format!("\n{:<width$}  {:<7}  {:>12}  output\n", "step", "", "time");
    for report in reports {
        let output = report.output.as_deref().map(near).unwrap_or_default();
        let row =
            format!("{:<width$}  {:<7}  {:>12}  {output}", report.step, report.ending.word(), duration(report.seconds));
        text += row.trim_end();
        text.push('\n');
    }
    text
}
