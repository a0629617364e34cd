//! Tables that are read right.

use dataset::{Encoding, Format, Quote, ReadOptions};
use proptest::prelude::*;

use crate::tools::{PACKERS, file, read, values};

#[test]
fn csv_with_everything_in_it() {
    let text = b"\xef\xbb\xbftext,label\r\n\"a \"\"quoted\"\" word, and\r\nanother line\",x\r\n\r\nplain,\"y\"";
    let (columns, records) = read("a.csv", text, &ReadOptions::default()).unwrap();
    assert_eq!(columns, ["text", "label"]);
    assert_eq!(records[0].values, ["a \"quoted\" word, and\r\nanother line", "x"]);
    assert_eq!((records[0].row, records[0].line), (1, 2));
    assert_eq!(records[1].values, ["plain", "y"]);
    assert_eq!((records[1].row, records[1].line), (2, 5));
}

#[test]
fn line_ends_of_every_kind() {
    for text in ["a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4", "a,b\r1,2\r3,4\r", "a,b\r\r\n1,2\r\r\n3,4\r\r\n"] {
        assert_eq!(values("a.csv", text.as_bytes()), [["1", "2"], ["3", "4"]], "{text:?}");
    }
}

#[test]
fn quotes_can_be_plain_text() {
    let options =
        ReadOptions { quote: Quote::None, header: false, format: Some(Format::Tsv), ..ReadOptions::default() };
    let text = b"ham\t\"never closed\nspam\tsay \"\"x\"\n";
    let (columns, records) = read("SMSSpamCollection", text, &options).unwrap();
    assert_eq!(columns, ["1", "2"]);
    assert_eq!(records[0].values, ["ham", "\"never closed"]);
    assert_eq!(records[1].values, ["spam", "say \"\"x\""]);
    assert_eq!((records[0].row, records[0].line, records[1].row, records[1].line), (1, 1, 2, 2));
}

#[test]
fn a_quote_inside_a_field_is_plain_text() {
    assert_eq!(values("a.csv", b"text,label\n5\" disk,x\n"), [["5\" disk", "x"]]);
}

#[test]
fn delimiters_and_formats_can_be_said() {
    let options = ReadOptions { delimiter: Some(';'), ..ReadOptions::default() };
    assert_eq!(read("a.csv", b"a;b\n1,5;2\n", &options).unwrap().1[0].values, ["1,5", "2"]);
    let options = ReadOptions { format: Some(Format::Jsonl), ..ReadOptions::default() };
    assert_eq!(read("a.csv", b"{\"a\": 1}", &options).unwrap().1[0].values, ["1"]);
}

#[test]
fn names_tell_the_format() {
    let told = |name: &str| Format::from_name(name);
    for name in ["reviews.csv", "Reviews.CSV.BZ2", "dir.tsv/x.csv.gz", "x.csv.zst"] {
        assert_eq!(told(name), Some(Format::Csv), "{name}");
    }
    assert_eq!(told("x.tsv.gz"), Some(Format::Tsv));
    assert_eq!([told("x.jsonl"), told("x.ndjson"), told("x.json")], [Some(Format::Jsonl); 3]);
    assert_eq!(told("x.txt"), Some(Format::Text));
    assert_eq!(told("train-00000-of-00001.parquet"), Some(Format::Parquet));
    assert_eq!([told("SMSSpamCollection"), told("x.gz"), told("x.arrow")], [None; 3]);
}

#[test]
fn empty_column_names_become_positions() {
    let (columns, records) = read("a.csv", b"v1,v2,,\nham,hi,,\n", &ReadOptions::default()).unwrap();
    assert_eq!(columns, ["v1", "v2", "3", "4"]);
    assert_eq!(records[0].values, ["ham", "hi", "", ""]);
}

#[test]
fn json_lines_keep_their_types_and_order() {
    let text = br#"{"text": "a\nb \u0000", "label": 1, "z": null, "a": true}

{"a": false, "z": 2.5, "label": 0, "text": "c"}"#;
    let (columns, records) = read("a.jsonl", text, &ReadOptions::default()).unwrap();
    assert_eq!(columns, ["text", "label", "z", "a"]);
    assert_eq!(records[0].values, ["a\nb \0", "1", "", "true"]);
    assert_eq!(records[1].values, ["c", "0", "2.5", "false"]);
    assert_eq!((records[1].row, records[1].line), (2, 3));
    assert!(records[1].object.as_ref().unwrap()["label"].is_u64());
}

#[test]
fn plain_lines_keep_empty_ones() {
    assert_eq!(values("a.txt", b"one\r\n\n\"three\"\n"), [["one"], [""], ["\"three\""]]);
    assert_eq!(values("a.txt", b""), Vec::<Vec<String>>::new());
    assert_eq!(values("a.txt", b"\n"), [[""]]);
    assert_eq!(values("a.txt", b"no end"), [["no end"]]);
}

