//! The records of an event file: length, checksum of the length, data, checksum of the data; numbers little-endian.
//!
//! The format is that of TFRecord files; see `record_writer.cc` of TensorFlow and `record_writer.py` of TensorBoard 2.21.

/// Appends a record that holds `data`.
pub(super) fn push(out: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked(crc32c(&length)).to_le_bytes());
    out.extend(data);
    out.extend(masked(crc32c(data)).to_le_bytes());
}

/// A checksum of data that may itself hold checksums: turned and moved, so that these do not cancel out.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), as RFC 3720 has it. What is written is a few kilobytes a minute: a table of bytes is enough, and
/// no crate is worth its build.
pub(super) fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc: u32, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

const TABLE: [u32; 256] = {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// A reader for tests: the data of all whole records, and what is left behind them.
#[cfg(test)]
pub(super) fn read(mut bytes: &[u8]) -> (Vec<Vec<u8>>, &[u8]) {
    let mut records = Vec::new();
    let checked = |data: &[u8], crc: &[u8]| crc == masked(crc32c(data)).to_le_bytes();
    while let Some((head, rest)) = bytes.split_at_checked(12) {
        let length = usize::try_from(u64::from_le_bytes(head[..8].try_into().unwrap())).unwrap_or(usize::MAX);
        let Some((data, rest)) = rest.split_at_checked(length) else { break };
        let Some((crc, rest)) = rest.split_at_checked(4) else { break };
        if !checked(&head[..8], &head[8..]) || !checked(data, crc) {
            break;
        }
        records.push(data.to_vec());
        bytes = rest;
    }
    (records, bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4, and the usual check value of CRC-32C.
        let ascending: Vec<u8> = (0..32).collect();
        let cases: [(&[u8], u32); 4] = [
            (b"123456789", 0xe306_9283),
            (&[0; 32], 0x8a91_36aa),
            (&[255; 32], 0x62a8_ab43),
            (&ascending, 0x46dd_794e),
        ];
        for (data, crc) in cases {
            assert_eq!(crc32c(data), crc, "{data:?}");
        }
    }

    #[test]
    fn the_frame_of_the_first_event_is_tensorboards() {
        // The first 12 bytes of every file that TensorBoard writes: 24 bytes of data and the checksum of that length.
        let mut out = Vec::new();
        push(&mut out, &[0; 24]);
        assert_eq!(out[..12], [24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(out.len(), 12 + 24 + 4);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8)) {
            let mut out = Vec::new();
            all.iter().for_each(|data| push(&mut out, data));
            prop_assert_eq!(read(&out), (all, &[][..]));
        }

        #[test]
        fn a_flipped_bit_is_noticed(data in prop::collection::vec(any::<u8>(), 0..100), at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut out = Vec::new();
            push(&mut out, &data);
            let at = at.index(out.len());
            out[at] ^= 1_u8 << bit;
            prop_assert_eq!(read(&out).0.len(), 0);
        }

        #[test]
        fn a_torn_record_is_left_over(data in prop::collection::vec(any::<u8>(), 0..100), cut in 1_usize..16) {
            let mut out = Vec::new();
            push(&mut out, b"whole");
            let whole = out.len();
            push(&mut out, &data);
            out.truncate(out.len() - cut.min(out.len() - whole));
            let (records, rest) = read(&out);
            prop_assert_eq!(records, [b"whole".to_vec()]);
            prop_assert_eq!(rest, &out[whole..]);
        }
    }
}
