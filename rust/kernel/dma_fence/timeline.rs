// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Timelines: fences in order.

use super::{
    context::Memory,
    DriverFence,
    DriverFenceAllocation,
    Fence,
    FenceCtx, //
};
use crate::{
    new_spinlock_irq,
    prelude::*,
    sync::{
        aref::ARef,
        Arc,
        SpinLockIrq, //
    },
};
use core::ptr;

/// Fences that are signaled in the order in which they were made.
///
/// A timeline is for work that is done in order. Call [`PendingFence::signal`] when the work of a
/// fence is done. If the work of an earlier fence is not done yet, this does not wait, and the
/// fence is signaled later, when all earlier ones are. So a thread that waits for a fence has
/// waited for all earlier ones, and it is enough that reservations, and TTM's evictions, keep the
/// last fence of a timeline.
///
/// The timeline's memory is freed when the last clone is dropped and the last fence is signaled.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::Timeline;
///
/// let timeline = Timeline::new(c"my-driver", c"ring 0")?;
/// let (first, second) = (timeline.fence()?, timeline.fence()?);
/// let fences = [first.fence(), second.fence()];
///
/// // It isn't its turn.
/// second.signal(Err(EIO));
/// assert!(!fences[1].is_signaled());
///
/// first.signal(Ok(()));
/// assert_eq!(fences[0].status(), Some(Ok(())));
/// assert_eq!(fences[1].status(), Some(Err(EIO)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Timeline(Arc<Inner>);

#[pin_data]
struct Inner {
    ctx: FenceCtx,
    #[pin]
    queue: SpinLockIrq<Queue>,
}

/// The data of a timeline's fence: its place in the queue. Protected by the queue's lock, and only
/// accessed through pointers.
#[derive(Clone, Copy)]
struct Link {
    next: *mut Memory<Link>,
    result: Option<Result>,
}

// SAFETY: It may be accessed from any thread, with the lock of the queue held.
unsafe impl Send for Link {}

// SAFETY: A reference gives no access: all go through pointers, with the lock of the queue held.
unsafe impl Sync for Link {}

/// The fences of a timeline that aren't signaled, in the order of their numbers.
///
/// # Invariants
///
/// - It is a list from `first` to `last`, linked by `next`; both are null if it is empty. Each
///   fence comes from `DriverFence::into_raw`, and belongs to this.
/// - While the lock isn't held, `first` has no result.
struct Queue {
    first: *mut Memory<Link>,
    last: *mut Memory<Link>,
}

// SAFETY: The fences that it points to may be accessed from any thread with the lock held.
unsafe impl Send for Queue {}

impl Queue {
    /// Adds a fence whose number is greater than that of all fences in the queue.
    fn push(&mut self, fence: DriverFence<Link>) {
        let fence = fence.into_raw();

        // INVARIANT: It is the last one now, and belongs to the queue.
        if self.last.is_null() {
            self.first = fence;
        } else {
            // SAFETY: By the type invariants `last` is a valid fence. The lock is held.
            unsafe { (*self.last).data.next = fence };
        }
        self.last = fence;
    }

    /// Removes the first fence if its work is done, and returns it with the result.
    fn pop_done(&mut self) -> Option<(DriverFence<Link>, Result)> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: By the type invariants `first` is a valid fence. The lock is held.
        let Link { next, result } = unsafe { (*self.first).data };
        let result = result?;
        // SAFETY: By the type invariants it comes from `into_raw`, and belongs to the queue, which
        // gives it away.
        let fence = unsafe { DriverFence::from_raw(self.first) };

        // INVARIANT: Now the next one is the first.
        self.first = next;
        if next.is_null() {
            self.last = next;
        }
        Some((fence, result))
    }
}

impl Timeline {
    /// Makes a timeline. The names are shown where fences are listed; of each, 31 bytes are copied.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    pub fn new(driver: &CStr, name: &CStr) -> Result<Self> {
        let inner = Arc::pin_init(
            pin_init!(Inner {
                ctx: FenceCtx::new(driver, name),
                // INVARIANT: It is empty.
                queue <- new_spinlock_irq!(Queue {
                    first: ptr::null_mut(),
                    last: ptr::null_mut(),
                }),
            }),
            GFP_KERNEL,
        )?;

