//! `tunesmith train`: the plan, the rows, the training, the report.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use ::report::Story;
use dataset::Role;
use journal::{ArtifactKind, EndReason, Event, JournalWriter, Listener, RunStatus, Split};
use serde_json::{Value, json};
use train::{Error, Evaluation, Examples, Outcome, Results, Run};

use crate::calibrate::{self, Fitted, Measured};
use crate::comparison;
use crate::computing;
use crate::exit::{self, Exit};
use crate::flags::{EvalOn, TrainFlags};
use crate::output::{self, Start};
use crate::plan::TrainPlan;
use crate::prepared::{Prepared, prepare};
use crate::profile_text::Counters;
use crate::render::{Fetching, Form};
use crate::report::report;
use crate::run::listener::RunListener;
use crate::run::{info, predictions};
use crate::suspects::{self, SuspectLabels};
use crate::tracking::Places;
use crate::unleaked::Unleaked;
use crate::{data_check, models, plan_text, saved, seeds, signals};

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
    if plan.seeds > 1 { seeds::run(&plan, train_once) } else { train_once(&plan) }
}

fn train_once(plan: &TrainPlan) -> anyhow::Result<()> {
    let start = output::start(&plan.output, plan.resume, plan.overwrite)?;
    let places = Places::ready(&plan.settings.tracking, &plan.output)?;
    if plan.dry_run
        && let Some(told) = models::would_fetch(&plan.model, &Fetching::new(plan.form))?
    {
        // Whether the rows can be read shows without the model; what they cost does not.
        dataset::load_dataset(&plan.request)?;
        say(
            plan,
            &format!(
                "model       {told}\nnote        `tunesmith fetch model {}` brings it, and a dry run then tells the rest\n",
                plan.model
            ),
        )?;
        return Ok(());
    }
    let mut prepared = prepare(plan)?;
    say(plan, &plan_text::describe(plan, &prepared))?;
    if plan.strict {
        data_check::refuse_faults(&prepared.findings)?;
    }
    if plan.dry_run {
        return Ok(());
    }
    let mut listener = begin(plan, &prepared, start)?;
    let trackers = places.start(&plan.output, &listener.mouth());
    let done = carry_out(plan, &mut prepared, start, &mut listener);
    match &done {
        Ok(()) => listener.end(RunStatus::Finished, None),
        Err(error) if Exit::of(error) == Exit::Interrupted => {
            listener.end(RunStatus::Interrupted, Some(exit::message(error)));
        }
        Err(error) => listener.end(RunStatus::Failed, Some(exit::message(error))),
    }
    for line in trackers.finish(&plan.output) {
        listener.show(line);
    }
    done
}

/// Makes the run's folder, with its settings and the first line of its journal.
fn begin(plan: &TrainPlan, prepared: &Prepared, start: Start) -> anyhow::Result<RunListener> {
    fs::create_dir_all(&plan.output).map_err(output::refused(&plan.output))?;
    if start == Start::Replacing {
        // Not while somebody is at work on it.
        drop(JournalWriter::open(&plan.output)?);
        output::clear(&plan.output)?;
    }
    if start != Start::Resuming {
        saved::write(&saved::to_text(&plan.settings)?, &plan.output).map_err(output::refused(&plan.output))?;
    }
    let journal = JournalWriter::open(&plan.output)?;
    let run = info::describe(plan, prepared, &journal::read(&plan.output)?)?;
    let mut listener = RunListener::new(plan.form.listener(plan.selection()), journal);
    listener.begin(run);
    Ok(listener)
}

/// Trains, saves, measures and reports.
fn carry_out(
    plan: &TrainPlan,
    prepared: &mut Prepared,
    start: Start,
    listener: &mut RunListener,
) -> anyhow::Result<()> {
    data_check::write(&prepared.findings, &plan.output)?;
    let resume = checkpoint(plan, start, listener)?;
    let stop = signals::stop_flag().map_err(output::refused(&plan.output))?;
    let (before, started) = (Counters::of(prepared.classifier.network().backend()), Instant::now());
    let outcome = train_rows(plan, prepared, resume, listener, &stop)?;
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
    finish(plan, prepared, &outcome, listener, &stop)
}

