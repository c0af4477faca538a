// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Moves of buffers from one place to another.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    content::{
        copy,
        uses_pages,
        Content, //
    },
    device::{
        clear,
        place_first, //
    },
    fence_slot::add_fences_of,
    job::{
        first_pending,
        is_any_beyond, //
    },
    raw_device::RawDevice,
    MemType,
    Place, //
};
use crate::{
    bindings,
    dma_fence::{
        Fence,
        PendingFence,
        Timeline, //
    },
    error::to_result,
    new_work,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        lock::{
            spinlock::SpinLockBackend,
            Lock, //
        }, //
    },
    workqueue::{
        self,
        Work,
        WorkItem, //
    },
};
use core::{
    convert::Infallible,
    marker::PhantomData,
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
};

/// The old or the new place of a buffer that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The memory type.
    pub mem_type: MemType,

    /// Where it begins, in pages from the start of the memory type. For system memory, 0.
    pub start: usize,
}

/// How a buffer is moved: the answer of [`Driver::move_buffer`].
///
/// [`Driver::move_buffer`]: super::Driver::move_buffer
pub enum MoveBy {
    /// The CPU copies the content before the move returns. It waits for the GPU first. If there is no
    /// content yet, it clears the new place instead.
    Memcpy,

    /// There is nothing to copy: both places are made of the same pages, or the content isn't needed.
    ///
    /// The move waits for the GPU, unless the buffer has no content yet, or moves from system memory to another
    /// memory type made of pages. A new place that isn't made of pages is cleared, as it may have data of
    /// other buffers.
    Nothing,

    /// The device copies the content, and is done when the fence is signaled.
    ///
    /// Until then, TTM frees neither place. The move first waits for the other users of the buffer, as the
    /// device may not have done so. An eviction also waits for the fence.
    ///
    /// The device must write all of the new place. A buffer that has no pages yet has no content: the device
    /// then clears the place, or the driver answers [`MoveBy::Memcpy`], which clears it.
    Fence(ARef<Fence>),

    /// The buffer can't be moved directly. TTM moves it to this place first, and then asks the driver again
    /// for the move from there.
    ///
    /// The move fails with [`EINVAL`] if the driver asks for a hop on the way to a hop, or for more hops than
    /// there are memory types.
    Hop(Place),
}

/// A buffer that is about to move, and is reserved.
///
/// # Invariants
///
/// - `bo` is a valid buffer with a resource, `new` is a valid resource for it, both on the device of
///   a `RawDevice` and completely allocated; `ctx` is a valid context. The reservation of `bo` is
///   held.
/// - There is room for one more fence in the reservation.
/// - `job` is the fence of the [`CopyJob`], if there is one. `Move::finish` will be called.
pub struct Move<'a> {
    bo: *mut bindings::ttm_buffer_object,
    ctx: *mut bindings::ttm_operation_ctx,
    new: *mut bindings::ttm_resource,
    evict: bool,
    job: Option<ARef<Fence>>,
    _borrowed: PhantomData<&'a ()>,
}