        Ok(Self(inner))
    }

    /// Whether `fence` is one of this timeline.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::dma_fence::Timeline;
    ///
    /// let ring = Timeline::new(c"my-driver", c"ring 0")?;
    /// let other = Timeline::new(c"my-driver", c"ring 1")?;
    /// let fence = ring.fence()?.fence();
    /// assert!(ring.has(&fence) && !other.has(&fence));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn has(&self, fence: &Fence) -> bool {
        self.0.ctx.has(fence)
    }

    /// Makes the next fence.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn fence(&self) -> Result<PendingFence> {
        Ok(self.prepare()?.start())
    }

    /// Allocates a fence that isn't part of the timeline yet.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn prepare(&self) -> Result<PreparedFence> {
        let link = Link {
            next: ptr::null_mut(),
            result: None,
        };

        Ok(PreparedFence {
            allocation: DriverFenceAllocation::new(link)?,
            timeline: self.clone(),
        })
    }

    /// Records the result of a fence's work, unless it has one, and signals all fences whose turn
    /// it is.
    ///
    /// # Safety
    ///
    /// `fence` must be, or have been, in the queue, and be valid.
    unsafe fn complete(&self, fence: *mut Memory<Link>, result: Result) {
        let mut queue = self.0.queue.lock();

        // SAFETY: `fence` is valid, by the function's requirements; the lock is held.
        let slot = unsafe { &mut (*fence).data.result };
        if slot.is_some() {
            return;
        }
        *slot = Some(result);

        // Fences are signaled with the lock held, so that no other thread signals a later one
        // first.
        while let Some((fence, result)) = queue.pop_done() {
            fence.signal(result);
        }
    }
}

/// A fence that is not yet part of its timeline.
///
/// All memory is allocated by then, so [`Self::start`] may be called after the point of no failure,
/// or with a lock held.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::Timeline;
///
/// let timeline = Timeline::new(c"my-driver", c"ring 0")?;
/// let prepared = timeline.prepare()?;
/// let before = timeline.fence()?;
///
/// let pending = prepared.start();
/// let fence = pending.fence();
/// pending.signal(Ok(()));
/// assert!(!fence.is_signaled());
/// before.signal(Ok(()));
/// assert!(fence.is_signaled());
/// # Ok::<(), Error>(())
/// ```
pub struct PreparedFence {
    allocation: DriverFenceAllocation<Link>,
    timeline: Timeline,
}

impl PreparedFence {
    /// Makes the next fence of the timeline. Neither sleeps, allocates nor fails.
    pub fn start(self) -> PendingFence {
        let Self {
            allocation,
            timeline,
        } = self;
        // With the lock held, the order of the queue is that of the numbers.
        let mut queue = timeline.0.queue.lock();
        let driver_fence = timeline.0.ctx.new_fence(allocation);
        let fence = driver_fence.fence();

        queue.push(driver_fence);
        drop(queue);
        // INVARIANT: It was just added to the queue.
        PendingFence { fence, timeline }
    }
}

/// A fence of a [`Timeline`] whose work isn't done yet.
///
/// It is the [`DriverFence`] of a timeline: the same rules for forgetting it and for deadlocks
/// apply. Dropping it signals the fence with [`ECANCELED`] when it is its turn.
///
/// # Invariants
///
/// `fence` is in the queue of `timeline`, unless it has a result.
#[must_use = "the fence is signaled immediately when this is unused"]
pub struct PendingFence {
    fence: ARef<Fence>,
    timeline: Timeline,
}

impl PendingFence {
    /// The fence, for other code to wait for.
    pub fn fence(&self) -> ARef<Fence> {
        self.fence.clone()
    }

    /// Records that the work is done, with its result. The fence is signaled when it is its turn.
    pub fn signal(self, result: Result) {
        self.signal_with(result);
    }

    /// As [`Self::signal`], for callers that can't give it away.
    pub(crate) fn signal_with(&self, result: Result) {
        // CAST: A fence in a queue is the first part of a `Memory<Link>`.
        // SAFETY: By the type invariants it is in the queue, or was; `self` keeps it.
        unsafe { self.timeline.complete(self.fence.as_raw().cast(), result) };
    }
}

impl Drop for PendingFence {
    fn drop(&mut self) {
        self.signal_with(Err(ECANCELED));
    }
}
