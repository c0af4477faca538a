// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Fences in a reservation: adding them, and waiting for them.
//!
//! C header: [`include/linux/dma-resv.h`](srctree/include/linux/dma-resv.h)

use super::{
    AsBuffer,
    HasResv,
    OperationCtx,
    Reserved, //
};
use crate::{
    bindings,
    dma_fence::Fence,
    error::to_result,
    ffi::{
        c_long,
        c_ulong, //
    },
    prelude::*,
    sync::aref::ARef,
    time::msecs_to_jiffies, //
};
use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    }, //
};

/// How the work of a fence uses a buffer. This decides which other users wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceUsage {
    /// It reads: writers wait for it.
    Read,
    /// It writes: readers and writers wait for it.
    Write,
    /// Neither: only moving or freeing the buffer waits for it.
    Bookkeep,
}

impl FenceUsage {
    pub(super) fn as_raw(self) -> bindings::dma_resv_usage {
        match self {
            Self::Read => bindings::dma_resv_usage_DMA_RESV_USAGE_READ,
            Self::Write => bindings::dma_resv_usage_DMA_RESV_USAGE_WRITE,
            Self::Bookkeep => bindings::dma_resv_usage_DMA_RESV_USAGE_BOOKKEEP,
        }
    }

    /// The usage of the fences that a new user with this usage waits for; all of them for
    /// `Bookkeep`.
    pub(super) fn waits_for(self) -> bindings::dma_resv_usage {
        match self {
            Self::Read => bindings::dma_resv_usage_DMA_RESV_USAGE_WRITE,
            Self::Write => bindings::dma_resv_usage_DMA_RESV_USAGE_READ,
            Self::Bookkeep => bindings::dma_resv_usage_DMA_RESV_USAGE_BOOKKEEP,
        }
    }
}

/// Room for a fence in a reservation.
///
/// # Invariants
///
/// The reservation `resv` is held. Unless it is `lent`, it has room for a fence more.
pub struct FenceSlot<'a> {
    resv: *mut bindings::dma_resv,
    lent: bool,
    _reserved: PhantomData<&'a mut ()>,
}

impl FenceSlot<'_> {
    /// Adds a fence. Never waits for it, as its work may not even be submitted yet.
    ///
    /// # Errors
    ///
    /// In these cases other users don't wait for the fence, so add it before the work is submitted:
    ///
    /// - [`EINVAL`] if the fence stands for several others, as that of a sync file may. A
    ///   reservation can't have such a fence: wait for it before taking the reservation, or let a
    ///   [job](super::JobBuilder::wait_for) wait for it.
    /// - [`ENOMEM`], but only in a [transaction]: if another guard of the same reservation has used
    ///   the room meanwhile, and there is no memory for more.
    ///
    /// [transaction]: super::transaction()
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::DriverFence,
    ///     drm::ttm::{self, test_device, FenceUsage, OperationCtx},
    /// };
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let last = DriverFence::new(c"example", c"ring 0")?;
    /// let mut others = KVec::with_capacity(8, GFP_KERNEL)?;
    ///
    /// ttm::transaction(&OperationCtx::new(), |tx| {
    ///     let mut reserved = tx.reserve(&obj)?;
    ///     let slot = reserved.fence_slot()?;
    ///
    ///     // These use up the room.
    ///     for _ in 0..8 {
    ///         let work = DriverFence::new(c"example", c"ring 1")?;
    ///         tx.reserve(&obj)?.fence_slot()?.add(&work.fence(), FenceUsage::Read)?;
    ///         let _ = others.push_within_capacity(work);
    ///     }
    ///     slot.add(&last.fence(), FenceUsage::Read)?;
    ///     Ok(())
    /// })?;
    ///
    /// drop(others);
    /// assert!(!obj.reserve().is_idle());
    /// drop(last);
    /// assert!(obj.reserve().is_idle());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn add(self, fence: &Fence, usage: FenceUsage) -> Result {
        if fence.is_container() {
            return Err(EINVAL);
        }
        if self.lent {
            // SAFETY: By the type invariants the reservation is valid, and held.
            to_result(unsafe { bindings::dma_resv_reserve_fences(self.resv, 1) })?;
        }

        // SAFETY: By the type invariants the reservation is held. It has room: by the type
        // invariants, or since just now. It takes a reference to the fence.
        unsafe { bindings::dma_resv_add_fence(self.resv, fence.as_raw(), usage.as_raw()) };
        Ok(())
    }
}

