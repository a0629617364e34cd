//! What `wandb login` and `wandb init` left on this machine: the key in the netrc file, and a file of settings.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The settings in the user's own file, by name.
pub(super) fn settings(env: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let folder = env("WANDB_CONFIG_DIR").map(PathBuf::from).or_else(|| Some(home(env)?.join(".config/wandb")));
    let text = folder.and_then(|folder| fs::read_to_string(folder.join("settings")).ok()).unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['[', '#', ';']));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// The password that the netrc file has for the server at `base_url`.
pub(super) fn password(base_url: &str, env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let files = match env("NETRC") {
        Some(file) => vec![PathBuf::from(file)],
        None => home(env).map_or_else(Vec::new, |home| vec![home.join(".netrc"), home.join("_netrc")]),
    };
    let text = files.iter().find_map(|file| fs::read_to_string(file).ok())?;
    password_for(host(base_url), &text)
}

fn home(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    env("HOME").or_else(|| env("USERPROFILE")).map(PathBuf::from)
}

/// The host of an address, without its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?']).next().unwrap_or(rest)
}

/// Reads as much of the format as matters: of the entries for `host`, or else `default`, the first.
fn password_for(host: &str, text: &str) -> Option<String> {
    let mut words = words(text).into_iter();
    let (mut matches, mut is_default, mut of_default) = (false, false, None);
    while let Some(word) = words.next() {
        match word {
            "machine" => (matches, is_default) = (words.next() == Some(host), false),
            "default" => (matches, is_default) = (false, true),
            "password" => {
                let password = words.next()?.to_owned();
                if matches {
                    return Some(password);
                }
                if is_default {
                    of_default.get_or_insert(password);
                }
            }
            "login" | "account" => _ = words.next(),
            _ => {}
        }
    }
    of_default
}

/// The words that are not comments or macros, which end at an empty line.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut in_macro) = (Vec::new(), false);
    for line in text.lines() {
        if line.trim().is_empty() {
            in_macro = false;
        } else if line.trim_start().starts_with("macdef") {
            in_macro = true;
        } else if !in_macro && !line.trim_start().starts_with('#') {
            words.extend(line.split_whitespace());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NETRC: &str = "# mine\nmachine example.org login me password other\nmacdef init\n password fake\n\n\
        machine api.wandb.ai\n  login user\n  password secret\ndefault login anonymous password guest\n";

    #[test]
    fn the_entry_of_the_host_is_found() {
        assert_eq!(password_for(host("https://api.wandb.ai"), NETRC).as_deref(), Some("secret"));
        assert_eq!(password_for(host("http://example.org:8080/x"), NETRC).as_deref(), Some("other"));
        assert_eq!(password_for("elsewhere", NETRC).as_deref(), Some("guest"));
        assert_eq!(password_for("elsewhere", "machine a password b").as_deref(), None);
        assert_eq!(password_for("a", "machine a login password password b").as_deref(), Some("b"));
    }

    #[test]
    fn files_are_looked_for_at_home() {
        let home = tempfile::tempdir().unwrap();
        let env = |name: &str| (name == "HOME").then(|| home.path().display().to_string());
        assert_eq!(password("https://api.wandb.ai", &env), None);
        assert!(settings(&env).is_empty());
        fs::write(home.path().join(".netrc"), NETRC).unwrap();
        fs::create_dir_all(home.path().join(".config/wandb")).unwrap();
        let text = "[default]\nbase_url = https://wandb.example\nentity =\n";
        fs::write(home.path().join(".config/wandb/settings"), text).unwrap();
        assert_eq!(password("https://api.wandb.ai", &env).as_deref(), Some("secret"));
        assert_eq!(settings(&env), BTreeMap::from([("base_url".to_owned(), "https://wandb.example".to_owned())]));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(machine|default|password|macdef|login|a|\n| |#){0,40}") {
            password_for("a", &text);
        }
    }
}
