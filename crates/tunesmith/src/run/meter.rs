//! What a run takes of the machine, and what the machine is.

use std::time::{Duration, Instant};

use journal::{Event, MachineInfo};
use sysinfo::{CpuRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

/// Time between two readings.
const EVERY: Duration = Duration::from_secs(10);

/// Reads the machine's instruments now and then.
pub(super) struct Meter {
    system: System,
    process: Option<Pid>,
    last: Instant,
}

impl Meter {
    pub(super) fn new() -> Self {
        let mut meter = Self { system: System::new(), process: sysinfo::get_current_pid().ok(), last: Instant::now() };
        // Processor time is told since the reading before.
        meter.refresh();
        meter
    }

    fn refresh(&mut self) {
        self.last = Instant::now();
        self.system.refresh_memory();
        if let Some(process) = self.process {
            let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory();
            self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[process]), false, wanted);
        }
    }

    /// A reading, where it is time for one and the system tells.
    pub(super) fn read(&mut self, step: u64) -> Option<Event> {
        if self.last.elapsed() < EVERY {
            return None;
        }
        self.refresh();
        let process = self.system.process(self.process?)?;
        Some(Event::System {
            step,
            cpu_percent: f64::from(process.cpu_usage()),
            memory_bytes: process.memory(),
            memory_available_bytes: self.system.available_memory(),
        })
    }
}

/// The machine, with what was decided of it.
pub(super) fn machine(threads: u64, arithmetic: String) -> MachineInfo {
    let wanted = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let mut system = System::new_with_specifics(wanted);
    system.refresh_memory();
    let told = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    MachineInfo {
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: system.cpus().first().and_then(|cpu| told(cpu.brand())),
        threads,
        arithmetic,
        memory_bytes: Some(system.total_memory()).filter(|&bytes| bytes > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_of_this_process() {
        let mut meter = Meter::new();
        assert!(meter.read(1).is_none(), "it is too early");
        meter.last = meter.last.checked_sub(EVERY).unwrap();
        let Some(Event::System { step, memory_bytes, memory_available_bytes, .. }) = meter.read(2) else {
            panic!("nothing was read")
        };
        assert!(step == 2 && memory_bytes > 1 << 20 && memory_available_bytes > 1 << 20);
    }
}
