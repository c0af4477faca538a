// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Jobs that copy a buffer which moves, for a GPU without a copy engine.

use super::{
    content::Content,
    first_pending,
    is_any_beyond, //
};
use crate::{
    dma_fence::{
        Fence,
        PendingFence,
        Timeline, //
    },
    drm::ttm::{
        bytes::copy,
        resource::uses_pages,
        Move, //
    },
    new_work,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::aref::ARef,
    workqueue::{
        self,
        Work,
        WorkItem, //
    },
};
use core::{
    convert::Infallible,
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
};

/// A job that copies a buffer's content from one place to another, for a GPU without a copy engine.
///
/// Made by [`Move::copy_job`]. [`Self::run`], or dropping it, waits for the other users of the
/// buffer, copies the content, and signals the fence. Until then other users of the buffer wait, so
/// a thread that runs such jobs must wait for nothing else. It must run them in the order of their
/// fences, see [`Move::copy_job_with`].
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx, Placement};
///
/// // A device that keeps such jobs until it is told to run them.
/// let dev = test_device::Device::new_with_engine()?;
/// let obj = dev.system(0x2000)?;
/// let mut ctx = OperationCtx::new();
/// let mut reserved = obj.reserve();
/// reserved.populate(&mut ctx)?;
/// reserved.write(0x1000, b"moved")?;
///
/// reserved.validate(Placement::VRAM, &mut ctx)?;
/// assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
/// // The buffer has its new place, but its content isn't there yet.
/// assert!(!reserved.is_idle());
/// assert_eq!(dev.run_jobs(), 1);
/// assert!(reserved.is_idle());
///
/// let mut bytes = [0; 5];
/// reserved.read(0x1000, &mut bytes)?;
/// assert_eq!(&bytes, b"moved");
/// # Ok::<(), Error>(())
/// ```
///
/// A job that is dropped runs at once if it need not wait; otherwise a work item of the kernel
/// image runs it. So jobs may be dropped in any order, and with any lock held except a spinlock.
///
/// # Forgetting
///
/// As for a [`Job`](super::Job). If the move left the old place to a ghost, the module can't be
/// unloaded from then on.
#[must_use = "the content is copied without the driver's doing when this is unused"]
pub struct CopyJob(ManuallyDrop<Pin<KBox<Copying>>>);

impl CopyJob {
    /// Waits for earlier fences, copies the content, and signals the job's fence.
    pub fn run(self) {
        let mut this = ManuallyDrop::new(self);

        // SAFETY: `this` isn't used again, not even to drop it.
        unsafe { ManuallyDrop::take(&mut this.0) }.run();
    }

    /// The fence that is signaled when the content has been copied.
    pub fn fence(&self) -> ARef<Fence> {
        self.0.fence.fence()
    }

    /// Whether [`Self::run`] would begin without waiting.
    pub fn is_ready(&self) -> bool {
        self.waits_for().is_none()
    }

    /// One of the fences that it waits for.
    pub fn waits_for(&self) -> Option<&ARef<Fence>> {
        first_pending(&self.0.after)
    }
}

impl Drop for CopyJob {
    fn drop(&mut self) {
        // SAFETY: `self.0` isn't used again.
        let copying = unsafe { ManuallyDrop::take(&mut self.0) };

        if first_pending(&copying.after).is_none() {
            copying.run();
        } else {
            // Only jobs that a driver drops run here, so the queue need not be one for memory
            // reclaim.
            workqueue::system_long().enqueue(copying);
        }
    }
}

/// The copy that a [`CopyJob`] makes.
///
/// # Invariants
///
/// Until `fence` is signaled, `from` and `to` are `pages` pages each, and are neither freed nor
/// given to a buffer whose users don't wait for `fence`. Their other users are done when all of
/// `after` are signaled.
#[pin_data]
struct Copying {
    from: Content,
    to: Content,
    pages: usize,
    after: KVec<ARef<Fence>>,
    fence: PendingFence,
    #[pin]
    work: Work<Self>,
}

crate::impl_has_work! {
    impl HasWork<Self> for Copying { self.work }
}

// SAFETY: The memory of `from` and `to` may be accessed from any thread, and by the type invariants
// it stays as long as `self`. The fence is `Send`.
unsafe impl Send for Copying {}

impl Copying {
    /// Not inlined elsewhere, so that the work item is part of the kernel image.
    ///
    /// # Safety
    ///
    /// The arguments must be as the type's invariants say.
    #[inline(never)]
    unsafe fn new(
        room: KBox<MaybeUninit<Self>>,
        (from, to): (Content, Content),
        pages: usize,
        after: KVec<ARef<Fence>>,
        fence: PendingFence,
    ) -> Pin<KBox<Self>> {
        // INVARIANT: By the function's requirements.
        let init = pin_init!(Self {
            from,
            to,
            pages,
            after,
            fence,
            work <- new_work!("ttm_copy"),
        });

        match room.write_pin_init::<Infallible>(init) {
            Ok(copying) => copying,
            Err(never) => match never {},
        }
    }

