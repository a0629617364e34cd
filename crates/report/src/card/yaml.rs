//! The little of YAML that the metadata needs: every text is quoted, so that no text is anything else.

/// A text in double quotes, as YAML 1.1 and 1.2 read it.
pub(super) fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // What cannot stand in YAML is made visible in the whole card.
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A number that YAML 1.1 takes for one: `1e-5` would be a text.
pub(super) fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:.6}") } else { text(&value.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        assert_eq!(text("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
        assert_eq!(text("no"), "\"no\"");
        assert_eq!((number(0.5), number(f64::NAN)), ("0.500000".to_owned(), "\"NaN\"".to_owned()));
    }
}
