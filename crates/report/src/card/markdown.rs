//! The little of Markdown that the card needs. Whatever comes from outside goes through [`text`].

/// A text on one line in which nothing means anything to Markdown or HTML.
pub(super) fn text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let behind = characters.peek().copied();
        let is_word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        let means_something = match character {
            '\\' | '`' | '*' | '[' | ']' | '#' | '|' | '~' | '$' | '@' => true,
            // An address would become a link.
            ':' => true,
            // Within a word it is only itself.
            '_' => !(is_word(before) && is_word(behind)),
            // Two of them make a line or a heading, one in front an item of a list.
            '-' | '=' | '+' => before.is_none() || before == Some(character) || behind == Some(character),
            _ => false,
        };
        match character {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '\n' | '\r' | '\t' => plain.push(' '),
            _ if means_something => plain.extend(['\\', character]),
            _ => plain.push(character),
        }
        before = Some(character);
    }
    plain
}

/// A table. Cells are Markdown already.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head_cells: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule: Vec<String> = (0..head.len()).map(|at| if at == 0 { "---" } else { "---:" }.to_owned()).collect();
    let mut table = line(&head_cells) + &line(&rule);
    rows.iter().for_each(|row| table += &line(row));
    table
}

/// A block of code, whose fence no line of it can end.
pub(super) fn code(language: &str, code: &str) -> String {
    let longest = code.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{code}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_means_anything() {
        assert_eq!(text("<b>|`x`\n# *y*"), r"&lt;b&gt;\|\`x\` \# \*y\*");
        assert_eq!(text("max_length _x_ (1+1)"), r"max_length \_x\_ (1+1)");
        assert_eq!(text("https://a.b"), r"https\://a.b");
        assert_eq!(text("--- a-b ==="), r"\-\-\- a-b \=\=\=");
        assert_eq!(text("[a](b) <!-- made by tunesmith"), r"\[a\](b) &lt;!\-\- made by tunesmith");
    }

    #[test]
    fn code_cannot_leave_its_fence() {
        assert_eq!(code("sh", "a\n```\nb"), "````sh\na\n```\nb\n````\n");
        assert_eq!(code("sh", "a"), "```sh\na\n```\n");
    }

    #[test]
    fn tables_have_their_figures_to_the_right() {
        assert_eq!(table(&["a", "b"], &[vec!["x".into(), "1".into()]]), "| a | b |\n| --- | ---: |\n| x | 1 |\n");
    }
}
