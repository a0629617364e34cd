//! `tunesmith train`: the plan, the rows, the training, the report.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use journal::{EndReason, Event, Listener, Split};
use serde_json::{Value, json};
use train::{Error, Evaluation, Examples, Outcome, Results, Run};

use crate::computing;
use crate::flags::{EvalOn, TrainFlags};
use crate::output::{self, Start};
use crate::plan::TrainPlan;
use crate::prepared::{Prepared, prepare};
use crate::profile_text::Counters;
use crate::render::Form;
use crate::report::report;
use crate::{plan_text, saved, signals};

/// A run that was stopped from outside, with a checkpoint to go on from.
#[derive(Debug, thiserror::Error)]
#[error("finish: interrupted after step {step}; a checkpoint is kept, go on with --resume --output {output}")]
pub(crate) struct Interrupted {
    step: u64,
    output: String,
}

/// Trains as the flags say.
///
/// # Errors
/// Whatever is wrong with settings, data, model or disk; a training that diverges or is interrupted.
pub(crate) fn run(flags: &TrainFlags) -> anyhow::Result<()> {
    let plan = TrainPlan::new(flags)?;
    let start = output::start(&plan.output, plan.resume, plan.overwrite)?;
    let mut prepared = prepare(&plan)?;
    say(&plan, &plan_text::describe(&plan, &prepared))?;
    if plan.dry_run {
        return Ok(());
    }
    let mut listener = plan.form.listener(plan.selection());
    let resume = begin(&plan, start, &mut *listener)?;
    let stop = signals::stop_flag().map_err(output::refused(&plan.output))?;
    let (before, started) = (Counters::of(prepared.classifier.network().backend()), Instant::now());
    let outcome = train_rows(&plan, &mut prepared, resume, &mut *listener, &stop)?;
    if plan.profile {
        let backend = prepared.classifier.network().backend();
        let table = Counters::of(backend).describe_since(&before, started.elapsed(), backend.threads());
        eprint!("{table}");
    }
    if outcome.reason == EndReason::Interrupted {
        let output = plan.output.display().to_string();
        return Err(Interrupted { step: outcome.state.global_step, output }.into());
    }
    // The model is safe before anything more is measured.
    prepared.classifier.save(&plan.output)?;
    finish(&plan, &mut prepared, &outcome, &mut *listener, &stop)
}

/// Makes the run's folder and finds the checkpoint to go on from.
fn begin(plan: &TrainPlan, start: Start, listener: &mut dyn Listener) -> anyhow::Result<Option<PathBuf>> {
    if start == Start::Replacing {
        output::clear(&plan.output)?;
    }
    fs::create_dir_all(&plan.output).map_err(output::refused(&plan.output))?;
    if start != Start::Resuming {
        saved::write(&saved::to_text(&plan.settings)?, &plan.output).map_err(output::refused(&plan.output))?;
        return Ok(None);
    }
    train::remove_leftovers(&plan.output)?;
    let checkpoint = train::latest_checkpoint(&plan.output);
    if checkpoint.is_none() {
        let message = "no checkpoint had been written yet: the run begins again at its first step".to_owned();
        listener.on_event(&Event::Notice { message });
    }
    Ok(checkpoint)
}

fn train_rows(
    plan: &TrainPlan,
    prepared: &mut Prepared,
    resume: Option<PathBuf>,
    listener: &mut dyn Listener,
    stop: &AtomicBool,
) -> anyhow::Result<Outcome> {
    let evaluation = match plan.eval_on {
        EvalOn::Validation => prepared.validation.as_ref().map(|rows| (Split::Eval, rows)),
        EvalOn::Test => prepared.test.as_ref().map(|rows| (Split::Test, rows)),
    };
    let arithmetic = computing::arithmetic(plan.precision, prepared.classifier.network().backend());
    Ok(train::train(Run {
        classifier: &mut prepared.classifier,
        arguments: &plan.arguments,
        train: &prepared.train,
        evaluation,
        output: &plan.output,
        resume: resume.as_deref(),
        arithmetic: &arithmetic,
        stop,
        listener,
    })?)
}

/// Measures what was kept, writes the results, prints the report.
fn finish(
    plan: &TrainPlan,
    prepared: &mut Prepared,
    outcome: &Outcome,
    listener: &mut dyn Listener,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut results = Results::default();
    results.add_training(outcome, prepared.train.len());
    let mut last_report = String::new();
    for (split, examples) in [(Split::Eval, &prepared.validation), (Split::Test, &prepared.test)] {
        let Some(examples) = examples else { continue };
        let measured = match (&outcome.evaluation, split, plan.eval_on) {
            (Some(evaluation), Split::Eval, EvalOn::Validation) | (Some(evaluation), Split::Test, EvalOn::Test) => {
                evaluation.clone()
            }
            _ => measure(plan, prepared, examples, split, outcome, listener, stop)?,
        };
        results.add_evaluation(split, &measured, examples.len());
        last_report = report(split, &measured, prepared.rows.labels.names())?;
    }
    let state = plan.output.join("trainer_state.json");
    fs::write(&state, format!("{:#}\n", sorted(&outcome.state_json))).map_err(output::refused(&state))?;
    // Last of all: this file says that the run is finished.
    results.write(&plan.output)?;
    let closing = if plan.form == Form::Json {
        json!({"event": "results", "output": plan.output, "results": results.all()}).to_string()
    } else {
        let kept = format!("the weights of step {} are in {}", outcome.selected_step, plan.output.display());
        let gap = if last_report.is_empty() { "" } else { "\n" };
        format!("{gap}{last_report}{gap}{kept}")
    };
    writeln!(io::stdout(), "{closing}")?;
    Ok(())
}

fn measure(
    plan: &TrainPlan,
    prepared: &Prepared,
    examples: &Examples,
    split: Split,
    outcome: &Outcome,
    listener: &mut dyn Listener,
    stop: &AtomicBool,
) -> Result<Evaluation, Error> {
    let classifier = &prepared.classifier;
    let mut activations = encoder::Activations::for_inference(classifier.network());
    let batch_size = plan.arguments.per_device_eval_batch_size;
    let evaluation = train::evaluate(classifier, examples, batch_size, &mut activations, split, listener, stop)?;
    let step = outcome.selected_step;
    let epoch = step as f64 / plan.arguments.steps_per_epoch(prepared.train.len() as u64) as f64;
    let (metrics, runtime) = (evaluation.named(), evaluation.runtime);
    listener.on_event(&Event::Evaluate { split, step, epoch, metrics, runtime });
    Ok(evaluation)
}

/// The plan goes where the form leaves room for it; a dry run has nothing else to say.
fn say(plan: &TrainPlan, text: &str) -> io::Result<()> {
    match plan.form {
        Form::Quiet if !plan.dry_run => Ok(()),
        Form::Json => write!(io::stderr(), "{text}"),
        Form::Bar | Form::Lines | Form::Quiet => writeln!(io::stdout(), "{text}"),
    }
}

fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}
