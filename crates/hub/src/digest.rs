//! The digests that the Hub names files by.

use std::io::{self, Read};

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// What a file's bytes have to come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    /// Of a large file.
    Sha256(String),
    /// Git's own id: the SHA-1 of a header that tells the size, and the bytes.
    GitBlob(String),
}

impl Digest {
    pub(crate) fn hex(&self) -> &str {
        let (Self::Sha256(hex) | Self::GitBlob(hex)) = self;
        hex
    }

    /// For messages.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "its SHA-256",
            Self::GitBlob(_) => "its git object id",
        }
    }

    /// Begins to take in a file of `size` bytes.
    pub(crate) fn begin(&self, size: u64) -> Sum {
        match self {
            Self::Sha256(_) => Sum::sha256(),
            Self::GitBlob(_) => {
                let mut sum = Sum(Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
                sum.take(format!("blob {size}\0").as_bytes());
                sum
            }
        }
    }
}

/// A digest in the making.
#[derive(Clone)]
pub(crate) struct Sum(Context);

impl Sum {
    pub(crate) fn sha256() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Takes in all that `reader` has left, and counts it.
    pub(crate) fn take_all(&mut self, reader: &mut impl Read) -> io::Result<u64> {
        let mut buffer = vec![0; 1 << 17];
        let mut count = 0;
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(count),
                Ok(read) => {
                    self.take(&buffer[..read]);
                    count += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn hex(self) -> String {
        self.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_git_and_sha256sum() {
        let text = b"what is up, doc?";
        let mut sum = Digest::GitBlob(String::new()).begin(text.len() as u64);
        assert_eq!(sum.take_all(&mut &text[..]).unwrap(), 16);
        assert_eq!(sum.hex(), "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
        let mut sum = Digest::Sha256(String::new()).begin(3);
        sum.take(b"abc");
        assert_eq!(sum.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