impl<B: HasResv> Reserved<'_, B> {
    /// Makes room for a fence in the reservation.
    ///
    /// Before work on the buffer begins, add the work's [`Fence`] with this. Moving or freeing the
    /// buffer then waits for the fence.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::DriverFence,
    ///     drm::ttm::{test_device, FenceUsage, OperationCtx},
    /// };
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let mut reserved = obj.reserve();
    ///
    /// // Nothing fails, nor waits, after the work was given to the device.
    /// let slot = reserved.fence_slot()?;
    /// let work = DriverFence::new(c"example", c"ring 0")?;
    /// slot.add(&work.fence(), FenceUsage::Write)?;
    ///
    /// let busy = OperationCtx::new().no_wait_gpu();
    /// assert!(!reserved.is_idle());
    /// assert_eq!(reserved.wait(&busy), Err(EBUSY));
    /// work.signal(Ok(()));
    /// assert!(reserved.is_idle());
    /// reserved.wait(&busy)?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn fence_slot(&mut self) -> Result<FenceSlot<'_>> {
        // SAFETY: By the type invariants the reservation is valid, and held.
        to_result(unsafe { bindings::dma_resv_reserve_fences(self.held(), 1) })?;
        // INVARIANT: By the type invariants the reservation is held. The room was just made. Unless
        // `self` is lent, no other guard can use it, as there is none, and `self` is borrowed.
        Ok(FenceSlot {
            resv: self.held(),
            lent: self.is_lent(),
            _reserved: PhantomData,
        })
    }

    /// The fences that new work on the buffer has to wait for, if it uses the buffer as `usage`
    /// says: reading waits for writers, writing for readers and writers, and anything waits for
    /// moves. For [`FenceUsage::Bookkeep`], all fences.
    ///
    /// For a device that waits for them itself. Signaled ones are left out.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::DriverFence,
    ///     drm::ttm::{test_device, FenceUsage},
    /// };
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let mut reserved = obj.reserve();
    /// let reader = DriverFence::new(c"example", c"ring 0")?;
    /// reserved.fence_slot()?.add(&reader.fence(), FenceUsage::Read)?;
    ///
    /// // Both may read at the same time.
    /// assert!(reserved.dependencies(FenceUsage::Read)?.is_empty());
    /// let before = reserved.dependencies(FenceUsage::Write)?;
    /// assert_eq!(before.len(), 1);
    /// assert!(!before[0].is_signaled());
    ///
    /// reader.signal(Ok(()));
    /// assert!(reserved.dependencies(FenceUsage::Write)?.is_empty());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn dependencies(&self, usage: FenceUsage) -> Result<KVec<ARef<Fence>>> {
        let mut all = KVec::new();

        // SAFETY: By the type invariants the reservation is valid.
        unsafe { add_fences_of(self.held(), usage.waits_for(), &mut all) }?;
        Ok(all)
    }

    /// Whether all users of the buffers with this reservation are done.
    pub fn is_idle(&self) -> bool {
        let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_BOOKKEEP;

        // SAFETY: By the type invariants the reservation is valid as long as `self`. This looks at
        // its fences under RCU.
        unsafe { bindings::dma_resv_test_signaled(self.held(), usage) }
    }

    /// Waits for moves of the buffers with this reservation.
    pub(super) fn wait_for_moves(&mut self) {
        let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

        // This doesn't fail, as it can't be interrupted.
        // SAFETY: By the type invariants the reservation is valid as long as `self`.
        let _ = unsafe { wait_for(self.held(), usage, false, c_long::MAX) };
    }
}

impl<B: AsBuffer> Reserved<'_, B> {
    /// Waits until all users of the buffer are done.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] with a context that doesn't wait for the GPU, [`ERESTARTSYS`] with one that can be
    /// interrupted.
    ///
    /// # Examples
    ///
    /// See [`Self::fence_slot`].
    pub fn wait(&mut self, ctx: &OperationCtx) -> Result {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid.
        to_result(unsafe { bindings::ttm_bo_wait_ctx(self.bo(), ctx.for_walk().as_raw()) })
    }
}

/// How long TTM waits for a buffer, in jiffies.
pub(super) fn patience() -> c_long {
    const PATIENCE_MS: u32 = 15_000;

    // CAST: It is far below the limit.
    msecs_to_jiffies(PATIENCE_MS) as c_long
}

/// Waits for the fences of `resv` with `usage`, for `jiffies` at most. Returns whether they are
/// signaled.
///
/// # Errors
///
/// [`ERESTARTSYS`] if `interruptible`.
///
/// # Safety
///
/// `resv` must be a valid reservation.
pub(super) unsafe fn wait_for(
    resv: *mut bindings::dma_resv,
    usage: bindings::dma_resv_usage,
    interruptible: bool,
    jiffies: c_long,
) -> Result<bool> {
    // CAST: It isn't negative.
    // SAFETY: `resv` is a valid reservation, by the function's requirements, and stays so during
    // the call.
    let left =
        unsafe { bindings::dma_resv_wait_timeout(resv, usage, interruptible, jiffies as c_ulong) };

    if left < 0 {
        // CAST: An error number.
        return Err(Error::from_errno(left as i32));
    }
    Ok(left > 0)
}

/// Adds the fences of `resv` with `usage` that aren't signaled to `all`.
///
/// # Errors
///
/// [`ENOMEM`]
///
/// # Safety
///
/// `resv` must be a valid reservation.
pub(super) unsafe fn add_fences_of(
    resv: *mut bindings::dma_resv,
    usage: bindings::dma_resv_usage,
    all: &mut KVec<ARef<Fence>>,
) -> Result {
    let mut count = 0;
    let mut fences = ptr::null_mut();

    // SAFETY: `resv` is a valid reservation, by the function's requirements; `count` and `fences`
    // are valid for writes during the call.
    to_result(unsafe { bindings::dma_resv_get_fences(resv, usage, &mut count, &mut fences) })?;
    // CAST: There are never that many.
    let count = count as usize;
    let room = all.reserve(count, GFP_KERNEL);

    for n in 0..count {
        // CAST: `Fence` is transparent.
        // SAFETY: `fences` is an array of `count` fences. None is null, and each comes with a
        // reference that is given away here.
        let fence: ARef<Fence> =
            unsafe { ARef::from_raw(NonNull::new_unchecked((*fences.add(n)).cast())) };
        // Without room, they are put.
        let _ = all.push_within_capacity(fence);
    }
    // SAFETY: The array is ours.
    unsafe { bindings::kfree(fences.cast()) };
    Ok(room?)
}
