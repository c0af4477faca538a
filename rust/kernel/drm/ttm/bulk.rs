// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Bulks: buffers that move to the tail of their LRU list together.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    resv::private::RawResv,
    Device,
    Driver,
    DriverObject,
    HasResv,
    Lru,
    Object,
    Reserved,
    Resv, //
};
use crate::{
    bindings,
    drm,
    fmt,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    types::Opaque, //
};
use core::ptr;

/// Identifies a bulk while it exists.
///
/// [`Debug`](core::fmt::Debug) prints a number, and not its address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BulkId(usize);

impl fmt::Debug for BulkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&fmt::HashedPtr(ptr::without_provenance::<u8>(self.0)), f)
    }
}

impl BulkId {
    pub(super) fn new(bulk: *const bindings::ttm_lru_bulk_move) -> Option<Self> {
        (!bulk.is_null()).then(|| Self(bulk.addr()))
    }
}

/// Buffers that move to the tail of their LRU list together.
///
/// They all share one reservation. A buffer joins when it is made ([`ObjectConfig::bulk`]) or with
/// [`Reserved::set_bulk`], and leaves with [`Reserved::leave_bulk`] or when it isn't alive any
/// more. In each list, the members are next to each other.
///
/// It has a reference to its device. TTM's part of it exists as long as this or a member does.
/// Dropping the last of them takes the LRU lock.
///
/// [`ObjectConfig::bulk`]: super::ObjectConfig::bulk
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, BulkMove, Resv};
///
/// let dev = test_device::Device::new()?;
/// let bulk = BulkMove::new(&dev, Resv::new()?)?;
/// let a = dev.member(0x1000, &bulk)?;
/// let loose = dev.vram(0x1000)?;
/// let b = dev.member(0x1000, &bulk)?;
///
/// // `b` went next to `a`.
/// assert_eq!(dev.order()?, [a.buffer().id(), b.buffer().id(), loose.buffer().id()]);
///
/// let reserved = bulk.reserve();
/// bulk.move_to_tail(&reserved, &mut dev.lru())?;
/// assert_eq!(dev.order()?, [loose.buffer().id(), a.buffer().id(), b.buffer().id()]);
/// # Ok::<(), Error>(())
/// ```
///
/// A buffer with another reservation can't join, and a bulk doesn't move without its reservation:
///
/// ```
/// use kernel::drm::ttm::{test_device, BulkMove, Resv};
///
/// let dev = test_device::Device::new()?;
/// let bulk = BulkMove::new(&dev, Resv::new()?)?;
/// let loose = dev.vram(0x1000)?;
///
/// let mut reserved = loose.reserve();
/// assert_eq!(reserved.set_bulk(&bulk), Err(EINVAL));
/// assert_eq!(bulk.move_to_tail(&reserved, &mut dev.lru()), Err(EINVAL));
/// # Ok::<(), Error>(())
/// ```
///
/// A buffer of another device can't join either:
///
/// ```
/// use kernel::drm::ttm::{test_device, BulkMove, Resv};
///
/// let dev = test_device::Device::new()?;
/// let other = test_device::Device::new()?;
/// let resv = Resv::new()?;
/// let bulk = BulkMove::new(&dev, resv.clone())?;
/// let obj = other.shared(0x1000, &resv)?;
///
/// assert_eq!(obj.reserve().set_bulk(&bulk), Err(EXDEV));
/// assert_eq!(bulk.move_to_tail(&bulk.reserve(), &mut other.lru()), Err(EXDEV));
/// # Ok::<(), Error>(())
/// ```
///
/// Dropping it leaves TTM's part of the bulk to the members, and the last of them frees it. If it
/// is forgotten, TTM's part and the device are never freed.
///
/// # Invariants
///
/// `inner.bdev` is that of `dev`.
pub struct BulkMove<T: Driver> {
    // Goes first: it needs the device.
    inner: Arc<BulkInner>,
    dev: ARef<drm::Device<T>>,
}

/// The part of a bulk that TTM uses.
///
/// # Invariants
///
/// - `bulk` is initialized.
/// - `bdev` is valid: only a [`BulkMove`] and members have references to this, and these have one
///   to the device.
/// - All members have the reservation `resv` and are on `bdev`.
#[pin_data(PinnedDrop)]
pub(super) struct BulkInner {
    #[pin]
    bulk: Opaque<bindings::ttm_lru_bulk_move>,
    bdev: *mut bindings::ttm_device,
    resv: Arc<Resv>,
}

