// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Reservations: the lock that protects where a buffer is.
//!
//! C header: [`include/linux/dma-resv.h`](srctree/include/linux/dma-resv.h)

use super::{
    content::{
        copy,
        uses_pages, //
    },
    prime,
    raw_device::{
        self,
        RawDevice, //
    },
    Buffer,
    BulkId,
    BulkMove,
    Device,
    Driver,
    DriverObject,
    Mapping,
    MemType,
    Object,
    OperationCtx,
    Placement, //
};
use crate::{
    bindings,
    dma_fence::Fence,
    error::to_result,
    ffi::{
        c_long,
        c_ulong, //
    },
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    types::{
        NotThreadSafe,
        Opaque, //
    },
};
use private::RawResv;

use core::{
    marker::PhantomData,
    mem::{
        self,
        ManuallyDrop, //
    },
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    }, //
};

pub(super) mod private {
    /// Has a reservation. Not to be implemented by drivers.
    ///
    /// # Safety
    ///
    /// What `raw_resv` returns must be a valid `dma_resv`, and the same one, as long as `self` is
    /// borrowed.
    pub unsafe trait RawResv {
        /// The reservation.
        fn raw_resv(&self) -> *mut crate::bindings::dma_resv;
    }
}

/// Something with a reservation: an [`Object`], a [`Buffer`], or a [`Resv`].
pub trait Reserve: private::RawResv {}

/// Something that is a buffer: an [`Object`] or a [`Buffer`].
///
/// # Safety
///
/// `as_buffer` must always return the same buffer, whose reservation is that of `self`.
pub unsafe trait AsBuffer: Reserve {
    /// The driver that it belongs to.
    type Driver: Driver;

    /// The buffer.
    fn as_buffer(&self) -> &Buffer<Self::Driver>;
}

/// A reservation that several buffers share.
///
/// Buffers that are used together, as those of one VM, share one. Only such buffers can be in one
/// [`BulkMove`].
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, Resv};
///
/// let dev = test_device::Device::new()?;
/// let resv = Resv::new()?;
/// let a = dev.shared(0x1000, &resv)?;
/// let b = dev.shared(0x1000, &resv)?;
///
/// let reserved = a.reserve();
/// assert!(b.try_reserve().is_none());
/// drop(reserved);
/// assert!(b.try_reserve().is_some());
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `resv` is an initialized `struct dma_resv`.
#[pin_data(PinnedDrop)]
pub struct Resv {
    #[pin]
    resv: Opaque<bindings::dma_resv>,
}

// SAFETY: A `dma_resv` may be used from any thread; to unlock it takes a `Reserved`, which can't be
// sent.
unsafe impl Send for Resv {}

// SAFETY: A `dma_resv` has locks of its own; to unlock it takes a `Reserved`, which can't be shared.
unsafe impl Sync for Resv {}

impl Resv {
    /// Makes a reservation.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            // INVARIANT: `dma_resv_init` initializes it.
            pin_init!(Self {
                // SAFETY: `resv` is memory for a `dma_resv`, which won't move.
                resv <- Opaque::ffi_init(|resv| unsafe { bindings::dma_resv_init(resv) }),
            }),
            GFP_KERNEL,
        )
    }

    /// Waits for the reservation and takes it. See [`Buffer::reserve`].
    pub fn reserve(&self) -> Reserved<'_, Self> {
        Reserved::lock(self)
    }

    /// Waits for the reservation and takes it, unless a signal comes. See
    /// [`Object::reserve_interruptible`].
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`]
    pub fn reserve_interruptible(&self) -> Result<Reserved<'_, Self>> {
        Reserved::lock_interruptible(self)
    }

    /// Takes the reservation if it is free.
    pub fn try_reserve(&self) -> Option<Reserved<'_, Self>> {
        Reserved::try_lock(self)
    }
}

#[pinned_drop]
impl PinnedDrop for Resv {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariants the reservation is initialized. Nobody holds or uses it any more:
        // each user has a reference to `self`.
        unsafe { bindings::dma_resv_fini(self.resv.get()) };
    }
}

// SAFETY: By the type invariants the reservation is initialized. It is a part of `self`, so it is valid
// and the same one as long as that is borrowed.
unsafe impl private::RawResv for Resv {
    fn raw_resv(&self) -> *mut bindings::dma_resv {
        self.resv.get()
    }
}

impl Reserve for Resv {}

/// The reservation of `B` is held. Dropping this gives it back; one that a transaction has lent, the
/// transaction gives back.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx, Placement};
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.system(0x2000)?;
/// let mut ctx = OperationCtx::new();
///
/// let mut reserved = obj.reserve();
/// reserved.write(0x1ffc, b"tail")?;
///
/// // To VRAM and back, the content goes along.
/// reserved.validate(Placement::VRAM, &mut ctx)?;
/// assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
/// assert_eq!(ctx.bytes_moved(), 0x2000);
/// reserved.evict(&mut ctx)?;
/// assert_eq!(reserved.mem_type(), Some(MemType::SYSTEM));
///
/// let mut tail = [0; 4];
/// reserved.read(0x1ffc, &mut tail)?;
/// assert_eq!(&tail, b"tail");
/// # Ok::<(), Error>(())
/// ```
///
/// # Forgetting
///
/// The reservation is held for ever. A buffer that doesn't share it is never freed, nor is its device; once
/// nobody else has the buffer, the driver's module stays.
///
/// # Invariants
///
/// - `resv` is the reservation of `inner`, and the current thread holds it. If `inner` is a buffer,
///   it is that of the buffer.
/// - Unless it is `lent`, this is to give it back; if it is, someone else will, after `'a`.
/// - There are two guards of one reservation only if both are lent.
#[must_use = "the reservation is given back immediately when this is unused"]
pub struct Reserved<'a, B: Reserve> {
    inner: &'a B,
    resv: *mut bindings::dma_resv,
    lent: bool,
    _not_send: NotThreadSafe,
}

