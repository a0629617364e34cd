//! Words as numbers, and how many of them two texts do not share.

/// The words of a normalised text, in order, each as a hash. Two different words have the same one with a probability of one
/// in four thousand million, and would make texts look nearer by one word. An apostrophe is part of its word and does not
/// count: "don't" is often written "dont".
pub(super) fn words(normalised: &str) -> Vec<u32> {
    let mut words = Vec::new();
    let mut word = Hash::default();
    for character in normalised.chars().filter(|character| !matches!(character, '\'' | '’')) {
        if !character.is_alphanumeric() {
            word.end(&mut words);
        } else if stands_alone(character) {
            word.end(&mut words);
            word.add(character);
            word.end(&mut words);
        } else {
            word.add(character);
        }
    }
    word.end(&mut words);
    words
}

/// Characters of scripts that put no blanks between words: each counts as one.
fn stands_alone(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}'        // Thai, Lao
        | '\u{1000}'..='\u{109f}'    // Burmese
        | '\u{1780}'..='\u{17ff}'    // Khmer
        | '\u{3040}'..='\u{30ff}'    // Hiragana, Katakana
        | '\u{3400}'..='\u{9fff}'    // Han
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// FNV-1a over characters: the same on every machine, so that everybody finds the same.
#[derive(Default)]
struct Hash(Option<u64>);

impl Hash {
    fn add(&mut self, character: char) {
        let hash = self.0.unwrap_or(0xcbf2_9ce4_8422_2325);
        self.0 = Some((hash ^ u64::from(character)).wrapping_mul(0x0000_0100_0000_01b3));
    }

    fn end(&mut self, words: &mut Vec<u32>) {
        if let Some(hash) = self.0.take() {
            words.push((super::one_edit::mix(hash) >> 32) as u32);
        }
    }
}

/// The words of a text without their order.
pub(super) struct Bag(Vec<u32>);

impl Bag {
    pub(super) fn new(mut words: Vec<u32>) -> Self {
        words.sort_unstable();
        Self(words)
    }

    /// Whether no more words of either are missing from the other than the longer one's [`limit`](super::limit).
    pub(super) fn is_near(&self, other: &Self) -> bool {
        self.difference(other, super::limit(self.0.len().max(other.0.len()))).is_some()
    }

    /// How many words of the one are missing from the other, whichever is more; `None` above `most`.
    fn difference(&self, other: &Self, most: usize) -> Option<usize> {
        let (mut left, mut right) = (&self.0[..], &other.0[..]);
        let (mut only_left, mut only_right) = (0, 0);
        while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
            if first <= second {
                left = left_rest;
            }
            if second <= first {
                right = right_rest;
            }
            only_left += usize::from(first < second);
            only_right += usize::from(second < first);
            if only_left.max(only_right) > most {
                return None;
            }
        }
        Some((only_left + left.len()).max(only_right + right.len())).filter(|difference| *difference <= most)
    }
}

/// How many words two texts do not share, and how many the longer one has, to be told.
pub(in crate::check) fn told_difference(a: &str, b: &str) -> (usize, usize) {
    let [a, b] = [a, b].map(|text| Bag::new(words(&crate::same_text::normalise(text))));
    let longer = a.0.len().max(b.0.len());
    (a.difference(&b, usize::MAX).unwrap_or(longer), longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_stands_between_blanks_and_marks() {
        assert_eq!(words("don't stop, 2nd").len(), 3);
        assert_eq!(words("don’t 'stop'"), words("dont stop"));
        assert_eq!(words("... 🙂 !").len(), 0);
        assert_eq!(words("naïve café").len(), 2);
        assert_eq!(words("東京 tower ดี").len(), 5, "the vowel sign above is alphabetic too");
        assert_eq!(words("a b"), words("a, b!"));
        assert_ne!(words("a b"), words("b a"));
    }

    #[test]
    fn the_difference_is_the_greater_of_both_sides() {
        let told = told_difference;
        assert_eq!(told("a b c", "c b a"), (0, 3));
        assert_eq!(told("a b c", "a b"), (1, 3));
        assert_eq!(told("a b c", "a b d e"), (2, 4));
        assert_eq!(told("a a b", "a b b"), (1, 3));
        assert_eq!(told("", "a"), (1, 1));
        let (a, b) = (Bag::new(words("a b c d")), Bag::new(words("a b e f")));
        assert_eq!((a.difference(&b, 1), a.difference(&b, 2)), (None, Some(2)));
    }
}
