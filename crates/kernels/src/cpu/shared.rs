//! One buffer that several tasks write, each its own elements.

use std::marker::PhantomData;

/// A mutable slice handed to tasks that write disjoint parts of it, where the parts are no contiguous chunks.
pub(super) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

#[expect(unsafe_code, reason = "tasks write disjoint parts")]
// SAFETY: all access goes through the unsafe methods below, whose callers promise that tasks do not overlap.
unsafe impl<T: Send> Send for Shared<'_, T> {}
#[expect(unsafe_code, reason = "tasks write disjoint parts")]
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The `len` elements from `offset`.
    ///
    /// # Safety
    /// No other task may touch these elements while the result lives.
    #[expect(unsafe_code, reason = "the promise is the caller's")]
    pub(super) unsafe fn part(self, offset: usize, len: usize) -> &'a mut [T] {
        assert!(offset + len <= self.len, "part {offset}+{len} of a buffer of {}", self.len);
        // SAFETY: in bounds by the line above, alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }

    /// The address of element `offset`, for a product that writes a strided rectangle.
    pub(super) fn at(self, offset: usize) -> *mut T {
        assert!(offset < self.len, "element {offset} of a buffer of {}", self.len);
        self.start.wrapping_add(offset)
    }
}
