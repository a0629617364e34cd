//! Admission: steps wait here until the machine has room for them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::resources::{Machine, Memory, Resources};
use crate::stop::Stop;

/// How often one who waits looks whether it should stop.
const PAUSE: Duration = Duration::from_millis(100);

/// What is free of the machine.
pub(crate) struct Gate {
    free: Mutex<Machine>,
    changed: Condvar,
}

/// A part of the machine, free again when it is dropped.
pub(crate) struct Share<'a> {
    gate: &'a Gate,
    cpu: usize,
    mem: Memory,
    gpus: Vec<String>,
}

impl Gate {
    pub(crate) fn new(machine: &Machine) -> Self {
        Self { free: Mutex::new(machine.clone()), changed: Condvar::new() }
    }

    /// Waits until there is room for a step that takes `cpu` processors and what else it wants. `None` when asked to
    /// stop. Nobody waits here for ever: what is larger than the machine was refused before.
    pub(crate) fn enter(&self, wanted: &Resources, cpu: usize, stop: &Stop) -> Option<Share<'_>> {
        let mem = wanted.mem.unwrap_or_default();
        let mut free = self.lock();
        loop {
            if stop.is_asked() {
                return None;
            }
            let fitting: Vec<usize> =
                free.gpus.iter().enumerate().filter(|(_, name)| wanted.takes(name)).map(|(at, _)| at).collect();
            if free.cpu >= cpu && free.mem >= mem && fitting.len() >= wanted.cards() {
                free.cpu -= cpu;
                free.mem = Memory(free.mem.0 - mem.0);
                // From behind, so that the places of those before stay.
                let taken = fitting.into_iter().take(wanted.cards()).rev();
                let gpus = taken.map(|at| free.gpus.remove(at)).collect();
                return Some(Share { gate: self, cpu, mem, gpus });
            }
            let waited = self.changed.wait_timeout(free, PAUSE);
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut free = self.gate.lock();
        free.cpu += self.cpu;
        free.mem = Memory(free.mem.0 + self.mem.0);
        free.gpus.append(&mut self.gpus);
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn no_more_are_inside_than_there_is_room_for() {
        let gate = Gate::new(&Machine { cpu: 3, mem: Memory(100), gpus: vec!["a".to_owned()] });
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for at in 0..40 {
                let (gate, inside, most) = (&gate, &inside, &most);
                scope.spawn(move || {
                    let cpu = 1 + at % 3;
                    let wanted =
                        Resources { mem: Some(Memory(30)), gpu: usize::from(at % 4 == 0), ..Resources::default() };
                    let share = gate.enter(&wanted, cpu, &Stop::default()).unwrap();
                    most.fetch_max(inside.fetch_add(cpu, Ordering::SeqCst) + cpu, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(2));
                    inside.fetch_sub(cpu, Ordering::SeqCst);
                    drop(share);
                });
            }
        });
        assert!((2..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
        assert_eq!(*gate.lock(), Machine { cpu: 3, mem: Memory(100), gpus: vec!["a".to_owned()] });
    }

    #[test]
    fn who_waits_hears_that_it_should_stop() {
        let gate = Gate::new(&Machine { cpu: 1, mem: Memory(0), gpus: Vec::new() });
        let stop = Stop::default();
        let _all = gate.enter(&Resources::default(), 1, &stop).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter(&Resources::default(), 1, &stop).is_none());
            stop.ask();
            assert!(waiting.join().unwrap());
        });
    }
}
