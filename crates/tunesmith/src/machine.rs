//! What this machine has for steps: processors, memory, graphics cards.

use std::fs;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use steps::{Machine, Memory};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Where the driver tells of each card.
const CARDS: &str = "/proc/driver/nvidia/gpus";

/// This machine, as far as a container or a control group lets us use it.
pub(crate) fn this() -> Machine {
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::everything()));
    let limit = system.cgroup_limits().map(|limits| limits.total_memory).filter(|limit| *limit > 0);
    let memory = limit.map_or(system.total_memory(), |limit| limit.min(system.total_memory()));
    Machine { cpu: available_parallelism().map_or(1, NonZeroUsize::get), mem: Memory(memory), gpus: cards() }
}

fn cards() -> Vec<String> {
    let folders = fs::read_dir(CARDS).into_iter().flatten().flatten();
    let told = folders.filter_map(|folder| fs::read_to_string(folder.path().join("information")).ok());
    told.filter_map(|text| {
        let model = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
        Some(model.trim().to_owned())
    })
    .collect()
}
