//! Several at once.

use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use hub::Repo;
use hub_stand_in::{Fault, What};

use crate::scene::{NAME, Scene, large, quietly};

#[test]
fn many_at_once_fetch_each_file_once() {
    let (scene, _) = Scene::with_model();
    // Slow enough that all come while the first one fetches.
    scene.stand_in.fault(Fault::always("GET /store/", What::Slow(1_500_000)));
    let start = Barrier::new(6);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let hub = scene.hub();
                let snapshot = hub.snapshot(&Repo::model(NAME), None).unwrap();
                start.wait();
                let folder = hub.download(&snapshot, &["config.json", "model.safetensors"], &quietly).unwrap();
                assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), large());
            });
        }
    });
    assert_eq!(scene.of_store().len(), 1);
}

#[test]
fn whoever_waits_is_told_and_goes_on_when_the_other_gives_up() {
    let (scene, _) = Scene::with_model();
    let hub = scene.hub();
    let snapshot = hub.snapshot(&Repo::model(NAME), None).unwrap();
    let tag = snapshot.file("model.safetensors").unwrap().sha256.clone().unwrap();
    let folder = scene.home.path().join("hub/.locks/models--org--name");
    fs::create_dir_all(&folder).unwrap();
    // The lock as Python holds it.
    let lock = fs::File::create(folder.join(format!("{tag}.lock"))).unwrap();
    lock.lock().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| hub.download(&snapshot, &["model.safetensors"], &quietly).unwrap());
        thread::sleep(Duration::from_millis(1500));
        assert!(!waiting.is_finished() && scene.of_store().is_empty());
        drop(lock);
        waiting.join().unwrap();
    });
    assert!(scene.notices().contains("another process"), "{}", scene.notices());
}
