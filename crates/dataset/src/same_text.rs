//! When two texts are the same: to the letter, or but for case, blanks and Unicode form.
//!
//! Splits keep such texts together ([`crate::split`]), and checks count them ([`mod@crate::check`]). Both compare 128-bit
//! fingerprints, so that memory does not grow with the length of texts.

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::TextList;

/// The first half of a text's BLAKE3 hash. Among a thousand million different texts two have the same one with a
/// probability below 2^-68.
pub(crate) fn fingerprint(text: &str) -> u128 {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes()[..16].iter().fold(0, |print, &byte| print << 8 | u128::from(byte))
}

/// A text without what people do not see a difference in: NFKC, lower case, single blanks between words and none around
/// them, nothing invisible.
pub(crate) fn normalise(text: &str) -> String {
    if text.is_ascii() {
        let mut folded = String::with_capacity(text.len());
        for word in text.split_whitespace() {
            if !folded.is_empty() {
                folded.push(' ');
            }
            folded.push_str(word);
        }
        folded.make_ascii_lowercase();
        return folded;
    }
    fold(text.len(), composed(text))
}

/// Lower case before composing, because a capital with an accent may have no character of its own where the small letter
/// has one; and after it, because a letter in another form may become a plain capital.
fn composed(text: &str) -> impl Iterator<Item = char> {
    let visible = text.chars().filter(|&character| !is_invisible(character));
    visible.flat_map(char::to_lowercase).nfkc().flat_map(char::to_lowercase)
}

fn fold(capacity: usize, characters: impl Iterator<Item = char>) -> String {
    let mut folded = String::with_capacity(capacity);
    let mut gap = false;
    for character in characters {
        if character.is_whitespace() {
            gap = !folded.is_empty();
            continue;
        }
        if gap {
            folded.push(' ');
            gap = false;
        }
        folded.push(character);
    }
    folded
}

/// Marks that only steer how text is set: soft hyphens, joiners, directions, variation selectors, byte order marks.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}')
}

/// For each text the number of its group; texts that are the same when normalised share one. Groups are numbered in the
/// order in which they first occur.
pub(crate) fn groups<T: TextList + ?Sized>(texts: &T) -> Vec<u32> {
    number((0..texts.len()).into_par_iter().map(|at| fingerprint(&normalise(texts.text(at)))).collect()).0
}

/// For each fingerprint the number of its value, in the order of first occurrence, and how many values there are.
///
/// Sorted, not hashed: a table of millions of fingerprints would need more memory than all else that is known of a row.
pub(crate) fn number(prints: Vec<u128>) -> (Vec<u32>, usize) {
    let mut order: Vec<u32> = (0..prints.len() as u32).collect();
    order.par_sort_unstable_by_key(|&row| (prints[row as usize], row));
    // First the earliest row of the same value, then the numbers.
    let mut numbers = vec![0; prints.len()];
    for same in order.chunk_by(|&a, &b| prints[a as usize] == prints[b as usize]) {
        same.iter().for_each(|&row| numbers[row as usize] = same[0]);
    }
    drop((order, prints));
    let mut count = 0;
    for row in 0..numbers.len() {
        let first = numbers[row] as usize;
        if first == row {
            numbers[row] = count;
            count += 1;
        } else {
            numbers[row] = numbers[first];
        }
    }
    (numbers, count as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_blanks_and_unicode_form_make_no_difference() {
        for (a, b) in [
            ("Hello  World", "hello world"),
            (" a\tb\r\n", "a b"),
            ("Caf\u{e9}", "cafe\u{301}"),
            ("ﬁve ½ Ａ", "five 1⁄2 a"),
            ("J\u{30c}", "ǰ"),
            ("ℋi", "hi"),
            ("co\u{ad}operate \u{feff}", "cooperate"),
            ("wide\u{a0}blank", "wide blank"),
            ("❤\u{fe0f}", "❤"),
        ] {
            assert_eq!(normalise(a), normalise(b), "{a:?} and {b:?}");
        }
        for (a, b) in [("now here", "nowhere"), ("it's", "its"), ("a", "á"), ("1", "I"), ("", ".")] {
            assert_ne!(normalise(a), normalise(b), "{a:?} and {b:?}");
        }
        assert_eq!(normalise(" \u{200b}\n"), "");
    }

    #[test]
    fn groups_are_numbered_as_they_occur() {
        assert_eq!(groups(&["b", "a", "B ", "c", "a"]), [0, 1, 0, 2, 1]);
        assert_eq!(groups::<[&str]>(&[]), [0; 0]);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,20}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }

        #[test]
        fn the_short_way_for_ascii_is_the_long_way(text in "[ -~\t\n]{0,30}") {
            let long = fold(0, composed(&text));
            prop_assert_eq!(normalise(&text), long);
        }
    }
}
