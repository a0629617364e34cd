//! Everybody who hears a run: the form in which it is shown, and its journal.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use journal::{Event, JournalWriter, Listener, RunInfo, RunStatus};

use super::meter::Meter;

/// Shows each event and keeps it. What others want to say to the user, from their own threads, is shown with the next
/// event, so that nobody writes into anybody's lines.
pub(crate) struct RunListener {
    form: Box<dyn Listener>,
    journal: JournalWriter,
    meter: Meter,
    said: Receiver<String>,
    mouth: Sender<String>,
    /// The user knows that the journal cannot be written.
    told: bool,
}

impl RunListener {
    pub(crate) fn new(form: Box<dyn Listener>, journal: JournalWriter) -> Self {
        let (mouth, said) = channel();
        Self { form, journal, meter: Meter::new(), said, mouth, told: false }
    }

    /// The first event of an attempt.
    pub(crate) fn begin(&mut self, run: RunInfo) {
        self.on_event(&Event::RunBegin(Box::new(run)));
    }

    /// The last event of an attempt.
    pub(crate) fn end(&mut self, status: RunStatus, message: Option<String>) {
        self.on_event(&Event::RunEnd { status, message });
    }

    /// For those who want to say something to the user from another thread.
    pub(crate) fn mouth(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let mouth = self.mouth.clone();
        // Nobody listens any more after the end.
        Arc::new(move |text| drop(mouth.send(text.to_owned())))
    }

    /// Shows something without keeping it.
    pub(crate) fn show(&mut self, message: String) {
        self.form.on_event(&Event::Notice { message });
    }

    fn keep(&mut self, event: &Event) {
        self.journal.on_event(event);
        match self.journal.failure().map(ToString::to_string) {
            None => self.told = false,
            Some(failure) if !self.told => {
                self.told = true;
                let journal = self.journal.path().display().to_string();
                self.show(format!("the journal {journal} cannot be written, training goes on: {failure}"));
            }
            Some(_) => {}
        }
    }
}

impl Listener for RunListener {
    fn on_event(&mut self, event: &Event) {
        self.form.on_event(event);
        self.keep(event);
        if let Event::Log { step, .. } | Event::Stretch { step, .. } = event
            && let Some(reading) = self.meter.read(*step)
        {
            self.keep(&reading);
        }
        while let Ok(message) = self.said.try_recv() {
            self.show(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn what_others_say_is_shown_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&shown);
        let form = move |event: &Event| seen.lock().unwrap().push(event.clone());
        let mut listener = RunListener::new(Box::new(form), JournalWriter::open(folder.path()).unwrap());
        let mouth = listener.mouth();
        std::thread::spawn(move || mouth("a place is out of reach")).join().unwrap();
        listener.begin(RunInfo::default());
        listener.end(RunStatus::Finished, None);
        let notice = Event::Notice { message: "a place is out of reach".to_owned() };
        let end = Event::RunEnd { status: RunStatus::Finished, message: None };
        let begin = Event::RunBegin(Box::default());
        assert_eq!(*shown.lock().unwrap(), [begin.clone(), notice, end.clone()]);
        let kept: Vec<Event> = journal::read(folder.path()).unwrap().records.into_iter().map(|r| r.event).collect();
        assert_eq!(kept, [begin, end]);
    }
}