    fn run(&self) {
        for fence in &self.after {
            // Its result doesn't matter.
            let _ = fence.wait();
        }
        for n in 0..self.pages {
            // SAFETY: By the type invariants both have that many pages, and the fence isn't
            // signaled yet.
            let (from, to) = unsafe { (self.from.map(n), self.to.map(n)) };

            // SAFETY: Both are a page of memory, which is only accessed through pointers. They are
            // accessed concurrently only if a manager has allocated a place twice.
            unsafe { copy(to, from, PAGE_SIZE) };
            // SAFETY: Both were just mapped, and are unmapped in the reverse order.
            unsafe {
                self.to.unmap(to);
                self.from.unmap(from);
            }
        }
        self.fence.signal_with(Ok(()));
    }
}

impl WorkItem for Copying {
    type Pointer = Pin<KBox<Self>>;

    fn run(this: Pin<KBox<Self>>) {
        Self::run(&this);
    }
}

impl Move<'_> {
    /// Makes a job that copies the content, to be run by another thread. Its fence is the next one
    /// of `timeline`.
    ///
    /// The job then moves the buffer for any answer of the driver but an error. The job begins when
    /// all users of the buffer are done, and all moves out of the new place. Neither this nor the
    /// move waits for them, not even in an eviction. An eviction waits for the job if the old
    /// memory type is made of pages, or if evictions from it used too many other timelines.
    ///
    /// Returns [`None`] if there is nothing to copy, or if the CPU can't reach both places.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]; [`EEXIST`] if there is a job already; [`ERESTARTSYS`] if the operation that
    /// moves the buffer is interruptible.
    pub fn copy_job(&mut self, timeline: &Timeline) -> Result<Option<CopyJob>> {
        let job = self.copy_job_with(timeline, || ())?;

        Ok(job.map(|(job, ())| job))
    }

    /// As [`Self::copy_job`], for jobs that a thread runs one after the other.
    ///
    /// The thread must run jobs in the order of their fences, or a job would wait for one behind
    /// it. So `lock` is called just before the fence is made, to take the lock of the queue. Its
    /// result is returned with the job, for the caller to put the job into the queue. Between
    /// `lock` and the return, this neither sleeps nor allocates.
    ///
    /// # Errors
    ///
    /// As [`Self::copy_job`].
    pub fn copy_job_with<G>(
        &mut self,
        timeline: &Timeline,
        lock: impl FnOnce() -> G,
    ) -> Result<Option<(CopyJob, G)>> {
        if self.job.is_some() {
            return Err(EEXIST);
        }
        self.populate()?;

        // SAFETY: By the type invariants the buffer is valid, reserved, and on the device of a
        // `RawDevice`; the old resource is its, and the new one was completely allocated for it.
        let (from, to) = unsafe {
            (
                Content::of(self.bo, self.old()),
                Content::of(self.bo, self.new),
            )
        };
        let (Some(from), Some(to)) = (from, to) else {
            return Ok(None);
        };
        if from.is_pages() && to.is_pages() {
            return Ok(None);
        }

        let after = self.dependencies()?;
        let fence = timeline.prepare()?;
        let room = KBox::new_uninit(GFP_KERNEL)?;

        let guard = lock();
        let fence = fence.start();
        // INVARIANT: It is the fence of the job that is made here.
        self.job = Some(fence.fence());
        // INVARIANT: Of `Copying`: both places are this large. Freeing or moving them waits for the
        // fence, which `finish` adds to the reservation, or to the manager; or for which it waits.
        // `after` stands for all that uses them: the reservation is held, so there will be no more
        // before `finish`.
        // SAFETY: Both have that many pages, are neither freed nor given away before the fence is
        // signaled, and `after` has the fences of all that use them: see above.
        let copying =
            unsafe { Copying::new(room, (from, to), self.size() >> PAGE_SHIFT, after, fence) };
        let job = CopyJob(ManuallyDrop::new(copying));
        Ok(Some((job, guard)))
    }

    /// Whether a [`CopyJob`] would have to wait for a fence that isn't on `timeline`, so that the
    /// driver can't know when it may begin.
    ///
    /// A thread that runs the jobs of `timeline` one after the other should give such a job a
    /// timeline of its own, and run it only when [`CopyJob::is_ready`]. Don't evict a buffer with
    /// such a job: all buffers that get a place in the old memory type would wait for it.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn waits_beyond(&self, timeline: &Timeline) -> Result<bool> {
        Ok(is_any_beyond(timeline, &self.dependencies()?))
    }

    /// Leaves the move to the job, which signals `fence`. [`Self::finish`] calls it at most once.
    pub(in crate::drm::ttm) fn by_job(&mut self, fence: &Fence) -> Result {
        // SAFETY: By the type invariants the resource is valid, and the buffer's.
        if !self.evict || unsafe { uses_pages(self.old()) } || !self.is_remembered(fence) {
            return self.accelerated(fence);
        }
        // SAFETY: The manager of the old place has the fence, and the job waits for all that uses
        // the buffer.
        unsafe { self.give_place_away(fence) };
        Ok(())
    }
}
