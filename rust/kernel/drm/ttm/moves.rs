// SPDX-License-Identifier: GPL-2.0 OR MIT

//! How the content of a buffer gets from one place to another.
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
    inner::Inner,
    job::{
        first_pending,
        is_any_beyond, //
    },
    reserved::add_fences_of,
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

/// A place that a buffer has, or will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The memory type.
    pub mem_type: MemType,

    /// Where it begins, in pages from the start of the memory type. For system memory, 0.
    pub start: usize,
}

/// How a buffer is moved: what [`Driver::move_buffer`] answers.
///
/// [`Driver::move_buffer`]: super::Driver::move_buffer
pub enum MoveBy {
    /// The CPU copies the content, here and now. It waits for the GPU first, unless there is no content
    /// yet: then the new place is cleared.
    Memcpy,

    /// There is nothing to copy: both places are made of the same pages, or the content isn't needed.
    ///
    /// This waits for the GPU if the buffer was where that reaches it. A new place that isn't made of pages
    /// is cleared: what is in it was others'.
    Nothing,

    /// The device copies the content, and has done so when the fence is signaled.
    ///
    /// Until then, TTM frees neither place. It first waits for what else uses the buffer: nothing says
    /// that the device did. To evict, it waits for the fence, too.
    ///
    /// The device is to write all of the new place. A buffer that has no pages yet has no content: then it
    /// clears the place, or the driver answers [`MoveBy::Memcpy`], which does.
    Fence(ARef<Fence>),

    /// It can't be moved there directly, but from this place, to which it is moved first. Then the driver is
    /// asked again.
    ///
    /// On the way to that place, there is no other hop. The move fails with [`EINVAL`] if there is, or if the
    /// driver has it hop more often than there are memory types.
    Hop(Place),
}

