//! What is known of a run as tables in Markdown, for TensorBoard's tab of texts.

use journal::{Metrics, RunInfo};
use serde_json::Value;

/// The model, the rows and the machine.
pub(super) fn plan(run: &RunInfo) -> String {
    let RunInfo { model, data, machine, .. } = run;
    let mut rows = vec![
        ("run", format!("{} ({})", run.name, run.run_id)),
        ("program", format!("tunesmith {}", run.version)),
        ("model", model.source.clone()),
        ("network", format!("{}, {} layers of width {}", model.model_type, model.num_hidden_layers, model.hidden_size)),
        ("weights", format!("{}, of which {} learn", model.parameters, model.trainable_parameters)),
        ("longest text", format!("{} tokens", model.max_length)),
        ("columns", format!("text {}, label {}", data.text_column, data.label_column)),
        ("classes", data.labels.join(", ")),
    ];
    rows.extend(data.files.iter().map(|file| {
        let digest = file.digest.as_ref().map_or_else(String::new, |digest| format!(" (BLAKE3 {digest})"));
        ("file", format!("{}{digest}", file.path))
    }));
    rows.extend(data.splits.iter().map(|(name, split)| {
        (name.as_str(), format!("{} rows, {} tokens, {} texts cut", split.rows, split.tokens, split.truncated))
    }));
    rows.push(("machine", format!("{}, {} threads", machine.system, machine.threads)));
    rows.extend(machine.processor.iter().map(|processor| ("processor", processor.clone())));
    rows.push(("arithmetic", machine.arithmetic.clone()));
    rows.extend(run.git_commit.iter().map(|commit| ("Git commit", commit.clone())));
    table(["", "plan"], rows)
}

/// Every setting.
pub(super) fn settings(run: &RunInfo) -> String {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    table(["setting", "value"], run.settings.iter().map(|(name, value)| (name, shown(value))))
}

/// What was typed, as a block of code; four spaces before a line make one whatever the line holds.
pub(super) fn command(run: &RunInfo) -> String {
    let typed = run.command.join(" ");
    typed.lines().map(|line| format!("    {line}\n")).collect()
}

/// The figures of the whole run.
pub(super) fn results(results: &Metrics) -> String {
    table(["figure", "value"], results.iter().map(|(name, value)| (name, value.to_string())))
}

fn table<N: AsRef<str>>(head: [&str; 2], rows: impl IntoIterator<Item = (N, String)>) -> String {
    let mut text = format!("| {} | {} |\n| --- | --- |\n", head[0], head[1]);
    for (name, value) in rows {
        text += &format!("| {} | {} |\n", cell(name.as_ref()), cell(&value));
    }
    text
}

/// Text that neither ends its cell nor begins a tag.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '[' | ']' => cell.extend(['\\', c]),
            '<' => cell += "&lt;",
            '&' => cell += "&amp;",
            c if c.is_control() => cell.push(' '),
            c => cell.push(c),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_one() {
        let rows = [("a|b", "line\nline".to_owned()), ("<script>", "x & y".to_owned())];
        assert_eq!(
            table(["n", "v"], rows),
            "| n | v |\n| --- | --- |\n| a\\|b | line line |\n| &lt;script> | x &amp; y |\n"
        );
    }

    #[test]
    fn what_was_typed_stays_as_it_was() {
        let typed = ["tunesmith", "train", "`a`\nb"].map(str::to_owned).to_vec();
        assert_eq!(command(&RunInfo { command: typed, ..RunInfo::default() }), "    tunesmith train `a`\n    b\n");
    }
}
