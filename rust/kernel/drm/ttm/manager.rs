// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Managers of memory types.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    Cursor,
    Device,
    Driver,
    MemType,
    OperationCtx,
    ReservedWalk, //
};
use crate::{
    bindings,
    error::{
        to_result,
        Result, //
    },
    types::Opaque, //
};
use core::marker::PhantomData;

/// The managers that a walk visits, one after the other. It is empty for a walk that never leaves
/// its first manager.
pub(super) struct Route<'dev, T: Driver> {
    dev: &'dev Device<T>,
    all: &'dev [MemType],
    rest: &'dev [MemType],
}

impl<'dev, T: Driver> Route<'dev, T> {
    pub(super) fn new(dev: &'dev Device<T>, all: &'dev [MemType]) -> Self {
        Self {
            dev,
            all,
            rest: all,
        }
    }

    /// The next manager. Skips memory types that the device doesn't have.
    pub(super) fn next(&mut self) -> Option<&'dev Manager<T>> {
        while let [first, rest @ ..] = self.rest {
            self.rest = rest;
            let man = self.dev.manager(*first);
            if man.is_some() {
                return man;
            }
        }
        None
    }

    /// Skips all managers that are left.
    pub(super) fn end(&mut self) {
        self.rest = &[];
    }

    /// Starts over. Returns the first manager, or [`None`] if the route is empty, as it is for a
    /// walk that [`Manager`] makes.
    pub(super) fn restart(&mut self) -> Option<&'dev Manager<T>> {
        self.rest = self.all;
        self.next()
    }
}

/// The manager of a memory type of a device.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, MemType};
///
/// let dev = test_device::Device::new()?;
/// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
/// assert_eq!(vram.usage(), 0);
///
/// let obj = dev.vram(0x8000)?;
/// assert_eq!(vram.usage(), 0x8000);
/// drop(obj);
/// assert_eq!(vram.usage(), 0);
///
/// // This device has none.
/// assert!(dev.manager(MemType::PRIV).is_none());
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `self.0` is an initialized `struct ttm_resource_manager` of a [`Device<T>`], as long as there is
/// a reference to `self`.
#[repr(transparent)]
pub struct Manager<T: Driver>(
    Opaque<bindings::ttm_resource_manager>,
    PhantomData<fn() -> T>,
);

// SAFETY: All that a shared reference gives access to is constant or has locks of its own.
unsafe impl<T: Driver> Sync for Manager<T> {}

impl<T: Driver> Manager<T> {
    /// # Safety
    ///
    /// `man` must be as the type's invariants say, for `'a`.
    pub(super) unsafe fn from_raw<'a>(man: *mut bindings::ttm_resource_manager) -> &'a Self {
        // CAST: `Self` is transparent.
        // INVARIANT: By the function's requirements.
        // SAFETY: `man` is an initialized manager for `'a`, and as the type's invariants say, by
        // the function's requirements. `Self` is a transparent wrapper of one, in an `Opaque`, so
        // that C may write to it.
        unsafe { &*man.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::ttm_resource_manager {
        self.0.get()
    }

    /// The device.
    pub fn device(&self) -> &Device<T> {
        // SAFETY: By the type invariants the manager is initialized, and one of a `Device<T>`,
        // which lasts longer. `bdev` is set with that and never changes.
        unsafe { Device::from_bdev((*self.as_raw()).bdev) }
    }

    /// Bytes that are in use. Takes the LRU lock.
    pub fn usage(&self) -> u64 {
        // SAFETY: By the type invariants the manager is initialized. `ttm_resource_manager_usage`
        // takes the LRU lock itself, as is required.
        unsafe { bindings::ttm_resource_manager_usage(self.as_raw()) }
    }

    /// Returns a cursor to walk the manager's LRU lists. Pin it first.
    pub fn cursor(&self) -> Cursor<'_, T> {
        Cursor::new(self, Route::new(self.device(), &[]))
    }

    /// Returns a walk over the manager's buffers that returns each buffer reserved. Pin it first.
    ///
    /// It waits for reservations only with [`ReservedWalk::waiting`], and never with a context that
    /// is [`OperationCtx::no_wait_gpu`].
    pub fn walk(&self, ctx: &OperationCtx) -> ReservedWalk<'_, T> {
        ReservedWalk::new(self, Route::new(self.device(), &[]), ctx)
    }

    /// Evicts all buffers, and waits until they have left (E7).
    ///
    /// If a buffer can't be evicted, this continues with the others. It waits for reservations, so
    /// the caller must hold none.
    ///
    /// # Errors
    ///
    /// The error with which the eviction of a buffer failed, if one is left.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let objects = [dev.vram(0x1000)?, dev.vram(0x2000)?];
    /// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    ///
    /// vram.evict_all()?;
    /// assert_eq!(vram.usage(), 0);
    /// assert_eq!(objects[1].reserve().mem_type(), Some(MemType::SYSTEM));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn evict_all(&self) -> Result {
        let bdev = self.device().as_bdev();

        // SAFETY: By the type invariants the manager is initialized, and `bdev` is the device that
        // it is of; it is borrowed from that.
        to_result(unsafe { bindings::ttm_resource_manager_evict_all(bdev, self.as_raw()) })
    }
}