impl Move<'_> {
    /// # Safety
    ///
    /// They must be as the type's invariants say, as long as this exists; it must go with
    /// [`Self::finish`].
    pub(super) unsafe fn new(
        bo: *mut bindings::ttm_buffer_object,
        ctx: *mut bindings::ttm_operation_ctx,
        new: *mut bindings::ttm_resource,
        evict: bool,
    ) -> Self {
        // INVARIANT: By the function's requirements; there is no job.
        Self {
            bo,
            ctx,
            new,
            evict,
            job: None,
            _borrowed: PhantomData,
        }
    }

    /// Where the buffer is.
    pub fn from(&self) -> Space {
        // SAFETY: By the type invariants the buffer is reserved and has a resource, which was allocated.
        unsafe { space(self.old()) }
    }

    /// Where the buffer is to be.
    pub fn to(&self) -> Space {
        // SAFETY: By the type invariants `new` is a resource that was allocated for this move.
        unsafe { space(self.new) }
    }

    /// The size of the buffer in bytes, a multiple of the page size.
    pub fn size(&self) -> usize {
        // SAFETY: By the type invariants the buffer is valid. Its size never changes.
        unsafe { (*self.bo).base.size }
    }

    /// Whether the buffer is evicted, to make room for another one.
    pub fn is_eviction(&self) -> bool {
        self.evict
    }

    /// Whether the buffer moves in memory reclaim: the [shrinker](super::Setup::shrinker) takes its pages.
    ///
    /// The thread may hold any lock under which memory is allocated. So the driver must not take a lock under
    /// which any thread allocates with [`GFP_KERNEL`], must not wait for work that allocates, and must not
    /// allocate memory itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx, Placement};
    ///
    /// let dev = test_device::Device::new_shrinkable()?;
    /// let obj = dev.system(0x1000)?;
    /// let mut ctx = OperationCtx::new();
    ///
    /// // The driver counts how often it is so.
    /// obj.reserve().populate(&mut ctx)?;
    /// obj.reserve().validate(Placement::TT, &mut ctx)?;
    /// assert_eq!(dev.driver_data().reclaims(), 0);
    /// obj.reserve().set_purgeable(true);
    /// test_device::press_for_memory();
    /// assert_eq!(dev.driver_data().reclaims(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// [`GFP_KERNEL`]: crate::alloc::flags::GFP_KERNEL
    pub fn in_reclaim(&self) -> bool {
        // SAFETY: The flags of the current thread are only written by itself.
        unsafe { (*bindings::get_current()).flags & bindings::PF_MEMALLOC != 0 }
    }

    /// Makes a job that copies the content, to be run by another thread. Its fence is the next one of
    /// `timeline`.
    ///
    /// The job then moves the buffer, whatever the driver answers, unless it answers an error. The job begins
    /// when all users of the buffer are done, and all moves out of the new place. Neither this nor the move
    /// waits for them, not even in an eviction. An eviction waits for the job if the old memory type is made
    /// of pages, or if evictions from it used too many other timelines.
    ///
    /// Returns [`None`] if there is nothing to copy, or if the CPU can't reach both places.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`], [`EEXIST`] if there is a job already; with a context that says so, [`ERESTARTSYS`].
    pub fn copy_job(&mut self, timeline: &Timeline) -> Result<Option<CopyJob>> {
        let job = self.copy_job_with(timeline, || ())?;

        Ok(job.map(|(job, ())| job))
    }

    /// As [`Self::copy_job`], for jobs that a thread runs one after the other.
    ///
    /// The thread must run jobs in the order of their fences, or a job would wait for one behind it. So
    /// `lock` is called just before the fence is made, to take the lock of the queue. Its result is returned
    /// with the job, for the caller to put the job into the queue. Between `lock` and the return, this
    /// neither sleeps nor allocates.
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

        // SAFETY: By the type invariants the buffer is valid, reserved, and on the device of an
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

        let after = self.all_before()?;
        let fence = timeline.prepare()?;
        let room = KBox::new_uninit(GFP_KERNEL)?;

        let guard = lock();
        let fence = fence.start();
        // INVARIANT: That fence.
        self.job = Some(fence.fence());
        // INVARIANT: Of `Copying`: both places are this large. Freeing or moving them waits for the fence,
        // which `finish` adds to the reservation, or to the manager; or for which it waits. `after` stands
        // for all that uses them: the reservation is held, so there will be no more before `finish`.
        // SAFETY: Both are so many pages, are neither freed nor given away before the fence is signaled, and
        // `after` has all that uses them: see above.
        let copying =
            unsafe { Copying::new(room, (from, to), self.size() >> PAGE_SHIFT, after, fence) };
        let job = CopyJob(ManuallyDrop::new(copying));
        Ok(Some((job, guard)))
    }

    /// Whether a [`CopyJob`] would have to wait for a fence that isn't on `timeline`, so that the driver can't
    /// know when it may begin.
    ///
    /// A thread that runs the jobs of `timeline` one after the other should give such a job a timeline of its
    /// own, and run it only when [`CopyJob::is_ready`]. Don't evict a buffer with such a job: all buffers that
    /// get a place in the old memory type would wait for it.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn waits_beyond(&self, timeline: &Timeline) -> Result<bool> {
        Ok(is_any_beyond(timeline, &self.all_before()?))
    }

    /// The fences of all users of the buffer, and of moves out of the new place.
    fn all_before(&self) -> Result<KVec<ARef<Fence>>> {
        let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_BOOKKEEP;
        let mut all = KVec::new();

        // SAFETY: By the type invariants, the reservation is valid. TTM has added what is still under
        // way in the new place.
        unsafe { add_fences_of((*self.bo).base.resv, usage, &mut all) }?;
        Ok(all)
    }

    fn old(&self) -> *mut bindings::ttm_resource {
        // SAFETY: By the type invariants the buffer is valid, and its reservation, which protects
        // `resource`, is held.
        unsafe { (*self.bo).resource }
    }

    /// Whether the old place has no content, so that nothing uses it.
    ///
    /// If so, fences in the reservation are those of buffers that share it, and need no wait.
    fn is_empty(&self) -> bool {
        // SAFETY: By the type invariants the buffer is valid, its resource as well, and its
        // reservation, which protects `ttm`, is held. `tt` is null, which is looked at first, or
        // valid.
        unsafe {
            let tt = (*self.bo).ttm;

            uses_pages(self.old())
                && (tt.is_null()
                    || ((*self.bo).type_ != bindings::ttm_bo_type_ttm_bo_type_sg
                        && !bindings::ttm_tt_is_populated(tt)
                        && !bindings::ttm_tt_is_swapped(tt)))
        }
    }

    /// Whether the content stays in the same pages, and the GPU does not lose access to them.
    fn keeps_pages(&self) -> bool {
        // SAFETY: By the type invariants `new` is a valid resource of the buffer's.
        self.from().mem_type == MemType::SYSTEM && unsafe { uses_pages(self.new) }
    }

    fn wait(&mut self) -> Result {
        // SAFETY: By the type invariants the buffer is valid and reserved, and `ctx` is valid.
        to_result(unsafe { bindings::ttm_bo_wait_ctx(self.bo, self.ctx) })
    }

    /// Populates the buffer if the new place needs pages, or if the content of the old place is swapped out.
    fn populate(&mut self) -> Result {
        // SAFETY: By the type invariants the buffer is valid, and its reservation, which protects
        // `ttm`, is held.
        let tt = unsafe { (*self.bo).ttm };
        if tt.is_null() {
            return Ok(());
        }

        // SAFETY: By the type invariants both resources are valid, and of this buffer.
        let (from_pages, to_pages) = unsafe { (uses_pages(self.old()), uses_pages(self.new)) };
        let needs_pages = if from_pages {
            // SAFETY: It isn't null, so it is the buffer's `ttm_tt`: valid, as the reservation is
            // held.
            unsafe { bindings::ttm_tt_is_swapped(tt) }
        } else {
            to_pages
        };
        if !needs_pages {
            return Ok(());
        }
        // SAFETY: By the type invariants the buffer is valid and reserved, and `ctx` is valid.
        to_result(unsafe { bindings::ttm_bo_populate(self.bo, self.ctx) })
    }

    /// Moves the buffer as the driver answered. `hop` may be null.
    ///
    /// # Safety
    ///
    /// `hop` must be null or valid for writes.
    pub(super) unsafe fn finish(
        mut self,
        by: Result<MoveBy>,
        hop: *mut bindings::ttm_place,
    ) -> Result {
        // TTM would take this error of the driver's for a hop, and there is no place to hop to.
        let by = by.map_err(|e| if e == EMULTIHOP { EINVAL } else { e });

        if let Some(job) = self.job.take() {
            return by.and_then(|_| self.by_job(&job)).inspect_err(|_| {
                // The job is under way, and nobody else would wait for it.
                let _ = job.wait();
            });
        }

        match by? {
            MoveBy::Memcpy | MoveBy::Nothing if self.is_empty() => {
                // SAFETY: By the type invariants the buffer is on the device of a `RawDevice` and
                // reserved, `new` was completely allocated for it, and `ctx` is valid. There is
                // nothing in its old place.
                unsafe { place_first(self.bo, self.ctx, self.new) }
            }
            MoveBy::Memcpy => {
                self.wait()?;
                // SAFETY: By the type invariants the buffer is on the device of a `RawDevice`, and both
                // resources are valid.
                let _windows = unsafe {
                    let raw = RawDevice::from_bdev((*self.bo).bdev);

                    (raw.hold_window(self.old())?, raw.hold_window(self.new)?)
                };
                // SAFETY: By the type invariants the buffer is valid and reserved, and both `ctx` and
                // `new` are valid.
                to_result(unsafe { bindings::ttm_bo_move_memcpy(self.bo, self.ctx, self.new) })
            }
            MoveBy::Nothing => {
                if !self.keeps_pages() {
                    self.wait()?;
                }
                // The new place may have data of other buffers.
                // SAFETY: By the type invariants the buffer is valid and reserved; `new` is valid and
                // is given away.
                unsafe {
                    clear(self.bo, self.ctx, self.new)?;
                    bindings::ttm_bo_move_null(self.bo, self.new);
                }
                Ok(())
            }
            MoveBy::Fence(fence) => self.by_device(&fence).inspect_err(|_| {
                let _ = fence.wait();
            }),
            MoveBy::Hop(_) if hop.is_null() => Err(EINVAL),
            MoveBy::Hop(place) => {
                // SAFETY: `hop` is memory for a place if it isn't null, by the function's requirements.
                unsafe { *hop = place.as_raw() };
                Err(EMULTIHOP)
            }
        }
    }

    /// Leaves the move to the job, which signals `fence`. Called at most once, to finish.
    fn by_job(&mut self, fence: &Fence) -> Result {
        if !self.evict || !self.is_remembered(fence) {
            return self.accelerated(fence);
        }
        // SAFETY: By the type invariants, among them that there is room for the fence, which is used
        // only here. The old place may be given to others: they wait for the fence, which its manager
        // has, and so wait for all that uses the buffer, as the job does.
        unsafe {
            let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

            bindings::dma_resv_add_fence((*self.bo).base.resv, fence.as_raw(), usage);
            bindings::ttm_bo_move_null(self.bo, self.new);
        }
        Ok(())
    }

    /// Leaves the move to a device that signals `fence`. Called at most once, to finish.
    fn by_device(&mut self, fence: &Fence) -> Result {
        // The old place is freed when the fence is signaled, so wait for all other users before.
        self.wait()?;
        if !fence.is_container() {
            return self.accelerated(fence);
        }
        // A container must not be added to a reservation.
        let _ = fence.wait();
        // SAFETY: By the type invariants the buffer is valid and reserved, and `new` was allocated for
        // it, and is given away. The buffer is idle, and stays so, as its reservation is held.
        unsafe { bindings::ttm_bo_move_sync_cleanup(self.bo, self.new) };
        Ok(())
    }

    /// Adds `fence` to the reservation. In an eviction, this waits for `fence`; otherwise a ghost keeps the
    /// old place until `fence` is signaled. All other users of the old place must be done by then.
    fn accelerated(&mut self, fence: &Fence) -> Result {
        // SAFETY: By the type invariants, among them that there is room for the fence, which is used
        // only here. The fence is valid.
        to_result(unsafe {
            bindings::ttm_bo_move_accel_cleanup(
                self.bo,
                fence.as_raw(),
                self.evict,
                false,
                self.new,
            )
        })
    }

    /// Gives `fence` to the manager of the old place, if it has room: buffers that get the place next wait
    /// for the fence. Returns whether it did.
    ///
    /// The manager keeps the last fence of each timeline, so `fence` must be one of a [`Timeline`]. It has
    /// room for a few timelines; a fence that is signaled makes room for another timeline.
    fn is_remembered(&self, fence: &Fence) -> bool {
        // SAFETY: By the type invariants, it is a valid resource on a device that has its manager.
        let man = unsafe {
            if uses_pages(self.old()) {
                return false;
            }
            (*(*self.bo).bdev).man_drv[(*self.old()).mem_type as usize]
        };
        // SAFETY: By the type invariants of `RawDevice` a manager of its device is initialized, and its
        // lock with it, a spinlock. It lasts as long as the device.
        let lock = unsafe { Lock::<(), SpinLockBackend>::from_raw(&raw mut (*man).eviction_lock) };
        let _guard = lock.lock();
        // SAFETY: The lock protects them, and was just taken.
        let kept = unsafe { &mut (*man).eviction_fences };

        // SAFETY: A reference to each that isn't null belongs to the manager.
        let context = |fence: *mut bindings::dma_fence| unsafe { (*fence).context };
        // SAFETY: A reference to each that isn't null belongs to the manager, whose lock is held.
        let is_free = |kept: *mut bindings::dma_fence| unsafe {
            kept.is_null() || bindings::dma_fence_is_signaled(kept)
        };
        let new = fence.as_raw();
        let slot = kept
            .iter()
            .position(|&kept| !kept.is_null() && context(kept) == context(new))
            .or_else(|| kept.iter().position(|&kept| is_free(kept)));
        let Some(slot) = slot.map(|n| &mut kept[n]) else {
            return false;
        };

        let old = *slot;
        // SAFETY: Both are valid, unless `old` is null. That is done before the new one is, or has been:
        // if they have a timeline in common, they are signaled in its order. The reference to the new
        // one becomes the manager's, that to the old one was its.
        unsafe {
            if !old.is_null() && context(old) == context(new) && (*old).seqno > (*new).seqno {
                return true;
            }
            *slot = bindings::dma_fence_get(new);
            bindings::dma_fence_put(old);
        }
        true
    }
}

