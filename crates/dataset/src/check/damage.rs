//! Signs that characters are not those that were written: mojibake, control characters, markup.

/// Where a text shows UTF-8 that was read as Windows-1252 or Latin-1: runs of characters whose bytes are UTF-8.
///
/// Some such pairs occur in honest text ("CAFÉ’S"), so only leading characters that hardly do ("Ã", "Â", "â€", "ðŸ", "ï¿½")
/// are believed alone; any others must come two in a row, as those of a word in Greek or Chinese do.
pub(super) fn mojibake(text: &str) -> Option<usize> {
    let mut at = text.bytes().position(|byte| !byte.is_ascii())?;
    // Where a run of sequences began.
    let mut run = None;
    while let Some(character) = text[at..].chars().next() {
        match sequence(&text[at..]) {
            Some((characters, decoded)) => {
                if run.is_some() || is_telling(characters, decoded) {
                    return run.or(Some(at));
                }
                run = Some(at);
                at += characters.len();
            }
            None => {
                run = None;
                at += character.len_utf8();
            }
        }
    }
    None
}

/// The first few characters, if they encode another one when taken for bytes, and that one.
fn sequence(text: &str) -> Option<(&str, char)> {
    let mut characters = text.chars();
    let first = byte(characters.next()?)?;
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut bytes = [first, 0, 0, 0];
    for next in &mut bytes[1..length] {
        *next = byte(characters.next()?)?;
    }
    let decoded = str::from_utf8(&bytes[..length]).ok()?.chars().next()?;
    Some((&text[..text.len() - characters.as_str().len()], decoded))
}

fn is_telling(characters: &str, decoded: char) -> bool {
    let mut characters = characters.chars();
    match (characters.next(), characters.next()) {
        // A letter with an accent; "Ã…" may be a word in capitals that is cut off.
        (Some('Ã'), second) => decoded.is_alphabetic() && second != Some('…'),
        // A sign: "Â°", "Â£", "Â\u{a0}".
        (Some('Â'), _) => !decoded.is_alphanumeric(),
        (Some('â'), Some('€' | '\u{80}')) | (Some('ð'), Some('Ÿ' | '\u{9f}')) => true,
        // A replacement character or a byte order mark.
        (Some('ï'), _) => matches!(decoded, '\u{fffd}' | '\u{feff}'),
        _ => false,
    }
}

/// The byte that Windows-1252, or where it has none Latin-1, has for a character.
fn byte(character: char) -> Option<u8> {
    const WINDOWS: [char; 27] = [
        '€', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 'Ž', '‘', '’', '“', '”', '•', '–', '—', '˜', '™',
        'š', '›', 'œ', 'ž', 'Ÿ',
    ];
    const BYTES: [u8; 27] = [
        0x80, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8e, 0x91, 0x92, 0x93, 0x94, 0x95,
        0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9e, 0x9f,
    ];
    match u8::try_from(character) {
        Ok(byte) => Some(byte),
        Err(_) => WINDOWS.iter().position(|&known| known == character).map(|at| BYTES[at]),
    }
}

/// A character that no text is written with, at places where Windows-1252 has quotes, dashes and the like. U+0085 stays
/// out, because it may be the end of a line.
pub(super) fn is_misread_quote(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}')
}

/// An ASCII control character other than tabs and the ends of lines.
pub(super) fn is_stray_control(character: char) -> bool {
    character.is_ascii_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// Where a text has its first HTML tag, or else its first entity.
pub(super) fn markup(text: &str) -> Option<usize> {
    let first = |sign: char, is_markup: fn(&[u8]) -> bool| {
        text.match_indices(sign).map(|(at, _)| at).find(|at| is_markup(&text.as_bytes()[at + 1..]))
    };
    first('<', is_tag).or_else(|| first('&', is_entity))
}

/// A tag's longest name, and an entity's.
const LONGEST_NAME: usize = 10;

/// Names of common tags, so that hearts, placeholders and comparisons are none.
const TAGS: [&str; 25] = [
    "a",
    "b",
    "blockquote",
    "body",
    "br",
    "code",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "hr",
    "html",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "script",
    "span",
    "strong",
    "table",
    "ul",
];

/// Whether a tag's name and its end, or a blank, come next.
fn is_tag(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"/").unwrap_or(rest);
    let length = rest.iter().take(LONGEST_NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let Ok(name) = str::from_utf8(&rest[..length]) else { return false };
    let ends = match rest.get(length) {
        Some(b'>') => true,
        // "a <b or c" is no tag: it has to end, and soon.
        Some(b' ' | b'/') => rest.iter().take(300).any(|&byte| byte == b'>'),
        _ => false,
    };
    ends && TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name))
}

