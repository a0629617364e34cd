//! Sequences that differ in one place, found without comparing all with all.
//!
//! If one word is replaced, both texts are the same without it; if one is left out, the shorter text is the longer one
//! without it. So each text is filed under itself and under itself without each of its words, and any two that differ in
//! one place meet under a key (the deletion neighbourhood of Mor and Fraenkel, "A hash code method for detecting and
//! correcting spelling errors", CACM 25(12), 1982). The cost is as many keys as words. The words may as well be letters.

/// The keys of a sequence: the whole, and the whole without each of its items.
pub(crate) fn keys(items: &[u32]) -> Vec<u64> {
    let mut keys: Vec<u64> = (0..items.len()).map(|left_out| key(items, Some(left_out))).collect();
    keys.push(key(items, None));
    // In "ha ha ha" it does not matter which one is left out.
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The key of a sequence without one of its items.
pub(crate) fn key(items: &[u32], left_out: Option<usize>) -> u64 {
    let kept = items.iter().enumerate().filter(|(at, _)| Some(*at) != left_out);
    kept.fold(0, |key, (_, &item)| mix(key.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ u64::from(item)))
}

/// The finaliser of SplitMix64, in which every input bit moves every output bit.
pub(super) fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meet(a: &[u32], b: &[u32]) -> bool {
        let b = keys(b);
        keys(a).iter().any(|key| b.contains(key))
    }

    #[test]
    fn two_places_are_one_too_many() {
        assert!(!meet(&[1, 2, 3, 4, 5], &[1, 9, 3, 8, 5]));
        assert!(!meet(&[1, 2, 3], &[1]));
        assert_eq!(keys(&[7, 7, 7]).len(), 2);
    }

    proptest! {
        #[test]
        fn one_edit_is_always_found(items in prop::collection::vec(0u32..5, 1..20), at: prop::sample::Index, new in 0u32..9) {
            let at = at.index(items.len());
            let (mut replaced, mut inserted, mut left_out) = (items.clone(), items.clone(), items.clone());
            replaced[at] = new;
            inserted.insert(at, new);
            left_out.remove(at);
            prop_assert!(meet(&items, &replaced) && meet(&items, &inserted) && meet(&items, &left_out));
        }
    }
}