/// # Safety
///
/// `res` must be a valid resource that is completely allocated.
unsafe fn space(res: *const bindings::ttm_resource) -> Space {
    // SAFETY: `res` is valid and completely allocated, by the function's requirements, so that these
    // fields don't change any more.
    let (mem_type, start) = unsafe { ((*res).mem_type, (*res).start) };

    Space {
        mem_type: MemType::new(mem_type).unwrap_or(MemType::SYSTEM),
        start,
    }
}

/// A job that copies a buffer's content from one place to another, for a GPU without a copy engine.
///
/// Made by [`Move::copy_job`]. [`Self::run`], or dropping it, waits for the other users of the buffer, copies
/// the content, and signals the fence. Until then other users of the buffer wait, so a thread that runs
/// such jobs must wait for nothing else. It must run them in the order of their fences, see
/// [`Move::copy_job_with`].
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
/// A job that is dropped runs at once if it need not wait; otherwise a work item of the kernel image runs
/// it. So it may be dropped in any order, and with any lock held except a spinlock.
///
/// # Forgetting
///
/// As for a [`Job`](super::Job). If the old place was left to a ghost, the module stays from the start.
#[must_use = "the content is copied without the driver's doing when this is unused"]
pub struct CopyJob(ManuallyDrop<Pin<KBox<Copying>>>);

