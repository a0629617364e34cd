//! What holds of every page.

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "br", "link", "input"];

/// Elements whose content is no markup.
const RAW: [&str; 2] = ["script", "style"];

/// Says what is wrong with a page: an element that is not closed, or closed twice; a `<` that begins no tag; an attribute
/// without quotes; something that would be loaded or run.
pub(crate) fn check(page: &str) -> Result<Vec<String>, String> {
    let mut open: Vec<String> = Vec::new();
    let mut seen = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    while let Some(begin) = rest.find('<') {
        let tag = &rest[begin + 1..];
        let end = end_of_tag(tag).ok_or_else(|| format!("no end of <{}", around(tag)))?;
        let (inside, after) = (&tag[..end], &tag[end + 1..]);
        rest = after;
        if let Some(name) = inside.strip_prefix('/') {
            let expected = open.pop();
            if expected.as_deref() != Some(name) {
                return Err(format!("</{name}> closes {expected:?} before {}", around(after)));
            }
            continue;
        }
        let name = inside.split([' ', '\n']).next().unwrap_or_default();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("<{} is no tag", around(tag)));
        }
        check_attributes(inside)?;
        seen.push(name.to_owned());
        if RAW.contains(&name) {
            let closing = format!("</{name}>");
            let at = rest.find(&closing).ok_or_else(|| format!("{name} is not closed"))?;
            rest = &rest[at + closing.len()..];
        } else if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    if !open.is_empty() {
        return Err(format!("{open:?} are not closed"));
    }
    match page.chars().find(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
        Some(control) => Err(format!("holds {control:?}")),
        None => Ok(seen),
    }
}

fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            b'<' if !quoted => return None,
            _ => {}
        }
    }
    None
}

fn check_attributes(inside: &str) -> Result<(), String> {
    for (at, part) in inside.split('"').enumerate() {
        // What stands between quotes is every second part.
        if at % 2 == 1 {
            if is_link(inside, at) {
                continue;
            }
            if part.contains("http:")
                || part.contains("https:")
                || part.starts_with("//")
                || part.contains("javascript:")
            {
                return Err(format!("loads {part:?} in <{}", around(inside)));
            }
            continue;
        }
        if part.trim_start().starts_with("on") || part.contains(" on") || part.contains('\'') {
            return Err(format!("an attribute like {part:?} in <{}", around(inside)));
        }
    }
    Ok(())
}

/// Whether the attribute's value is where a link leads on the web: that is loaded by whoever follows it.
fn is_link(inside: &str, at: usize) -> bool {
    let parts: Vec<&str> = inside.split('"').collect();
    let leads = ["https://", "http://"].iter().any(|scheme| parts[at].starts_with(scheme));
    leads && inside.starts_with("a ") && parts[at - 1].ends_with(" href=") && inside.ends_with(" rel=\"noreferrer\"")
}

fn around(text: &str) -> String {
    text.chars().take(60).collect()
}

#[test]
fn the_check_finds_what_is_wrong() {
    let page = |body: &str| check(&format!("<!DOCTYPE html>{body}"));
    assert_eq!(page("<p a=\"1>2\">x<br></p>").unwrap(), ["p", "br"]);
    assert_eq!(page("<a href=\"https://x\" rel=\"noreferrer\"></a>").unwrap(), ["a"]);
    for wrong in [
        "<p>",
        "</p>",
        "<p></b>",
        "a < b",
        "<p onclick=\"x\"></p>",
        "<a href=\"https://x\"></a>",
        "<a href=\"javascript:x\" rel=\"noreferrer\"></a>",
        "<img src=\"https://x\" rel=\"noreferrer\">",
        "<p a='x'></p>",
        "\u{0}",
        "<script>",
    ] {
        assert!(page(wrong).is_err(), "{wrong}");
    }
}
