//! How events are heard. Listeners run on the thread that trains: one with slow work keeps a queue of its own.

use crate::Event;

/// One who hears what a run says. It returns nothing: a listener can neither stop a run nor fail it.
pub trait Listener: Send {
    /// Hears one event.
    fn on_event(&mut self, event: &Event);
}

/// A closure listens too, which is what tests want.
impl<F: FnMut(&Event) + Send> Listener for F {
    fn on_event(&mut self, event: &Event) {
        self(event);
    }
}

/// Passes each event on to several listeners, in the order in which they were added.
#[derive(Default)]
pub struct Listeners<'a> {
    all: Vec<Box<dyn Listener + 'a>>,
}

impl<'a> Listeners<'a> {
    /// No listener yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one at the end.
    pub fn push(&mut self, listener: impl Listener + 'a) {
        self.all.push(Box::new(listener));
    }
}

impl Listener for Listeners<'_> {
    fn on_event(&mut self, event: &Event) {
        for listener in &mut self.all {
            listener.on_event(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_hears_every_event_in_order() {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut listeners = Listeners::new();
        listeners.push(|event: &Event| first.push(event.clone()));
        listeners.push(|event: &Event| second.push(event.clone()));
        let said = ["one", "two"].map(|message| Event::Notice { message: message.to_owned() });
        for event in &said {
            listeners.on_event(event);
        }
        drop(listeners);
        assert_eq!(first, said);
        assert_eq!(second, said);
    }
}
