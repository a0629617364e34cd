//! One buffer that several tasks write, each its own elements.

use std::marker::PhantomData;

/// A mutable slice handed to tasks that write disjoint parts of it, where the parts are no contiguous chunks.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    start: *mut f32,
    len: usize,
    slice: PhantomData<&'a mut [f32]>,
}

#[expect(unsafe_code, reason = "tasks write disjoint parts")]
// SAFETY: all access goes through the unsafe methods below, whose callers promise that tasks do not overlap.
unsafe impl Send for Shared<'_> {}
#[expect(unsafe_code, reason = "tasks write disjoint parts")]
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(super) fn new(slice: &'a mut [f32]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The `len` elements from `offset`.
    ///
    /// # Safety
    /// No other task may touch these elements while the result lives.
    #[expect(unsafe_code, reason = "the promise is the caller's")]
    #[expect(clippy::mut_from_ref, reason = "disjointness is the caller's promise")]
    pub(super) unsafe fn part(&self, offset: usize, len: usize) -> &mut [f32] {
        assert!(offset + len <= self.len, "part {offset}+{len} of a buffer of {}", self.len);
        // SAFETY: in bounds by the line above, alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }

    /// The address of element `offset`, for a product that writes a strided rectangle.
    pub(super) fn at(&self, offset: usize) -> *mut f32 {
        assert!(offset < self.len, "element {offset} of a buffer of {}", self.len);
        self.start.wrapping_add(offset)
    }
}