/// Whether a name or a number and a semicolon come next.
fn is_entity(rest: &[u8]) -> bool {
    let (numbered, rest) = match rest.strip_prefix(b"#") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let length = rest.iter().take(LONGEST_NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = &rest[..length];
    let known: [&[u8]; 9] = [b"amp", b"lt", b"gt", b"quot", b"apos", b"nbsp", b"ndash", b"mdash", b"hellip"];
    let is_name = if numbered {
        name.first().is_some_and(|first| first.is_ascii_digit() || matches!(first, b'x' | b'X'))
    } else {
        known.contains(&name)
    };
    is_name && rest.get(length) == Some(&b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a text whose UTF-8 is read as Windows-1252.
    fn misread(text: &str) -> String {
        let windows = |wanted: u8| (0..=0x2122u32).filter_map(char::from_u32).rev().find(|c| byte(*c) == Some(wanted));
        text.bytes().map(|byte| windows(byte).unwrap()).collect()
    }

    #[test]
    fn misread_texts_are_recognised() {
        assert_eq!(misread("é"), "Ã©");
        for text in
            ["café", "naïve façade", "it’s", "“so”", "20 °C", "£5", "Привет", "東京", "日本語 text", "🙂", "Zoë", "ÅÄÖ"]
        {
            assert!(mojibake(&misread(text)).is_some(), "{}", misread(text));
        }
        // The same by way of Latin-1, where the bytes from 80 to 9f are control characters.
        for text in ["à la carte", "it’s", "Привет"] {
            assert!(mojibake(&text.bytes().map(char::from).collect::<String>()).is_some(), "{text}");
        }
        assert!(mojibake("ï»¿text").is_some() && mojibake("ï¿½").is_some());
        assert_eq!(mojibake("a cafÃ©"), Some(5));
    }

    #[test]
    fn honest_texts_are_not() {
        for text in [
            "café",
            "it’s",
            "“so”…",
            "20 °C",
            "£5",
            "Привет",
            "東京",
            "🙂",
            "Zoë",
            "ÅÄÖ",
            "SÃO PAULO",
            "AMANHÃ…",
            "VOCÊ…",
            "CAFÉ’S",
            "the cliché”—he said",
            "«ÉTÉ»",
            "Â",
            "Ãã",
            "â€",
            "5 €",
            "½ Ã",
            "\u{fffd}",
        ] {
            assert_eq!(mojibake(text), None, "{text}");
        }
    }

    #[test]
    fn tags_and_entities_are_markup() {
        for text in
            ["a<br />b", "<B>bold</B>", "x </p> y", "<a href='x'>y</a>", "a &amp; b", "&#39;", "&#x27;", "&lt;#&gt;"]
        {
            assert!(markup(text).is_some(), "{text}");
        }
        for text in
            ["I <3 you", "a<b", "a < b > c", "<name> <URL>", "AT&T; B&B", "R&D;", "&;", "<", "&", "if a <b or c"]
        {
            assert_eq!(markup(text), None, "{text}");
        }
    }

    #[test]
    fn ends_of_lines_are_no_stray_controls() {
        assert!("a\tb\r\nc".chars().all(|c| !is_stray_control(c)));
        assert!(['\u{7}', '\u{1b}', '\u{7f}'].into_iter().all(is_stray_control));
        assert!(['\u{92}', '\u{9d}'].into_iter().all(is_misread_quote) && !is_misread_quote('\u{85}'));
    }
}
