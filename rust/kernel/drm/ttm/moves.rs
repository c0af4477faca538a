// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Moves of buffers from one place to another.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    clear::{
        clear_place,
        place_first,
        ByDriver, //
    },
    fence_slot::add_fences_of,
    order,
    pieces::{
        Copies,
        Pieces, //
    },
    reach::move_memcpy,
    resource::uses_pages,
    MemType,
    Place, //
};
use crate::{
    bindings,
    dma_fence::Fence,
    error::to_result,
    prelude::*,
    sync::{
        aref::ARef,
        lock::{
            spinlock::SpinLockBackend,
            Lock, //
        }, //
    }, //
};
use core::marker::PhantomData;

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
    /// The CPU copies the content before the move returns. It waits for the GPU first. If there is
    /// no content yet, it clears the new place instead.
    Memcpy,

    /// There is nothing to copy: both places are made of the same pages, or the content isn't
    /// needed.
    ///
    /// The move waits for the GPU, unless the buffer has no content yet, or moves from system
    /// memory to another memory type made of pages. A new place that isn't made of pages is
    /// cleared, as it may have data of other buffers.
    Nothing,

    /// The device copies the content, and is done when the fence is signaled.
    ///
    /// Until then, TTM frees neither place. The move first waits for the other users of the buffer,
    /// as the device may not have done so. An eviction also waits for the fence. A device that can
    /// wait for other users itself should have [`Self::Pipelined`].
    ///
    /// The device must write all of the new place. A buffer that has no pages yet has no content:
    /// the device then clears the place, or the driver answers [`MoveBy::Memcpy`], which clears it.
    Fence(ARef<Fence>),

    /// The device copies the content, and is done when the fence is signaled. Nothing waits for
    /// it, nor for the other users of the buffer, not even an eviction.
    ///
    /// So the device must begin only when all of [`Move::dependencies`] are signaled, and the fence
    /// must not be signaled before them. With `CONFIG_DRM_TTM_LRU_DEBUG` a fence that is signaled too
    /// early is reported once. Even then pages are freed only when all their users are done. But
    /// a place in the device's own memory is given to another buffer, which may get the data of this
    /// one, and the other way round.
    ///
    /// The device must write all of the new place, see [`Self::Fence`].
    ///
    /// An eviction gives the place away at once. The next buffer that gets a place in that memory
    /// type has the fence in its reservation, and among [its move's
    /// dependencies](Move::dependencies). The manager of the memory type keeps the last fence of
    /// each context; a context's fences must be signaled in their order. If evictions from it have
    /// used too many other contexts (8), whose fences are not signaled yet, the place gets free only
    /// when the fence is signaled, as in other moves. A fence that stands for several others can't
    /// be added to a reservation: the move waits for it, as for [`Self::Fence`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::{DriverFence, Fence},
    ///     drm::ttm::{test_device, ClearBy, FenceUsage, MoveBy},
    ///     sync::aref::ARef, //
    /// };
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(test_device::Device::SIZE)?;
    /// obj.reserve().write(0, b"kept")?;
    /// let user = DriverFence::new(c"example", c"ring 0")?;
    /// obj.reserve().fence_slot()?.add(&user.fence(), FenceUsage::Write)?;
    ///
    /// // The driver gives its engine what it has to wait for, and the copies.
    /// let copy = DriverFence::new(c"example", c"engine")?;
    /// let done = copy.fence();
    /// dev.driver_data().answer_with(move |_engine, mv| {
    ///     let before: KVec<ARef<Fence>> = mv.dependencies()?;
    ///     assert_eq!(before.len(), 1);
    ///     // engine.queue(before, mv.copies()?, copy);
    ///     Ok(MoveBy::Pipelined(done.clone()))
    /// })?;
    /// // The CPU would wait until the place is free. The engine clears it when the copy is done.
    /// let clear = DriverFence::new(c"example", c"engine")?;
    /// let done = clear.fence();
    /// dev.driver_data().clear_with(move |clear| {
    ///     assert_eq!(clear.dependencies()?.len(), 1);
    ///     Ok(ClearBy::Fence(done.clone()))
    /// })?;
    ///
    /// // All VRAM is evicted for this one, without waiting for the user or the engine.
    /// let next = dev.vram(0x1000)?;
    /// assert!(!next.reserve().is_idle());
    /// user.signal(Ok(()));
    /// copy.signal(Ok(()));
    /// clear.signal(Ok(()));
    /// assert!(next.reserve().is_idle());
    /// # Ok::<(), Error>(())
    /// ```
    Pipelined(ARef<Fence>),

    /// The buffer can't be moved directly. TTM moves it to this place first, and then asks the
    /// driver again for the move from there.
    ///
    /// The move fails with [`EINVAL`] if the driver asks for a hop on the way to a hop, or for more
    /// hops than there are memory types.
    Hop(Place),
}

