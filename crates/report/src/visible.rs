//! Characters that are not seen, or that change how others are seen, made visible.

/// A document with every such character replaced by a picture of it or by its number.
///
/// A NUL or another control character is not allowed in HTML and YAML. Those that turn the direction of text (the
/// "trojan source" of Boucher and Anderson 2021) could make a page say what is not in it.
pub(crate) fn visible(document: &str) -> String {
    let mut seen = String::with_capacity(document.len());
    for character in document.chars() {
        match character {
            '\n' | '\t' => seen.push(character),
            '\0'..='\u{1f}' => seen.push(char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}')),
            '\u{7f}' => seen.push('\u{2421}'),
            '\u{80}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => seen.push('\u{fffd}'),
            '\u{2028}' | '\u{2029}' => seen.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                seen.push_str(&format!("[U+{:04X}]", character as u32));
            }
            _ if character as u32 & 0xfffe == 0xfffe => seen.push('\u{fffd}'),
            _ => seen.push(character),
        }
    }
    seen
}

/// The beginning of a text on one line: at most so many characters.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let mut words = String::new();
    let mut blank = true;
    for character in text.chars().map(|character| if character.is_whitespace() { ' ' } else { character }) {
        if character == ' ' && blank {
            continue;
        }
        blank = character == ' ';
        words.push(character);
    }
    let words = words.trim_end();
    match words.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(visible("a\0b\u{7}\u{7f}\u{85}\n\tc"), "a␀b␇␡\u{fffd}\n\tc");
        assert_eq!(visible("x\u{202e}gpj\u{2066}.exe\u{ffff}\u{1fffe}"), "x[U+202E]gpj[U+2066].exe\u{fffd}\u{fffd}");
        assert_eq!(visible("שלום é 日本 👍🏽"), "שלום é 日本 👍🏽");
    }

    #[test]
    fn an_excerpt_is_one_line() {
        assert_eq!(excerpt("  a\n\n b\t c ", 90), "a b c");
        assert_eq!(excerpt("ééééé", 3), "ééé…");
        assert_eq!(excerpt("ab cd", 3), "ab…");
        assert_eq!(excerpt("abc", 3), "abc");
    }
}
