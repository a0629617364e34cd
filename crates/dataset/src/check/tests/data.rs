//! Data sets from lists of rows.

use crate::columns::{Chosen, Columns, Reason};
use crate::{Dataset, Labels, Split};

/// Text and label.
pub(in crate::check) type Row<'a> = (&'a str, &'a str);

/// A data set of these rows; the labels are those of all rows and then of `more`.
pub(in crate::check) fn dataset_of(
    train: &[Row<'_>],
    validation: &[Row<'_>],
    test: &[Row<'_>],
    more: &[&str],
) -> Dataset {
    let mut names: Vec<String> = Vec::new();
    for name in [train, validation, test].into_iter().flatten().map(|row| row.1).chain(more.iter().copied()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    let labels = Labels::from_names(names).unwrap();
    let split = |rows: &[Row<'_>], file: &str| {
        let ids = rows.iter().map(|row| labels.id(row.1).unwrap()).collect();
        Split::new(file, rows.iter().map(|row| row.0).collect(), ids, 1..=rows.len() as u32)
    };
    let column = |index, name: &str| Chosen { index, name: name.to_owned(), reason: Reason::UsualName };
    let held_out = |rows: &[Row<'_>], file| (!rows.is_empty()).then(|| split(rows, file));
    Dataset {
        train: split(train, "train.csv"),
        validation: held_out(validation, "validation.csv"),
        test: held_out(test, "test.csv"),
        columns: Columns { text: column(0, "text"), label: column(1, "label") },
        labels,
        notices: Vec::new(),
    }
}

/// Rows to learn from and rows to test on.
pub(in crate::check) fn train_and_test(train: &[Row<'_>], test: &[Row<'_>]) -> Dataset {
    dataset_of(train, &[], test, &[])
}

/// Twelve rows of each of two classes in which there is nothing to find.
pub(in crate::check) fn sound_rows() -> Vec<Row<'static>> {
    const TEXTS: [&str; 24] = [
        "where is the parcel that was due on monday",
        "can I pay with two cards at once",
        "the courier left it with a neighbour I do not know",
        "why was I charged shipping on a free order",
        "tracking has not moved since the weekend",
        "please send the invoice for my last purchase",
        "how long does express take to the islands",
        "my voucher was refused at checkout",
        "the box came without its lid and the manual",
        "is there a fee for instalments",
        "I will be away, can you hold the delivery",
        "the bank shows the amount twice",
        "has order 4471 been sent yet",
        "do you take payment on account",
        "it says delivered but nothing came",
        "the tax number is missing on the bill",
        "could you ship to a locker instead",
        "a discount was promised and not given",
        "the driver could not find our entrance",
        "why does the total differ from the basket",
        "half of the order is still missing",
        "when is the direct debit collected",
        "is saturday delivery possible in wales",
        "I want to pay by transfer this time",
    ];
    TEXTS.iter().enumerate().map(|(at, text)| (*text, if at % 2 == 0 { "delivery" } else { "billing" })).collect()
}
