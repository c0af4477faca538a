// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Contexts and fences, for the driver that signals them.

use super::Fence;
use crate::{
    bindings,
    ffi::c_char,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
    },
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    },
};

/// A copy of a name, cut off at the length that user space gets to see.
///
/// Fences may outlive the module that named them.
///
/// # Invariants
///
/// The last byte is 0.
#[derive(Clone, Copy)]
pub(super) struct Name([u8; Self::SIZE]);

impl Name {
    /// As in `struct sync_file_info` and `struct sync_fence_info`.
    pub(super) const SIZE: usize = 32;

    fn new(name: &CStr) -> Self {
        let mut copy = [0; Self::SIZE];

        for (to, from) in copy[..Self::SIZE - 1].iter_mut().zip(name.to_bytes()) {
            *to = *from;
        }
        // INVARIANT: The last byte is still 0.
        Self(copy)
    }

    fn as_char_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}

/// A context, which gives its fences ascending sequence numbers.
///
/// Reservations, and TTM's evictions, keep only the last fence of a context for each usage. So the
/// driver has to signal the fences in the order of their numbers. A [`Timeline`] does so even if
/// the work ends in another order.
///
/// Fences have no reference to their context, which may be dropped before them.
///
/// [`Timeline`]: super::Timeline
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::{DriverFenceAllocation, FenceCtx};
///
/// let ring = FenceCtx::new(c"my-driver", c"ring 0");
///
/// // Do first what can fail ...
/// let allocation = DriverFenceAllocation::new(7)?;
///
/// // ... and this doesn't fail.
/// let work = ring.new_fence(allocation);
/// let fence = work.fence();
/// assert!(ring.has(&fence));
/// assert_eq!(*work, 7);
///
/// work.signal(Ok(()));
/// assert!(fence.is_signaled());
/// # Ok::<(), Error>(())
/// ```
pub struct FenceCtx {
    driver: Name,
    timeline: Name,
    number: u64,
    /// The number of the last fence.
    seqno: Atomic<u64>,
}

impl FenceCtx {
    /// Makes a context. The names are shown where fences are listed; of each, 31 bytes are copied.
    pub fn new(driver: &CStr, timeline: &CStr) -> Self {
        Self {
            driver: Name::new(driver),
            timeline: Name::new(timeline),
            // SAFETY: It may always be called.
            number: unsafe { bindings::dma_fence_context_alloc(1) },
            seqno: Atomic::new(0),
        }
    }

    /// Makes a fence with the next number. Neither sleeps, allocates nor fails.
    pub fn new_fence<T: FenceData>(&self, allocation: DriverFenceAllocation<T>) -> DriverFence<T> {
        let memory = KBox::into_raw(allocation.0);

        // INVARIANT: It is initialized here, as a part of `Memory<T>`. No other code has a pointer
        // to it yet.
        DriverFence {
            // CAST: `Base` comes first.
            // SAFETY: It comes out of a box, which isn't used any more.
            fence: unsafe { self.init(memory.cast()) },
            _data: PhantomData,
        }
    }

    /// Whether `fence` is one of this context.
    pub fn has(&self, fence: &Fence) -> bool {
        // SAFETY: By the type invariant of `Fence` it is initialized; the context is constant.
        unsafe { (*fence.as_raw()).context == self.number }
    }