/// A buffer that is about to move, and is reserved.
///
/// # Invariants
///
/// - `bo` is a valid buffer with a resource, `new` is a valid resource for it, both on the device of
///   an `Inner` and completely allocated; `ctx` is a valid context. The reservation of `bo` is
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

    /// The bytes that move, a multiple of the page size.
    pub fn size(&self) -> usize {
        // SAFETY: By the type invariants the buffer is valid. Its size never changes.
        unsafe { (*self.bo).base.size }
    }

    /// Whether it moves to make room.
    pub fn is_eviction(&self) -> bool {
        self.evict
    }

    /// Whether memory reclaim wants it to move: the [shrinker](super::Setup::shrinker) takes its pages.
    ///
    /// The thread may hold any lock under which memory is allocated. So the driver must take no lock under
    /// which any thread allocates with [`GFP_KERNEL`], wait for no work that allocates, and not count on
    /// memory for itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{fixture, OperationCtx, Placement};
    ///
    /// let dev = fixture::Device::new_shrinkable()?;
    /// let obj = dev.system(0x1000)?;
    /// let mut ctx = OperationCtx::new();
    ///
    /// // The driver counts how often it is so.
    /// obj.reserve().populate(&mut ctx)?;
    /// obj.reserve().validate(Placement::TT, &mut ctx)?;
    /// assert_eq!(dev.driver_data().reclaims(), 0);
    /// obj.reserve().set_purgeable(true);
    /// fixture::press_for_memory();
    /// assert_eq!(dev.driver_data().reclaims(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// [`GFP_KERNEL`]: crate::alloc::flags::GFP_KERNEL
    pub fn in_reclaim(&self) -> bool {
        // SAFETY: The flags of the current thread are only written by itself.
        unsafe { (*bindings::get_current()).flags & bindings::PF_MEMALLOC != 0 }
    }

    /// Makes a job that copies the content, to be given to another thread; its fence is the next one of
    /// `timeline`.
    ///
    /// Whatever the driver answers, the buffer is then moved by that job. It begins when all that uses
    /// the buffer is done, and so is what was in the new place before; nobody is waited for here, not
    /// even to evict. Only if buffers were evicted from the old memory type with too many other
    /// timelines, or it is made of pages, an eviction waits for the job.
    ///
    /// Returns [`None`] if there is nothing to copy, or the CPU can't reach both places.
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

    /// The same, for jobs that are run one after the other.
    ///
    /// They have to be in the order of their fences, or the first would wait for one behind it. So
    /// `lock` is called just before the fence is made, to take the lock of a queue; what it returns is
    /// handed on. Between that and putting the job into the queue nothing sleeps, nor is allocated.
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
        // `Inner`; the old resource is its, and the new one was completely allocated for it.
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

    /// Whether a [`CopyJob`] would have to wait for something that isn't on `timeline`, so that nobody
    /// knows when it can begin.
    ///
    /// Who runs the jobs of `timeline` one after the other should give such a job a timeline of its own,
    /// and not run it before [`CopyJob::is_ready`]. In order to evict, nothing should be moved so:
    /// all who get a place in the old memory type would wait for the job.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn waits_beyond(&self, timeline: &Timeline) -> Result<bool> {
        Ok(is_any_beyond(timeline, &self.all_before()?))
    }

    /// What uses the buffer, or is under way in the new place.
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

    /// Whether there is nothing in the old place, so that nothing uses it.
    ///
    /// The reservation may be shared, and have the fences of others. They don't matter then.
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

    /// Whether the content stays in the same pages, of which the device gets to reach more, and not less.
    fn keeps_pages(&self) -> bool {
        // SAFETY: By the type invariants `new` is a valid resource of the buffer's.
        self.from().mem_type == MemType::SYSTEM && unsafe { uses_pages(self.new) }
    }

    fn wait(&mut self) -> Result {
        // SAFETY: By the type invariants the buffer is valid and reserved, and `ctx` is valid.
        to_result(unsafe { bindings::ttm_bo_wait_ctx(self.bo, self.ctx) })
    }

    /// Sees to it that the buffer has pages if the new place needs them, or the content has left those of
    /// the old one.
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

    /// Moves the buffer as the driver says. `hop` may be null.
    ///
    /// # Safety
    ///
    /// `hop` must be null or valid for writes.
    pub(super) unsafe fn finish(
        mut self,
        by: Result<MoveBy>,
        hop: *mut bindings::ttm_place,
    ) -> Result {
        // TTM would go to the place that such an error tells of, and there is none.
        let by = by.map_err(|e| if e == EMULTIHOP { EINVAL } else { e });

        if let Some(job) = self.job.take() {
            return by.and_then(|_| self.by_job(&job)).inspect_err(|_| {
                // The job is under way, and nobody else would wait for it.
                let _ = job.wait();
            });
        }

        match by? {
            MoveBy::Memcpy | MoveBy::Nothing if self.is_empty() => {
                // SAFETY: By the type invariants the buffer is on the device of an `Inner` and
                // reserved, `new` was completely allocated for it, and `ctx` is valid. There is
                // nothing in its old place.
                unsafe { place_first(self.bo, self.ctx, self.new) }
            }
            MoveBy::Memcpy => {
                self.wait()?;
                // SAFETY: By the type invariants the buffer is on the device of an `Inner`, and both
                // resources are valid.
                let _windows = unsafe {
                    let inner = Inner::from_bdev((*self.bo).bdev);

                    (inner.hold_window(self.old())?, inner.hold_window(self.new)?)
                };
                // SAFETY: By the type invariants the buffer is valid and reserved, and both `ctx` and
                // `new` are valid.
                to_result(unsafe { bindings::ttm_bo_move_memcpy(self.bo, self.ctx, self.new) })
            }
            MoveBy::Nothing => {
                if !self.keeps_pages() {
                    self.wait()?;
                }
                // What was there belonged to others.
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

    /// Leaves the move to a device of which nothing is known but `fence`. Called at most once, to
    /// finish.
    fn by_device(&mut self, fence: &Fence) -> Result {
        // The old place goes when the fence is signaled, whoever uses it.
        self.wait()?;
        if !fence.is_container() {
            return self.accelerated(fence);
        }
        // What stands for several fences is no part of a reservation.
        let _ = fence.wait();
        // SAFETY: By the type invariants the buffer is valid and reserved, and `new` was allocated for
        // it, and is given away. The buffer is idle, and stays so, as its reservation is held.
        unsafe { bindings::ttm_bo_move_sync_cleanup(self.bo, self.new) };
        Ok(())
    }

    /// Adds `fence` to the reservation. An eviction is waited for; otherwise a ghost gets the old
    /// place, until `fence` is signaled. So all else that uses that must be done by then.
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

    /// Has the manager of the old place keep `fence` for those who get the place next, if it can.
    ///
    /// It keeps the last one of each timeline, so the fence must be one of a [`Timeline`]. It has room
    /// for a few timelines; those where all is done make room for others.
    fn is_remembered(&self, fence: &Fence) -> bool {
        // SAFETY: By the type invariants, it is a valid resource on a device that has its manager.
        let man = unsafe {
            if uses_pages(self.old()) {
                return false;
            }
            (*(*self.bo).bdev).man_drv[(*self.old()).mem_type as usize]
        };
        // SAFETY: By the type invariants of `Inner` a manager of its device is initialized, and its
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

/// The copy of a buffer's content from one place to another; what plays the copy engine.
///
/// Made by [`Move::copy_job`]. The content is copied when this is dropped, or by [`Self::run`], and
/// then its fence is signaled. That first waits for what else uses the buffer. Until then, what needs
/// the buffer waits; so it must be done by someone who waits for nothing else himself. Who runs several
/// one after the other does so in the order of their fences, see [`Move::copy_job_with`].
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{fixture, MemType, OperationCtx, Placement};
///
/// // A device that keeps such jobs until it is told to run them.
/// let dev = fixture::Device::new_with_engine()?;
/// let obj = dev.system(0x2000)?;
/// let mut ctx = OperationCtx::new();
/// let mut reserved = obj.reserve();
/// reserved.populate(&mut ctx)?;
/// reserved.write(0x1000, b"moved")?;
///
/// reserved.validate(Placement::VRAM, &mut ctx)?;
/// assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
/// // It is there, but its content isn't yet.
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
/// One that is dropped runs at once if it need not wait; otherwise a work of the kernel image runs it. So it
/// may be dropped in any order, with any lock held that is no spinlock.
///
/// # Forgetting
///
/// As for a [`Job`](super::Job). If the old place was left to a ghost, the module stays from the start.
#[must_use = "the content is copied without the driver's doing when this is unused"]
pub struct CopyJob(ManuallyDrop<Pin<KBox<Copying>>>);

impl CopyJob {
    /// Waits for what comes first, copies the content, and signals the fence.
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
            // Only what a driver gives up comes here, so the queue need not be one for memory reclaim.
            workqueue::system_long().enqueue(copying);
        }
    }
}

/// What a [`CopyJob`] does.
///
/// # Invariants
///
/// Until `fence` is signaled, `from` and `to` are `pages` pages each that are neither freed nor given
/// to anyone who doesn't wait for it. What else uses them is done when all of `after` are signaled.
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
    /// Not for others to inline: the work is the kernel image's.
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
