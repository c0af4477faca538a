// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Pages that a device reaches: their mapping for DMA, and its end when the device is unbound.
//!
//! C headers: [`include/drm/ttm/ttm_pool.h`](srctree/include/drm/ttm/ttm_pool.h),
//! [`include/linux/dma-mapping.h`](srctree/include/linux/dma-mapping.h)

use super::{
    raw_device::RawDevice,
    Device,
    Driver,
    Setup, //
};
use crate::{
    bindings,
    device,
    dma::DmaMask,
    error::to_result,
    ffi::{
        c_uint,
        c_void, //
    },
    new_mutex,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc,
        Mutex, //
    }, //
};
use core::ptr;

/// How the pages of a device's buffers are made accessible to the device.
///
/// For [`Setup::dma`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dma {
    mask: DmaMask,
    flags: c_uint,
}

impl Dma {
    /// Pages of the system, which are mapped for the device when a buffer gets them.
    ///
    /// `mask` says which addresses the device can send. If the pages of this machine may be beyond
    /// them, only pages below 4 GiB are used.
    ///
    /// Such pages are never copied to a bounce buffer, and no cache is flushed for the device. So
    /// the device must be coherent with the caches, and must reach the pages at the addresses that
    /// it can send, through an IOMMU or directly. Where that isn't so, a buffer gets no pages, with
    /// [`EFAULT`]; use [`Self::coherent`] there.
    pub const fn mapped(mask: DmaMask) -> Self {
        Self {
            mask,
            flags: bindings::TTM_ALLOCATION_POOL_MAP_COHERENT,
        }
    }

    /// Memory that the device and the CPU access coherently, wherever the device can reach it.
    ///
    /// It is what `dma_alloc_attrs()` returns, and slow to allocate, so freed memory is kept for
    /// the next buffer. It has these restrictions:
    ///
    /// - When the device is unbound, buffers lose it, with their content.
    /// - It can't be [mapped](super::Reserved::vmap) for the kernel, nor exported, as both may last
    ///   longer than the device is bound.
    /// - The device can have no [shrinker](Setup::shrinker). TTM itself swaps out its buffers.
    pub const fn coherent(mask: DmaMask) -> Self {
        Self {
            mask,
            flags: bindings::TTM_ALLOCATION_POOL_USE_DMA_ALLOC,
        }
    }

    /// Uses only pages below 4 GiB of the memory of the machine.
    pub const fn below_4_gib(self) -> Self {
        Self {
            mask: self.mask,
            flags: self.flags | bindings::TTM_ALLOCATION_POOL_USE_DMA32,
        }
    }

    const fn is_coherent(&self) -> bool {
        self.flags & bindings::TTM_ALLOCATION_POOL_USE_DMA_ALLOC != 0
    }
}

/// The DMA of a device.
///
/// # Invariants
///
/// `unbind` has the device that this is a part of, until that is dropped.
pub(super) struct DeviceDma {
    is_coherent: bool,
    /// Set when the device is being unbound. From then on nothing is mapped.
    has_ended: Atomic<bool>,
    unbind: Arc<Unbind>,
}

impl DeviceDma {
    pub(super) fn is_coherent(&self) -> bool {
        self.is_coherent
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Acquire)
    }
}

/// What the parent of a device does when it is unbound.
///
/// The parent's resources own a reference. They may be released after the device is freed, or at
/// the same time.
///
/// # Invariants
///
/// `raw` is null, or a device with [`DeviceDma`] that lasts at least until `raw` is set to null.
#[pin_data]
struct Unbind {
    #[pin]
    raw: Mutex<Raw>,
    parent: ARef<device::Device>,
}

struct Raw(*const RawDevice);

// SAFETY: A `RawDevice` may be used from any thread.
unsafe impl Send for Raw {}