    /// Makes a fence of a `Base`, and returns the only reference. From then on C frees the memory.
    ///
    /// # Safety
    ///
    /// `base` must be the first part of memory that came out of a [`KBox`], which is given away.
    #[inline(never)]
    unsafe fn init(&self, base: *mut Base) -> ARef<Fence> {
        // Not generic, nor inlined elsewhere: the table of functions is the kernel image's.
        let seqno = self.seqno.fetch_add(1, Relaxed).wrapping_add(1);

        // SAFETY: `base` is valid and no other code uses it, by the function's requirements.
        unsafe {
            (*base).driver = self.driver;
            (*base).timeline = self.timeline;
        }
        // CAST: The fence comes first.
        let fence: *mut Fence = base.cast();
        // SAFETY: It is memory for a `dma_fence`, by the function's requirements, and isn't moved,
        // as it is only accessed through pointers. The table is static. Without a lock, the fence
        // takes one of its own. Without a `release`, C frees the memory with `kfree_rcu`, and so
        // all of it, as the fence comes first.
        unsafe {
            bindings::dma_fence_init64(
                fence.cast(),
                &raw const OPS,
                ptr::null_mut(),
                self.number,
                seqno,
            )
        };

        // SAFETY: It came out of a box, so it isn't null; the initial reference is given away here.
        unsafe { ARef::from_raw(NonNull::new_unchecked(fence)) }
    }
}

/// Data that a [`DriverFence`] may carry: any data without a destructor.
///
/// The data is part of the fence's memory, which is freed an RCU grace period after the last
/// reference to the fence is dropped. A destructor would be code of the driver, called where
/// nothing may sleep, and when the module may have been unloaded. Keep data that has a destructor
/// beside the [`DriverFence`].
pub trait FenceData: Copy + Send + Sync + 'static {}

impl<T: Copy + Send + Sync + 'static> FenceData for T {}

/// The part of a fence's memory that all fences have. The kernel image accesses no other part.
#[repr(C)]
pub(super) struct Base {
    // Comes first: C frees this.
    fence: Opaque<bindings::dma_fence>,
    driver: Name,
    timeline: Name,
}

/// The memory of a fence. It has no destructor: C frees it, after an RCU grace period.
#[repr(C)]
pub(super) struct Memory<T> {
    // Comes first: C frees this.
    base: Base,
    pub(super) data: T,
}

/// Memory for a fence and its data, so that [`FenceCtx::new_fence`] does not allocate.
///
/// When submitting a job, allocate this before the point of no failure, and make the fence after
/// it.
pub struct DriverFenceAllocation<T: FenceData = ()>(KBox<Memory<T>>);

// SAFETY: It has no fence yet, but only memory for one, and `T` is `Send`.
unsafe impl<T: FenceData> Send for DriverFenceAllocation<T> {}

// SAFETY: A shared reference gives access to nothing.
unsafe impl<T: FenceData> Sync for DriverFenceAllocation<T> {}

impl<T: FenceData> DriverFenceAllocation<T> {
    /// Allocates memory for a fence that carries `data`.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(data: T) -> Result<Self> {
        const EMPTY: Name = Name([0; Name::SIZE]);

        let base = Base {
            fence: Opaque::uninit(),
            driver: EMPTY,
            timeline: EMPTY,
        };

        Ok(Self(KBox::new(Memory { base, data }, GFP_KERNEL)?))
    }
}

/// A fence that its driver hasn't signaled yet.
///
/// Only the driver has this; all other code has a [`Fence`], see [`Self::fence`]. Dropping it
/// signals the fence with [`ECANCELED`]. If it is forgotten, the fence is never signaled, as if a
/// GPU hung.
///
/// It derefs to the driver's data.
///
/// # Deadlocks
///
/// Other threads may wait for the fence while they hold reservations, or in memory reclaim. So from
/// the time that the fence is published until it is signaled, the driver must not wait for anything
/// that may wait for the fence: it must take no reservation, and allocate no memory.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::DriverFence;
///
/// let work = DriverFence::new(c"my-driver", c"copies")?;
/// let fence = work.fence();
/// work.signal(Err(EIO));
/// assert_eq!(fence.wait(), Err(EIO));
///
/// let work = DriverFence::new(c"my-driver", c"copies")?;
/// let fence = work.fence();
/// assert!(fence.status().is_none());
/// drop(work);
/// assert_eq!(fence.status(), Some(Err(ECANCELED)));
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `fence` is the first part of an initialized `Memory<T>`, and only this signals it.
#[must_use = "the fence is signaled immediately when this is unused"]
pub struct DriverFence<T: FenceData = ()> {
    fence: ARef<Fence>,
    _data: PhantomData<T>,
}

