// SPDX-License-Identifier: GPL-2.0 OR MIT

//! How the content of a buffer gets from one place to another.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    inner::Inner,
    MemType,
    Place, //
};
use crate::{
    bindings,
    dma_fence::{
        Fence,
        PendingFence, //
    },
    error::to_result,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::aref::ARef, //
};
use core::{
    marker::PhantomData,
    ptr, //
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
    /// The CPU copies the content, here and now. It waits for the GPU first.
    Memcpy,

    /// There is nothing to copy: both places are made of the same pages, or the content isn't needed.
    Nothing,

    /// The device copies the content, and has done so when the fence is signaled.
    ///
    /// Until then, TTM frees neither place. To evict, it waits for that.
    Fence(ARef<Fence>),

    /// It can't be moved there directly, but from this place.
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
        // SAFETY: By the type invariants.
        unsafe { space(self.old()) }
    }

    /// Where the buffer is to be.
    pub fn to(&self) -> Space {
        // SAFETY: By the type invariants.
        unsafe { space(self.new) }
    }

    /// The bytes that move, a multiple of the page size.
    pub fn size(&self) -> usize {
        // SAFETY: By the type invariants; constant.
        unsafe { (*self.bo).base.size }
    }

    /// Whether it moves to make room.
    pub fn is_eviction(&self) -> bool {
        self.evict
    }

    /// Makes a job that copies the content, to be given to another thread.
    ///
    /// Whatever the driver answers, the buffer is then moved by that job. Returns [`None`] if there is
    /// nothing to copy, or the CPU can't reach both places.
    ///
    /// Waits for the GPU, and may sleep.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`], [`EEXIST`] if there is a job already; with a context that says so, [`EBUSY`] or
    /// [`ERESTARTSYS`].
    pub fn copy_job(&mut self) -> Result<Option<CopyJob>> {
        if self.job.is_some() {
            return Err(EEXIST);
        }
        self.wait()?;
        self.populate()?;

        // SAFETY: These are the old and the new resource.
        let (from, to) = unsafe { (self.side(self.old()), self.side(self.new)) };
        let (from, to) = match (from, to) {
            (Some(Side::Pages(_)), Some(Side::Pages(_))) => return Ok(None),
            (Some(from), Some(to)) => (from, to),
            _ => return Ok(None),
        };

        let fence = PendingFence::new(c"ttm", c"copy job")?;
        // INVARIANT: That fence.
        self.job = Some(fence.fence());
        // INVARIANT: Both places are this large. Whoever frees or moves them waits for the fence, which
        // `finish` adds to the reservation, or waits for itself.
        Ok(Some(CopyJob {
            from,
            to,
            pages: self.size() >> PAGE_SHIFT,
            fence,
        }))
    }

    fn old(&self) -> *mut bindings::ttm_resource {
        // SAFETY: By the type invariants; protected by the reservation.
        unsafe { (*self.bo).resource }
    }

    fn wait(&mut self) -> Result {
        // SAFETY: By the type invariants.
        to_result(unsafe { bindings::ttm_bo_wait_ctx(self.bo, self.ctx) })
    }

    /// If the old place has pages, sees to it that the new one has, if it needs them.
    fn populate(&mut self) -> Result {
        // SAFETY: By the type invariants; protected by the reservation.
        let tt = unsafe { (*self.bo).ttm };
        // SAFETY: As above; the device has managers for both.
        let (from_pages, to_pages) = unsafe { (uses_pages(self.old()), uses_pages(self.new)) };

        if tt.is_null() || from_pages || !to_pages {
            return Ok(());
        }
        // SAFETY: By the type invariants.
        to_result(unsafe { bindings::ttm_bo_populate(self.bo, self.ctx) })
    }

    /// Where the content is in `res`, or [`None`] if there is none that the CPU could reach.
    ///
    /// # Safety
    ///
    /// `res` must be the old or the new resource.
    unsafe fn side(&self, res: *mut bindings::ttm_resource) -> Option<Side> {
        // SAFETY: By the function's requirements and the type invariants, it is a valid resource on
        // the device of an `Inner`, completely allocated.
        let memory = unsafe { Inner::from_bdev((*self.bo).bdev).memory(res) };
        // SAFETY: By the type invariants; protected by the reservation.
        let tt = unsafe { (*self.bo).ttm };

        // SAFETY: As above, it is a resource of this buffer.
        if memory.is_none() && unsafe { !uses_pages(res) } {
            return None;
        }
        if let Some(memory) = memory {
            return Some(Side::Memory(memory));
        }
        // SAFETY: As above, `tt` is null or valid.
        if tt.is_null() || !unsafe { bindings::ttm_tt_is_populated(tt) } {
            return None;
        }
        // SAFETY: As above; populated, it has an array of pages, unless it is imported.
        let pages = unsafe { (*tt).pages };
        (!pages.is_null()).then_some(Side::Pages(pages))
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
            return by.and_then(|_| self.accelerated(&job)).inspect_err(|_| {
                // The job is under way, and nobody else would wait for it.
                let _ = job.wait();
            });
        }

        match by? {
            MoveBy::Memcpy => {
                self.wait()?;
                // SAFETY: By the type invariants.
                let _windows = unsafe {
                    let inner = Inner::from_bdev((*self.bo).bdev);

                    (inner.hold_window(self.old())?, inner.hold_window(self.new)?)
                };
                // SAFETY: By the type invariants.
                to_result(unsafe { bindings::ttm_bo_move_memcpy(self.bo, self.ctx, self.new) })
            }
            MoveBy::Nothing => {
                self.wait()?;
                // SAFETY: By the type invariants.
                unsafe { bindings::ttm_bo_move_null(self.bo, self.new) };
                Ok(())
            }
            MoveBy::Fence(fence) => self.accelerated(&fence).inspect_err(|_| {
                let _ = fence.wait();
            }),
            MoveBy::Hop(_) if hop.is_null() => Err(EINVAL),
            MoveBy::Hop(place) => {
                // SAFETY: By the function's requirements.
                unsafe { *hop = place.as_raw() };
                Err(EMULTIHOP)
            }
        }
    }

    /// Leaves the move to those who signal `fence`. Called at most once, to finish.
    fn accelerated(&mut self, fence: &Fence) -> Result {
        // Evictions are waited for instead of pipelined: the pipeline has room for a few timelines
        // only, and here each fence may be one of its own.
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
}