impl Unbind {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    fn new(parent: ARef<device::Device>) -> Result<Arc<Self>> {
        // INVARIANT: There is no device yet.
        let init = pin_init!(Self {
            raw <- new_mutex!(Raw(ptr::null())),
            parent,
        });

        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Unmaps all pages, and lets no more be mapped.
    fn end(&self) {
        let raw = self.raw.lock();
        if raw.0.is_null() {
            return;
        }

        // SAFETY: It isn't null, so by the type invariants it is valid as long as the lock is held.
        let this = unsafe { &*raw.0 };
        let (drm, bdev) = (this.drm(), this.bdev());
        if let Some(dma) = this.dma() {
            dma.has_ended.store(true, Release);
        }
        // SAFETY: `drm` is the device that `this` is a part of, so its count is valid.
        if unsafe { bindings::kref_get_unless_zero(&raw mut (*drm).ref_) } == 0 {
            // It is being freed, so it has no buffers. `forget` waits for the lock.
            // SAFETY: `bdev` is initialized, and nothing gives its pool pages, as there are no
            // buffers.
            unsafe { bindings::ttm_pool_drain(&raw mut (*bdev).pool) };
            return;
        }
        // The reservations that are taken now may be held by threads that free a device.
        drop(raw);
        // SAFETY: `drm` is valid as long as the reference, and so is `bdev`. `has_ended` is set, so
        // that populating maps nothing. The reference is the one from above.
        unsafe {
            bindings::ttm_device_end_dma(bdev);
            bindings::drm_dev_put(drm);
        }
    }

    /// Forgets the device, which is being freed and has no buffers any more.
    fn forget(&self) {
        let mut raw = self.raw.lock();

        if !raw.0.is_null() {
            // SAFETY: It isn't null, so by the type invariants it is valid; its `bdev` is
            // initialized. Nothing gives its pool pages, as there are no buffers.
            unsafe { bindings::ttm_pool_drain(&raw mut (*(*raw.0).bdev()).pool) };
            // INVARIANT: It is null from here on.
            raw.0 = ptr::null();
        }
    }
}

/// The parent is being unbound. Not generic, so it is part of the kernel image (L1).
///
/// # Safety
///
/// `unbind` must come from [`Arc::into_raw`], and is given away.
#[inline(never)]
unsafe extern "C" fn unbind_callback(unbind: *mut c_void) {
    // SAFETY: `unbind` comes from `Arc::into_raw`, and its reference is given away, by the
    // function's requirements.
    unsafe { Arc::<Unbind>::from_raw(unbind.cast()) }.end();
}

/// Ends the DMA of a device that is being freed.
pub(super) fn end(dma: &DeviceDma) {
    let unbind: *const Unbind = &*dma.unbind;
    let callback: unsafe extern "C" fn(*mut c_void) = unbind_callback;

    dma.unbind.forget();
    // SAFETY: The parent is valid. If the callback is still one of its resources, a reference
    // belongs to it, which is dropped here. Otherwise the callback drops it.
    unsafe {
        let parent = dma.unbind.parent.as_raw();
        let token = unbind.cast_mut().cast();

        if bindings::devm_remove_action_nowarn(parent, Some(callback), token) == 0 {
            drop(Arc::from_raw(unbind));
        }
    }
}

impl Setup<'_> {
    /// Lets the device access the pages of its buffers.
    ///
    /// A buffer's pages are mapped for the device's parent when the buffer gets them, and unmapped
    /// when it loses them. [`Reserved::pieces`](super::Reserved::pieces) and
    /// [`Move::source`](super::Move::source) have the addresses. Call this before
    /// [`Self::shrinker`].
    ///
    /// When the parent is unbound, all pages are unmapped: after the registration has ended, and
    /// after the release of resources of the parent that are younger than the device. The device
    /// must not use the pages any more then, so end its work when the registration's data is
    /// dropped. Buffers that were [mapped](Dma::mapped) keep their pages and their content, for the
    /// CPU and for importers; they can still be swapped out and populated. [Coherent](Dma::coherent)
    /// buffers lose both, once their fences are signaled: populating them then fails with
    /// [`ENODEV`], as does reading and writing.
    ///
    /// # Errors
    ///
    /// [`EIO`] if the parent can't do DMA with this mask, or no DMA at all; [`EEXIST`] if this was
    /// called before; [`EOPNOTSUPP`] for coherent memory if the device has a shrinker; [`ENODEV`]
    /// if the parent is being unbound; [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{dma::DmaMask, drm::ttm::{self, test_device, Address, OperationCtx}};
    ///
    /// let dma = ttm::Dma::mapped(DmaMask::new::<40>());
    /// let dev = test_device::Device::with(|setup| setup.dma(dma))?;
    /// let obj = dev.system(0x3000)?;
    /// let mut reserved = obj.reserve();
    ///
    /// // Without pages, there are no addresses.
    /// assert_eq!(reserved.pieces().err(), Some(ENXIO));
    /// reserved.populate(&mut OperationCtx::new())?;
    /// assert_eq!(dev.dma_pages(), 3);
    ///
    /// let mut size = 0;
    /// for piece in reserved.pieces()? {
    ///     assert!(matches!(piece.at, Address::Bus(address) if address >> 40 == 0));
    ///     size += piece.size;
    /// }
    /// assert_eq!(size, 0x3000);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn dma(&mut self, dma: Dma) -> Result {
        if self.raw.dma().is_some() {
            return Err(EEXIST);
        }
        if dma.is_coherent() && self.raw.is_shrinkable() {
            return Err(EOPNOTSUPP);
        }