impl<'a, B: Reserve> Reserved<'a, B> {
    pub(super) fn lock(inner: &'a B) -> Self {
        // Without an acquire context, this doesn't fail.
        // SAFETY: By the requirements of `RawResv`, it is valid as long as `inner` is borrowed.
        unsafe { bindings::dma_resv_lock(inner.raw_resv(), ptr::null_mut()) };

        // SAFETY: Just taken.
        unsafe { Self::assume_locked(inner) }
    }

    pub(super) fn lock_interruptible(inner: &'a B) -> Result<Self> {
        // SAFETY: By the requirements of `RawResv`, it is valid as long as `inner` is borrowed.
        let ret = to_result(unsafe {
            bindings::dma_resv_lock_interruptible(inner.raw_resv(), ptr::null_mut())
        });

        // Without an acquire context, there is no other reason.
        ret.map_err(|_| ERESTARTSYS)?;
        // SAFETY: Just taken.
        Ok(unsafe { Self::assume_locked(inner) })
    }

    pub(super) fn try_lock(inner: &'a B) -> Option<Self> {
        // SAFETY: By the requirements of `RawResv`, it is valid as long as `inner` is borrowed.
        let taken = unsafe { bindings::dma_resv_trylock(inner.raw_resv()) };

        // SAFETY: Just taken.
        taken.then(|| unsafe { Self::assume_locked(inner) })
    }

    /// # Safety
    ///
    /// The current thread must hold the reservation of `inner`, and no guard stand for it.
    pub(super) unsafe fn assume_locked(inner: &'a B) -> Self {
        // INVARIANT: By the function's requirements, and those of `RawResv` and `AsBuffer`.
        Self {
            inner,
            resv: inner.raw_resv(),
            lent: false,
            _not_send: NotThreadSafe,
        }
    }

    /// # Safety
    ///
    /// The current thread must hold the reservation of `inner` for `'a`, and someone else give it back.
    /// No guard that isn't lent may stand for it.
    pub(super) unsafe fn lend(inner: &'a B) -> Self {
        // INVARIANT: By the function's requirements, and those of `RawResv` and `AsBuffer`.
        Self {
            inner,
            resv: inner.raw_resv(),
            lent: true,
            _not_send: NotThreadSafe,
        }
    }

    /// Makes the reservation of a buffer that is just being made that of `inner`.
    ///
    /// # Safety
    ///
    /// The current thread must hold the reservation of `inner`: either it is that of `shared`, which
    /// isn't lent, or there is no `shared`, and no guard stands for it.
    pub(super) unsafe fn adopt(inner: &'a B, shared: Option<Reserved<'_, Resv>>) -> Self {
        mem::forget(shared);
        // SAFETY: The current thread holds the reservation of `inner`, by the function's requirements.
        // No guard stands for it any more: if `shared` did, it was just forgotten.
        unsafe { Self::assume_locked(inner) }
    }

