// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Memory that other code, programs or the device may access at the same time.

/// Copies `n` bytes from `from` to `to`. Both may be accessed concurrently.
///
/// # Safety
///
/// `to` must be valid for writes, and `from` for reads, of `n` bytes, except that both may be read
/// and written concurrently.
pub(super) unsafe fn copy(to: *mut u8, from: *const u8, n: usize) {
    const WORD: usize = size_of::<u64>();

    let is_aligned = to.addr() % WORD == 0 && from.addr() % WORD == 0;
    let words = if is_aligned { n / WORD } else { 0 };

    // SAFETY: `to` is valid for writes and `from` for reads of `n` bytes, by the function's
    // requirements; no access is beyond those. If whole words are copied, both are aligned, as was
    // just checked. Volatile accesses of a word or a byte are atomic for the kernel, so concurrent
    // accesses are no data races.
    unsafe {
        for at in 0..words {
            let word = from.cast::<u64>().add(at).read_volatile();
            to.cast::<u64>().add(at).write_volatile(word);
        }
        for at in words * WORD..n {
            to.add(at).write_volatile(from.add(at).read_volatile());
        }
    }
}

/// Clears `n` bytes at `to`, which may be accessed concurrently.
///
/// # Safety
///
/// `to` must be valid for writes of `n` bytes, except that it may be read and written concurrently.
/// Both `to` and `n` must be a multiple of the size of a [`u64`].
pub(super) unsafe fn zero(to: *mut u8, n: usize) {
    for at in 0..n / size_of::<u64>() {
        // SAFETY: `to` is valid for writes of `n` bytes, and aligned, by the function's
        // requirements; no access is beyond those. Volatile accesses of a word are atomic for the
        // kernel, so concurrent accesses are no data races.
        unsafe { to.cast::<u64>().add(at).write_volatile(0) };
    }
}
