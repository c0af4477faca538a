// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Managers of memory types.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    Cursor,
    Device,
    Driver, //
};
use crate::{
    bindings,
    types::Opaque, //
};
use core::marker::PhantomData;

/// The manager of a memory type of a device.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{fixture, MemType};
///
/// let dev = fixture::Device::new()?;
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
/// `self.0` is an initialized `struct ttm_resource_manager` of a [`Device<T>`], as long as there is a
/// reference to `self`.
#[repr(transparent)]
pub struct Manager<T: Driver>(
    Opaque<bindings::ttm_resource_manager>,
    PhantomData<fn() -> T>,
);

// SAFETY: What is there for a shared reference is constant or has locks of its own.
unsafe impl<T: Driver> Sync for Manager<T> {}

impl<T: Driver> Manager<T> {
    /// # Safety
    ///
    /// `man` must be as the type's invariants say, for `'a`.
    pub(super) unsafe fn from_raw<'a>(man: *mut bindings::ttm_resource_manager) -> &'a Self {
        // CAST: `Self` is transparent.
        // INVARIANT: By the function's requirements.
        // SAFETY: By the function's requirements.
        unsafe { &*man.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::ttm_resource_manager {
        self.0.get()
    }

    /// The device.
    pub fn device(&self) -> &Device<T> {
        // SAFETY: By the type invariants; constant.
        unsafe { Device::from_bdev((*self.as_raw()).bdev) }
    }

    /// Bytes in use.
    pub fn usage(&self) -> u64 {
        // SAFETY: By the type invariants. This takes the LRU lock.
        unsafe { bindings::ttm_resource_manager_usage(self.as_raw()) }
    }

    /// A cursor, to walk what is on the manager's LRU lists. It has to be pinned first.
    pub fn cursor(&self) -> Cursor<'_, T> {
        Cursor::new(self)
    }
}
