//! Memory grows by little for each row, whatever its text is.

use crate::prepare::{child, write_rows};

/// Peak of the resident memory of a process that prepares so many rows, mapped files included.
fn peak(rows: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("rows.csv");
    write_rows(&table, rows);
    let told = [("TABLE", table.as_path()), ("FOLDER", folder.path()), ("CHECK", folder.path())];
    let done = child(&told).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    let peak = said.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.map_or_else(|| panic!("{said}"), |kilobytes| kilobytes.parse::<usize>().unwrap()) * 1024
}

/// Texts have 800 bytes and their ids 256. A file of ids as small as this one may be mapped whole, and what is kept of a row
/// beside it is said in `docs/design/larger-than-memory.md`; the rest of the bound is for an allocator that gives nothing back.
#[test]
fn a_row_takes_far_less_than_its_text() {
    let (few, many) = (30_000, 130_000);
    let (least, most) = (peak(few), peak(many));
    let each = most.saturating_sub(least) / (many - few);
    println!("{each} bytes a row: {least} for {few} rows, {most} for {many}");
    assert!(each < 600, "{each} bytes a row: {least} for {few} rows, {most} for {many}");
}
