//! Sum of three table rows, and the scatter back.

use super::single;
use crate::Layout;
use crate::master::Master;

pub(super) fn forward(
    ids: &[u32],
    layout: &Layout,
    words: &Master,
    positions: &Master,
    types: Option<&Master>,
    out: &mut [f32],
) {
    let width = words.cols;
    for (row, &id) in ids.iter().enumerate() {
        let (_, position) = layout.example_and_position(row);
        for column in 0..width {
            let word = f64::from(words.value[id as usize * width + column]);
            let position = f64::from(positions.value[position as usize * width + column]);
            let kind = types.map_or(0.0, |types| f64::from(types.value[column]));
            out[row * width + column] = single(word + position + kind);
        }
    }
}

pub(super) fn backward(
    d_out: &[f32],
    ids: &[u32],
    layout: &Layout,
    words: &mut Master,
    positions: &mut Master,
    mut types: Option<&mut Master>,
    padding_id: Option<u32>,
) {
    let width = words.cols;
    for (row, &id) in ids.iter().enumerate() {
        let (_, position) = layout.example_and_position(row);
        for column in 0..width {
            let d = d_out[row * width + column];
            if words.is_trainable() && Some(id) != padding_id {
                words.gradient[id as usize * width + column] += d;
            }
            if positions.is_trainable() {
                positions.gradient[position as usize * width + column] += d;
            }
            if let Some(types) = types.as_deref_mut().filter(|types| types.is_trainable()) {
                types.gradient[column] += d;
            }
        }
    }
}
