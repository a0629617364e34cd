//! What git and LFS call the bytes of a file.

use ring::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// The id that git gives a file: the SHA-1 of a header and its bytes.
#[must_use]
pub fn git_blob_id(bytes: &[u8]) -> String {
    let mut sha1 = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    sha1.update(format!("blob {}\0", bytes.len()).as_bytes());
    sha1.update(bytes);
    hex(&sha1.finish())
}

/// The SHA-256 that LFS knows a file by, in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&digest(&SHA256, bytes))
}

/// A made-up commit id: of the form of a true one, and another one for every other text.
pub(crate) fn commit_id(text: &str) -> String {
    hex(&digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// What git keeps in place of a large file.
pub(crate) fn pointer(sha256: &str, size: usize) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n")
}

fn hex(digest: &Digest) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git_and_sha256sum() {
        // `git hash-object` and `sha256sum` of the same bytes.
        assert_eq!(git_blob_id(b"what is up, doc?"), "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
        assert_eq!(git_blob_id(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
