//! A job as lines for people: each begins with the step's name.

use steps::{Ending, Event, Foreseen, Plan};

use super::near;
use crate::render::duration;

/// Writes events as lines.
pub(super) struct Lines {
    width: usize,
    explains: bool,
}

impl Lines {
    pub(super) fn new(plan: &Plan, explains: bool) -> Self {
        Self { width: plan.steps().iter().map(|step| step.name.len()).max().unwrap_or_default(), explains }
    }

    /// The lines of an event, none if there is nothing to say.
    pub(super) fn event(&self, event: &Event) -> String {
        match event {
            Event::Waits { step } => self.say(step, "waits: another run is at work on it"),
            Event::Begins { step, reason, resumes } => {
                let begins = if *resumes { "goes on from where an attempt before stopped" } else { "begins" };
                if self.explains { self.say(step, &reason.to_string()) } else { self.say(step, begins) }
            }
            Event::Line { step, line } => format!("{step:<0$} | {line}\n", self.width),
            Event::Note { step, text } => self.say(step, &format!("note: {text}")),
            Event::Ends(report) => {
                let step = &report.step;
                match &report.ending {
                    Ending::Hit => {
                        let reason = report.reason.as_ref().map(ToString::to_string).unwrap_or_default();
                        if self.explains { self.say(step, &reason) } else { self.say(step, "is there already") }
                    }
                    Ending::Ran => self.say(step, &format!("is done, in {}", duration(report.seconds))),
                    Ending::Failed { why, last_lines, .. } => {
                        let mut text = self.say(step, &format!("failed: it {why}"));
                        if let Some(log) = &report.log
                            && !last_lines.is_empty()
                        {
                            text += &self.say(step, &format!("its last lines, of {}:", near(log)));
                            text.extend(last_lines.iter().map(|line| format!("    {line}\n")));
                        }
                        text
                    }
                    Ending::Skipped { because_of } => {
                        self.say(step, &format!("is skipped, because of {}", because_of.join(", ")))
                    }
                    Ending::Stopped => self.say(step, "is stopped"),
                }
            }
        }
    }

    fn say(&self, step: &str, text: &str) -> String {
        format!("{step:<0$}   {text}\n", self.width)
    }
}

/// The plan, with what would be done.
pub(super) fn foreseen(plan: &Plan, foreseen: &[Foreseen]) -> String {
    let lines = Lines::new(plan, true);
    let mut text = format!("job {}: {} steps\n", plan.name(), plan.steps().len());
    for (step, foreseen) in plan.steps().iter().zip(foreseen) {
        text += &lines.say(&step.name, &format!("{}: {}", step.kind, foreseen.reason));
    }
    text
}
