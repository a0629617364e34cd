//! Where one tensor's numbers lie in a file.

use std::borrow::Cow;
use std::ops::Range;

use safetensors::Dtype;

/// A tensor of a file. That its bytes are inside the file was checked when the file was opened.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// Bytes of the file, from the tensor's first number on.
    pub(super) bytes: Range<usize>,
    /// Numbers from one place to the next along each axis; `None`: row-major without gaps.
    pub(super) strides: Option<Vec<usize>>,
}

impl Stored {
    /// The tensor's bytes, row-major, from those of its range.
    pub(super) fn row_major<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(strides) = &self.strides else { return Cow::Borrowed(bytes) };
        let width = self.dtype.bitsize() / 8;
        let count: usize = self.shape.iter().product();
        let mut gathered = Vec::with_capacity(count * width);
        let mut at = vec![0; self.shape.len()];
        for _ in 0..count {
            let number: usize = at.iter().zip(strides).map(|(position, stride)| position * stride).sum();
            gathered.extend_from_slice(&bytes[number * width..][..width]);
            for (position, &size) in at.iter_mut().zip(&self.shape).rev() {
                *position += 1;
                if *position < size {
                    break;
                }
                *position = 0;
            }
        }
        Cow::Owned(gathered)
    }
}