        // SAFETY: The DRM device is valid, and its parent is a device which it has a reference to.
        let parent = unsafe { device::Device::get_device((*self.raw.drm()).dev) };
        // SAFETY: The parent is valid, and bound: `Device::new` borrows it as such. A thread that
        // allocates or maps memory for it meanwhile gets an address by the old mask or by the new
        // one: the masks are words of their own, and all other state changes atomically. Such an
        // address may be beyond what the device can send, but no CPU accesses memory by it; a
        // driver can give its device any address anyway.
        to_result(unsafe {
            bindings::dma_set_mask_and_coherent(parent.as_raw(), dma.mask.value())
        })
        .map_err(|_| EIO)?;

        let unbind = Unbind::new(parent)?;
        // INVARIANT: The device lasts until `end`, which is called before it is freed, sets this to
        // null.
        unbind.raw.lock().0 = &*self.raw;
        let is_coherent = dma.is_coherent();
        // INVARIANT: `unbind` has just got this device.
        self.raw.as_mut().set_dma(DeviceDma {
            is_coherent,
            has_ended: Atomic::new(false),
            unbind: unbind.clone(),
        });

        let bdev = self.raw.bdev();
        // SAFETY: `bdev` is initialized, and so is its pool, from which nothing was allocated yet;
        // it is ended before it is initialized again. The parent is valid.
        unsafe {
            let parent = unbind.parent.as_raw();
            let mut flags = (*bdev).alloc_flags | dma.flags;

            if !is_coherent && bindings::ttm_dma_is_limited(parent) {
                flags |= bindings::TTM_ALLOCATION_POOL_USE_DMA32;
            }
            let pool = &raw mut (*bdev).pool;
            let nid = (*pool).nid;
            bindings::ttm_pool_fini(pool);
            bindings::ttm_pool_init(pool, parent, nid, flags);
            (*bdev).alloc_flags = flags;
        }

        let parent = unbind.parent.clone();
        // On failure, this calls the callback, which finds no mappings.
        // SAFETY: The parent is bound. The reference is given away to the callback.
        to_result(unsafe {
            bindings::devm_add_action_or_reset(
                parent.as_raw(),
                Some(unbind_callback),
                Arc::into_raw(unbind).cast_mut().cast(),
            )
        })?;
        // The release of the parent's resources may have begun, and may have missed this one.
        if !parent.keeps_resources() {
            return Err(ENODEV);
        }
        Ok(())
    }
}

impl<T: Driver> Device<T> {
    /// How many pages are mapped for the device just now; of [coherent](Dma::coherent) memory, how
    /// many are allocated, including those that are kept for the next buffer.
    ///
    /// 0 without [`Setup::dma`], and when the parent is unbound. Imported buffers don't count.
    pub fn dma_pages(&self) -> usize {
        // SAFETY: By the type invariants of `RawDevice` `bdev` is initialized, and its pool with
        // it. Other threads change the counter atomically.
        let pages =
            unsafe { (&raw const (*self.as_bdev()).pool.dma_pages.counter).read_volatile() };

        usize::try_from(pages).unwrap_or(0)
    }
}
