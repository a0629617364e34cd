//! Python as we write it: values as literals, names as identifiers.

/// A text as a literal.
pub(super) fn text(value: &str) -> String {
    let mut literal = String::from("\"");
    for letter in value.chars() {
        match letter {
            '"' => literal += "\\\"",
            '\\' => literal += "\\\\",
            '\n' => literal += "\\n",
            '\r' => literal += "\\r",
            '\t' => literal += "\\t",
            letter if letter.is_control() => literal += &format!("\\U{:08x}", u32::from(letter)),
            letter => literal.push(letter),
        }
    }
    literal + "\""
}

/// Words that name nothing of ours: of Python, and of the module that we write.
const TAKEN: [&str; 47] = [
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "match",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "self",
    "try",
    "while",
    "with",
    "yield",
    "asyncio",
    "flyte",
    "hashlib",
    "pathlib",
    "Dir",
    "ContainerTask",
    "Step",
    "main",
    "IMAGE",
    "HERE",
];

/// A step's or an input's name as an identifier: `fetch-data` is `fetch_data`, `import` is `import_`.
pub(super) fn identifier(name: &str) -> String {
    let plain: String = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if TAKEN.contains(&plain.as_str()) { plain + "_" } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_literal() {
        assert_eq!(text("a \"b\" \\ \n \u{7} ü"), "\"a \\\"b\\\" \\\\ \\n \\U00000007 ü\"");
    }

    #[test]
    fn names_are_identifiers_that_mean_nothing_else() {
        assert_eq!(identifier("fetch-data"), "fetch_data");
        assert_eq!(identifier("import"), "import_");
        assert_eq!(identifier("main"), "main_");
    }
}
