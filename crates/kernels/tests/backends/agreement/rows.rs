//! What goes row by row, and the loss.

use kernels::{Dropout, Site};

use super::{assert_all_agree, layouts, stored};
use crate::operations;

#[test]
fn embed() {
    for layout in layouts() {
        for width in [1, 7, 16, 50] {
            let batch = [layout.clone()];
            assert_all_agree(
                &format!("embed {} rows of {width}", layout.rows()),
                |on| operations::embed(on, &batch, width),
                |on| operations::embed(on, &batch, width),
                |precision, kept| stored(precision, kept.place),
            );
        }
    }
}

#[test]
fn dropout() {
    let dropout = Dropout::new(0.2, 1, 2, 0, Site::Output).unwrap();
    for layout in layouts() {
        for width in [1, 7, 16, 50] {
            let batch = [layout.clone()];
            assert_all_agree(
                &format!("dropout of {} rows of {width}", layout.rows()),
                |on| operations::dropout(on, &batch, width, &dropout),
                |on| operations::dropout(on, &batch, width, &dropout),
                |precision, kept| stored(precision, kept.place),
            );
        }
    }
}

#[test]
fn first_rows() {
    for layout in layouts().iter().filter(|layout| (0..layout.texts()).all(|text| !layout.range(text).is_empty())) {
        for width in [1, 7, 16, 50] {
            assert_all_agree(
                &format!("first rows of {} rows of {width}", layout.rows()),
                |on| operations::first_rows(on, layout, width),
                |on| operations::first_rows(on, layout, width),
                |precision, kept| stored(precision, kept.place),
            );
        }
    }
}

#[test]
fn cross_entropy() {
    for layout in layouts() {
        let batches = [layout.clone(), layout];
        assert_all_agree(
            &format!("cross-entropy of {} texts twice", batches[0].texts()),
            |on| operations::cross_entropy(on, &batches),
            |on| operations::cross_entropy(on, &batches),
            |precision, kept| stored(precision, kept.place),
        );
    }
}