/// A buffer that is about to move, and is reserved.
///
/// # Invariants
///
/// - `bo` is a valid buffer with a resource, `new` is a valid resource for it, both on the device
///   of a `RawDevice` and completely allocated; `ctx` is a valid context. The reservation of `bo`
///   is held.
/// - There is room for one more fence in the reservation.
/// - `job` is the fence of the `CopyJob`, if there is one. `Move::finish` will be called.
pub struct Move<'a> {
    pub(super) bo: *mut bindings::ttm_buffer_object,
    pub(super) ctx: *mut bindings::ttm_operation_ctx,
    pub(super) new: *mut bindings::ttm_resource,
    pub(super) evict: bool,
    #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
    pub(super) job: Option<ARef<Fence>>,
    _borrowed: PhantomData<&'a ()>,
}

impl Move<'_> {
    /// # Safety
    ///
    /// The arguments must be as the type's invariants say, as long as the result exists. The caller
    /// must pass the result to [`Self::finish`].
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
            #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
            job: None,
            _borrowed: PhantomData,
        }
    }

    /// Where the buffer is.
    pub fn from(&self) -> Space {
        // SAFETY: By the type invariants the buffer is reserved and has a resource, which was
        // allocated.
        unsafe { space(self.old()) }
    }

    /// The place that the buffer moves to.
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

    /// Whether the buffer moves in memory reclaim: the [shrinker](super::Setup::shrinker) takes its
    /// pages.
    ///
    /// The thread may hold any lock under which memory is allocated. So the driver must not take a
    /// lock under which any thread allocates with [`GFP_KERNEL`], must not wait for work that
    /// allocates, and must not allocate memory itself.
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

    /// Whether the buffer has a content. If not, there is nothing to copy: the new place has to be
    /// cleared, which [`MoveBy::Nothing`] does, as [`Driver::clear_place`] says.
    ///
    /// [`Driver::clear_place`]: super::Driver::clear_place
    pub fn has_content(&self) -> bool {
        !self.is_empty()
    }

    /// The fences that a device must wait for before it may touch either place: those of all users
    /// of the buffer, and of moves out of the new place. Signaled ones are left out.
    ///
    /// If the buffer shares its reservation, they include those of users of the other buffers: a
    /// reservation doesn't tell them apart.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    ///
    /// # Examples
    ///
    /// See [`MoveBy::Pipelined`].
    pub fn dependencies(&self) -> Result<KVec<ARef<Fence>>> {
        let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_BOOKKEEP;
        let mut all = KVec::new();

        // SAFETY: By the type invariants, the reservation is valid. TTM has added the fences of
        // moves out of the new place.
        unsafe { add_fences_of((*self.bo).base.resv, usage, &mut all) }?;
        Ok(all)
    }

    /// Gives the buffer its pages, if one of both places is made of pages and has to have them: for
    /// the content that is to be copied there, or that is swapped out.
    ///
    /// # Errors
    ///
    /// As [`Reserved::populate`](super::Reserved::populate).
    pub fn populate(&mut self) -> Result {
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
            unsafe { bindings::ttm_tt_is_swapped(tt) || bindings::ttm_tt_is_backed_up(tt) }
        } else {
            to_pages
        };
        if !needs_pages {
            return Ok(());
        }
        // SAFETY: By the type invariants the buffer is valid and reserved, and `ctx` is valid.
        to_result(unsafe { bindings::ttm_bo_populate(self.bo, self.ctx) })
    }

    /// Where the content is, for the device.
    ///
    /// # Errors
    ///
    /// As [`Reserved::pieces`](super::Reserved::pieces). Call [`Self::populate`] first: a place
    /// made of pages may have none yet.
    pub fn source(&self) -> Result<Pieces<'_>> {
        // SAFETY: By the type invariants the buffer is reserved as long as `self`, on the device of
        // a `RawDevice`.
        unsafe { Pieces::old(self.bo) }
    }

    /// Where the content is to go, for the device.
    ///
    /// # Errors
    ///
    /// As [`Self::source`].
    pub fn destination(&self) -> Result<Pieces<'_>> {
        // SAFETY: By the type invariants the buffer is reserved as long as `self`, on the device of
        // a `RawDevice`, and `new` is valid and completely allocated for it.
        unsafe { Pieces::new(self.bo, self.new) }
    }

    /// The copies that the device has to make to move the content: pairs of a [`Piece`] of the
    /// source and one of the destination, of the same size. Gives the buffer its pages before.
    ///
    /// # Errors
    ///
    /// As [`Self::source`] and [`Self::populate`]; [`ENXIO`] also if the buffer has [no
    /// content](Self::has_content).
    ///
    /// [`Piece`]: super::Piece
    pub fn copies(&mut self) -> Result<Copies<'_>> {
        self.populate()?;
        Ok(Copies::new(self.source()?, self.destination()?))
    }

    pub(super) fn old(&self) -> *mut bindings::ttm_resource {
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

    /// Whether the content stays in the same pages, and the GPU keeps its access to them.
    fn keeps_pages(&self) -> bool {
        // SAFETY: By the type invariants `new` is a valid resource of the buffer's.
        self.from().mem_type == MemType::SYSTEM && unsafe { uses_pages(self.new) }
    }

    fn wait(&mut self) -> Result {
        // SAFETY: By the type invariants the buffer is valid and reserved, and `ctx` is valid.
        to_result(unsafe { bindings::ttm_bo_wait_ctx(self.bo, self.ctx) })
    }

    /// Moves the buffer as the driver answered. `hop` may be null. `clear` asks the driver how to
    /// clear the new place.
    ///
    /// # Safety
    ///
    /// `hop` must be null or valid for writes.
    pub(super) unsafe fn finish(
        mut self,
        by: Result<MoveBy>,
        hop: *mut bindings::ttm_place,
        clear: &mut ByDriver<'_>,
    ) -> Result {
        // TTM would take this error of the driver's for a hop, and there is no place to hop to.
        let by = by.map_err(|e| if e == EMULTIHOP { EINVAL } else { e });

        #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
        if let Some(job) = self.job.take() {
            return by.and_then(|_| self.by_job(&job)).inspect_err(|_| {
                // The job is under way, and no reservation has its fence, so wait for it here.
                let _ = job.wait();
            });
        }

        match by? {
            MoveBy::Memcpy | MoveBy::Nothing if self.is_empty() => {
                // SAFETY: By the type invariants the buffer is on the device of a `RawDevice` and
                // reserved, `new` was completely allocated for it, and `ctx` is valid. There is
                // nothing in its old place.
                unsafe { place_first(self.bo, self.ctx, self.new, clear) }
            }
            MoveBy::Memcpy => {
                self.wait()?;
                // SAFETY: By the type invariants the buffer is on the device of a `RawDevice`, has
                // a place, and is reserved. It is idle. `new` was completely allocated for it, and
                // `ctx` is valid.
                unsafe { move_memcpy(self.bo, self.ctx, self.new) }
            }
            MoveBy::Nothing => {
                if !self.keeps_pages() {
                    self.wait()?;
                }
                // The new place may have data of other buffers.
                self.forget_content()?;
                // SAFETY: By the type invariants the buffer is valid and reserved, and there is room
                // for a fence; `new` is valid and is given away.
                unsafe {
                    clear_place(self.bo, self.ctx, self.new, clear)?;
                    bindings::ttm_bo_move_null(self.bo, self.new);
                }
                Ok(())
            }
            MoveBy::Fence(fence) => self.by_device(&fence).inspect_err(|_| {
                let _ = fence.wait();
            }),
            MoveBy::Pipelined(fence) => self.by_pipeline(&fence).inspect_err(|_| {
                let _ = fence.wait();
            }),
            MoveBy::Hop(_) if hop.is_null() => Err(EINVAL),
            MoveBy::Hop(place) => {
                // SAFETY: `hop` is memory for a place if it isn't null, by the function's
                // requirements.
                unsafe { *hop = place.as_raw() };
                Err(EMULTIHOP)
            }
        }
    }

    /// Leaves the move to a device that signals `fence`. [`Self::finish`] calls it at most once.
    fn by_device(&mut self, fence: &Fence) -> Result {
        // The old place is freed when the fence is signaled, so wait for all other users before.
        self.wait()?;
        self.clear_late_pages();
        if fence.is_container() {
            // It must not be added to a reservation.
            fence.wait()?;
        } else if let Some(Err(e)) = fence.status() {
            // Nothing was copied: the new place has data of others (L3).
            return Err(e);
        } else {
            return self.accelerated(fence);
        }
        // SAFETY: By the type invariants the buffer is valid and reserved, and `new` was allocated
        // for it, and is given away. The buffer is idle, and stays so, as its reservation is held.
        unsafe { bindings::ttm_bo_move_sync_cleanup(self.bo, self.new) };
        Ok(())
    }

    /// Gives `fence` to the manager of the old place, if it has room: buffers that get the place
    /// next wait for the fence. Returns whether it did.
    ///
    /// The manager keeps the last fence of each timeline, so the fences of a timeline must be
    /// signaled in their order. It has room for a few timelines; a fence that is signaled makes room
    /// for another timeline.
    pub(super) fn is_remembered(&self, fence: &Fence) -> bool {
        // SAFETY: By the type invariants, it is a valid resource on a device that has its manager.
        let man = unsafe { (*(*self.bo).bdev).man_drv[(*self.old()).mem_type as usize] };
        // SAFETY: By the type invariants of `RawDevice` a manager of its device is initialized, and
        // its lock with it, a spinlock. It lasts as long as the device.
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
        // SAFETY: Both are valid, unless `old` is null. That is done before the new one is, or has
        // been: if they have a timeline in common, they are signaled in its order. The reference to
        // the new one becomes the manager's, that to the old one was its.
        unsafe {
            if !old.is_null() && context(old) == context(new) && (*old).seqno > (*new).seqno {
                return true;
            }
            *slot = bindings::dma_fence_get(new);
            bindings::dma_fence_put(old);
        }
        true
    }

    /// Gives the old place away at once, in an eviction. Pages stay the buffer's.
    ///
    /// # Safety
    ///
    /// The manager of the old place must have `fence`. If the old place is made of pages, so must
    /// the new one be.
    pub(super) unsafe fn give_place_away(&mut self, fence: &Fence) {
        // SAFETY: By the type invariants, among them that there is room for the fence, which is
        // used only here. The old place may be given to others: they wait for the fence, which its
        // manager has, by the function's requirements.
        unsafe {
            let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

            bindings::dma_resv_add_fence((*self.bo).base.resv, fence.as_raw(), usage);
            bindings::ttm_bo_move_null(self.bo, self.new);
        }
    }

    /// Leaves the move to a device that signals `fence`, and doesn't wait.
    fn by_pipeline(&mut self, fence: &Fence) -> Result {
        // A container must not be added to a reservation.
        if fence.is_container() {
            return self.by_device(fence);
        }
        if let Some(Err(e)) = fence.status() {
            // Nothing was copied: the new place has data of others (L3).
            return Err(e);
        }
        self.clear_late_pages();
        order::watch(fence, || self.dependencies());

        // SAFETY: By the type invariants both resources are valid, and of this buffer.
        let stays = unsafe { !uses_pages(self.old()) || uses_pages(self.new) };
        if self.evict && stays && self.is_remembered(fence) {
            // SAFETY: The manager has the fence, and if the old place is made of pages, so is the
            // new one.
            unsafe { self.give_place_away(fence) };
            return Ok(());
        }
        // SAFETY: By the type invariants, among them that there is room for the fence, which is
        // used only here. The fence is valid. Nothing needs the fence to be signaled in time: the
        // ghost, which gets the old place, has those of all its users.
        to_result(unsafe { bindings::ttm_bo_move_pipelined(self.bo, fence.as_raw(), self.new) })
    }

    /// Makes sure that pages which the buffer gets only after the move have no data of others (L3).
    ///
    /// A device can't have copied the content there.
    fn clear_late_pages(&mut self) {
        // SAFETY: By the type invariants the buffer is valid, its resources as well, and its
        // reservation, which protects `ttm`, is held. `tt` is valid if it isn't null.
        unsafe {
            let tt = (*self.bo).ttm;

            if !uses_pages(self.old())
                && uses_pages(self.new)
                && !tt.is_null()
                && !bindings::ttm_tt_is_populated(tt)
            {
                bindings::ttm_tt_mark_for_clear(tt);
            }
        }
    }

    /// Replaces pages that were to get the content, which isn't needed, by clear ones (L3).
    ///
    /// # Errors
    ///
    /// As [`Self::populate`].
    fn forget_content(&mut self) -> Result {
        // SAFETY: By the type invariants the buffer is valid and reserved, and its resources as
        // well; so is `ctx`. `tt` is valid if it isn't null. Nothing uses its pages: the buffer
        // moves to them just now.
        unsafe {
            let tt = (*self.bo).ttm;
            if tt.is_null() || uses_pages(self.old()) || !uses_pages(self.new) {
                return Ok(());
            }

            let had_pages = bindings::ttm_tt_is_populated(tt);
            bindings::ttm_tt_unpopulate((*self.bo).bdev, tt);
            bindings::ttm_tt_mark_for_clear(tt);
            if had_pages {
                to_result(bindings::ttm_bo_populate(self.bo, self.ctx))?;
            }
        }
        Ok(())
    }

    /// Adds `fence` to the reservation. In an eviction, this waits for `fence`; otherwise a ghost
    /// keeps the old place until `fence` is signaled. All other users of the old place must be done
    /// by then.
    pub(super) fn accelerated(&mut self, fence: &Fence) -> Result {
        // SAFETY: By the type invariants, among them that there is room for the fence, which is
        // used only here. The fence is valid.
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
}

/// # Safety
///
/// `res` must be a valid resource that is completely allocated.
pub(super) unsafe fn space(res: *const bindings::ttm_resource) -> Space {
    // SAFETY: `res` is valid and completely allocated, by the function's requirements, so that
    // these fields don't change any more.
    let (mem_type, start) = unsafe { ((*res).mem_type, (*res).start) };

    Space {
        mem_type: MemType::new(mem_type).unwrap_or(MemType::SYSTEM),
        start,
    }
}
