// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A place for a value that one thread leaves and another one takes.

use super::atomic::{
    Atomic,
    Full, //
};
use crate::prelude::*;
use core::ptr;

/// A place for a boxed value, which may be empty.
///
/// It needs no initialization and takes no lock, so it can be a `static`. A driver whose device
/// consists of several functions uses it to hand on what it found when one of them was probed.
///
/// A value that is left in a `static` isn't dropped when a module is unloaded. So take it before.
///
/// # Examples
///
/// ```
/// use kernel::sync::Slot;
///
/// static SLOT: Slot<u32> = Slot::new();
///
/// assert!(SLOT.take().is_none());
/// assert!(SLOT.put(KBox::new(7, GFP_KERNEL)?).is_ok());
/// // It isn't empty any more.
/// let refused = SLOT.put(KBox::new(8, GFP_KERNEL)?);
/// assert_eq!(refused.err().as_deref(), Some(&8));
/// assert_eq!(SLOT.take().as_deref(), Some(&7));
/// assert!(SLOT.take().is_none());
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// It is null, or comes from [`KBox::into_raw`] and belongs to this.
pub struct Slot<T: Send>(Atomic<*mut T>);

impl<T: Send> Slot<T> {
    /// Makes an empty place.
    pub const fn new() -> Self {
        // INVARIANT: It is null.
        Self(Atomic::new(ptr::null_mut()))
    }

    /// Leaves `value` here if the place is empty.
    ///
    /// # Errors
    ///
    /// Gives `value` back if there is one already.
    pub fn put(&self, value: KBox<T>) -> Result<(), KBox<T>> {
        let new = KBox::into_raw(value);

        // INVARIANT: It comes from a box, which is given away.
        match self.0.cmpxchg(ptr::null_mut(), new, Full) {
            Ok(_) => Ok(()),
            // SAFETY: It comes from the box above, and wasn't left here.
            Err(_) => Err(unsafe { KBox::from_raw(new) }),
        }
    }

    /// Takes the value, if there is one.
    pub fn take(&self) -> Option<KBox<T>> {
        // INVARIANT: It is null.
        let value = self.0.xchg(ptr::null_mut(), Full);

        // SAFETY: By the type invariants it comes from a box, if it isn't null, and belonged to
        // this.
        (!value.is_null()).then(|| unsafe { KBox::from_raw(value) })
    }
}

impl<T: Send> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send> Drop for Slot<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
