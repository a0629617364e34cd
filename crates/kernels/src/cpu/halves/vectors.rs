//! The three rearrangements that packing is made of, sixteen numbers at a time.

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _mm256_loadu_si256, _mm256_setzero_si256, _mm512_cvtepu16_epi32, _mm512_cvtne2ps_pbh,
    _mm512_loadu_ps, _mm512_or_si512, _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use half::bf16;

/// 32 neighbouring f32 as 16 pairs of bf16.
///
/// # Safety
/// 32 numbers must stand at `from`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
pub(super) unsafe fn pairs_of(from: *const f32) -> __m512i {
    // SAFETY: the caller's promise.
    let (low, high): (__m512, __m512) = unsafe { (_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(16))) };
    let pairs = _mm512_cvtne2ps_pbh(high, low);
    // SAFETY: both types are 512 bits without invalid values.
    unsafe { std::mem::transmute(pairs) }
}

/// Sixteen pairs, each the number at one column of `first` with that of `second` below it, which may be missing.
///
/// # Safety
/// 16 numbers must stand at each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
pub(super) unsafe fn interleave(first: *const bf16, second: Option<*const bf16>) -> __m512i {
    // SAFETY: the caller's promise.
    let (first, second) = unsafe {
        let second = second.map_or(_mm256_setzero_si256(), |second| _mm256_loadu_si256(second.cast::<__m256i>()));
        (_mm256_loadu_si256(first.cast::<__m256i>()), second)
    };
    _mm512_or_si512(_mm512_cvtepu16_epi32(first), _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(second)))
}

/// The transpose of a square of 16×16.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
    // Squares of 2×2 within 128-bit lanes, then of 4×4, then the lanes themselves.
    let mut twos = rows;
    for n in 0..8 {
        twos[2 * n] = _mm512_unpacklo_epi32(rows[2 * n], rows[2 * n + 1]);
        twos[2 * n + 1] = _mm512_unpackhi_epi32(rows[2 * n], rows[2 * n + 1]);
    }
    let mut fours = twos;
    for n in 0..4 {
        let [a, b, c, d] = [twos[4 * n], twos[4 * n + 1], twos[4 * n + 2], twos[4 * n + 3]];
        fours[4 * n] = _mm512_unpacklo_epi64(a, c);
        fours[4 * n + 1] = _mm512_unpackhi_epi64(a, c);
        fours[4 * n + 2] = _mm512_unpacklo_epi64(b, d);
        fours[4 * n + 3] = _mm512_unpackhi_epi64(b, d);
    }
    let mut result = fours;
    for n in 0..4 {
        let [a, b, c, d] = [fours[n], fours[4 + n], fours[8 + n], fours[12 + n]];
        let (ab_even, ab_odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xDD>(a, b));
        let (cd_even, cd_odd) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xDD>(c, d));
        result[n] = _mm512_shuffle_i32x4::<0x88>(ab_even, cd_even);
        result[8 + n] = _mm512_shuffle_i32x4::<0xDD>(ab_even, cd_even);
        result[4 + n] = _mm512_shuffle_i32x4::<0x88>(ab_odd, cd_odd);
        result[12 + n] = _mm512_shuffle_i32x4::<0xDD>(ab_odd, cd_odd);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    #[expect(unsafe_code, reason = "calls functions compiled for instructions that were detected")]
    fn rearranges_as_the_names_say() {
        if Isa::detect() != Isa::Avx512Bf16 {
            return;
        }
        let rows: Vec<[u32; 16]> = (0..16).map(|row| std::array::from_fn(|col| row * 16 + col as u32)).collect();
        let rows: [[u32; 16]; 16] = rows.try_into().expect("sixteen rows");
        // SAFETY: the instructions were detected; both types are sixteen times 512 bits.
        let transposed = unsafe {
            std::mem::transmute::<[__m512i; 16], [[u32; 16]; 16]>(transpose(std::mem::transmute::<
                [[u32; 16]; 16],
                [__m512i; 16],
            >(rows)))
        };
        for (row, columns) in transposed.iter().enumerate() {
            for (col, &x) in columns.iter().enumerate() {
                assert_eq!(x as usize, col * 16 + row);
            }
        }

        let numbers: Vec<f32> = (0..32_u8).map(f32::from).collect();
        let halves: Vec<bf16> = numbers.iter().map(|&x| bf16::from_f32(x)).collect();
        // SAFETY: the instructions were detected, and 32 numbers stand there; both types are 512 bits.
        let (pairs, down, alone) = unsafe {
            let bits = |x: __m512i| std::mem::transmute::<__m512i, [[u16; 2]; 16]>(x);
            let (first, second) = (halves.as_ptr(), halves[16..].as_ptr());
            (bits(pairs_of(numbers.as_ptr())), bits(interleave(first, Some(second))), bits(interleave(first, None)))
        };
        for n in 0..16 {
            assert_eq!(pairs[n], [halves[2 * n].to_bits(), halves[2 * n + 1].to_bits()]);
            assert_eq!(down[n], [halves[n].to_bits(), halves[16 + n].to_bits()]);
            assert_eq!(alone[n], [halves[n].to_bits(), 0]);
        }
    }
}
