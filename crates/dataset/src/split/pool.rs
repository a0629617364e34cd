//! What is dealt: units of rows by class, and how many seats each class gets.
//!
//! A unit is a row, or all the rows of one text where equal texts stay together; it counts for the class that most of
//! its rows have. Without equal texts every unit is a row, and what is dealt does not depend on which of the two was
//! asked for.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use crate::Permutation;

/// Units by class, each class in a random order, that are dealt out from the end.
pub(super) struct Pool<'a> {
    labels: &'a [u32],
    /// The rows of one unit after those of another; 32 bits hold any, and there may be millions.
    rows: Vec<u32>,
    classes: Vec<Vec<Unit>>,
    /// How many rows each class had at first: the proportions.
    weights: Vec<usize>,
    /// For each class that has rows, where the unit begins that is kept so that one of them is learnt from.
    keepers: Vec<Option<u32>>,
}

#[derive(Clone, Copy)]
struct Unit {
    /// Its place in `rows`.
    start: u32,
    end: u32,
    /// Whether only training may have it.
    kept: bool,
}

impl Unit {
    fn size(&self) -> usize {
        self.range().len()
    }

    fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl<'a> Pool<'a> {
    /// `units` has the number of each row's unit, from 0, in the order of first occurrence.
    pub(super) fn new(labels: &'a [u32], units: &[u32], classes: usize, seed: u64) -> Self {
        let (rows, ends) = gather(units);
        let mut by_class = vec![Vec::new(); classes];
        let mut start = 0;
        for end in ends {
            let unit = Unit { start, end, kept: false };
            let class = majority(rows[unit.range()].iter().map(|&row| labels[row as usize]));
            by_class[class as usize].push(unit);
            start = end;
        }
        let weights = by_class.iter().map(|units: &Vec<Unit>| units.iter().map(Unit::size).sum()).collect();
        let shuffled = by_class.into_iter().enumerate().map(|(class, units)| {
            let order = Permutation::new(units.len(), seed, class as u64);
            order.iter().map(|position| units[position]).collect()
        });
        let mut pool = Self { labels, rows, classes: shuffled.collect(), weights, keepers: Vec::new() };
        pool.choose_keepers();
        pool
    }

    /// The first unit of each class, or where no unit counts for a class, the first that has a row of it.
    fn choose_keepers(&mut self) {
        let mut holds = vec![None; self.classes.len()];
        for unit in self.classes.iter().flatten() {
            for &row in &self.rows[unit.range()] {
                holds[self.labels[row as usize] as usize].get_or_insert(unit.start);
            }
        }
        let own = self.classes.iter().map(|units| units.first().map(|unit| unit.start));
        self.keepers = own.zip(holds).map(|(own, held)| own.or(held)).collect();
        let kept: HashSet<u32> = self.keepers.iter().copied().flatten().collect();
        for unit in self.classes.iter_mut().flatten() {
            unit.kept = kept.contains(&unit.start);
        }
    }

    /// Whether any unit has more than one row.
    pub(super) fn has_groups(&self) -> bool {
        self.classes.iter().flatten().any(|unit| unit.size() > 1)
    }

    /// About `count` rows in proportion, every class keeping one unit to train on; `None` when that cannot be.
    pub(super) fn deal(&mut self, count: usize) -> Option<Vec<usize>> {
        self.draw(count, |unit| !unit.kept, 0)
    }

    /// About `count` rows in proportion, some of every class if there is room for it; `None` when that cannot be.
    pub(super) fn deal_to_train(&mut self, count: usize) -> Option<Vec<usize>> {
        let left = self.classes.iter().flatten().map(Unit::size).sum();
        let mut dealt = self.draw(count.min(left), |_| true, 1)?;
        if count < self.keepers.iter().flatten().count() {
            return Some(dealt);
        }
        let mut learnt = vec![false; self.classes.len()];
        dealt.iter().for_each(|&row| learnt[self.labels[row] as usize] = true);
        // A class whose units were all too large for its seats, or that has no units of its own.
        for class in 0..learnt.len() {
            if !learnt[class]
                && let Some(keeper) = self.keepers[class]
            {
                let unit = self.take(keeper);
                unit.iter().for_each(|&row| learnt[self.labels[row] as usize] = true);
                dealt.extend(unit);
            }
        }
        dealt.sort_unstable();
        Some(dealt)
    }

    /// All that is left.
    pub(super) fn rest(self) -> Vec<usize> {
        let units = self.classes.iter().flatten();
        let rows = units.flat_map(|unit| &self.rows[unit.range()]);
        let mut rows: Vec<usize> = rows.map(|&row| row as usize).collect();
        rows.sort_unstable();
        rows
    }

    fn draw(&mut self, count: usize, open: impl Fn(&Unit) -> bool, least: usize) -> Option<Vec<usize>> {
        let size = |units: &Vec<Unit>| units.iter().filter(|unit| open(unit)).map(Unit::size).sum::<usize>();
        let room: Vec<usize> = self.classes.iter().map(size).collect();
        let shares = apportion(count, &self.weights, &room, least)?;
        let mut dealt = Vec::with_capacity(count);
        for (class, share) in shares.into_iter().enumerate() {
            self.fill(class, share, &open, &mut dealt);
        }
        // Seats that are left because units were too large for them go to whatever fits, the largest class first.
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        order.sort_by_key(|&class| Reverse(self.weights[class]));
        for class in order {
            self.fill(class, count - dealt.len(), &open, &mut dealt);
        }
        let missing = count - dealt.len();
        let units = self.classes.iter().flatten().filter(|unit| open(unit));
        // One unit too large is nearer than none.
        if let Some(smallest) = units.min_by_key(|unit| unit.size()).filter(|unit| unit.size() < 2 * missing) {
            let smallest = smallest.start;
            dealt.extend(self.take(smallest));
        }
        dealt.sort_unstable();
        (count == 0 || !dealt.is_empty()).then_some(dealt)
    }

    /// Moves units of a class to `dealt`, from the end, as long as they fit into so many seats.
    fn fill(&mut self, class: usize, mut seats: usize, open: impl Fn(&Unit) -> bool, dealt: &mut Vec<usize>) {
        let mut passed_over = Vec::new();
        while seats > 0
            && let Some(unit) = self.classes[class].pop()
        {
            if open(&unit) && unit.size() <= seats {
                seats -= unit.size();
                dealt.extend(self.rows[unit.range()].iter().map(|&row| row as usize));
            } else {
                passed_over.push(unit);
            }
        }
        self.classes[class].extend(passed_over.into_iter().rev());
    }

    /// Moves out the unit that begins there.
    fn take(&mut self, start: u32) -> Vec<usize> {
        for units in &mut self.classes {
            if let Some(at) = units.iter().position(|unit| unit.start == start) {
                return self.rows[units.remove(at).range()].iter().map(|&row| row as usize).collect();
            }
        }
        Vec::new()
    }
}

/// Rows in the order of their units, and where each unit ends among them.
fn gather(units: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let count = units.iter().max().map_or(0, |&last| last as usize + 1);
    let mut sizes = vec![0; count];
    units.iter().for_each(|&unit| sizes[unit as usize] += 1);
    // Where each unit begins, and once its rows are in their places, where it ends.
    let mut next = 0;
    for size in &mut sizes {
        next += std::mem::replace(size, next);
    }
    let mut ends = sizes;
    let mut rows = vec![0; units.len()];
    for (row, &unit) in (0..).zip(units) {
        let end = &mut ends[unit as usize];
        rows[*end as usize] = row;
        *end += 1;
    }
    (rows, ends)
}

/// The label that occurs most often, the smaller of two that do.
fn majority(labels: impl Iterator<Item = u32>) -> u32 {
    let mut labels: Vec<u32> = labels.collect();
    labels.sort_unstable();
    let runs = labels.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| (run.len(), Reverse(run[0]))).map_or(0, |run| run[0])
}

