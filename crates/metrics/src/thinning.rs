//! Fewer points for the same picture.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::CurvePoint;

/// Leaves out the point whose absence changes the line least, again and again, until there are at most `most` (Visvalingam
/// and Whyatt 1993, "Line generalisation by repeated elimination of points"). The ends always stay.
pub(crate) fn thin(points: Vec<CurvePoint>, most: usize) -> Vec<CurvePoint> {
    let most = most.max(2);
    if points.len() <= most {
        return points;
    }
    let last = points.len() - 1;
    let mut kept: Vec<bool> = vec![true; points.len()];
    // Who stands before and behind each point that is still there.
    let mut before: Vec<usize> = (0..points.len()).map(|at| at.saturating_sub(1)).collect();
    let mut behind: Vec<usize> = (1..=points.len()).collect();
    let mut areas: Vec<u64> = vec![0; points.len()];
    let mut smallest = BinaryHeap::with_capacity(points.len());
    for at in 1..last {
        areas[at] = area(points[at - 1], points[at], points[at + 1]);
        smallest.push(Reverse((areas[at], at)));
    }
    let mut left = points.len();
    while left > most
        && let Some(Reverse((found, at))) = smallest.pop()
    {
        if !kept[at] || found != areas[at] {
            continue;
        }
        kept[at] = false;
        left -= 1;
        let (previous, next) = (before[at], behind[at]);
        behind[previous] = next;
        before[next] = previous;
        for neighbour in [previous, next] {
            if neighbour != 0 && neighbour != last {
                // Never less than what was just left out, or a slow bend would go point by point.
                let now = area(points[before[neighbour]], points[neighbour], points[behind[neighbour]]).max(found);
                areas[neighbour] = now;
                smallest.push(Reverse((now, neighbour)));
            }
        }
    }
    points.into_iter().zip(kept).filter_map(|(point, kept)| kept.then_some(point)).collect()
}

/// Twice the area of a triangle, as bits that are ordered as the areas are.
fn area(a: CurvePoint, b: CurvePoint, c: CurvePoint) -> u64 {
    ((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y)).abs().to_bits()
}
