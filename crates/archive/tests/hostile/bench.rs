//! A folder to work in, and archives made by hand.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use archive::{Error, Limits, Unpacked, pack, unpack};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};
use tempfile::TempDir;

/// A folder with nothing in it but what a test puts there.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The archive of these files.
    pub(crate) fn packed(&self, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let source = tempfile::tempdir().unwrap();
        let mut listed = BTreeMap::new();
        for (number, (name, content)) in files.iter().enumerate() {
            let path = source.path().join(number.to_string());
            fs::write(&path, content).unwrap();
            listed.insert((*name).to_owned(), path);
        }
        pack(&listed, &self.path(name)).unwrap();
        self.path(name)
    }

    /// A file that is these bytes, packed with gzip.
    pub(crate) fn gzipped(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
        gzip.write_all(bytes).unwrap();
        fs::write(self.path(name), gzip.finish().unwrap()).unwrap();
        self.path(name)
    }

    /// Unpacks into `out`, which must then be whole or absent, with nothing else beside it.
    pub(crate) fn unpack(&self, archive: &Path) -> Result<Unpacked, Error> {
        let before = self.names();
        let unpacked = unpack(archive, &self.path("out"), &Limits::default());
        let mut expected = before;
        if unpacked.is_ok() {
            expected.push("out".to_owned());
        }
        expected.sort();
        assert_eq!(self.names(), expected, "{unpacked:?}");
        unpacked
    }

    /// What it says of an archive that it refuses.
    pub(crate) fn refusal(&self, archive: &Path) -> String {
        self.unpack(archive).expect_err("should be refused").to_string()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// The files below `out`.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("out"))
    }
}

/// All files below a folder by name.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap().to_owned();
        assert!(!entry.file_type().unwrap().is_symlink(), "{name}");
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(below, content)| (format!("{name}/{below}"), content)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// A tar that says what it is told to.
#[derive(Default)]
pub(crate) struct Tar {
    pub(crate) bytes: Vec<u8>,
}

impl Tar {
    /// An entry with a name as it stands, whatever it is.
    pub(crate) fn entry(mut self, name: &[u8], kind: EntryType, content: &[u8]) -> Self {
        self.header(name, kind, content.len() as u64, |_| {});
        self.content(content);
        self
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name.as_bytes(), EntryType::Regular, content)
    }

    pub(crate) fn header(&mut self, name: &[u8], kind: EntryType, size: u64, more: impl FnOnce(&mut Header)) {
        let mut header = Header::new_gnu();
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o6777);
        header.set_mtime(1_700_000_000);
        more(&mut header);
        header.set_cksum();
        self.bytes.extend(header.as_bytes());
    }

    pub(crate) fn content(&mut self, content: &[u8]) {
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
    }

    /// An extended header of POSIX with these keys.
    pub(crate) fn pax(self, kind: EntryType, pairs: &[(&str, &str)]) -> Self {
        let line = |(key, value): &(&str, &str)| {
            // The length counts its own digits.
            let rest = key.len() + value.len() + 3;
            let digits = (1..5).find(|digits| (rest + digits).to_string().len() == *digits).unwrap();
            format!("{} {key}={value}\n", rest + digits)
        };
        let content: String = pairs.iter().map(line).collect();
        self.entry(b"pax", kind, content.as_bytes())
    }

    /// The bytes with the end mark.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.bytes.extend([0; 1024]);
        self.bytes
    }
}
