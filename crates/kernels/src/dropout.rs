//! Dropout without stored masks: whether an element is kept is a function of where it stands.
//!
//! A mask element is decided by (seed, step, layer, site, example, token, column) alone. It is recomputed in the
//! backward pass, and does not depend on packing, on micro-batches or on threads. The mixers are the finaliser of
//! SplitMix64 (Steele, Lea, Flood 2014) for rows, and for columns the 32-bit finaliser "lowbias32" found by
//! Chris Wellons's hash prospector, which vectorises.

/// Where in a layer a dropout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Site {
    /// After the embeddings' normalisation.
    Embeddings = 1,
    /// On attention probabilities.
    Attention = 2,
    /// After the attention's output projection.
    AttentionOutput = 3,
    /// After the feed-forward part.
    Output = 4,
    /// Before the classifier.
    Classifier = 5,
}

/// One dropout: its probability and its place in the run and in the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    probability: f32,
    threshold: u32,
    stream: u64,
}

/// The key of one row of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowKey {
    first: u32,
    second: u32,
}

impl Dropout {
    /// Dropout with `probability` at `site` of `layer` in optimiser step `step` of a run with `seed`; `None` where the
    /// probability is zero.
    ///
    /// # Panics
    /// If `probability` is not in [0, 1); configurations are checked where they are read.
    #[must_use]
    pub fn new(probability: f32, seed: u64, step: u64, layer: usize, site: Site) -> Option<Self> {
        assert!((0.0..1.0).contains(&probability), "dropout probability {probability} is not in [0, 1)");
        if probability == 0.0 {
            return None;
        }
        let stream = mix64(mix64(mix64(seed) ^ step) ^ ((layer as u64) << 8 | site as u64));
        // An element is dropped when its 32 random bits are below probability * 2^32.
        let threshold = (f64::from(probability) * 4_294_967_296.0).round().min(4_294_967_295.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the line above")]
        let threshold = threshold as u32;
        Some(Self { probability, threshold, stream })
    }

    /// What kept elements are multiplied by: 1 / (1 - probability).
    #[must_use]
    pub fn scale(&self) -> f32 {
        1.0 / (1.0 - self.probability)
    }

    /// The key of the row of `token` of `example`.
    #[must_use]
    pub fn row(&self, example: u64, token: u32) -> RowKey {
        RowKey::from(mix64(mix64(self.stream ^ example).wrapping_add(u64::from(token))))
    }

    /// The key of the row of attention probabilities of `head` and query `token` of `example`.
    #[must_use]
    pub fn attention_row(&self, example: u64, head: usize, token: u32) -> RowKey {
        RowKey::from(mix64(mix64(self.stream ^ example).wrapping_add((head as u64) << 32 | u64::from(token))))
    }

    /// The factor of the element at `column` of a row: 0 where dropped, [`Dropout::scale`] where kept.
    #[inline(always)]
    #[must_use]
    pub fn factor(&self, row: RowKey, column: u32) -> f32 {
        if row.bits(column) < self.threshold { 0.0 } else { self.scale() }
    }
}

impl From<u64> for RowKey {
    fn from(key: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves are taken apart on purpose")]
        Self { first: (key >> 32) as u32, second: key as u32 }
    }
}

impl RowKey {
    #[inline(always)]
    fn bits(self, column: u32) -> u32 {
        let mut x = column.wrapping_mul(0x9E37_79B9) ^ self.first;
        x ^= x >> 16;
        x = x.wrapping_mul(0x7FEB_352D);
        x = x.wrapping_add(self.second);
        x ^= x >> 15;
        x = x.wrapping_mul(0x846C_A68B);
        x ^ (x >> 16)
    }
}

const fn mix64(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_probability_is_no_dropout() {
        assert_eq!(Dropout::new(0.0, 1, 2, 3, Site::Output), None);
    }

    /// 10^6 draws of p = 0.1 have a standard deviation of 300; four of them bound the count.
    #[test]
    fn drops_the_wanted_share_without_correlation_of_neighbours() {
        let dropout = Dropout::new(0.1, 42, 7, 3, Site::Output).unwrap();
        let (mut dropped, mut both, mut below) = (0, 0, 0);
        for token in 0..1000 {
            let (row, next) = (dropout.row(11, token), dropout.row(11, token + 1));
            for column in 0..1000 {
                let here = dropout.factor(row, column) == 0.0;
                dropped += u32::from(here);
                both += u32::from(here && dropout.factor(row, column + 1) == 0.0);
                below += u32::from(here && dropout.factor(next, column) == 0.0);
            }
        }
        assert!((f64::from(dropped) - 100_000.0).abs() < 1200.0, "{dropped} of 1000000 dropped");
        // Independent neighbours are both dropped in 1% of places, with a standard deviation of about 100.
        assert!((f64::from(both) - 10_000.0).abs() < 450.0, "{both} neighbouring pairs dropped");
        assert!((f64::from(below) - 10_000.0).abs() < 450.0, "{below} vertical pairs dropped");
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let mask = |d: Dropout, row: RowKey| (0..64).map(|c| d.factor(row, c) == 0.0).collect::<Vec<_>>();
        let base = Dropout::new(0.5, 1, 1, 1, Site::Output).unwrap();
        let reference = mask(base, base.row(1, 1));
        for other in [
            Dropout::new(0.5, 2, 1, 1, Site::Output).unwrap(),
            Dropout::new(0.5, 1, 2, 1, Site::Output).unwrap(),
            Dropout::new(0.5, 1, 1, 2, Site::Output).unwrap(),
            Dropout::new(0.5, 1, 1, 1, Site::Embeddings).unwrap(),
        ] {
            assert_ne!(mask(other, other.row(1, 1)), reference);
        }
        assert_ne!(mask(base, base.row(2, 1)), reference);
        assert_ne!(mask(base, base.row(1, 2)), reference);
        assert_ne!(mask(base, base.attention_row(1, 1, 1)), reference);
    }
}
