//! A pseudo-random order that is computed, not stored.
//!
//! Position `i` of the order of epoch `e` is found in constant time and no memory, so that a resumed run seeks to its
//! place at once. The construction is a Feistel network over the next larger power of four, walked until it lands inside
//! the range: J. Black and P. Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, methods of sections 3 and 4.
//! The round function is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). It shuffles; it keeps no secrets.

const ROUNDS: usize = 6;

/// A permutation of `0..len`, keyed by a seed and an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permutation {
    len: u64,
    half_bits: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The permutation of `0..len` for this seed and epoch.
    pub fn new(len: usize, seed: u64, epoch: u64) -> Self {
        let len = len as u64;
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        let half_bits = bits.div_ceil(2).max(1);
        let mut state = mix(seed ^ mix(epoch.wrapping_add(GOLDEN)));
        let keys = std::array::from_fn(|_| {
            state = state.wrapping_add(GOLDEN);
            mix(state)
        });
        Self { len, half_bits, keys }
    }

    /// How many positions there are.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What stands at `position`.
    ///
    /// # Panics
    /// When `position` is not below the length: there is nothing to walk to.
    pub fn get(&self, position: usize) -> usize {
        let mut value = position as u64;
        assert!(value < self.len, "position {position} of a permutation of {}", self.len);
        // The network permutes a domain at most four times as large, so this takes under four rounds on average; it ends
        // because the walk is on a cycle that `position` itself is on.
        loop {
            value = self.network(value);
            if value < self.len {
                return value as usize;
            }
        }
    }

    /// The whole order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).map(|position| self.get(position))
    }

    fn network(&self, value: u64) -> u64 {
        let mask = (1u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64: a bijection of 64 bits in which every input bit moves every output bit.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_bijection(permutation: &Permutation) -> bool {
        let mut seen = vec![false; permutation.len()];
        permutation.iter().for_each(|value| seen[value] = true);
        seen.into_iter().all(|seen| seen)
    }

    #[test]
    fn small_lengths_are_permuted() {
        for len in 0..300 {
            assert!(is_bijection(&Permutation::new(len, 42, 0)), "length {len}");
        }
    }

    #[test]
    fn epochs_and_seeds_differ_and_repeat() {
        let order = |seed, epoch| Permutation::new(1000, seed, epoch).iter().collect::<Vec<_>>();
        assert_eq!(order(1, 2), order(1, 2));
        assert_ne!(order(1, 2), order(1, 3));
        assert_ne!(order(1, 2), order(2, 2));
        assert_ne!(order(1, 2), order(2, 1));
    }

    #[test]
    fn the_order_is_pinned() {
        let order: Vec<usize> = Permutation::new(10, 42, 0).iter().collect();
        assert_eq!(order, PINNED, "a changed order changes every run");
    }

    #[test]
    fn values_are_spread_evenly() {
        // Over many seeds, each value is first about equally often: 16 cells of 1000 expected; chi-square with 15
        // degrees of freedom is below 37.7 with probability 0.999.
        let mut first = [0f64; 16];
        for seed in 0..16_000 {
            first[Permutation::new(16, seed, 0).get(0)] += 1.0;
        }
        let chi: f64 = first.iter().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi < 37.7, "chi-square {chi}");
        // And neighbours do not stay neighbours: a shuffled order has one on average.
        let order: Vec<usize> = Permutation::new(10_000, 7, 3).iter().collect();
        let kept = order.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
        assert!(kept < 10, "{kept} neighbours kept");
    }

    proptest! {
        #[test]
        fn every_permutation_is_a_bijection(len in 0usize..5000, seed: u64, epoch: u64) {
            prop_assert!(is_bijection(&Permutation::new(len, seed, epoch)));
        }
    }

    const PINNED: [usize; 10] = [9, 3, 1, 5, 8, 6, 2, 4, 7, 0];
}
