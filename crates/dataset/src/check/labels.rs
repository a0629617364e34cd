//! What is odd about labels: two for one text, two spellings of one, few rows, shares that differ between splits.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::finding::{EXAMPLES, Example, Finding, Severity, plural, share, thousands};
use super::near::one_edit;
use super::repeats::Repeats;
use super::rows::{Role, Rows};
use crate::same_text::normalise;

/// Below so many training rows a class is hardly learnt.
const FEW_ROWS: usize = 10;

/// A longer label is a sentence, in which one letter is no longer a slip of the pen.
const LONGEST_LABEL: usize = 64;

/// How many labels of one text, or spellings of one label, an example shows.
const LABELS_SHOWN: usize = 4;

/// In shorter labels one letter makes another word: "cat" and "car".
const SHORTEST_MISSPELLED: usize = 5;

pub(super) fn findings(rows: &Rows<'_>, repeats: &Repeats, findings: &mut Vec<Finding>) {
    findings.extend(conflicting(rows, repeats));
    findings.extend(similar(rows));
    findings.extend(misspelled(rows));
    findings.extend(missing(rows));
    findings.extend(rare(rows));
    findings.extend(imbalance(rows));
    findings.extend(shift(rows));
}

/// One text, several labels.
fn conflicting(rows: &Rows<'_>, repeats: &Repeats) -> Option<Finding> {
    let mut differing: HashMap<u32, Vec<usize>> = HashMap::new();
    for row in 0..rows.len() {
        let text = repeats.normalised.of[row];
        let first = repeats.normalised.first(text);
        if rows.label(row) != rows.label(first) {
            let shown = differing.entry(text).or_insert_with(|| vec![first]);
            if shown.len() < LABELS_SHOWN && shown.iter().all(|&other| rows.label(other) != rows.label(row)) {
                shown.push(row);
            }
        }
    }
    let count = differing.len();
    let concerned = repeats.normalised.of.iter().filter(|text| differing.contains_key(text)).count();
    let mut shown: Vec<Vec<usize>> = differing.into_values().collect();
    shown.sort();
    (count > 0).then(|| Finding {
        name: "conflicting_labels",
        severity: Severity::by_share(Severity::Warning, Severity::Problem, concerned, rows.len(), 1),
        count,
        message: format!(
            "{} under more than one label, in {}",
            plural(count, "text stands", "texts stand"),
            share(concerned, rows.len(), "rows")
        ),
        advice: "Decide on one label for each of them: no model can be right about both.",
        examples: shown.iter().take(EXAMPLES).map(|spots| Example::new(rows, spots, "")).collect(),
    })
}

/// Labels that are one label in two spellings.
fn similar(rows: &Rows<'_>) -> Option<Finding> {
    let mut spelled: HashMap<String, Vec<usize>> = HashMap::new();
    for (class, name) in rows.classes().iter().enumerate() {
        spelled.entry(plain(name)).or_default().push(class);
    }
    let mut groups: Vec<Vec<usize>> = spelled.into_values().filter(|classes| classes.len() > 1).collect();
    groups.sort();
    label_finding(
        rows,
        &groups,
        "similar_labels",
        Severity::Problem,
        "but for case, blanks or the way a number is written",
    )
}

/// A label without what people do not mean a difference by.
fn plain(label: &str) -> String {
    let plain: String = normalise(label).chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-')).collect();
    let number = normalise(label).parse::<f64>().ok().filter(|number| number.is_finite());
    number.map_or(plain, |number| number.to_string())
}

/// Labels that differ in one letter.
fn misspelled(rows: &Rows<'_>) -> Option<Finding> {
    let letters: Vec<Vec<u32>> =
        rows.classes().iter().map(|name| plain(name).chars().map(u32::from).collect()).collect();
    let mut under: HashMap<u64, Vec<usize>> = HashMap::new();
    for (class, letters) in letters.iter().enumerate() {
        if (SHORTEST_MISSPELLED..=LONGEST_LABEL).contains(&letters.len()) {
            one_edit::keys(letters).into_iter().for_each(|key| under.entry(key).or_default().push(class));
        }
    }
    let mut groups: Vec<Vec<usize>> = under
        .into_values()
        .filter_map(|classes| {
            // One against the others: thousands of classes of one pattern are no thousands of slips.
            let (&first, others) = classes.split_first()?;
            let other =
                others.iter().find(|&&other| differ_by_a_slip(&rows.classes()[first], &rows.classes()[other]))?;
            Some(vec![first, *other])
        })
        .collect();
    groups.sort();
    groups.dedup();
    label_finding(rows, &groups, "misspelled_labels", Severity::Warning, "but for one letter")
}