#[test]
fn latin_1_is_read_when_said() {
    let options = ReadOptions { encoding: Encoding::Latin1, ..ReadOptions::default() };
    let (columns, records) = read("a.csv", b"t\xe9xt,b\ncaf\xe9,\xa3\n", &options).unwrap();
    assert_eq!(columns, ["téxt", "b"]);
    assert_eq!(records[0].values, ["café", "£"]);
}

#[test]
fn archives_are_unpacked_whatever_they_are_called() {
    let text = b"text,label\n\"a, b\",x\nc,y\n";
    let rows = [["a, b", "x"], ["c", "y"]];
    for (ending, _, pack) in PACKERS {
        assert_eq!(values(&format!("a.csv.{ending}"), &pack(text)), rows, "{ending}");
        assert_eq!(values("a.csv", &pack(text)), rows, "{ending} under a plain name");
        assert_eq!(values(&format!("a.csv.{ending}"), text), rows, "plain under the name {ending}");
        let marked = [&b"\xef\xbb\xbf"[..], text].concat();
        assert_eq!(values("a.csv", &pack(&marked)), rows, "{ending} with a byte order mark");
        let parts = [pack(&text[..13]), pack(b""), pack(&text[13..])].concat();
        assert_eq!(values("a.csv", &parts), rows, "{ending} of several parts");
    }
}

#[test]
fn a_text_that_begins_like_an_archive_is_a_text() {
    assert_eq!(values("a.txt", b"BZhang went home\n"), [["BZhang went home"]]);
}

#[test]
fn a_line_is_handed_out_before_the_next_is_there() {
    // Someone who types a line waits for its answer: the reader must not wait for more than the line.
    let (mut writer_end, lines) = (std::sync::mpsc::channel::<Vec<u8>>(), 3);
    struct Typed(std::sync::mpsc::Receiver<Vec<u8>>);
    impl std::io::Read for Typed {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Ok(bytes) = self.0.try_recv() else { panic!("asked for more than was typed") };
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }
    let (typed, sender) = (Typed(writer_end.1), &mut writer_end.0);
    let options = ReadOptions { format: Some(Format::Text), ..ReadOptions::default() };
    sender.send(b"0\n".to_vec()).unwrap();
    let mut records = dataset::read_from("standard input", typed, &options).unwrap();
    for line in 0..lines {
        assert_eq!(records.next().unwrap().unwrap().values, [line.to_string()]);
        sender.send(format!("{}\n", line + 1).into_bytes()).unwrap();
    }
}

#[test]
fn files_are_opened_by_path() {
    let (_folder, path) = file("x.tsv", b"label\ttext\n1\thi there\n");
    let records = dataset::open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(records.columns(), ["label", "text"]);
    assert_eq!(records.count(), 1);
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ -~]{0,12}", "[\"\n\r,\té€\u{10348}a]{0,8}", "\\PC{0,20}"]
}

proptest! {
    #[test]
    fn any_table_is_read_back(
        rows in prop::collection::vec(prop::collection::vec(field(), 3), 0..20), tabs: bool, crlf: bool,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(if tabs { b'\t' } else { b',' })
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let bytes = writer.into_inner().unwrap();
        let name = if tabs { "x.tsv" } else { "x.csv" };
        let (_, records) = read(name, &bytes, &ReadOptions::default()).unwrap();
        let mut line = 2;
        for (record, row) in records.iter().zip(&rows) {
            prop_assert_eq!(record.line, line);
            line += 1 + row.iter().map(|field| field.matches('\n').count() as u64).sum::<u64>();
        }
        prop_assert_eq!(records.into_iter().map(|record| record.values).collect::<Vec<_>>(), rows);
    }

    #[test]
    fn any_json_lines_are_read_back(rows in prop::collection::vec(("\\PC*", "[\0-\u{7f}]*"), 1..10)) {
        let lines: Vec<String> =
            rows.iter().map(|(a, b)| serde_json::json!({ "text": a, "label": b }).to_string()).collect();
        let read = values("x.jsonl", lines.join("\n").as_bytes());
        prop_assert_eq!(read, rows.into_iter().map(|(a, b)| vec![a, b]).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), name in "x\\.(csv|tsv|jsonl|txt|parquet)(\\.(gz|bz2|zst))?") {
        // Whatever comes out, it comes out as rows or an error, and ends.
        let _ = read(&name, &bytes, &ReadOptions::default());
        let _ = read(&name, &bytes, &ReadOptions { quote: Quote::None, header: false, encoding: Encoding::Latin1, ..ReadOptions::default() });
    }
}
