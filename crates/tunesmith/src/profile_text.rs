//! What the time of a training went to, as a table.

use std::time::Duration;

use kernels::{Cpu, Kind, Spent};

/// The counters of a backend at some moment.
pub(crate) struct Counters([Spent; Kind::ALL.len()]);

impl Counters {
    pub(crate) fn of(backend: &Cpu) -> Self {
        Self(Kind::ALL.map(|kind| backend.spent(kind)))
    }

    /// A table of what was spent between two moments `elapsed` apart on `threads` threads. A kind's waiting is the time
    /// that threads had nothing to do while another one worked on it.
    pub(crate) fn describe_since(&self, before: &Self, elapsed: Duration, threads: usize) -> String {
        let share = |part: f64| format!("{:>5.1}%", 100.0 * part / elapsed.as_secs_f64().max(f64::MIN_POSITIVE));
        let mut table = format!("{:<12}{:>10}{:>8}{:>18}\n", "kind", "seconds", "share", "threads waiting");
        let mut rest = elapsed.as_secs_f64();
        for (kind, (now, then)) in Kind::ALL.iter().zip(self.0.iter().zip(&before.0)) {
            let (wall, busy) = ((now.wall - then.wall).as_secs_f64(), (now.busy - then.busy).as_secs_f64());
            let waiting = (wall * threads as f64 - busy).max(0.0) / threads as f64;
            table += &format!("{:<12}{wall:>10.2}  {}{:>18}\n", name(*kind), share(wall), share(waiting));
            rest -= wall;
        }
        table + &format!("{:<12}{:>10.2}  {}{:>18}\n", "the rest", rest.max(0.0), share(rest.max(0.0)), "")
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Products => "products",
        Kind::Attention => "attention",
        Kind::Rows => "row by row",
        Kind::Optimizer => "optimizer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_waiting_add_up() {
        let seconds = Duration::from_secs;
        let mut now = [Spent::default(); 4];
        now[Kind::Products as usize] = Spent { wall: seconds(6), busy: seconds(9) };
        now[Kind::Optimizer as usize] = Spent { wall: seconds(3), busy: seconds(3) };
        let text = Counters(now).describe_since(&Counters([Spent::default(); 4]), seconds(10), 2);
        let line =
            |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().split_whitespace().collect();
        let products: Vec<&str> = line("products");
        assert_eq!(products, ["products", "6.00", "60.0%", "15.0%"]);
        let optimizer: Vec<&str> = line("optimizer");
        assert_eq!(optimizer, ["optimizer", "3.00", "30.0%", "15.0%"]);
        let rest: Vec<&str> = line("the rest");
        assert_eq!(rest, ["the", "rest", "1.00", "10.0%"]);
    }
}
