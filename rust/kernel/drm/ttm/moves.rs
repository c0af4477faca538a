// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Moves of buffers from one place to another.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    clear::{
        clear_place,
        place_first, //
    },
    pieces::{
        Copies,
        Pieces, //
    },
    raw_device::RawDevice,
    resource::uses_pages,
    MemType,
    Place, //
};
use crate::{
    bindings,
    dma_fence::Fence,
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
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
    /// as the device may not have done so. An eviction also waits for the fence.
    ///
    /// The device must write all of the new place. A buffer that has no pages yet has no content:
    /// the device then clears the place, or the driver answers [`MoveBy::Memcpy`], which clears it.
    Fence(ARef<Fence>),

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
    /// cleared, which [`MoveBy::Memcpy`] does.
    pub fn has_content(&self) -> bool {
        !self.is_empty()
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
                unsafe { place_first(self.bo, self.ctx, self.new) }
            }
            MoveBy::Memcpy => {
                self.wait()?;
                // SAFETY: By the type invariants the buffer is on the device of a `RawDevice`, and
                // both resources are valid.
                let _windows = unsafe {
                    let raw = RawDevice::from_bdev((*self.bo).bdev);

                    (raw.hold_window(self.old())?, raw.hold_window(self.new)?)
                };
                // SAFETY: By the type invariants the buffer is valid and reserved, and both `ctx`
                // and `new` are valid.
                to_result(unsafe { bindings::ttm_bo_move_memcpy(self.bo, self.ctx, self.new) })
            }
            MoveBy::Nothing => {
                if !self.keeps_pages() {
                    self.wait()?;
                }
                // The new place may have data of other buffers.
                // SAFETY: By the type invariants the buffer is valid and reserved; `new` is valid
                // and is given away.
                unsafe {
                    clear_place(self.bo, self.ctx, self.new)?;
                    bindings::ttm_bo_move_null(self.bo, self.new);
                }
                Ok(())
            }
            MoveBy::Fence(fence) => self.by_device(&fence).inspect_err(|_| {
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
        if !fence.is_container() {
            return self.accelerated(fence);
        }
        // A container must not be added to a reservation.
        let _ = fence.wait();
        // SAFETY: By the type invariants the buffer is valid and reserved, and `new` was allocated
        // for it, and is given away. The buffer is idle, and stays so, as its reservation is held.
        unsafe { bindings::ttm_bo_move_sync_cleanup(self.bo, self.new) };
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
unsafe fn space(res: *const bindings::ttm_resource) -> Space {
    // SAFETY: `res` is valid and completely allocated, by the function's requirements, so that
    // these fields don't change any more.
    let (mem_type, start) = unsafe { ((*res).mem_type, (*res).start) };

    Space {
        mem_type: MemType::new(mem_type).unwrap_or(MemType::SYSTEM),
        start,
    }
}
