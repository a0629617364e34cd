//! Texts filed under keys: those in one drawer are compared with each other, but not all with all.

use rayon::prelude::*;

use super::super::rows::Role;

/// How many texts of each split the others in a drawer are compared with. Those that come together by chance are few;
/// many texts in one drawer are variants of a few.
const LEADERS: usize = 4;

/// A text under one of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Filed {
    pub(super) key: u64,
    pub(super) text: u32,
}

/// For each text a near one in each split.
pub(super) struct Partners<Roles, IsNear> {
    /// In the order of the texts.
    pub(super) of: Vec<[Option<u32>; 3]>,
    /// Which splits a text stands in.
    roles: Roles,
    is_near: IsNear,
    groups: Groups,
}

impl<Roles, IsNear> Partners<Roles, IsNear>
where
    Roles: Fn(u32) -> [bool; 3] + Sync,
    IsNear: Fn(u32, u32) -> bool + Sync,
{
    pub(super) fn new(texts: usize, roles: Roles, is_near: IsNear) -> Self {
        Self { of: vec![[None; 3]; texts], roles, is_near, groups: Groups::new(texts) }
    }

    /// Compares texts under the same key.
    pub(super) fn search(&mut self, mut filed: Vec<Filed>) {
        filed.par_sort_unstable();
        let pairs: Vec<(u32, u32)> = filed
            .par_chunk_by(|a, b| a.key == b.key)
            .filter(|drawer| drawer.len() > 1)
            .flat_map_iter(|drawer| self.pairs(drawer))
            .collect();
        for (a, b) in pairs {
            self.groups.unite(a, b);
            for (text, other) in [(a, b), (b, a)] {
                for (partner, is_there) in self.of[text as usize].iter_mut().zip((self.roles)(other)) {
                    if is_there {
                        partner.get_or_insert(other);
                    }
                }
            }
        }
    }

    /// Near texts of one drawer. Texts of train have the smallest numbers and come first, so that those of the other splits
    /// are compared with them.
    fn pairs(&self, drawer: &[Filed]) -> Vec<(u32, u32)> {
        let mut leaders: [Vec<u32>; 3] = Default::default();
        let mut pairs = Vec::new();
        for &Filed { text, .. } in drawer {
            let roles = (self.roles)(text);
            for role in Role::ALL {
                let leaders = &mut leaders[role as usize];
                match leaders.iter().find(|&&leader| (self.is_near)(leader, text)) {
                    Some(&leader) => pairs.push((leader, text)),
                    None if roles[role as usize] && leaders.len() < LEADERS => leaders.push(text),
                    None => {}
                }
            }
        }
        pairs
    }

    /// How many texts could be left out so that no two near ones remain, if near were transitive.
    pub(super) fn duplicates(&self) -> usize {
        self.groups.united
    }
}

/// Union-find with path halving.
struct Groups {
    parents: Vec<u32>,
    /// How many times two groups became one.
    united: usize,
}

impl Groups {
    fn new(texts: usize) -> Self {
        Self { parents: (0..texts as u32).collect(), united: 0 }
    }

    fn root(&mut self, mut text: u32) -> u32 {
        while self.parents[text as usize] != text {
            let above = self.parents[self.parents[text as usize] as usize];
            self.parents[text as usize] = above;
            text = above;
        }
        text
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            // The smaller number stays: the earliest text stands for its group.
            self.parents[a.max(b) as usize] = a.min(b);
            self.united += 1;
        }
    }
}