/// One letter more, less, another, or two swapped; not a digit, which tells things apart.
fn differ_by_a_slip(a: &str, b: &str) -> bool {
    let (a, b) = (plain(a), plain(b));
    let digits = |label: &str| label.chars().filter(|c| c.is_numeric()).collect::<String>();
    strsim::osa_distance(&a, &b) == 1 && digits(&a) == digits(&b)
}

fn label_finding(
    rows: &Rows<'_>,
    groups: &[Vec<usize>],
    name: &'static str,
    severity: Severity,
    but_for: &str,
) -> Option<Finding> {
    let count: usize = groups.iter().map(|classes| classes.len() - 1).sum();
    let spelled = |classes: &Vec<usize>| {
        let names: Vec<String> =
            classes.iter().take(LABELS_SHOWN).map(|&class| format!("{:?}", rows.classes()[class])).collect();
        names.join(" and ")
    };
    let listed: Vec<String> = groups.iter().take(EXAMPLES).map(spelled).collect();
    let first_of = |class: usize| (0..rows.len()).find(|&row| rows.label(row) as usize == class);
    let example = |classes: &Vec<usize>| {
        let first: Vec<usize> = classes.iter().take(LABELS_SHOWN).filter_map(|&class| first_of(class)).collect();
        Example::new(rows, &first, spelled(classes))
    };
    (count > 0).then(|| Finding {
        name,
        severity,
        count,
        message: format!("{} another one {but_for}: {}", plural(count, "label is", "labels are"), listed.join("; ")),
        advice: "If they mean the same, give them one spelling; the model takes them for different classes.",
        examples: groups.iter().take(EXAMPLES).map(example).collect(),
    })
}

/// Classes that a split has no row of.
fn missing(rows: &Rows<'_>) -> Vec<Finding> {
    let missing = rows.splits().filter_map(|(role, split)| {
        let counts = split.class_counts(rows.classes().len());
        let absent: Vec<usize> = (0..counts.len()).filter(|&class| counts[class] == 0).collect();
        let (name, advice) = match role {
            Role::Train => ("train_lacks_classes", "The model cannot learn them: add rows, or leave the labels out."),
            Role::Validation => {
                ("validation_lacks_classes", "Nothing is measured on them while training: make the split larger.")
            }
            Role::Test => ("test_lacks_classes", "Nothing is reported on them: make the split larger."),
        };
        (!absent.is_empty()).then(|| Finding {
            name,
            severity: Severity::Warning,
            count: absent.len(),
            message: format!(
                "{} no {} row: {}",
                plural(absent.len(), "class has", "classes have"),
                role.adjective(),
                names(rows, &absent)
            ),
            advice,
            examples: Vec::new(),
        })
    });
    missing.collect()
}

/// Classes with few rows to learn from.
fn rare(rows: &Rows<'_>) -> Option<Finding> {
    let counts = train_counts(rows);
    let mut rare: Vec<usize> = (0..counts.len()).filter(|&class| (1..FEW_ROWS).contains(&counts[class])).collect();
    rare.sort_by_key(|&class| counts[class]);
    (!rare.is_empty()).then(|| Finding {
        name: "rare_classes",
        severity: Severity::Warning,
        count: rare.len(),
        message: format!(
            "{} fewer than {FEW_ROWS} training rows: {}",
            plural(rare.len(), "class has", "classes have"),
            names(rows, &rare)
        ),
        advice: "Collect more rows of them, or merge them into other classes.",
        examples: Vec::new(),
    })
}

