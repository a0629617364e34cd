//! How far predicting has come, for a person who waits.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::render::count;

/// Rows done, and how many a second.
pub(crate) struct Progress {
    started: Instant,
    rows: u64,
    spinner: ProgressBar,
}

impl Progress {
    /// Begins to count. It is drawn where somebody looks at standard error and the rows do not run through the same
    /// terminal.
    pub(crate) fn begin(quiet: bool, to_file: bool) -> Self {
        let drawn = !quiet && io::stderr().is_terminal() && (to_file || !io::stdout().is_terminal());
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style =
            ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let spinner = ProgressBar::with_draw_target(None, target).with_style(style);
        Self { started: Instant::now(), rows: 0, spinner }
    }

    /// So many more rows are done.
    pub(crate) fn add(&mut self, rows: usize) {
        self.rows += rows as u64;
        self.spinner.set_message(self.status());
        self.spinner.inc(rows as u64);
    }

    /// Rows done.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends, with a line about the file that was written.
    pub(crate) fn end(&self, quiet: bool, file: Option<&Path>) {
        self.spinner.finish_and_clear();
        if let Some(file) = file.filter(|_| !quiet) {
            eprintln!("wrote {}: {}", file.display(), self.status());
        }
    }

    /// `20,000 rows, 1,234 a second`
    fn status(&self) -> String {
        let rate = self.rows as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        format!("{} rows, {} a second", count(self.rows), count(rate.round() as u64))
    }
}
