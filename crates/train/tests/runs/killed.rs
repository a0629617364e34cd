//! Killed without warning at random moments, in the middle of a checkpoint too, and resumed until it is done: the same
//! bytes as a run that nobody touched. And a disk that takes no more.
//!
//! The run that is killed is this very test program, started again for [`worker`] alone.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use train::{TrainingArguments, latest_checkpoint, remove_leftovers};

use crate::tiny::{Attempt, Ground, hidden, saved_steps, saving};

/// Names the output folder to the worker; where it is not set there is nothing to do.
const OUTPUT: &str = "TUNESMITH_TEST_KILLED_RUN";

/// Stands in the output folder when the run is done: its final weights.
const FINAL: &str = "model.safetensors";

/// More steps than can be passed before somebody comes with a signal.
fn arguments() -> TrainingArguments {
    TrainingArguments { num_train_epochs: 4.0, save_total_limit: Some(3), ..saving() }
}

fn train_in(output: &Path) -> Result<(), String> {
    let (ground, arguments) = (Ground::new(), arguments());
    remove_leftovers(output).map_err(|error| error.to_string())?;
    let resume = latest_checkpoint(output);
    let done = ground.run(Attempt { resume, ..ground.attempt(&arguments, output) });
    done.outcome.map_err(|error| error.to_string())?;
    done.classifier.network().save(&output.join(FINAL)).map_err(|error| error.to_string())
}

/// The run itself, where the environment asks for it.
#[test]
fn worker() {
    let Some(output) = std::env::var_os(OUTPUT) else { return };
    if let Err(error) = train_in(&PathBuf::from(output)) {
        panic!("the worker failed: {error}");
    }
}

fn start(output: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "killed::worker"]).env(OUTPUT, output);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until `moment` has come or the child has ended by itself; says whether it had.
fn wait_for(child: &mut Child, mut moment: impl FnMut() -> bool) -> bool {
    let patience = Instant::now() + Duration::from_secs(60);
    while Instant::now() < patience {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "the worker failed by itself: {status}");
            return true;
        }
        if moment() {
            return false;
        }
    }
    panic!("the worker neither got on nor ended");
}

fn last_step(output: &Path) -> u64 {
    saved_steps(output).pop().unwrap_or(0)
}

#[test]
fn killed_at_random_moments() {
    let untouched = tempfile::tempdir().unwrap();
    train_in(untouched.path()).unwrap();
    let expected = std::fs::read(untouched.path().join(FINAL)).unwrap();

    let output = tempfile::tempdir().unwrap();
    let (mut kills, mut in_the_middle) = (0, 0);
    loop {
        let mut child = start(output.path());
        let before = last_step(output.path());
        let ended = if kills % 2 == 0 {
            // The moment is chosen by the clock: from the first new checkpoint on, within a few steps.
            let ended = wait_for(&mut child, || last_step(output.path()) > before);
            let delay = u64::from(std::time::UNIX_EPOCH.elapsed().unwrap().subsec_micros()) % 50_000;
            std::thread::sleep(Duration::from_micros(delay));
            ended
        } else {
            let is_writing = || hidden(output.path()).iter().any(|name| name.ends_with(".tmp"));
            wait_for(&mut child, || last_step(output.path()) > before && is_writing())
        };
        child.kill().unwrap();
        child.wait().unwrap();
        if ended || output.path().join(FINAL).is_file() {
            break;
        }
        kills += 1;
        in_the_middle += usize::from(!hidden(output.path()).is_empty());
    }
    println!("killed {kills} times, {in_the_middle} of them in the middle of a checkpoint");
    assert!(kills >= 3, "only {kills} kills");
    assert!(in_the_middle >= 1, "of {kills} kills none was in the middle of a checkpoint");
    assert!(std::fs::read(output.path().join(FINAL)).unwrap() == expected, "other final weights");
    assert_eq!(hidden(output.path()), Vec::<String>::new(), "leftovers");
    assert_eq!(saved_steps(output.path()), saved_steps(untouched.path()));
    let [dynamics, undisturbed] = [output.path(), untouched.path()].map(|output| {
        let last = latest_checkpoint(output).unwrap();
        std::fs::read(last.join("dynamics.safetensors")).unwrap()
    });
    assert!(dynamics == undisturbed, "other dynamics");
}

/// Files may not grow beyond a size under which the moments do not fit: writing fails half way, as on a full disk.
#[test]
#[cfg(unix)]
fn no_space_for_a_checkpoint() {
    let (ground, arguments) = (Ground::new(), arguments());
    let output = tempfile::tempdir().unwrap();
    ground.run(Attempt { stop_after: Some(2), ..ground.attempt(&arguments, output.path()) }).outcome();
    let content = |step: u64| {
        let folder = output.path().join(format!("checkpoint-{step}"));
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| (std::fs::read(&file).unwrap(), file)).collect::<Vec<_>>()
    };
    let before = [1, 2].map(content);

    // More than the weights and less than their moments, in the shell's blocks of 512 bytes.
    let size = |file: &str| std::fs::metadata(output.path().join("checkpoint-2").join(file)).unwrap().len();
    let blocks = u64::midpoint(size("model.safetensors"), size("optimizer.safetensors")) / 512;
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact killed::worker --nocapture");
    let program = std::env::current_exe().unwrap();
    let run = Command::new("sh").args(["-c", &limited]).arg(program).env(OUTPUT, output.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success(), "{said}");
    let file = output.path().join(".checkpoint-3.tmp/optimizer.safetensors");
    assert!(said.contains(file.to_str().unwrap()), "the path must be named: {said}");
    assert!(said.contains("File too large"), "and what the system said: {said}");
    assert_eq!(saved_steps(output.path()), [1, 2]);
    assert!([1, 2].map(content) == before, "earlier checkpoints must be untouched");
    assert_eq!(hidden(output.path()), Vec::<String>::new());

    // With space again it goes on.
    train_in(output.path()).unwrap();
    assert!(output.path().join(FINAL).is_file());
}
