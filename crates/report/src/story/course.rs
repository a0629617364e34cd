//! How the run went, from its journal.

use std::time::SystemTime;

use journal::{EndReason, Event, Metrics, Record, RunInfo, RunStatus, Split, history};

/// The course of a run. Steps that a later attempt did again are told once, as they were done last.
#[derive(Clone, Debug)]
pub struct Course {
    /// What it is, as its last attempt says.
    pub run: RunInfo,
    /// How often the program was started on it.
    pub attempts: u32,
    /// When the first attempt began.
    pub began: SystemTime,
    /// When the last line was written.
    pub ended: SystemTime,
    /// Optimiser steps that were planned.
    pub total_steps: Option<u64>,
    /// Steps at which a later attempt went on.
    pub resumed_at: Vec<u64>,
    /// What was logged of training.
    pub logs: Vec<Log>,
    /// The same over stretches of steps, which a run tells however seldom it logs.
    pub stretches: Vec<Log>,
    /// Every evaluation.
    pub evaluations: Vec<Evaluated>,
    /// What it took of the machine.
    pub system: Vec<System>,
    /// What it said to its user.
    pub notices: Vec<String>,
    /// Why training ended; `None` where it was cut off.
    pub reason: Option<EndReason>,
    /// Steps done.
    pub steps: u64,
    /// Passes over the training rows.
    pub epochs: f64,
    /// Seconds of training, evaluation and checkpoints included.
    pub train_runtime: Option<f64>,
    /// Mean loss over all steps.
    pub train_loss: Option<f64>,
    /// Step of the weights that were kept, where they were selected.
    pub best_step: Option<u64>,
    /// How the last attempt ended; `None` where it was killed or goes on.
    pub status: Option<RunStatus>,
    /// What it said at its end, where that was no plain one.
    pub message: Option<String>,
}

/// Training as it went over some steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Log {
    /// Steps done.
    pub step: u64,
    /// Mean loss of these steps.
    pub loss: f64,
    /// Learning rate.
    pub learning_rate: f64,
    /// Norm of the gradient before clipping.
    pub grad_norm: f64,
    /// Tokens per second.
    pub tokens_per_second: f64,
}

/// An evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// Which rows it looked at.
    pub split: Split,
    /// Training steps done before it.
    pub step: u64,
    /// What came out.
    pub metrics: Metrics,
}

/// What the run took of the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct System {
    /// Steps done.
    pub step: u64,
    /// Memory that the process held.
    pub memory_bytes: u64,
}

impl Course {
    /// Reads the records of a journal. `None` where there are none.
    pub(super) fn of(records: Vec<Record>) -> Option<Self> {
        let (first, last) = (records.first()?, records.last()?);
        let mut course = Self {
            run: RunInfo::default(),
            attempts: records.iter().map(|record| record.attempt).max().unwrap_or(1),
            began: first.time,
            ended: last.time,
            total_steps: None,
            resumed_at: Vec::new(),
            logs: Vec::new(),
            stretches: Vec::new(),
            evaluations: Vec::new(),
            system: Vec::new(),
            notices: Vec::new(),
            reason: None,
            steps: 0,
            epochs: 0.0,
            train_runtime: None,
            train_loss: None,
            best_step: None,
            status: None,
            message: None,
        };
        history(records).into_iter().for_each(|record| course.hear(record.event));
        course.logs.sort_by_key(|log| log.step);
        course.stretches.sort_by_key(|stretch| stretch.step);
        course.evaluations.sort_by_key(|evaluated| evaluated.step);
        Some(course)
    }

    fn hear(&mut self, event: Event) {
        if let Some(step) = event.step() {
            self.steps = self.steps.max(step);
        }
        match event {
            Event::RunBegin(run) => {
                self.run = *run;
                // What an earlier attempt said of its end holds no longer.
                (self.reason, self.status, self.message) = (None, None, None);
            }
            Event::TrainBegin { total_steps, start_step, .. } => {
                self.total_steps = Some(total_steps);
                if start_step > 0 {
                    self.resumed_at.push(start_step);
                }
            }
            Event::Log { step, epoch, loss, learning_rate, grad_norm, tokens_per_second } => {
                self.epochs = self.epochs.max(epoch);
                self.logs.push(Log { step, loss, learning_rate, grad_norm, tokens_per_second });
            }
            Event::Stretch { step, epoch, loss, learning_rate, grad_norm, tokens_per_second } => {
                self.epochs = self.epochs.max(epoch);
                self.stretches.push(Log { step, loss, learning_rate, grad_norm, tokens_per_second });
            }
            Event::Evaluate { split, step, metrics, .. } => self.evaluations.push(Evaluated { split, step, metrics }),
            Event::System { step, memory_bytes, .. } => self.system.push(System { step, memory_bytes }),
            Event::Notice { message } => self.notices.push(message),
            Event::TrainEnd { reason, step, epoch, train_runtime, train_loss, best_step, .. } => {
                self.reason = Some(reason);
                (self.steps, self.epochs) = (step, epoch);
                (self.train_runtime, self.train_loss) = (Some(train_runtime), Some(train_loss));
                self.best_step = best_step;
            }
            Event::RunEnd { status, message } => (self.status, self.message) = (Some(status), message),
            Event::Step { .. }
            | Event::EvaluateBegin { .. }
            | Event::EvaluateProgress { .. }
            | Event::Checkpoint { .. }
            | Event::Results { .. }
            | Event::Artifact { .. } => {}
        }
    }

    /// The evaluations of one split while training went on: one for each step.
    pub fn evaluations_of(&self, split: Split) -> impl Iterator<Item = &Evaluated> {
        let mut last = None;
        let of_split = self.evaluations.iter().filter(move |evaluated| evaluated.split == split);
        // The weights that were kept are measured again at the end, which says nothing new of their step.
        of_split.filter(move |evaluated| last.replace(evaluated.step) != Some(evaluated.step))
    }

    /// How training went, in as many points as there are: what was logged, or stretches where those are more.
    pub fn points(&self) -> &[Log] {
        if self.stretches.len() > self.logs.len() { &self.stretches } else { &self.logs }
    }

    /// The largest memory that the process was seen to hold.
    pub fn peak_memory(&self) -> Option<u64> {
        self.system.iter().map(|reading| reading.memory_bytes).max()
    }
}
