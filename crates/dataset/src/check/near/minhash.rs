//! MinHash of a text's pairs of neighbouring words, in bands.
//!
//! The smallest hash of two sets is the same with a probability that is their Jaccard similarity J, their common part of
//! all that either has (Broder, "On the resemblance and containment of documents", 1997). Of 64 such hashes, four at a
//! time make a key, and texts meet if one of their sixteen keys is the same: with probability 1 - (1 - J^4)^16. One word
//! in twenty that is replaced leaves J at 0.81, which meets in all but 2 of 10,000 cases; two of them leave 0.65 and 95%.
//! Texts that have nothing but common phrases in common, J at 0.05, meet once in 10,000.

/// Keys of a text.
pub(super) const BANDS: usize = 16;

/// Hashes in a key.
const ROWS: usize = 4;

const HASHES: usize = BANDS * ROWS;

/// The keys of a text, which must have two words at least.
pub(super) fn bands(words: &[u32]) -> Vec<u64> {
    let hashes = signature(words);
    hashes.chunks_exact(ROWS).map(|rows| super::one_edit::key(rows, None)).collect()
}

/// The smallest value over all pairs of words of each of the hash functions `x -> a x + b (mod 2^32)`, of which the pair's
/// own hash is well mixed.
fn signature(words: &[u32]) -> [u32; HASHES] {
    let mut smallest = [u32::MAX; HASHES];
    for pair in words.windows(2) {
        let hash = (super::one_edit::key(pair, None) >> 32) as u32;
        // A loop without branches over plain arrays, which the compiler makes vector instructions of.
        for ((least, factor), offset) in smallest.iter_mut().zip(&FACTORS).zip(&OFFSETS) {
            *least = (*least).min(hash.wrapping_mul(*factor).wrapping_add(*offset));
        }
    }
    smallest
}

const FACTORS: [u32; HASHES] = random(1, 1);
const OFFSETS: [u32; HASHES] = random(2, 0);

/// Numbers of a linear congruential generator (Knuth's MMIX); with `low` 1 they are odd.
const fn random(seed: u64, low: u32) -> [u32; HASHES] {
    let mut numbers = [0; HASHES];
    let mut state = seed;
    let mut at = 0;
    while at < HASHES {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers[at] = (state >> 32) as u32 | low;
        at += 1;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of 64 hashes that agree, over many pairs of texts of which a known part is the same.
    #[test]
    fn the_share_of_equal_hashes_is_the_jaccard_similarity() {
        // Numbers from 0 on, so that every pair of neighbours occurs once; texts share `common` of them.
        for (common, own) in [(90, 10), (50, 50), (10, 90)] {
            let mut equal = 0;
            for trial in 0..200u32 {
                let text = |number: u32| -> Vec<u32> {
                    let shared = (0..common).map(|at| trial * 1_000_003 + at);
                    shared.chain((0..own).map(|at| 1 << 30 | number << 20 | trial << 8 | at)).collect()
                };
                let (a, b) = (signature(&text(1)), signature(&text(2)));
                equal += a.iter().zip(&b).filter(|(a, b)| a == b).count();
            }
            let (same, all) = (f64::from(common - 1), f64::from(common - 1 + 2 * own));
            let (share, expected) = (equal as f64 / (200.0 * HASHES as f64), same / all);
            // Each pair of texts is one draw for hashes that are not quite independent: 200 draws, three standard errors.
            let error = 3.0 * (expected * (1.0 - expected) / 200.0).sqrt();
            assert!((share - expected).abs() < error, "{share} for {expected}");
        }
    }

    #[test]
    fn the_hashes_are_pinned() {
        assert_eq!(signature(&[1, 2, 3])[..4], PINNED, "other hashes find other near texts");
    }

    const PINNED: [u32; 4] = [1_352_217_072, 1_207_833_182, 977_875_669, 706_222_873];
}