    /// Makes room for a fence in the reservation.
    ///
    /// Before work on the buffer begins, add the work's [`Fence`] with this. Moving or freeing the buffer
    /// then waits for the fence.
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
        to_result(unsafe { bindings::dma_resv_reserve_fences(self.resv, 1) })?;
        // INVARIANT: By the type invariants the reservation is held. There is room since just now;
        // unless `self` is lent, nobody else uses it, as there is no other guard, and `self` is
        // borrowed.
        Ok(FenceSlot {
            resv: self.resv,
            lent: self.lent,
            _reserved: PhantomData,
        })
    }

    /// Whether all that used the buffers is done.
    pub fn is_idle(&self) -> bool {
        let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_BOOKKEEP;

        // SAFETY: By the type invariants the reservation is valid as long as `self`. This looks at its
        // fences under RCU.
        unsafe { bindings::dma_resv_test_signaled(self.resv, usage) }
    }

    /// Waits until the content of the buffers is where they are: for moves.
    fn wait_for_moves(&mut self) {
        let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

        // This doesn't fail, as it can't be interrupted.
        // SAFETY: By the type invariants the reservation is valid as long as `self`.
        let _ = unsafe { wait_for(self.resv, usage, false, c_long::MAX) };
    }

    /// Whether this is the reservation `resv`.
    pub(super) fn holds(&self, resv: *const bindings::dma_resv) -> bool {
        ptr::eq(self.resv, resv)
    }
}

/// Waits for the fences of `resv` with `usage`, for `jiffies` at most. Returns whether they are signaled.
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
    // SAFETY: `resv` is a valid reservation, by the function's requirements, and stays so during the call.
    let left =
        unsafe { bindings::dma_resv_wait_timeout(resv, usage, interruptible, jiffies as c_ulong) };

    if left < 0 {
        // CAST: An error number.
        return Err(Error::from_errno(left as i32));
    }
    Ok(left > 0)
}

/// Adds the fences of `resv` with `usage` to `all`, but for those that are signaled.
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

    // SAFETY: `resv` is a valid reservation, by the function's requirements; `count` and `fences` are
    // valid for writes during the call.
    to_result(unsafe { bindings::dma_resv_get_fences(resv, usage, &mut count, &mut fences) })?;
    // CAST: There are never that many.
    let count = count as usize;
    let room = all.reserve(count, GFP_KERNEL);

    for n in 0..count {
        // CAST: `Fence` is transparent.
        // SAFETY: It is an array with so many of them. None is null, and each comes with a reference
        // that is given away here.
        let fence: ARef<Fence> =
            unsafe { ARef::from_raw(NonNull::new_unchecked((*fences.add(n)).cast())) };
        // Without room, they are put.
        let _ = all.push_within_capacity(fence);
    }
    // SAFETY: The array is ours.
    unsafe { bindings::kfree(fences.cast()) };
    Ok(room?)
}

impl<B: Reserve> Drop for Reserved<'_, B> {
    fn drop(&mut self) {
        if !self.lent {
            // SAFETY: By the type invariants it is held, and this is to give it back.
            unsafe { bindings::dma_resv_unlock(self.resv) };
        }
    }
}

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

    /// The usage of the fences that a new user with this usage waits for; all of them for `Bookkeep`.
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
    /// In these cases nobody waits for the fence, so it should be added before the work is submitted:
    ///
    /// - [`EINVAL`] if the fence stands for several others, as that of a sync file may. A reservation has no
    ///   such; a driver waits for it before it takes the reservation, or has a
    ///   [job](super::JobBuilder::wait_for) wait.
    /// - [`ENOMEM`], but only in a [transaction]: if others with the same reservation have used the room
    ///   meanwhile, and there is no memory for more.
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
    ///     // These use up what room there is.
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

impl<B: Reserve> Deref for Reserved<'_, B> {
    type Target = B;

    fn deref(&self) -> &B {
        self.inner
    }
}

