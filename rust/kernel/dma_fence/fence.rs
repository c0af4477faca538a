// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Fences, for the threads that wait for them.

use crate::{
    bindings,
    error::{
        to_result,
        Error, //
    },
    ffi::c_long,
    prelude::*,
    sync::aref::AlwaysRefCounted,
    types::Opaque, //
};
use core::ptr::NonNull;

/// A fence: it is signaled once, when the work that it stands for is done.
///
/// It may be a fence of any driver. The driver that signals it has a
/// [`DriverFence`](super::DriverFence). Its memory is freed an RCU grace period after the last
/// reference is dropped.
///
/// # Invariants
///
/// `self.0` is an initialized `struct dma_fence`, with a reference as long as there is one to
/// `self`.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::DriverFence;
///
/// let work = DriverFence::new(c"my-driver", c"copies")?;
/// let fence = work.fence();
/// assert!(!fence.is_signaled());
///
/// work.signal(Ok(()));
/// assert!(fence.is_signaled());
/// fence.wait()?;
/// # Ok::<(), Error>(())
/// ```
#[repr(transparent)]
pub struct Fence(Opaque<bindings::dma_fence>);

// SAFETY: Fences may be used and freed from any thread.
unsafe impl Send for Fence {}

// SAFETY: Fences may be used by several threads at a time, as they have a lock of their own.
unsafe impl Sync for Fence {}

// SAFETY: The reference count is that of the `dma_fence`, which is there as long as it isn't zero.
unsafe impl AlwaysRefCounted for Fence {
    fn inc_ref(&self) {
        // SAFETY: By the type invariant `self` is a valid fence.
        unsafe { bindings::dma_fence_get(self.as_raw()) };
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // CAST: `Self` is transparent.
        // SAFETY: `obj` is valid and a reference is given away, by the function's requirements.
        // `obj` isn't used any more.
        unsafe { bindings::dma_fence_put(obj.as_ptr().cast()) };
    }
}

impl Fence {
    pub(crate) fn as_raw(&self) -> *mut bindings::dma_fence {
        self.0.get()
    }

    /// Whether it is signaled.
    pub fn is_signaled(&self) -> bool {
        // SAFETY: By the type invariant `self` is a valid fence.
        unsafe { bindings::dma_fence_is_signaled(self.as_raw()) }
    }

    /// The result of the work, or [`None`] if the fence isn't signaled yet.
    pub fn status(&self) -> Option<Result> {
        // SAFETY: By the type invariant `self` is a valid fence.
        match unsafe { bindings::dma_fence_get_status(self.as_raw()) } {
            0 => None,
            status => Some(to_result(status.min(0))),
        }
    }

    /// Waits until it is signaled; signals do not interrupt the wait. May sleep.
    ///
    /// # Errors
    ///
    /// The error that the fence was signaled with, if any.
    pub fn wait(&self) -> Result {
        self.wait_for(false)
    }

    /// Waits until it is signaled, or the thread has a signal pending. May sleep.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`] for a signal, and as [`Self::wait`].
    pub fn wait_interruptible(&self) -> Result {
        self.wait_for(true)
    }

    fn wait_for(&self, interruptible: bool) -> Result {
        // SAFETY: By the type invariant `self` is a valid fence.
        let left =
            unsafe { bindings::dma_fence_wait_timeout(self.as_raw(), interruptible, c_long::MAX) };

        if left < 0 {
            // CAST: An error number.
            return Err(Error::from_errno(left as i32));
        }
        self.status().unwrap_or(Ok(()))
    }

    /// Whether it is a container, which stands for several other fences.
    #[cfg(CONFIG_RUST_DRM_TTM)]
    pub(crate) fn is_container(&self) -> bool {
        // SAFETY: By the type invariant `self` is a valid fence.
        unsafe { bindings::dma_fence_is_container(self.as_raw()) }
    }
}

/// The jiffies for which C has to wait to wait for at least `timeout`; [`c_long::MAX`] is for ever.
#[cfg(CONFIG_RUST_DRM_TTM)]
pub(crate) fn jiffies(timeout: crate::time::Delta) -> c_long {
    match u64::try_from(timeout.as_nanos()) {
        Ok(0) | Err(_) => 0,
        Ok(nanos) => {
            // SAFETY: It may always be called.
            let jiffies = unsafe { bindings::nsecs_to_jiffies(nanos) };

            // The current jiffy has begun already, and the fraction was cut off.
            c_long::try_from(jiffies).map_or(c_long::MAX, |jiffies| jiffies.saturating_add(1))
        }
    }
}
