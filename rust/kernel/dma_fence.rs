// SPDX-License-Identifier: GPL-2.0 OR MIT

//! DMA fences: what others wait for until a device is done.
//!
//! C header: [`include/linux/dma-fence.h`](srctree/include/linux/dma-fence.h)

use crate::{
    bindings,
    error::{
        to_result,
        Error, //
    },
    ffi::{
        c_char,
        c_long, //
    },
    prelude::*,
    str::as_char_ptr_in_const_context,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::Opaque, //
};
use core::ptr::NonNull;

/// Something that will have happened once.
///
/// # Invariants
///
/// `self.0` is an initialized `struct dma_fence`, with a reference as long as there is one to `self`.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::PendingFence;
///
/// let pending = PendingFence::new(c"my-driver", c"copies")?;
/// let fence = pending.fence();
/// assert!(!fence.is_signaled());
///
/// pending.signal();
/// assert!(fence.is_signaled());
/// fence.wait()?;
/// # Ok::<(), Error>(())
/// ```
#[repr(transparent)]
pub struct Fence(Opaque<bindings::dma_fence>);

// SAFETY: Fences may be used and freed from any thread.
unsafe impl Send for Fence {}

// SAFETY: As above; they have a lock of their own.
unsafe impl Sync for Fence {}

// SAFETY: The reference count is that of the `dma_fence`, which is there as long as it isn't zero.
unsafe impl AlwaysRefCounted for Fence {
    fn inc_ref(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::dma_fence_get(self.as_raw()) };
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // CAST: `Self` is transparent.
        // SAFETY: By the function's requirements, a reference is given away; `obj` isn't used any
        // more.
        unsafe { bindings::dma_fence_put(obj.as_ptr().cast()) };
    }
}

impl Fence {
    pub(crate) fn as_raw(&self) -> *mut bindings::dma_fence {
        self.0.get()
    }

    /// Whether it has happened.
    pub fn is_signaled(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { bindings::dma_fence_is_signaled(self.as_raw()) }
    }

    /// Whether it has happened, and how it went: [`None`] until then.
    pub fn status(&self) -> Option<Result> {
        // SAFETY: By the type invariant.
        match unsafe { bindings::dma_fence_get_status(self.as_raw()) } {
            0 => None,
            status => Some(to_result(status.min(0))),
        }
    }

    /// Waits until it has happened, and can't be interrupted. May sleep.
    ///
    /// # Errors
    ///
    /// What the fence was signaled with, if that was an error.
    pub fn wait(&self) -> Result {
        self.wait_for(false)
    }

    /// Waits until it has happened, or a signal is there. May sleep.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`] for a signal, and as [`Self::wait`].
    pub fn wait_interruptible(&self) -> Result {
        self.wait_for(true)
    }

    fn wait_for(&self, interruptible: bool) -> Result {
        // SAFETY: By the type invariant.
        let left =
            unsafe { bindings::dma_fence_wait_timeout(self.as_raw(), interruptible, c_long::MAX) };

        if left < 0 {
            // CAST: An error number.
            return Err(Error::from_errno(left as i32));
        }
        self.status().unwrap_or(Ok(()))
    }
}

/// A fence that nobody has signaled yet.
///
/// It has a timeline of its own, so that the order in which fences are signaled doesn't matter.
/// Dropping it signals it, with [`ECANCELED`].
///
/// # Deadlocks
///
/// Others may wait for the fence while they hold reservations, or in memory reclaim. So from the time
/// that someone else knows of it until it is signaled, nothing must be waited for that might wait for
/// it: no reservation may be taken, and no memory allocated.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::PendingFence;
///
/// let pending = PendingFence::new(c"my-driver", c"copies")?;
/// let fence = pending.fence();
/// pending.fail(EIO);
/// assert_eq!(fence.wait(), Err(EIO));
///
/// let pending = PendingFence::new(c"my-driver", c"copies")?;
/// let fence = pending.fence();
/// assert!(fence.status().is_none());
/// drop(pending);
/// assert_eq!(fence.status(), Some(Err(ECANCELED)));
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `self.0` is part of a `Named`, and nobody else signals it.
#[must_use = "the fence is signaled immediately when this is unused"]
pub struct PendingFence(ARef<Fence>);

/// What is allocated for a fence. It has no destructor: C frees it.
#[repr(C)]
struct Named {
    // Comes first: C frees this.
    fence: Opaque<bindings::dma_fence>,
    driver: &'static CStr,
    timeline: &'static CStr,
}

impl PendingFence {
    const OPS: bindings::dma_fence_ops = bindings::dma_fence_ops {
        get_driver_name: Some(driver_name_callback),
        get_timeline_name: Some(timeline_name_callback),
        ..pin_init::zeroed()
    };

    /// Makes a fence. The names are shown to those who look what somebody waits for.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(driver: &'static CStr, timeline: &'static CStr) -> Result<Self> {
        let named = KBox::new(
            Named {
                fence: Opaque::uninit(),
                driver,
                timeline,
            },
            GFP_KERNEL,
        )?;
        // CAST: The fence comes first.
        let fence: *mut Fence = KBox::into_raw(named).cast();

        // SAFETY: It is memory for a `dma_fence`, which isn't moved: it is only accessed through
        // pointers. The functions are static. Without a lock, it takes one of its own. Without a
        // `release`, C frees it with `kfree`, and so all of `Named`, of which it is the first field.
        unsafe {
            bindings::dma_fence_init(
                fence.cast(),
                &Self::OPS,
                core::ptr::null_mut(),
                bindings::dma_fence_context_alloc(1),
                1,
            )
        };

        // INVARIANT: It is part of a `Named`, initialized, and nobody else knows of it.
        // SAFETY: It comes out of a box, so it isn't null; the initial reference is given away here.
        Ok(Self(unsafe {
            ARef::from_raw(NonNull::new_unchecked(fence))
        }))
    }

    /// The fence, for others to wait for.
    pub fn fence(&self) -> ARef<Fence> {
        self.0.clone()
    }

    /// Says that it has happened.
    pub fn signal(self) {
        self.signal_with(Ok(()));
    }

    /// Says that it will not happen, for the reason `error`.
    pub fn fail(self, error: Error) {
        self.signal_with(Err(error));
    }

    /// The same for one who can't give it away.
    pub(crate) fn signal_with(&self, result: Result) {
        let fence = self.0.as_raw();

        // SAFETY: By the type invariants it is valid, and nobody else signals it: so it isn't
        // signaled when its error is set.
        unsafe {
            if bindings::dma_fence_is_signaled(fence) {
                return;
            }
            if let Err(error) = result {
                bindings::dma_fence_set_error(fence, error.to_errno());
            }
            bindings::dma_fence_signal(fence);
        }
    }
}

impl Drop for PendingFence {
    fn drop(&mut self) {
        self.signal_with(Err(ECANCELED));
    }
}

/// # Safety
///
/// `fence` must be part of a valid [`Named`].
unsafe extern "C" fn driver_name_callback(fence: *mut bindings::dma_fence) -> *const c_char {
    // CAST: The fence comes first.
    // SAFETY: By the function's requirements.
    as_char_ptr_in_const_context(unsafe { (*fence.cast::<Named>()).driver })
}

/// # Safety
///
/// `fence` must be part of a valid [`Named`].
unsafe extern "C" fn timeline_name_callback(fence: *mut bindings::dma_fence) -> *const c_char {
    // CAST: The fence comes first.
    // SAFETY: By the function's requirements.
    as_char_ptr_in_const_context(unsafe { (*fence.cast::<Named>()).timeline })
}
