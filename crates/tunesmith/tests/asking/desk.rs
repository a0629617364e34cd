//! A small model to ask, and the program to ask it with.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use classifier::{Classifier, ModelSource, Start};
use dataset::Labels;
use encoder::Activations;
use kernels::{Backend, Cpu, Part};
use tempfile::TempDir;

/// Texts that a reader of files stumbles over, each with a label.
pub(crate) const ROWS: [(&str, &str); 8] = [
    ("where is my parcel", "delivery"),
    ("the lamp, \"new\" as it was, is broken\nand I want\r\nmy money back", "refund"),
    ("", "other"),
    ("Grüße aus Köln – 東京 🙂", "other"),
    ("charged twice, please return the money", "refund"),
    ("  it was due on monday\t", "delivery"),
    ("'single' and ; semicolons", "other"),
    ("it is not here yet", "delivery"),
];

/// A folder with a model in `model/`, and room for files.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A new model with random weights: what it says is nonsense, but different for each text.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let labels = Labels::from_names(["delivery", "other", "refund"].map(str::to_owned).to_vec()).unwrap();
        let texts = ROWS.map(|(text, _)| text);
        let source = ModelSource::Scratch("small".to_owned());
        let start = Start { source: &source, labels: &labels, max_length: Some(32), seed: 7, texts: &texts };
        let (mut classifier, _) = Classifier::start(&start, Cpu::fastest(1).unwrap()).unwrap();
        // Larger weights than new ones are, so that what it says differs from text to text.
        let (backend, weights) = classifier.network_mut().weights_mut();
        for (_, weight) in weights.filter(|(parameter, _)| !parameter.names[0].contains("LayerNorm")) {
            let larger: Vec<f32> = backend.part(weight, Part::Value).iter().map(|x| x * 6.0).collect();
            backend.set_part(weight, Part::Value, &larger);
        }
        std::fs::create_dir(folder.path().join("model")).unwrap();
        classifier.save(&folder.path().join("model")).unwrap();
        Self { folder }
    }

    /// The folder of the model.
    pub(crate) fn model(&self) -> PathBuf {
        self.folder.path().join("model")
    }

    /// The path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new file.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program with these arguments, the model's folder after the first.
    pub(crate) fn command(&self, task: &str, arguments: &[&dyn AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
        command.arg(task).arg(self.model()).args(arguments.iter().map(|argument| argument.as_ref()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with `stdin` to read.
    pub(crate) fn run(&self, task: &str, arguments: &[&dyn AsRef<OsStr>], stdin: &str) -> Output {
        let mut program = self.command(task, arguments).spawn().unwrap();
        // A program that does not look at its input closes it.
        let _ = program.stdin.take().unwrap().write_all(stdin.as_bytes());
        program.wait_with_output().unwrap()
    }

    /// What it prints, which must go well.
    pub(crate) fn says(&self, task: &str, arguments: &[&dyn AsRef<OsStr>], stdin: &str) -> String {
        let output = self.run(task, arguments, stdin);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// How it fails: its exit code and what it says.
    pub(crate) fn fails(&self, task: &str, arguments: &[&dyn AsRef<OsStr>]) -> (i32, String) {
        let output = self.run(task, arguments, "");
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// What the library says of these texts: label and score of each class.
    pub(crate) fn expected(&self, texts: &[&str]) -> Vec<(String, Vec<f32>)> {
        let classifier = Classifier::load(&self.model(), Cpu::fastest(1).unwrap()).unwrap();
        let mut activations = Activations::for_inference(classifier.network());
        let predictions = classifier.predict(texts, &mut activations).unwrap();
        let label = |id| classifier.labels().name(id).unwrap().to_owned();
        predictions.into_iter().map(|said| (label(said.label), said.scores)).collect()
    }
}

/// [`ROWS`] as CSV with the columns `id`, `text`, `label`, every field in quotes.
pub(crate) fn csv(line_end: &str) -> String {
    let row = |(id, (text, label)): (usize, &(&str, &str))| {
        format!("\"{id}\",\"{}\",\"{label}\"{line_end}", text.replace('"', "\"\""))
    };
    format!("id,text,label{line_end}{}", ROWS.iter().enumerate().map(row).collect::<String>())
}

/// The records of a CSV or TSV file, its header included.
pub(crate) fn table(path: &Path, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_path(path).unwrap();
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The objects of JSON lines.
pub(crate) fn objects(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The scores of an object by label, in the order of the labels.
pub(crate) fn scores(object: &serde_json::Value) -> Vec<f32> {
    object.as_object().unwrap().values().map(|score| score.as_f64().unwrap() as f32).collect()
}
