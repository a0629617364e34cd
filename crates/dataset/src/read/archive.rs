//! Bytes of a file, unpacked where it is an archive, with the byte order mark taken off.
//!
//! What the first bytes say is believed over the name, so that an archive under a plain name and a plain file under an
//! archive's name are both read.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use crate::{Error, Result};

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gzip,
    Bzip2,
    Zstd,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Gzip, Self::Bzip2, Self::Zstd];

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Zstd => "zstd",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::Zstd => ".zst",
        }
    }

    fn magic(self) -> &'static [u8] {
        match self {
            Self::Gzip => &[0x1f, 0x8b],
            Self::Bzip2 => b"BZh",
            Self::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        }
    }

    /// The kind that a name in lower case tells, and the name without that ending.
    pub(super) fn from_name(name: &str) -> Option<(Self, &str)> {
        Self::ALL.into_iter().find_map(|kind| Some((kind, name.strip_suffix(kind.ending())?)))
    }

    fn from_magic(head: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            head.starts_with(kind.magic())
                // "BZh" alone could begin a text; what follows it in an archive could not.
                && (*kind != Self::Bzip2 || head.get(4..10).is_some_and(|block| BZIP2_BLOCKS.iter().any(|b| b == block)))
        })
    }

    fn unpack(self, packed: Box<dyn BufRead + Send>) -> io::Result<Box<dyn Read + Send>> {
        // Each goes on through archives that were appended to one another.
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
        })
    }
}

/// After "BZh" and its size, a bzip2 stream goes on with the digits of pi, or of the root of pi when nothing is in it.
const BZIP2_BLOCKS: [[u8; 6]; 2] = [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]];

/// As many bytes as tell every kind from text.
const HEAD: usize = 10;

/// Containers that people hand over by mistake.
const FOREIGN: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"PAR1", "a Parquet file (say --format parquet)"),
    (b"ARROW1", "an Arrow file"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "an xz archive"),
    (b"%PDF", "a PDF"),
    (&[0xff, 0xfe], "UTF-16 text (convert it to UTF-8)"),
    (&[0xfe, 0xff], "UTF-16 text (convert it to UTF-8)"),
];

const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// A buffered stream of unpacked bytes that knows its name, for errors.
pub(super) struct Bytes {
    name: String,
    kind: Option<Kind>,
    stream: BufReader<Box<dyn Read + Send>>,
    /// Bytes of the unpacked file before the first one that is handed out.
    pub(super) skipped: u64,
}

impl Bytes {
    pub(super) fn open(name: &str, stream: Box<dyn Read + Send>) -> Result<Self> {
        let io_error = |source| Error::Io { file: name.to_owned(), source };
        let (head, rest) = peek(stream).map_err(io_error)?;
        refuse_foreign(name, &head)?;
        let kind = kind_of(name, &head);
        let (head, rest) = match kind {
            Some(kind) => {
                let packed: Box<dyn BufRead + Send> = Box::new(BufReader::new(Cursor::new(head).chain(rest)));
                let unpacked = kind.unpack(packed).and_then(peek);
                let (head, rest) = unpacked.map_err(|error| describe(name, Some(kind), error))?;
                refuse_foreign(name, &head)?;
                (head, rest)
            }
            None => (head, rest),
        };
        let skipped = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() as u64 } else { 0 };
        let mut head = Cursor::new(head);
        head.set_position(skipped);
        let stream: Box<dyn Read + Send> = Box::new(head.chain(rest));
        Ok(Self { name: name.to_owned(), kind, stream: BufReader::with_capacity(1 << 16, stream), skipped })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// "unpacked ", where offsets count unpacked bytes.
    pub(super) fn unpacked(&self) -> &'static str {
        if self.kind.is_some() { "unpacked " } else { "" }
    }

    /// The bytes at hand; empty at the end.
    pub(super) fn fill(&mut self) -> Result<&[u8]> {
        loop {
            match self.stream.fill_buf() {
                Ok(_) => return Ok(self.stream.buffer()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(error)),
            }
        }
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.stream.consume(bytes);
    }

    /// Appends a line with its end to `line`, at most `limit` bytes; how many came.
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>, limit: usize) -> Result<usize> {
        let read = (&mut self.stream).take(limit as u64).read_until(b'\n', line);
        read.map_err(|error| self.error(error))
    }

    fn error(&self, source: io::Error) -> Error {
        describe(&self.name, self.kind, source)
    }
}

/// How a stream is packed: as its first bytes say; where they say nothing, as its name says, unless they are text.
fn kind_of(name: &str, head: &[u8]) -> Option<Kind> {
    Kind::from_magic(head).or_else(|| {
        let (kind, _) = Kind::from_name(&name.to_ascii_lowercase())?;
        let cut_short = !head.is_empty() && head.len() < HEAD && kind.magic().starts_with(&head[..head.len().min(3)]);
        (cut_short || !looks_like_text(head)).then_some(kind)
    })
}

fn looks_like_text(head: &[u8]) -> bool {
    head.iter().all(|byte| *byte >= 0x20 || matches!(byte, b'\t' | b'\r' | b'\n'))
}

fn describe(name: &str, kind: Option<Kind>, source: io::Error) -> Error {
    let file = name.to_owned();
    match kind {
        None => Error::Io { file, source },
        Some(kind) if source.kind() == io::ErrorKind::UnexpectedEof => {
            Error::TruncatedArchive { file, kind: kind.name() }
        }
        Some(kind) => Error::DamagedArchive { file, kind: kind.name(), reason: source.to_string() },
    }
}

/// The first bytes of a stream, and the rest of it.
///
/// Asks for no more than it needs: someone who types a short line waits for its answer.
fn peek(mut stream: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    let mut buffer = [0; 64];
    loop {
        let read = match stream.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        head.extend_from_slice(&buffer[..read]);
        let a_line = head.contains(&b'\n') && looks_like_text(&head);
        if read == 0 || head.len() >= HEAD || a_line {
            return Ok((head, stream));
        }
    }
}

fn refuse_foreign(name: &str, head: &[u8]) -> Result<()> {
    match FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, found)) => Err(Error::ForeignFormat { file: name.to_owned(), found }),
        None => Ok(()),
    }
}