impl<B: AsBuffer> Reserved<'_, B> {
    fn bo(&self) -> *mut bindings::ttm_buffer_object {
        self.inner.as_buffer().as_raw()
    }

    /// The memory type that the buffer is in, or [`None`] if it has no place.
    pub fn mem_type(&self) -> Option<MemType> {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource`, is held.
        let res = unsafe { (*self.bo()).resource };
        if res.is_null() {
            return None;
        }

        // SAFETY: It isn't null, so it is the buffer's resource: valid, as the reservation is held.
        MemType::new(unsafe { (*res).mem_type })
    }

    /// The first page of the buffer's place, counted from the start of the memory type.
    ///
    /// [`None`] if it has no place; of no meaning in system memory.
    pub fn start(&self) -> Option<usize> {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource`, is held.
        let res = unsafe { (*self.bo()).resource };

        // SAFETY: It isn't null, so it is the buffer's resource: valid, as the reservation is held.
        (!res.is_null()).then(|| unsafe { (*res).start })
    }

    /// Waits until all that used the buffer is done.
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

    /// Swaps the buffer's pages out, and moves it to system memory for that.
    ///
    /// They come back with [`Reserved::populate`], or when the buffer moves. If nobody needs the
    /// buffer any more, its pages are freed instead.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if it has no pages, is imported or pinned, or the device has a shrinker; what
    /// [`Reserved::validate`] may return.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.system(0x2000)?;
    /// let mut ctx = OperationCtx::new();
    /// let mut reserved = obj.reserve();
    /// assert_eq!(reserved.swap_out(&mut ctx), Err(EBUSY));
    ///
    /// reserved.populate(&mut ctx)?;
    /// reserved.write(0, b"kept")?;
    /// reserved.swap_out(&mut ctx)?;
    /// assert!(!reserved.is_populated());
    ///
    /// let mut bytes = [0; 4];
    /// reserved.read(0, &mut bytes)?;
    /// assert_eq!(&bytes, b"kept");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn swap_out(&mut self, ctx: &mut OperationCtx) -> Result {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid; the context is valid for the call.
        let pages = unsafe {
            bindings::ttm_bo_swapout_reserved(self.bo(), ctx.as_raw(), GFP_KERNEL.as_raw())
        };

        // CAST: An error number.
        to_result(pages.min(0) as i32)
    }

    /// Gives the buffer's pages back to the system: backs them up, or drops them if `purge`.
    ///
    /// For devices with a [shrinker](super::Setup::shrinker), which does the same under pressure. The
    /// buffer is moved to system memory for that. Returns how many pages came free.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if it has no pages, is imported or pinned or can't be moved, there is no room for the
    /// backup, or the device has no shrinker; with a context that says so, [`ERESTARTSYS`].
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new_shrinkable()?;
    /// let obj = dev.system(0x4000)?;
    /// let mut ctx = OperationCtx::new();
    /// obj.reserve().populate(&mut ctx)?;
    ///
    /// let system = dev.manager(MemType::SYSTEM).ok_or(ENODEV)?;
    /// let mut walk = pin!(system.walk(&ctx));
    /// let mut freed = 0;
    /// for bo in walk.as_mut() {
    ///     freed += bo?.shrink(true, &mut ctx)?;
    /// }
    /// assert_eq!(freed, 4);
    /// assert!(!obj.reserve().is_populated());
    /// assert!(obj.was_purged());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn shrink(&mut self, purge: bool, ctx: &mut OperationCtx) -> Result<usize> {
        let bo = self.bo();
        let mut flags = bindings::ttm_bo_shrink_flags::default();
        flags.set_purge(purge.into());
        // The caller wants the memory now, so write it back at once.
        flags.set_writeback(1);

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid; the context is valid for the call.
        let pages = unsafe {
            if (*bo).resource.is_null()
                || !raw_device::is_shrinkable((*bo).bdev)
                || self.inner.as_buffer().is_imported()
                || !bindings::ttm_bo_shrink_suitable(bo, ctx.as_raw())
            {
                return Err(EBUSY);
            }
            // Nobody is there to want a zombie moved.
            flags.set_allow_move((!(*bo).deleted && !(*bo).base.dev.is_null()).into());
            bindings::ttm_bo_shrink(ctx.as_raw(), bo, flags)
        };

        if pages < 0 {
            // CAST: An error number.
            return Err(Error::from_errno(pages as i32));
        }
        if pages > 0 {
            // SAFETY: By the type invariants the reservation is held. It has just lost its pages, so
            // it has a `ttm_tt`.
            unsafe { Device::<B::Driver>::was_shrunk(bo, purge) };
        }
        // CAST: It isn't negative.
        Ok(pages as usize)
    }

    /// Says whether the content of the buffer may be lost when the system is short of memory.
    ///
    /// For devices with a [shrinker](super::Setup::shrinker): it drops such content, and backs up all
    /// other. No buffer is purgeable at first, or after it was purged.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new_shrinkable()?;
    /// let obj = dev.system(0x4000)?;
    /// obj.reserve().populate(&mut OperationCtx::new())?;
    /// obj.reserve().set_purgeable(true);
    /// assert!(obj.reserve().is_purgeable());
    ///
    /// test_device::press_for_memory();
    /// assert!(obj.was_purged());
    /// assert!(!obj.reserve().is_purgeable());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn set_purgeable(&mut self, purgeable: bool) {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid.
        unsafe { bindings::ttm_bo_set_purgeable(self.bo(), purgeable) };
    }

    /// Whether the content of the buffer [may be lost](Self::set_purgeable).
    pub fn is_purgeable(&self) -> bool {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `purgeable`, is held.
        unsafe { (*self.bo()).purgeable }
    }

    /// Whether the buffer is pinned to its place.
    pub fn is_pinned(&self) -> bool {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `pin_count`, is held.
        unsafe { (*self.bo()).pin_count != 0 }
    }

    /// Whether the buffer has pages of system memory just now.
    pub fn is_populated(&self) -> bool {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `ttm`, is held.
        let tt = unsafe { (*self.bo()).ttm };

        // SAFETY: It isn't null, so it is the buffer's `ttm_tt`: valid, as the reservation is held.
        !tt.is_null() && unsafe { bindings::ttm_tt_is_populated(tt) }
    }

    /// Whether the memory of the buffer is there: it has a place, and pages if that is made of such.
    pub(super) fn is_resident(&self) -> bool {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource`, is held.
        let res = unsafe { (*self.bo()).resource };

        // SAFETY: It isn't null, so it is the buffer's resource: valid, as the reservation is held.
        !res.is_null() && (!unsafe { uses_pages(res) } || self.is_populated())
    }

    /// The buffer's priority, less than [`Object::PRIORITIES`].
    pub fn priority(&self) -> u32 {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `priority`, is held.
        unsafe { (*self.bo()).priority }
    }

    /// The bulk that the buffer has joined, if any.
    pub fn bulk_id(&self) -> Option<BulkId> {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `bulk_move`, is held.
        BulkId::new(unsafe { (*self.bo()).bulk_move })
    }

    /// Moves the buffer where [`Driver::evict_flags`] says.
    ///
    /// May sleep. A buffer that is already in one of these places stays there.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if the buffer is pinned or isn't alive, and what [`Reserved::validate`] may return.
    pub fn evict(&mut self, ctx: &mut OperationCtx) -> Result {
        let bo = self.bo();

        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `pin_count`, is held. `deleted` is only set while nobody has a reference.
        let busy = unsafe { (*bo).deleted || (*bo).pin_count != 0 };
        if busy || self.inner.as_buffer().is_ghost() {
            return Err(EBUSY);
        }
        let from = self.mem_type();
        if from.is_none() {
            return Ok(());
        }

        let places = self.inner.as_buffer().places_after(from);
        let mut placement = bindings::ttm_placement {
            num_placement: u32::try_from(places.len())?,
            // CAST: `Place` is transparent.
            placement: places.as_ptr().cast(),
        };

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid. The placement and the context are valid for the call.
        to_result(unsafe { bindings::ttm_bo_validate(bo, &mut placement, ctx.as_raw()) })
    }
}

impl<T: DriverObject> Reserved<'_, Object<T>> {
    /// Moves the buffer to a place that `placement` says, if it isn't in one.
    ///
    /// May sleep, and may evict other buffers, but not those whose reservation is taken. For these, see
    /// [`Transaction::validate`](super::Transaction::validate).
    ///
    /// # Errors
    ///
    /// [`ENOSPC`] if there is no room and none could be made, [`EINVAL`] if the buffer is pinned and
    /// would have to move, or is imported and not all places are made of pages, [`ENOMEM`]; with a
    /// context that says so, [`EBUSY`] or [`ERESTARTSYS`].
    pub fn validate(&mut self, placement: Placement<'_>, ctx: &mut OperationCtx) -> Result {
        let mut placement = placement.as_raw();

        // SAFETY: The device is initialized, and the placement valid for the call.
        let is_of_pages = unsafe { prime::is_of_pages((*self.bo()).bdev, &placement) };
        if self.inner.buffer().is_imported() && !is_of_pages {
            return Err(EINVAL);
        }

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid. The placement and the context are valid for the call.
        to_result(unsafe { bindings::ttm_bo_validate(self.bo(), &mut placement, ctx.as_raw()) })
    }

    /// Sees to it that the buffer has its pages, if it is in a memory type that is made of pages.
    ///
    /// System memory gets its pages only when they are needed.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]; with a context that says so, [`ERESTARTSYS`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.system(0x4000)?;
    /// let mut reserved = obj.reserve();
    ///
    /// assert!(!reserved.is_populated());
    /// reserved.populate(&mut OperationCtx::new())?;
    /// assert!(reserved.is_populated());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn populate(&mut self, ctx: &mut OperationCtx) -> Result {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid. The context is valid for the call.
        to_result(unsafe { bindings::ttm_bo_populate(self.bo(), ctx.as_raw()) })
    }

    /// Drops what the buffer contains, and its place.
    ///
    /// It gets a place again when it is validated.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if it is pinned or imported, [`ENOMEM`]; with a context that says so, [`EBUSY`] or
    /// [`ERESTARTSYS`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx, Placement};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let mut reserved = obj.reserve();
    /// let mut ctx = OperationCtx::new();
    /// reserved.write(0, b"gone")?;
    ///
    /// reserved.purge(&mut ctx)?;
    /// assert_eq!(reserved.mem_type(), None);
    ///
    /// reserved.validate(Placement::VRAM, &mut ctx)?;
    /// let mut bytes = [1; 4];
    /// reserved.read(0, &mut bytes)?;
    /// assert_eq!(bytes, [0; 4]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn purge(&mut self, ctx: &mut OperationCtx) -> Result {
        if self.is_pinned() || self.inner.buffer().is_imported() {
            return Err(EINVAL);
        }
        let mut placement = bindings::ttm_placement {
            num_placement: 0,
            placement: ptr::null(),
        };

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid. The placement and the context are valid for the call.
        to_result(unsafe { bindings::ttm_bo_validate(self.bo(), &mut placement, ctx.as_raw()) })
    }

    /// Takes the buffer away from the page tables of programs that have mapped it.
    ///
    /// They come back here with the next access. Moves do so by themselves.
    pub fn unmap_virtual(&mut self) {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid.
        unsafe { bindings::ttm_bo_unmap_virtual(self.bo()) };
    }

    /// Pins the buffer, and maps all of it for the kernel.
    ///
    /// `SIZE` is what is known to be there when it is compiled: accesses within it are checked then, all
    /// others when they are made. See [`Mapping`].
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if it is smaller than `SIZE`, [`ENXIO`] if it has no place, [`ENOTSUPP`] if that is in
    /// the window of a real device, [`ENOMEM`]; as [`Self::pin`].
    pub fn vmap<const SIZE: usize>(&mut self) -> Result<Mapping<T, SIZE>> {
        self.check_access(0, SIZE)?;
        self.wait_for_moves();
        // SAFETY: As was just checked, it has a place, and is large enough.
        unsafe { Mapping::new(self) }
    }

    /// Marks the buffer as just used: it goes to its LRU list's tail, or that of its bulk's range.
    ///
    /// Takes the LRU lock.
    pub fn move_to_lru_tail(&mut self) {
        let _lru = self.inner.buffer().device().lru();

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid; its device's LRU lock was just taken.
        unsafe { bindings::ttm_bo_move_to_lru_tail(self.bo()) };
    }

    /// Pins the buffer to where it is, until what is returned is dropped.
    ///
    /// Pinned buffers are on no manager's LRU list.
    ///
    /// # Errors
    ///
    /// [`EOVERFLOW`] if it has as many pins already as can be counted.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    ///
    /// let mut reserved = obj.reserve();
    /// let pinned = reserved.pin()?;
    /// assert_eq!(reserved.evict(&mut OperationCtx::new()), Err(EBUSY));
    ///
    /// assert!(pinned.unpin(&mut reserved).is_ok());
    /// assert!(reserved.evict(&mut OperationCtx::new()).is_ok());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn pin(&mut self) -> Result<Pinned<T>> {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid.
        unsafe { pin(self.bo()) }?;

        // INVARIANT: It was just pinned, for this.
        Ok(Pinned(ManuallyDrop::new(ARef::from(self.inner))))
    }

    /// Lets the buffer join `bulk`, and leave the one that it was in.
    ///
    /// It enters the LRU list anew, at the tail of the bulk's range; if it is the first member, the
    /// range begins where it stands.
    ///
    /// # Errors
    ///
    /// [`EXDEV`] if the buffer and `bulk` are not on the same device, [`EINVAL`] if they don't have
    /// the same reservation.
    pub fn set_bulk(&mut self, bulk: &BulkMove<T::Driver>) -> Result {
        if !ptr::eq(bulk.device(), self.inner.buffer().device()) {
            return Err(EXDEV);
        }
        if !self.holds(bulk.resv().raw_resv()) {
            return Err(EINVAL);
        }

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid. It keeps the bulk alive until it leaves it, which is when this is set to
        // another one, or to null.
        unsafe { bindings::ttm_bo_set_bulk_move(self.bo(), bulk.as_raw()) };
        // SAFETY: By the type invariants the reservation is held. `bo.bulk_move` was just set to
        // this.
        drop(unsafe { self.inner.replace_bulk(Some(bulk.inner())) });
        Ok(())
    }

    /// Lets the buffer leave its bulk, if it is in one.
    pub fn leave_bulk(&mut self) {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid.
        unsafe { bindings::ttm_bo_set_bulk_move(self.bo(), ptr::null_mut()) };
        // SAFETY: By the type invariants the reservation is held. `bo.bulk_move` was just set to
        // null.
        drop(unsafe { self.inner.replace_bulk(None) });
    }

    /// Copies the buffer's content from `offset` bytes on into `to`.
    ///
    /// A [`Job`](super::Job), a [`Mapping`], programs and the device may access it at the same time: then
    /// each of its bytes is what it was before, or what it is afterwards.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if that goes beyond the buffer's end, [`ENXIO`] if the buffer has no place or the
    /// CPU can't reach it, [`ENODEV`] if it is in a window of a device that is unplugged, [`ENOMEM`].
    pub fn read(&mut self, offset: usize, to: &mut [u8]) -> Result {
        let len = to.len();
        self.access(offset, len, |at, memory, n, is_io| {
            let to = to[at..at + n].as_mut_ptr();

            // SAFETY: `access` calls this with parts of `0..len` and as many bytes of memory. That is
            // no part of `to`: a buffer is only accessed through pointers, so nobody has a slice of
            // it. Others may write there.
            unsafe {
                if is_io {
                    bindings::memcpy_fromio(to.cast(), memory.cast(), n);
                } else {
                    copy(to, memory, n);
                }
            }
        })
    }

    /// Copies `from` into the buffer, from `offset` bytes on.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn write(&mut self, offset: usize, from: &[u8]) -> Result {
        self.access(offset, from.len(), |at, memory, n, is_io| {
            let from = from[at..at + n].as_ptr();

            // SAFETY: `access` calls this with parts of `0..len` and as many bytes of memory. That is
            // no part of `from`: a buffer is only accessed through pointers, so nobody has a slice of
            // it. Others may read and write there.
            unsafe {
                if is_io {
                    bindings::memcpy_toio(memory.cast(), from.cast(), n);
                } else {
                    copy(memory, from, n);
                }
            }
        })
    }

    /// Whether the CPU can access `offset..offset + len` of the buffer.
    fn check_access(&self, offset: usize, len: usize) -> Result {
        if offset.checked_add(len).ok_or(EINVAL)? > self.inner.buffer().size() {
            return Err(EINVAL);
        }

        let bo = self.bo();
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource` and `ttm`, is held.
        let (res, tt) = unsafe { ((*bo).resource, (*bo).ttm) };
        // SAFETY: It isn't null, as was just checked, so it is the buffer's resource: valid, as the
        // reservation is held.
        if res.is_null() || (tt.is_null() && unsafe { uses_pages(res) }) {
            return Err(ENXIO);
        }

        if self.inner.as_buffer().is_imported() {
            let mut ctx = OperationCtx::new();
            // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
            // buffer is valid. The context is valid for the call.
            to_result(unsafe { bindings::ttm_bo_populate(bo, ctx.as_raw()) })?;
            // SAFETY: An imported buffer has a place made of pages, so it has a `ttm_tt`; it was
            // checked above, and is there as long as the reservation is held.
            if unsafe { (*tt).pages }.is_null() {
                return Err(ENXIO);
            }
        }
        Ok(())
    }

    /// Calls `copy(at, memory, n, is_io)` for the parts `at..at + n` of `0..len`, with the memory,
    /// or I/O memory, where these bytes are; `offset` says where the buffer's part begins.
    fn access(
        &mut self,
        offset: usize,
        len: usize,
        mut copy: impl FnMut(usize, *mut u8, usize, bool),
    ) -> Result {
        self.check_access(offset, len)?;
        self.wait_for_moves();

        let bo = self.bo();
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the buffer
        // is valid; it has a place.
        let _window = unsafe { RawDevice::from_bdev((*bo).bdev).hold_window((*bo).resource) }?;
        let mut at = 0;
        while at < len {
            let page = (offset + at) >> PAGE_SHIFT;
            let start = (offset + at) & (PAGE_SIZE - 1);
            let n = (PAGE_SIZE - start).min(len - at);
            let mut map = bindings::ttm_bo_kmap_obj::default();

            // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
            // buffer is valid; it has a place, and pages if it needs them.
            to_result(unsafe { bindings::ttm_bo_kmap(bo, page, 1, &mut map) })?;
            let is_io = map.bo_kmap_type == bindings::ttm_bo_kmap_obj_ttm_bo_map_iomap;
            // CAST: One page is mapped there.
            copy(at, map.virtual_.cast::<u8>().wrapping_add(start), n, is_io);
            // SAFETY: It was just mapped, and isn't used any more.
            unsafe { bindings::ttm_bo_kunmap(&mut map) };

            at += n;
        }
        Ok(())
    }
}