/// # Safety
///
/// `res` must be a valid resource that is completely allocated.
unsafe fn space(res: *const bindings::ttm_resource) -> Space {
    // SAFETY: By the function's requirements.
    let (mem_type, start) = unsafe { ((*res).mem_type, (*res).start) };

    Space {
        mem_type: MemType::new(mem_type).unwrap_or(MemType::SYSTEM),
        start,
    }
}

/// Whether the space of `res` is made of the buffer's pages.
///
/// # Safety
///
/// `res` must be a valid resource of a buffer.
pub(super) unsafe fn uses_pages(res: *const bindings::ttm_resource) -> bool {
    // SAFETY: By the function's requirements; the memory type that it is in has a manager.
    unsafe {
        let bdev = (*(*res).bo).bdev;

        (*(*bdev).man_drv[(*res).mem_type as usize]).use_tt
    }
}

/// One end of a copy.
#[derive(Clone, Copy)]
enum Side {
    /// Memory in one piece.
    Memory(*mut u8),
    /// An array of pages.
    Pages(*mut *mut bindings::page),
}

/// The copy of a buffer's content from one place to another; what plays the copy engine.
///
/// Made by [`Move::copy_job`]. The content is copied when this is dropped, or by [`Self::run`], and
/// then its fence is signaled. Until then, what needs the buffer waits; so it must be done by someone
/// who waits for nothing himself.
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
/// # Invariants
///
/// Until `fence` is signaled, `from` and `to` are `pages` pages each that are neither freed nor given
/// to anyone else.
#[must_use = "the content is copied immediately when this is unused"]
pub struct CopyJob {
    from: Side,
    to: Side,
    pages: usize,
    fence: PendingFence,
}

// SAFETY: What it points to may be accessed from any thread, and by the type invariants is there as
// long as `self` is; the fence is `Send`.
unsafe impl Send for CopyJob {}

impl CopyJob {
    /// Copies the content, and signals the fence.
    pub fn run(self) {}
}

impl Drop for CopyJob {
    fn drop(&mut self) {
        for n in 0..self.pages {
            // SAFETY: By the type invariants both have that many pages, and the fence isn't signaled
            // yet.
            let (from, to) = unsafe { (self.from.map(n), self.to.map(n)) };

            // SAFETY: Both are a page of memory, which is only accessed through pointers.
            unsafe { ptr::copy(from, to, PAGE_SIZE) };
            // SAFETY: Just mapped, in the reverse order.
            unsafe {
                self.to.unmap(to);
                self.from.unmap(from);
            }
        }
        self.fence.signal_with(Ok(()));
    }
}

impl Side {
    /// Where page `n` is.
    ///
    /// # Safety
    ///
    /// It must have more than `n` pages, and be valid. What is returned must be unmapped in reverse
    /// order.
    unsafe fn map(self, n: usize) -> *mut u8 {
        match self {
            Self::Memory(memory) => memory.wrapping_add(n << PAGE_SHIFT),
            // SAFETY: By the function's requirements.
            Self::Pages(pages) => unsafe { bindings::kmap_local_page(*pages.add(n)) }.cast(),
        }
    }

    /// # Safety
    ///
    /// `page` must be what was mapped last and is still mapped.
    unsafe fn unmap(self, page: *mut u8) {
        if let Self::Pages(_) = self {
            // SAFETY: By the function's requirements.
            unsafe { bindings::kunmap_local(page.cast()) };
        }
    }
}
