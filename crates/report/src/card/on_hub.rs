//! A card as it is read on the Hub: what it says of its own folder, it says of its repo.

use super::yaml::text;

/// What a card of ours says of its folder, and what the Hub's readers can use in its place.
const HERE: [(&str, &str); 3] = [
    ("model=\".\")", "model=\"{repo}\")"),
    ("tunesmith predict . ", "tunesmith predict {repo} "),
    ("# \".\" is this folder; its name on the Hub does as well\n", ""),
];

/// The card with a repo's name in place of the folder. What somebody else wrote into it stays.
pub fn on_hub(card: &str, repo: &str) -> String {
    let mut card =
        HERE.iter().fold(card.to_owned(), |card, (here, there)| card.replace(here, &there.replace("{repo}", repo)));
    let name = repo.rsplit('/').next().unwrap_or(repo);
    // The model of a `model-index` goes by the name that people see beside its results.
    const INDEX: &str = "\nmodel-index:\n- name: ";
    if let Some(at) = card.find(INDEX).filter(|_| card.starts_with("---\n")) {
        let from = at + INDEX.len();
        let to = card[from..].find('\n').map_or(card.len(), |end| from + end);
        card.replace_range(from..to, &text(name));
    }
    card
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_speaks_of_its_repo() {
        let card = "---\ntags:\n- \"a\"\nmodel-index:\n- name: \"run-7\"\n  results:\n---\n\
                    # \".\" is this folder; its name on the Hub does as well\n\
                    classify = pipeline(\"text-classification\", model=\".\")\n\
                    tunesmith predict . \"a text\"\nfrom my folder ./x. I wrote this.\n";
        let expected = "---\ntags:\n- \"a\"\nmodel-index:\n- name: \"spam\"\n  results:\n---\n\
                        classify = pipeline(\"text-classification\", model=\"ada/spam\")\n\
                        tunesmith predict ada/spam \"a text\"\nfrom my folder ./x. I wrote this.\n";
        assert_eq!(on_hub(card, "ada/spam"), expected);
        assert_eq!(on_hub(expected, "ada/spam"), expected);
        assert_eq!(on_hub("# Mine\n", "ada/spam"), "# Mine\n");
    }
}