// SAFETY: `bulk` is only accessed under the LRU lock. `bdev` is only passed to TTM, which has locks
// of its own. `resv` is constant, and `Send`.
unsafe impl Send for BulkInner {}

// SAFETY: `bulk` is only accessed under the LRU lock. `bdev` is only passed to TTM, which has locks
// of its own. `resv` is constant, and `Sync`.
unsafe impl Sync for BulkInner {}

impl<T: Driver> BulkMove<T> {
    /// Makes a bulk, without members, for buffers on `dev` that have the reservation `resv`.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(dev: &Device<T>, resv: Arc<Resv>) -> Result<Self> {
        let inner = Arc::pin_init(
            // INVARIANT: `ttm_lru_bulk_move_init` initializes `bulk`; it has no members.
            pin_init!(BulkInner {
                // SAFETY: `bulk` is memory for a `ttm_lru_bulk_move`, which won't move.
                bulk <- Opaque::ffi_init(|bulk| unsafe {
                    bindings::ttm_lru_bulk_move_init(bulk)
                }),
                bdev: dev.as_bdev(),
                resv,
            }),
            GFP_KERNEL,
        )?;

        // INVARIANT: `bdev` is that of `dev`: see above.
        Ok(Self {
            inner,
            dev: dev.drm().into(),
        })
    }

    /// Identifies this bulk while it exists.
    pub fn id(&self) -> BulkId {
        BulkId(self.as_raw().addr())
    }

    /// The device that it is for.
    pub fn device(&self) -> &Device<T> {
        &self.dev
    }

    /// The reservation of all members.
    pub fn resv(&self) -> &Arc<Resv> {
        &self.inner.resv
    }

    /// Waits for the reservation of all members and takes it. See [`Buffer::reserve`].
    ///
    /// [`Buffer::reserve`]: super::Buffer::reserve
    pub fn reserve(&self) -> Reserved<'_, Resv> {
        self.inner.resv.reserve()
    }

    /// Moves all members to the tail of their lists, in their order.
    ///
    /// This takes the same time for any number of members. A walk that is among the members
    /// continues behind them.
    ///
    /// # Errors
    ///
    /// [`EXDEV`] if `lru` is the lock of another device, [`EINVAL`] if `reserved` isn't the
    /// reservation of the members.
    pub fn move_to_tail<B: HasResv>(
        &self,
        reserved: &Reserved<'_, B>,
        lru: &mut Lru<'_, T>,
    ) -> Result {
        if !ptr::eq(lru.device(), self.device()) {
            return Err(EXDEV);
        }
        if !reserved.holds(self.inner.resv.raw_resv()) {
            return Err(EINVAL);
        }

        // SAFETY: By the type invariants of `BulkInner` the bulk is initialized; by those of
        // `BulkMove` and the checks above, the lock and the reservation are the right ones.
        unsafe { bindings::ttm_lru_bulk_move_tail(self.as_raw()) };
        Ok(())
    }

    pub(super) fn as_raw(&self) -> *mut bindings::ttm_lru_bulk_move {
        self.inner.bulk.get()
    }

    pub(super) fn inner(&self) -> Arc<BulkInner> {
        self.inner.clone()
    }
}

impl<T: DriverObject> Reserved<'_, Object<T>> {
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
        if !ptr::eq(bulk.device(), self.buffer().device()) {
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
        drop(unsafe { self.replace_bulk(Some(bulk.inner())) });
        Ok(())
    }

    /// Lets the buffer leave its bulk, if it is in one.
    pub fn leave_bulk(&mut self) {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid.
        unsafe { bindings::ttm_bo_set_bulk_move(self.bo(), ptr::null_mut()) };
        // SAFETY: By the type invariants the reservation is held. `bo.bulk_move` was just set to
        // null.
        drop(unsafe { self.replace_bulk(None) });
    }
}

#[pinned_drop]
impl PinnedDrop for BulkInner {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariants the bulk is initialized and `bdev` is valid, whose LRU
        // lock this takes. There are no members any more: they have references. It isn't used
        // again.
        unsafe { bindings::ttm_lru_bulk_move_fini(self.bdev, self.bulk.get()) };
    }
}
