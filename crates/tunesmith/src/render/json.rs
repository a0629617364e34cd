//! Events for programs: one JSON object per line.

use std::io::Write;

use journal::{Event, Listener};

/// Writes each event as a line of JSON. What is not a number (a loss that diverged) is `null`.
pub(crate) struct Json<W> {
    out: W,
}

impl<W: Write + Send> Json<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Listener for Json<W> {
    fn on_event(&mut self, event: &Event) {
        let Ok(line) = serde_json::to_string(event) else { return };
        // A reader that went away is no reason to lose a run.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_a_line() {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        json.on_event(&Event::Notice { message: "two\nlines".to_owned() });
        json.on_event(&Event::Log {
            step: 1,
            epoch: 0.5,
            loss: f64::NAN,
            learning_rate: 0.25,
            grad_norm: 1.0,
            tokens_per_second: 8.0,
        });
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"event\":\"notice\",\"message\":\"two\\nlines\"}\n\
             {\"event\":\"log\",\"step\":1,\"epoch\":0.5,\"loss\":null,\"learning_rate\":0.25,\"grad_norm\":1.0,\"tokens_per_second\":8.0}\n"
        );
    }
}
