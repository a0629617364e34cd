//! Random draws that are a function of (seed, stream) alone, so that threads cannot change them.

/// SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"): 64 good bits from an
/// addition and a mix, which is all that drawing rows needs.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The generator of one stream under a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self { state: mix(seed ^ mix(stream)) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number below `bound` (Lemire 2019, "Fast random integer generation in an interval"). Without his rejection
    /// step one number is likelier than another by at most `bound` in 2^64, which no resample can show.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the reference implementation for the state 1234567 (Vigna's splitmix64.c).
    #[test]
    fn agrees_with_the_reference_implementation() {
        let mut random = Random { state: 1_234_567 };
        let drawn: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_are_even_and_streams_differ() {
        const DRAWS: usize = 70_000;
        let mut counts = [0usize; 7];
        let mut random = Random::new(1, 2);
        for _ in 0..DRAWS {
            counts[random.below(7)] += 1;
        }
        // Five standard deviations of a count whose mean is 10,000.
        let allowed = 5.0 * (DRAWS as f64 / 7.0 * (6.0 / 7.0)).sqrt();
        assert!(counts.iter().all(|&count| (count as f64 - 10_000.0).abs() < allowed), "{counts:?}");
        let of = |seed, stream| Random::new(seed, stream).next();
        assert!(of(1, 2) != of(1, 3) && of(1, 2) != of(2, 2));
    }
}
