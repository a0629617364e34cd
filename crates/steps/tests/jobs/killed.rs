//! `kill -9` at any point of a job, many times: in the end there is what would have been there without.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::bench::{Bench, output};

/// A step that goes on from its last whole line, one that begins anew, and one that takes what both made. Each line of
/// `progress` follows from the one before, so that a lost or repeated one would show.
const JOB: &str = r#"
[steps.rows]
uses = "sh"
with.script = 'for i in 1 2 3 4 5; do echo row $i >> $OUT/rows.txt; sleep 0.01; done'

[steps.long]
uses = "long"
inputs.text = { step = "rows", path = "rows.txt" }
with.script = '''
if [ $RESUME = true ]; then
    grep -x '[0-9]* end' $OUT/progress > $OUT/whole; mv $OUT/whole $OUT/progress
else
    : > $OUT/progress
fi
n=$(wc -l < $OUT/progress)
while [ $n -lt 30 ]; do
    n=$((n+1)); printf "$n " >> $OUT/progress; sleep 0.005; echo end >> $OUT/progress
done
cat $IN_text > $OUT/done
'''

[steps.last]
uses = "ask"
inputs.text = { step = "long" }
inputs.rows = { step = "rows" }
with.script = 'for i in 1 2 3; do sleep 0.01; cat $IN_rows/rows.txt; done; cat $IN_text/progress'
"#;

/// Runs the job in the folder that the environment names: this is the process that is killed.
#[test]
#[ignore = "started by the test below, with a job to run"]
fn runs_the_job_that_it_is_given() {
    let Some(folder) = env::var_os("TUNESMITH_TEST_JOB") else { return };
    let bench = Bench::at(Path::new(&folder));
    let said = bench.run(&[]);
    assert!(!said.contains("failed") && !said.contains("stopped"), "{said}");
}

fn start(folder: &Path) -> std::process::Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "killed::runs_the_job_that_it_is_given", "--ignored"]).env("TUNESMITH_TEST_JOB", folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn a_job_that_is_killed_again_and_again_ends_as_one_that_was_not() {
    let undisturbed = Bench::new(JOB);
    let expected = undisturbed.reports(&[]);

    let mut killed = 0;
    for round in 0u64..6 {
        let bench = Bench::new(JOB);
        let folder = bench.path("");
        // Not at random, so that a failure can be seen again; far enough apart to hit every part of the job.
        let mut pause = 15 + round * 7;
        loop {
            let mut job = start(&folder);
            thread::sleep(Duration::from_millis(pause));
            if job.try_wait().unwrap().is_some_and(|status| status.success()) {
                break;
            }
            job.kill().unwrap();
            killed += i32::from(!job.wait().unwrap().success());
            pause += 11;
        }
        let reports = bench.reports(&[]);
        assert!(reports.iter().all(|report| report.ending.word() == "hit"), "{reports:?}");
        for (step, file) in [("rows", "rows.txt"), ("long", "progress"), ("long", "done"), ("last", "answer.txt")] {
            assert_eq!(output(&reports, step, file), output(&expected, step, file), "{step} {file}");
        }
        let keys = |reports: &[steps::Report]| reports.iter().map(|report| report.key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&reports), keys(&expected));
        assert!(!bench.path("store/damaged").exists());
        let left = fs::read_dir(bench.path("store/work")).map(Iterator::count).unwrap_or_default();
        assert_eq!(left, 0, "nothing half done is left");
    }
    println!("killed {killed} times");
    assert!(killed >= 30, "{killed}");
}
