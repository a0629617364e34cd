//! Job files that cannot be used, each with a message that says what to do.

use proptest::prelude::*;
use steps::{JobFile, Plan};

use crate::bench::{Bench, Scripts};

fn refused(job: &str) -> String {
    let error = Bench::new(job).refused();
    error.strip_prefix("use the job /job.toml: ").unwrap_or(&error).to_owned()
}

const STEP: &str = "[steps.a]\nuses = \"sh\"\nwith.script = 'true'\n";

#[test]
fn unknown_keys_are_told_with_the_nearest_one() {
    assert_eq!(refused("[step.a]\n"), "\"step\" is no key of a job file here; did you mean \"steps\"?");
    assert_eq!(
        refused(&format!("{STEP}cach = true\n")),
        "step a: \"cach\" is no key of a job file here; did you mean \"cache\"?"
    );
    assert!(refused(&format!("{STEP}[secrets.K]\nvar = 1\n")).contains("secret K: \"var\" is no key"));
    assert!(refused(&format!("{STEP}resources = {{ memory = 1 }}\n")).contains("\"memory\" is no key"));
    assert!(refused(&format!("{STEP}inputs.file = {{ stp = \"a\" }}\n")).contains("did you mean \"step\""));
    assert_eq!(
        refused(&format!("{STEP}with.epoch = 3\n")),
        "step a: \"epoch\" is no setting of sh; did you mean \"epochs\"?"
    );
    assert_eq!(refused("[steps.a]\nuses = \"shh\"\n"), "step a: \"shh\" is no kind of step; did you mean \"sh\"?");
    assert!(refused("[steps.a]\nuses = \"quux\"\n").ends_with("there is sh, ask, long"));
}

#[test]
fn inputs_that_nobody_makes_are_told() {
    let with =
        |input: &str| refused(&format!("{STEP}[steps.bee]\nuses = \"sh\"\nwith.script = ''\ninputs.text = {input}\n"));
    assert_eq!(with("{ step = \"be\" }"), "step bee: \"be\" is no step of this job; did you mean \"bee\"?");
    assert_eq!(with("{ step = \"quux\" }"), "step bee: \"quux\" is no step of this job; there is a, bee");
    for neither in [
        "{}",
        "{ path = \"x\" }",
        "{ step = \"a\", file = \"x\" }",
        "{ file = \"x\", path = \"y\" }",
        "{ file = \"\" }",
    ] {
        assert!(with(neither).contains("the input text is neither { step = NAME }"), "{neither}");
    }
    assert!(refused(&format!("{STEP}after = [\"b\"]\n")).contains("\"b\" is no step of this job"));
    assert!(
        refused(&format!("{STEP}inputs.script = {{ file = \"x\" }}\n"))
            .contains("given twice: as a setting and as an input")
    );
}

#[test]
fn paths_stay_within_the_output_that_they_are_of() {
    for path in ["..", "../x", "a/../../x", "/etc/passwd", "", ".", "a\\\\..\\\\b", "./x"] {
        let job = format!(
            "{STEP}[steps.b]\nuses = \"sh\"\nwith.script = ''\ninputs.text = {{ step = \"a\", path = \"{path}\" }}\n"
        );
        assert!(refused(&job).contains("expected one within the step's output"), "{path}: {}", refused(&job));
    }
}

#[test]
fn names_of_steps_are_plain() {
    for name in ["\"../a\"", "\"a b\"", "\"\"", "1", "\"a.b\"", "\"ä\""] {
        let told = refused(&format!("[steps.{name}]\nuses = \"sh\"\nwith.script = ''\n"));
        assert!(told.contains("cannot name a step"), "{name}: {told}");
    }
}

#[test]
fn circles_are_told_step_by_step() {
    let step = |name: &str, of: &str| {
        format!("[steps.{name}]\nuses = \"sh\"\nwith.script = ''\ninputs.text = {{ step = \"{of}\" }}\n")
    };
    assert_eq!(refused(&step("a", "a")), "its steps wait for each other: a -> a");
    let job = STEP.replace("steps.a", "steps.free") + &step("b", "c") + &step("c", "d") + &step("d", "c");
    assert_eq!(refused(&job), "its steps wait for each other: c -> d -> c");
}

