//! A sparse matrix that is multiplied from both sides, on any number of threads with the same bits.

use rayon::prelude::*;

/// Rows or columns that one task takes. The cut depends on nothing else, and each sum is one task's alone.
const TASK: usize = 512;

/// One direction of a sparse matrix: its lines one after another, the entries of each in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lines {
    starts: Vec<usize>,
    entries: Vec<Entry>,
}

/// A value and where it stands on its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: u32,
    pub(crate) value: f32,
}

/// N rows of F features.
#[derive(Debug)]
pub(crate) struct Matrix {
    rows: Lines,
    columns: Lines,
}

impl Lines {
    pub(crate) fn new(lines: Vec<Vec<Entry>>) -> Self {
        let mut starts = Vec::with_capacity(lines.len() + 1);
        starts.push(0);
        let mut end = 0;
        for line in &lines {
            end += line.len();
            starts.push(end);
        }
        Self { starts, entries: lines.concat() }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn line(&self, at: usize) -> &[Entry] {
        &self.entries[self.starts[at]..self.starts[at + 1]]
    }

    /// The same matrix by columns, of which there are `n_columns`.
    fn transposed(&self, n_columns: usize) -> Self {
        let mut starts = vec![0; n_columns + 1];
        for entry in &self.entries {
            starts[entry.at as usize + 1] += 1;
        }
        for column in 0..n_columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut entries = vec![Entry { at: 0, value: 0.0 }; self.entries.len()];
        for row in 0..self.len() {
            for entry in self.line(row) {
                let place = &mut next[entry.at as usize];
                entries[*place] = Entry { at: row as u32, value: entry.value };
                *place += 1;
            }
        }
        Self { starts, entries }
    }

    /// Each line's product with `dense`.
    ///
    /// # Shapes
    /// `dense`: `[length of a line][L]`, result: `[lines][L]`
    fn times<const L: usize>(&self, dense: &[[f64; L]]) -> Vec<[f64; L]> {
        let mut product = vec![[0.0; L]; self.len()];
        product.par_chunks_mut(TASK).enumerate().for_each(|(task, sums)| {
            for (offset, sum) in sums.iter_mut().enumerate() {
                for entry in self.line(task * TASK + offset) {
                    let value = f64::from(entry.value);
                    for (sum, factor) in sum.iter_mut().zip(&dense[entry.at as usize]) {
                        *sum += value * factor;
                    }
                }
            }
        });
        product
    }
}

impl Matrix {
    pub(crate) fn new(rows: Lines, n_features: usize) -> Self {
        let columns = rows.transposed(n_features);
        Self { rows, columns }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// `X Xᵀ dense`: what the rows make of weights that are sums of rows.
    ///
    /// # Shapes
    /// `[N, C]` to `[N, C]`
    pub(crate) fn gram(&self, dense: &[f64], n_classes: usize) -> Vec<f64> {
        self.by_lanes(dense, n_classes, Via::Gram)
    }

    /// `Xᵀ dense`: the weights that are these sums of rows.
    ///
    /// # Shapes
    /// `[N, C]` to `[F, C]`
    pub(crate) fn weights(&self, dense: &[f64], n_classes: usize) -> Vec<f64> {
        self.by_lanes(dense, n_classes, Via::Weights)
    }

    /// A few classes at a time, so that what is in between is never larger than `[F][8]`.
    fn by_lanes(&self, dense: &[f64], n_classes: usize, via: Via) -> Vec<f64> {
        let lines = if via == Via::Gram { self.n_rows() } else { self.n_features() };
        let mut product = vec![0.0; lines * n_classes];
        let mut first = 0;
        while first < n_classes {
            let lanes = match n_classes - first {
                1 => self.lanes::<1>(dense, n_classes, first, via, &mut product),
                2 => self.lanes::<2>(dense, n_classes, first, via, &mut product),
                3 | 4 => self.lanes::<4>(dense, n_classes, first, via, &mut product),
                _ => self.lanes::<8>(dense, n_classes, first, via, &mut product),
            };
            first += lanes;
        }
        product
    }

    fn lanes<const L: usize>(
        &self,
        dense: &[f64],
        n_classes: usize,
        first: usize,
        via: Via,
        product: &mut [f64],
    ) -> usize {
        let width = L.min(n_classes - first);
        let mut chosen = vec![[0.0; L]; self.n_rows()];
        for (lanes, row) in chosen.iter_mut().zip(dense.chunks_exact(n_classes)) {
            lanes[..width].copy_from_slice(&row[first..first + width]);
        }
        let weights = self.columns.times(&chosen);
        let result = if via == Via::Gram { self.rows.times(&weights) } else { weights };
        for (lanes, row) in result.iter().zip(product.chunks_exact_mut(n_classes)) {
            row[first..first + width].copy_from_slice(&lanes[..width]);
        }
        width
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Via {
    Gram,
    Weights,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_dense_matrix() {
        // Rows (1, 0, 2), (), (0, -3, 1).
        let entry = |at, value| Entry { at, value };
        let rows = Lines::new(vec![vec![entry(0, 1.0), entry(2, 2.0)], vec![], vec![entry(1, -3.0), entry(2, 1.0)]]);
        let matrix = Matrix::new(rows, 3);
        for n_classes in 1..12 {
            let dense: Vec<f64> = (0..3 * n_classes).map(|at| at as f64 - 4.0).collect();
            let (weights, gram) = (matrix.weights(&dense, n_classes), matrix.gram(&dense, n_classes));
            for class in 0..n_classes {
                let of = |row: usize| dense[row * n_classes + class];
                let expected = [of(0), -3.0 * of(2), 2.0 * of(0) + of(2)];
                let found: Vec<f64> = (0..3).map(|feature| weights[feature * n_classes + class]).collect();
                assert_eq!(found, expected);
                let expected = [expected[0] + 2.0 * expected[2], 0.0, -3.0 * expected[1] + expected[2]];
                let found: Vec<f64> = (0..3).map(|row| gram[row * n_classes + class]).collect();
                assert_eq!(found, expected);
            }
        }
    }
}