impl DriverFence {
    /// Makes a fence with a context of its own, so that the order in which it is signaled doesn't
    /// matter. The names are shown where fences are listed; of each, 31 bytes are copied.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(driver: &CStr, timeline: &CStr) -> Result<Self> {
        let allocation = DriverFenceAllocation::new(())?;

        Ok(FenceCtx::new(driver, timeline).new_fence(allocation))
    }
}

impl<T: FenceData> DriverFence<T> {
    /// The fence, for other code to wait for.
    pub fn fence(&self) -> ARef<Fence> {
        self.fence.clone()
    }

    /// Signals the fence with the result of the work, and calls the callbacks that were added.
    pub fn signal(self, result: Result) {
        self.signal_with(result);
    }

    fn signal_with(&self, result: Result) {
        if self.fence.is_signaled() {
            return;
        }
        // SAFETY: By the type invariants of `Fence` it is valid. It isn't signaled when its error
        // is set: that was just checked, and by the type invariants only `self` signals it.
        unsafe {
            if let Err(error) = result {
                bindings::dma_fence_set_error(self.fence.as_raw(), error.to_errno());
            }
            bindings::dma_fence_signal(self.fence.as_raw());
        }
    }

    /// Gives the fence away unsignaled, to [`Self::from_raw`].
    pub(super) fn into_raw(self) -> *mut Memory<T> {
        // CAST: By the type invariants it is the first part of a `Memory<T>`.
        ManuallyDrop::new(self).fence.as_raw().cast()
    }

    /// # Safety
    ///
    /// `memory` must come from [`Self::into_raw`], and is given away.
    pub(super) unsafe fn from_raw(memory: *mut Memory<T>) -> Self {
        // INVARIANT: It was one before, by the function's requirements.
        Self {
            // CAST: The fence comes first.
            // SAFETY: By the function's requirements it isn't null, and the reference is given
            // away.
            fence: unsafe { ARef::from_raw(NonNull::new_unchecked(memory.cast())) },
            _data: PhantomData,
        }
    }
}

impl<T: FenceData> Deref for DriverFence<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // CAST: By the type invariants it is the first part of a `Memory<T>`.
        let memory: *const Memory<T> = self.fence.as_raw().cast();

        // SAFETY: By the type invariants it is initialized, and `fence` keeps it. Only a timeline
        // changes its data, and that is never lent.
        unsafe { &(*memory).data }
    }
}

impl<T: FenceData> Drop for DriverFence<T> {
    fn drop(&mut self) {
        self.signal_with(Err(ECANCELED));
    }
}

/// The same for all fences, whichever module they belong to: in the kernel image.
static OPS: bindings::dma_fence_ops = bindings::dma_fence_ops {
    get_driver_name: Some(driver_name_callback),
    get_timeline_name: Some(timeline_name_callback),
    ..pin_init::zeroed()
};

/// # Safety
///
/// `fence` must be part of a valid [`Base`].
unsafe extern "C" fn driver_name_callback(fence: *mut bindings::dma_fence) -> *const c_char {
    // CAST: The fence comes first.
    // SAFETY: It is part of a valid `Base`, by the function's requirements. Its names never change.
    unsafe { &(*fence.cast::<Base>()).driver }.as_char_ptr()
}

/// # Safety
///
/// `fence` must be part of a valid [`Base`].
unsafe extern "C" fn timeline_name_callback(fence: *mut bindings::dma_fence) -> *const c_char {
    // CAST: The fence comes first.
    // SAFETY: It is part of a valid `Base`, by the function's requirements. Its names never change.
    unsafe { &(*fence.cast::<Base>()).timeline }.as_char_ptr()
}