#[test]
fn settings_are_of_one_spelling_and_of_the_right_kind() {
    assert_eq!(
        refused(&format!("{STEP}with.epochs = 1\nwith.n_epochs = 2\n")),
        "step a: \"n_epochs\" was set above as \"epochs\""
    );
    assert!(refused(&format!("{STEP}with.rows = {{ x = 1 }}\n")).contains("rows is a table"));
    assert_eq!(refused("[steps.a]\nuses = \"sh\"\nwith.script = 3\n"), "step a: script is no text");
    assert!(refused(&format!("{STEP}cache = \"yes\"\n")).contains("cache"));
    assert!(refused(&format!("{STEP}cache_version = true\n")).contains("cache_version is neither a text nor a number"));
    assert!(refused(&format!("{STEP}retries = -1\n")).contains("retries"));
}

#[test]
fn parameters_are_known_and_of_their_type() {
    let bench = Bench::new(&format!("[parameters]\nrows = 3\n{STEP}with.rows = \"${{rowss}}\"\n"));
    assert!(bench.refused().ends_with("\"rowss\" is no parameter; did you mean \"rows\"?"), "{}", bench.refused());
    let bench = Bench::new(&format!("[parameters]\nrows = 3\n{STEP}with.rows = \"${{rows}}\"\n"));
    let refused = |given: &str| bench.plan_with(&[given]).unwrap_err().to_string();
    assert!(refused("rows=many").ends_with("parameter rows: \"many\" is no number"));
    assert!(refused("row=1").ends_with("\"row\" is no parameter of it; did you mean \"rows\"?"));
    assert!(refused("b.rows=1").ends_with("\"b\" is no step of it; there is a"));
    assert!(refused("a.rowz=1").ends_with("\"rowz\" is no setting of sh; did you mean \"rows\"?"));
    assert!(refused("a.rows=x").ends_with("step a: rows: \"x\" is no number"));
    assert_eq!(bench.plan_with(&["rows=7"]).unwrap().steps()[0].settings["rows"].as_integer(), Some(7));
    let table = Bench::new(&format!("[parameters]\nrows = [1]\n{STEP}"));
    assert!(table.refused().ends_with("parameter rows is no text, number or switch"));
}

#[test]
fn secrets_have_names_of_variables_and_somebody_who_asks() {
    assert!(refused(&format!("{STEP}secrets = [\"A=B\"]\n")).contains("cannot name a secret"));
    assert!(refused(&format!("{STEP}[secrets.\"a-b\"]\n")).contains("cannot name a secret"));
    assert!(refused(&format!("{STEP}[secrets.KEY]\n")).contains("no step asks for the secret KEY"));
}

#[test]
fn what_is_no_job_is_told_with_its_line() {
    let bench = Bench::new("[steps.a\n");
    assert!(bench.refused().starts_with("read the job /job.toml: TOML parse error at line 1"), "{}", bench.refused());
    assert!(refused("").starts_with("it has no steps"));
    assert!(refused("steps = 3\n").contains("steps") || refused("steps = 3\n").contains("expected"));
    assert!(refused("parameters = 3\n").contains("parameters is no table"));
    let bench = Bench::new(&"#".repeat(2 << 20));
    assert!(bench.refused().contains("expected at most 1048576"));
    let many: String = (0..1001).map(|at| format!("[steps.s{at}]\nuses = \"sh\"\nwith.script = ''\n")).collect();
    assert!(refused(&many).contains("it has 1001 steps"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        lines in proptest::collection::vec(
            prop_oneof![
                Just("[steps.a]".to_owned()), Just("uses = \"sh\"".to_owned()), Just("with.script = '${p}'".to_owned()),
                Just("[parameters]".to_owned()), Just("p = 1".to_owned()), Just("inputs.x = { step = 'a' }".to_owned()),
                Just("[secrets]".to_owned()), Just("resources.cpu = 'x'".to_owned()), "[ -~]{0,20}".prop_map(|line| line),
            ],
            0..12,
        )
    ) {
        let text = lines.join("\n");
        if let Ok(file) = JobFile::parse(&text, "j", "j", std::path::Path::new("."), &[]) {
            let _ = Plan::new(file, &Scripts);
        }
    }
}
