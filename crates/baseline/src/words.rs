//! What counts as a word.

/// The words of a text in lower case, as `TfidfVectorizer` finds them with its `token_pattern` `(?u)\b\w\w+\b`: runs of
/// at least two letters, digits and underscores.
///
/// Different on purpose: a vowel sign belongs to its word, where Python's `\w` cuts words of Indic scripts at each; and in
/// scripts that put no spaces between words, where such a run would be a whole sentence, each character is a word.
pub(crate) fn words(lower_case: &str) -> impl Iterator<Item = &str> {
    let mut rest = lower_case;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(is_of_a_word)?;
            rest = &rest[start..];
            let first = rest.chars().next()?;
            let length = if is_word_alone(first) {
                first.len_utf8()
            } else {
                rest.find(|character| !is_of_a_word(character) || is_word_alone(character)).unwrap_or(rest.len())
            };
            let (word, behind) = rest.split_at(length);
            rest = behind;
            if is_word_alone(first) || word.len() > first.len_utf8() {
                return Some(word);
            }
        }
    })
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Thai, Lao, kana and Han characters.
fn is_word_alone(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
        && is_of_a_word(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        words(text).collect()
    }

    #[test]
    fn words_are_as_scikit_learn_finds_them() {
        assert_eq!(of("i'd say: it's a b2b_deal, 100% ok!"), ["say", "it", "b2b_deal", "100", "ok"]);
        assert_eq!(of("größe привет να"), ["größe", "привет", "να"]);
        assert_eq!(of(" \t\n.,;a b c 1"), Vec::<&str>::new());
        assert_eq!(of(""), Vec::<&str>::new());
    }

    #[test]
    fn vowel_signs_belong_to_their_word() {
        assert_eq!(of("दुनिया है"), ["दुनिया", "है"]);
    }

    #[test]
    fn scripts_without_spaces_are_read_by_character() {
        assert_eq!(of("我爱rust吗? よい"), ["我", "爱", "rust", "吗", "よ", "い"]);
        assert_eq!(of("ไทย"), ["ไ", "ท", "ย"]);
    }
}