/// `count` seats by largest remainder: no class above its room, and each with `least` while that can be for all.
fn apportion(count: usize, weights: &[usize], room: &[usize], least: usize) -> Option<Vec<usize>> {
    if count > room.iter().sum() {
        return None;
    }
    let total = weights.iter().sum::<usize>().max(1) as u128;
    let exact = |class: usize| count as u128 * weights[class] as u128;
    let classes = 0..weights.len();
    let least = if room.iter().map(|room| least.min(*room)).sum::<usize>() <= count { least } else { 0 };
    let mut seats: Vec<usize> =
        classes.clone().map(|class| room[class].min(least.max((exact(class) / total) as usize))).collect();
    let mut given: usize = seats.iter().sum();

    // What small classes were given beyond their share is taken from the largest.
    while given > count {
        let largest = classes.clone().max_by_key(|&class| (seats[class], class))?;
        seats[largest] -= 1;
        given -= 1;
    }
    let mut order: Vec<usize> = classes.collect();
    order.sort_by_key(|&class| (Reverse((exact(class) % total, weights[class])), class));
    // Full classes leave seats over: they go round until all are given, which `count <= room` guarantees.
    while given < count {
        for &class in &order {
            if given < count && seats[class] < room[class] {
                seats[class] += 1;
                given += 1;
            }
        }
    }
    Some(seats)
}
