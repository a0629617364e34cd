//! `tunesmith train`: the plan, the rows, the training, the report.

use anyhow::Context;
use dataset::{Dataset, Split};

use crate::flags::TrainFlags;
use crate::output;
use crate::plan::TrainPlan;
use crate::render::count;

/// Trains as the flags say.
///
/// # Errors
/// Whatever is wrong with settings, data, model or disk.
pub(crate) fn run(flags: &TrainFlags) -> anyhow::Result<()> {
    let plan = TrainPlan::new(flags)?;
    let start = output::start(&plan.output, plan.resume, plan.overwrite)?;
    let rows = dataset::load_dataset(&plan.request)?;
    print!("{}", describe(&plan, &rows));
    if plan.dry_run {
        return Ok(());
    }
    Err(anyhow::anyhow!("this build only plans: say --dry-run")).context(format!("begin ({start:?})"))
}

/// The plan as it is printed.
fn describe(plan: &TrainPlan, rows: &Dataset) -> String {
    let mut text = format!("columns     text {}, label {}\n", rows.columns.text.name, rows.columns.label.name);
    let splits = [("train", Some(&rows.train)), ("validation", rows.validation.as_ref()), ("test", rows.test.as_ref())];
    for (name, split) in splits {
        let Some(split) = split else { continue };
        text += &format!("{name:<10}  {}\n", describe_split(split, rows.labels.names()));
    }
    let steps = plan.arguments.total_steps(rows.train.len() as u64);
    text += &format!("settings    {}\n", plan.changed_arguments().join(", "));
    text += &format!(
        "steps       {}, {} in an epoch\n",
        count(steps),
        count(plan.arguments.steps_per_epoch(rows.train.len() as u64))
    );
    text += &format!("output      {}\n", plan.output.display());
    for note in plan.notes.iter().cloned().chain(rows.notices.iter().map(ToString::to_string)) {
        text += &format!("note      {note}\n");
    }
    text
}

fn describe_split(split: &Split, labels: &[String]) -> String {
    let counts = split.class_counts(labels.len());
    let classes: Vec<String> =
        labels.iter().zip(counts).map(|(label, rows)| format!("{label} {}", count(rows as u64))).collect();
    format!("{} rows of {}: {}", count(split.len() as u64), split.source, classes.join(", "))
}