fn imbalance(rows: &Rows<'_>) -> Option<Finding> {
    let counts = train_counts(rows);
    let present = || (0..counts.len()).filter(|&class| counts[class] > 0);
    let largest = present().max_by_key(|&class| (counts[class], Reverse(class)))?;
    let smallest = present().min_by_key(|&class| (counts[class], class))?;
    let ratio = counts[largest] / counts[smallest];
    let of = rows.range(Role::Train).len();
    (ratio >= 4).then(|| Finding {
        name: "imbalance",
        severity: if ratio >= 100 { Severity::Warning } else { Severity::Note },
        count: counts[largest],
        message: format!(
            "{} are {:?}, and {} {:?}: always answering {:?} would be right that often",
            share(counts[largest], of, "training rows"),
            rows.classes()[largest],
            thousands(counts[smallest]),
            rows.classes()[smallest],
            rows.classes()[largest],
        ),
        advice: "Judge by macro F1 rather than by accuracy; --class-weights balanced makes rare classes count more.",
        examples: Vec::new(),
    })
}

/// Splits whose shares of classes are not those of train, as when a sorted file is cut.
fn shift(rows: &Rows<'_>) -> Vec<Finding> {
    let shares = |counts: &[usize]| -> Vec<f64> {
        let all = counts.iter().sum::<usize>().max(1) as f64;
        counts.iter().map(|&count| count as f64 / all).collect()
    };
    let train = shares(&train_counts(rows));
    let held_out = rows.splits().filter(|(role, _)| *role != Role::Train);
    let shifted = held_out.filter_map(|(role, split)| {
        let counts = split.class_counts(train.len());
        let here = shares(&counts);
        let differences: Vec<f64> = here.iter().zip(&train).map(|(here, there)| (here - there).abs()).collect();
        // Half the sum is the total variation; a random split of so many rows has about `chance` of it.
        let total = differences.iter().sum::<f64>() / 2.0;
        let deviation = |share: &f64| (share * (1.0 - share) / split.len() as f64 * 2.0 / std::f64::consts::PI).sqrt();
        let chance = train.iter().map(deviation).sum::<f64>() / 2.0;
        let most = (0..train.len()).rev().max_by(|&a, &b| differences[a].total_cmp(&differences[b]))?;
        (total > 0.05 + 2.0 * chance).then(|| Finding {
            name: if role == Role::Test { "test_label_shift" } else { "validation_label_shift" },
            severity: Severity::Warning,
            count: (total * split.len() as f64).ceil() as usize,
            message: format!(
                "the shares of labels differ from those of train: {:?} is {:.1}% of the {} rows and {:.1}% of the training rows",
                rows.classes()[most],
                100.0 * here[most],
                role.name(),
                100.0 * train[most],
            ),
            advice: "Draw the splits at random (--shuffle-split), unless the rows to come will differ as much.",
            examples: Vec::new(),
        })
    });
    shifted.collect()
}

fn train_counts(rows: &Rows<'_>) -> Vec<usize> {
    let mut counts = vec![0; rows.classes().len()];
    rows.range(Role::Train).for_each(|row| counts[rows.label(row) as usize] += 1);
    counts
}

/// The first few of these classes by name.
fn names(rows: &Rows<'_>, classes: &[usize]) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<String> =
        classes.iter().take(SHOWN).map(|&class| format!("{:?}", rows.classes()[class])).collect();
    if classes.len() > SHOWN {
        names.push(format!("and {} more", thousands(classes.len() - SHOWN)));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_same_but_for_what_nobody_means() {
        for (a, b) in [("Ham", "ham"), ("not spam", "Not_Spam"), ("1", "1.0"), ("e-mail", "email"), ("07", "7")] {
            assert_eq!(plain(a), plain(b), "{a} and {b}");
        }
        for (a, b) in [("c", "c++"), ("c#", "c++"), ("1", "-1"), ("yes", "yes!"), ("nan", "inf")] {
            assert_ne!(plain(a), plain(b), "{a} and {b}");
        }
    }

    #[test]
    fn a_slip_is_one_letter_of_a_word() {
        for (a, b) in [("refund", "refunds"), ("delivery", "delivrey"), ("positive", "postive")] {
            assert!(differ_by_a_slip(a, b), "{a} and {b}");
        }
        for (a, b) in [("class1", "class2"), ("positive", "negative"), ("refund", "refund")] {
            assert!(!differ_by_a_slip(a, b), "{a} and {b}");
        }
    }
}