impl CopyJob {
    /// Waits for earlier fences, copies the content, and signals the job's fence.
    pub fn run(self) {
        let mut this = ManuallyDrop::new(self);

        // SAFETY: `this` isn't used again, not even to drop it.
        unsafe { ManuallyDrop::take(&mut this.0) }.run();
    }

    /// Whether it would begin without waiting.
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
            // Only jobs that a driver drops run here, so the queue need not be one for memory reclaim.
            workqueue::system_long().enqueue(copying);
        }
    }
}

/// What a [`CopyJob`] does.
///
/// # Invariants
///
/// Until `fence` is signaled, `from` and `to` are `pages` pages each, and are neither freed nor given to a
/// buffer whose users don't wait for `fence`. Their other users are done when all of `after` are signaled.
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

// SAFETY: What it points to may be accessed from any thread, and by the type invariants is there as
// long as `self` is; the fence is `Send`.
unsafe impl Send for Copying {}

impl Copying {
    /// Not inlined elsewhere, so that the work item is part of the kernel image.
    ///
    /// # Safety
    ///
    /// They must be as the type's invariants say.
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
            // However that went.
            let _ = fence.wait();
        }
        for n in 0..self.pages {
            // SAFETY: By the type invariants both have that many pages, and the fence isn't signaled
            // yet.
            let (from, to) = unsafe { (self.from.map(n), self.to.map(n)) };

            // SAFETY: Both are a page of memory, which is only accessed through pointers. Others have no
            // business there, but get there if a manager gives a place out twice.
            unsafe { copy(to, from, PAGE_SIZE) };
            // SAFETY: Just mapped, in the reverse order.
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