/// Pins a buffer once more.
///
/// # Errors
///
/// [`EOVERFLOW`] if that can't be counted. A count that wrapped would let a buffer go that is in use.
///
/// # Safety
///
/// `bo` must be a valid buffer, its reservation held.
pub(super) unsafe fn pin(bo: *mut bindings::ttm_buffer_object) -> Result {
    // SAFETY: `bo` is a valid buffer, and its reservation, which protects the count, is held, by the
    // function's requirements.
    unsafe {
        if (*bo).pin_count == u32::MAX {
            return Err(EOVERFLOW);
        }
        bindings::ttm_bo_pin(bo);
    }
    Ok(())
}

/// An object is pinned to its place; dropping this unpins it.
///
/// It is also a reference to the object.
///
/// To unpin takes the reservation. If that isn't free when this is dropped, as when the thread itself holds
/// it, a work unpins the object a little later. [`Self::unpin`] does it at once.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::test_device;
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.vram(0x1000)?;
///
/// // The pin goes first, and then the guard.
/// let mut reserved = obj.reserve();
/// let pinned = reserved.pin()?;
/// assert_eq!(pinned.data().swap_outs(), 0);
/// # Ok::<(), Error>(())
/// ```
///
/// # Forgetting
///
/// The buffer stays where it is, and with it its device, but not the driver's module.
///
/// # Invariants
///
/// One of the object's pins belongs to this, and so does the reference.
#[must_use = "the object is unpinned immediately when this is unused"]
pub struct Pinned<T: DriverObject>(ManuallyDrop<ARef<Object<T>>>);

