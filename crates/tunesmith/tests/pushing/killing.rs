//! Pushes that are killed anywhere.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::said;
use crate::scene::Scene;

const ROUNDS: u64 = 8;
const KILLS: u64 = 8;

/// At every moment the repo holds what was pushed before or what is pushed now, and a push that is repeated ends with one
/// commit more.
#[test]
fn a_push_that_is_killed_and_repeated_is_one_commit() {
    let scene = Scene::new();
    let weights = scene.bench.path("run/model.safetensors");
    let began = Instant::now();
    said(scene.push(&["spam"]));
    let whole = began.elapsed();
    let mut old = scene.holds("ada/spam");
    let (mut random, mut early, mut landed) = (0x5eed_u64, 0, 0);
    for round in 1..=ROUNDS {
        // Other weights, whose header is as it was.
        let mut bytes = fs::read(&weights).unwrap();
        *bytes.last_mut().unwrap() ^= round as u8;
        fs::write(&weights, &bytes).unwrap();
        fs::write(scene.bench.path("run/eval_results.json"), format!("{{\"round\": {round}}}\n")).unwrap();
        for _ in 0..KILLS {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut push = scene.command(&["spam"]).spawn().unwrap();
            thread::sleep(whole.mul_f64((random >> 32) as f64 / f64::from(u32::MAX) * 1.1));
            push.kill().unwrap();
            push.wait().unwrap();
            let held = scene.holds("ada/spam");
            let is_new = held["model.safetensors"] == bytes;
            if is_new {
                assert_eq!(held["eval_results.json"], fs::read(scene.bench.path("run/eval_results.json")).unwrap());
                landed += 1;
            } else {
                assert!(held == old, "round {round}: neither the old nor the new files");
                early += 1;
            }
        }
        // A commit that was asked for by a process that is no more may still be in the making.
        thread::sleep(Duration::from_millis(100));
        said(scene.push(&["spam"]));
        old = scene.holds("ada/spam");
        assert_eq!(old["model.safetensors"], bytes, "round {round}");
        assert_eq!(scene.commits("ada/spam"), 2 + usize::try_from(round).unwrap(), "round {round}");
    }
    println!("{early} killed before their commit and {landed} after one, each within {whole:?}");
    assert!(early > 0, "no push was killed in time");
}