/// The checkpoint to go on from.
fn checkpoint(plan: &TrainPlan, start: Start, listener: &mut RunListener) -> anyhow::Result<Option<PathBuf>> {
    if start != Start::Resuming {
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

/// Makes scores honest, measures what was kept, writes the results, prints the report.
fn finish(
    plan: &TrainPlan,
    prepared: &mut Prepared,
    outcome: &Outcome,
    listener: &mut RunListener,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let fitted = calibrate(plan, prepared, outcome, listener, stop)?;
    let (rows, labels) = (&prepared.rows, &prepared.rows.labels);
    let splits = [
        (Split::Eval, Role::Validation, &prepared.validation, &rows.validation, "validation_predictions.csv"),
        (Split::Test, Role::Test, &prepared.test, &rows.test, "test_predictions.csv"),
    ];
    let mut results = Results::default();
    results.add_training(outcome, prepared.train.len());
    let mut artifacts = vec![
        (PathBuf::from(saved::FILE_NAME), ArtifactKind::Settings),
        (data_check::FILE_NAME.into(), ArtifactKind::Results),
    ];
    let (mut last_report, mut measured) = (String::new(), Vec::new());
    for (split, role, examples, rows, predictions) in splits {
        let (Some(examples), Some(rows)) = (examples, rows) else { continue };
        let is_known = fitted.as_ref().is_none_or(|fitted| !fitted.changes_scores());
        let known = known(plan, outcome, split).filter(|_| is_known);
        let evaluation = match known {
            Some(evaluation) => evaluation.clone(),
            None => measure(plan, prepared, examples, split, outcome, listener, stop)?,
        };
        results.add_evaluation(split, &evaluation, examples.len());
        let intervals = (split == Split::Test).then(|| evaluation.intervals(&examples.labels)).transpose()?;
        intervals.iter().for_each(|intervals| results.add_intervals(split, intervals));
        last_report = report(split, &evaluation, intervals.as_ref(), labels.names())?;
        if let Some(unleaked) = Unleaked::of(&prepared.findings, role, examples, &evaluation, labels.len())? {
            results.add_figures(unleaked.figures(split));
            last_report += &unleaked.describe();
        }
        predictions::write(&plan.output.join(predictions), rows, labels, &evaluation)?;
        artifacts.push((predictions.into(), ArtifactKind::Results));
        measured.push((split, examples, evaluation));
    }
    let measured_on = |wanted| measured.iter().find(|(split, ..)| *split == wanted);
    if plan.baseline {
        let of_test = measured_on(Split::Test).map(|(_, _, evaluation)| evaluation);
        last_report += &comparison::report(&prepared.rows, of_test, plan.arguments.seed, &mut results);
    }
    if let Some(fitted) = &fitted {
        let of = |wanted| {
            measured_on(wanted).map(|(_, examples, evaluation)| Measured {
                examples,
                evaluation,
                classes: labels.len(),
            })
        };
        if let Some(validation) = of(Split::Eval) {
            fitted.write(&plan.output, labels.names(), validation, of(Split::Test))?;
            artifacts.push((calibrate::FILE_NAME.into(), ArtifactKind::Results));
        }
    }
    let held_out = measured.iter().map(|(split, _, evaluation)| (*split, evaluation));
    let suspects = SuspectLabels::find(rows, &outcome.dynamics, held_out);
    suspects.write(&plan.output).map_err(output::refused(&plan.output.join(suspects::FILE_NAME)))?;
    artifacts.push((suspects::FILE_NAME.into(), ArtifactKind::Results));
    let state = plan.output.join("trainer_state.json");
    fs::write(&state, format!("{:#}\n", sorted(&outcome.state_json))).map_err(output::refused(&state))?;
    // Last of all: this file says that the run is finished.
    results.write(&plan.output)?;
    artifacts.extend([("all_results.json".into(), ArtifactKind::Results), (".".into(), ArtifactKind::Model)]);
    listener.on_event(&Event::Results { results: results.named() });
    artifacts.extend(page(plan, listener));
    for (path, kind) in artifacts {
        listener.on_event(&Event::Artifact { path, kind });
    }
    let closing = if plan.form == Form::Json {
        json!({"event": "results", "output": plan.output, "results": results.all()}).to_string()
    } else {
        let kept = format!("the weights of step {} are in {}", outcome.selected_step, plan.output.display());
        let gap = if last_report.is_empty() { "" } else { "\n" };
        format!("{gap}{last_report}{gap}{suspects}\n{kept}")
    };
    writeln!(io::stdout(), "{closing}")?;
    Ok(())
}

/// Writes the report and the model's card. The run is whole without them.
fn page(plan: &TrainPlan, listener: &mut RunListener) -> Vec<(PathBuf, ArtifactKind)> {
    match Story::read(&plan.output).and_then(|story| ::report::write(&plan.output, &story)) {
        Ok(written) => std::iter::once(written.page)
            .chain(written.card)
            .filter_map(|file| Some((PathBuf::from(file.file_name()?), ArtifactKind::Report)))
            .collect(),
        Err(error) => {
            let message =
                format!("there is no report, because it failed to {error}; `tunesmith report` makes it later");
            listener.on_event(&Event::Notice { message });
            Vec::new()
        }
    }
}

/// What was measured of the selected weights along the way.
fn known<'a>(plan: &TrainPlan, outcome: &'a Outcome, split: Split) -> Option<&'a Evaluation> {
    let measured = match plan.eval_on {
        EvalOn::Validation => Split::Eval,
        EvalOn::Test => Split::Test,
    };
    outcome.evaluation.as_ref().filter(|_| split == measured)
}

/// Fits on the validation rows what makes scores honest, and keeps it with the model.
fn calibrate(
    plan: &TrainPlan,
    prepared: &mut Prepared,
    outcome: &Outcome,
    listener: &mut RunListener,
    stop: &AtomicBool,
) -> anyhow::Result<Option<Fitted>> {
    let Some(examples) = prepared.validation.as_ref().filter(|_| plan.calibrate) else { return Ok(None) };
    let evaluation = match known(plan, outcome, Split::Eval) {
        Some(evaluation) => evaluation.clone(),
        None => measure(plan, prepared, examples, Split::Eval, outcome, listener, stop)?,
    };
    let classes = prepared.rows.labels.len();
    let fitted = Fitted::on(examples, &evaluation, classes, plan.abstain_below_precision)?;
    fitted.apply(&mut prepared.classifier);
    prepared.classifier.save(&plan.output)?;
    for message in fitted.describe() {
        listener.on_event(&Event::Notice { message });
    }
    Ok(Some(fitted))
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