impl<T: DriverObject> Pinned<T> {
    /// Unpins the object with its reservation, or that of a buffer that shares it, already held.
    ///
    /// Returns the reference to the object.
    ///
    /// # Errors
    ///
    /// If it is another reservation, nothing happens, and `self` is returned.
    pub fn unpin<B: Reserve>(
        self,
        reserved: &mut Reserved<'_, B>,
    ) -> Result<ARef<Object<T>>, Self> {
        if !reserved.holds(private::RawResv::raw_resv(&**self.0)) {
            return Err(self);
        }

        // SAFETY: `reserved` is its reservation, as was just checked. By the type invariants one of
        // the pins is ours, and by those of `Buffer` the buffer is valid.
        unsafe { bindings::ttm_bo_unpin(self.0.buffer().as_raw()) };

        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` isn't used again, not even to drop it, so the reference is taken once.
        Ok(unsafe { ManuallyDrop::take(&mut this.0) })
    }
}

impl<T: DriverObject> Deref for Pinned<T> {
    type Target = Object<T>;

    fn deref(&self) -> &Object<T> {
        &self.0
    }
}

impl<T: DriverObject> Drop for Pinned<T> {
    fn drop(&mut self) {
        // SAFETY: `self.0` isn't used again: this is `drop`.
        let obj = unsafe { ManuallyDrop::take(&mut self.0) };

        // SAFETY: By the type invariants one of the pins belongs to this; it is given away.
        unsafe { Object::unpin(obj) };
    }
}
