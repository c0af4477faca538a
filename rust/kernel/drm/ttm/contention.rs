// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The reservation that a transaction could not wait for.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::cursor::Reference;
use crate::bindings;
use core::{
    cell::UnsafeCell,
    ptr, //
};

/// The buffer whose reservation TTM could not wait for in this round of a transaction, if any:
/// waiting could have deadlocked, so the ticket got `EDEADLK`.
///
/// From then on nothing may be locked with the ticket, until all reservations are given back (E3).
///
/// # Invariants
///
/// The pointer is null, or a reference to the buffer belongs to this. Only one thread has access.
pub(super) struct Contention(UnsafeCell<*mut bindings::ttm_buffer_object>);

impl Contention {
    pub(super) const fn new() -> Self {
        // INVARIANT: The pointer is null.
        Self(UnsafeCell::new(ptr::null_mut()))
    }

    /// The pointer for TTM, valid as long as `self` is borrowed. If it is null, TTM sets it to a
    /// buffer that it could not wait for, with a reference.
    pub(super) fn as_ptr(&self) -> *mut *mut bindings::ttm_buffer_object {
        self.0.get()
    }

    /// Whether there is such a buffer.
    pub(super) fn is_any(&self) -> bool {
        // SAFETY: By the type invariants no other thread writes to the pointer.
        unsafe { !(*self.0.get()).is_null() }
    }

    /// Takes the buffer, so that the next round begins without one.
    pub(super) fn take(&self) -> Option<Reference> {
        // SAFETY: By the type invariants no other thread accesses the pointer.
        let bo = unsafe { self.0.get().replace(ptr::null_mut()) };

        // INVARIANT: By the type invariants a reference to the buffer belonged to this.
        (!bo.is_null()).then(|| Reference(bo))
    }
}

impl Drop for Contention {
    fn drop(&mut self) {
        drop(self.take());
    }
}
