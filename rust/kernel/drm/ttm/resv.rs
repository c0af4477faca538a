// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Reservations: the lock that protects where a buffer is, alone or shared.
//!
//! C header: [`include/linux/dma-resv.h`](srctree/include/linux/dma-resv.h)

use super::{
    Buffer,
    Driver,
    Reserved, //
};
use crate::{
    bindings,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

pub(super) mod private {
    /// Has a reservation. Not to be implemented by drivers.
    ///
    /// # Safety
    ///
    /// `raw_resv` must return a valid `dma_resv`, and always the same one, as long as `self` is
    /// borrowed.
    pub unsafe trait RawResv {
        /// The reservation.
        fn raw_resv(&self) -> *mut crate::bindings::dma_resv;
    }
}

/// Something with a reservation: an [`Object`](super::Object), a [`Buffer`], or a [`Resv`].
pub trait HasResv: private::RawResv {}

/// Something that is a buffer: an [`Object`](super::Object) or a [`Buffer`].
///
/// # Safety
///
/// `as_buffer` must always return the same buffer, whose reservation is that of `self`.
pub unsafe trait AsBuffer: HasResv {
    /// The driver that it belongs to.
    type Driver: Driver;

    /// The buffer.
    fn as_buffer(&self) -> &Buffer<Self::Driver>;
}

/// A reservation that several buffers share.
///
/// Buffers that are used together, such as the buffers of a VM, share a reservation. Only such
/// buffers can be in one [`BulkMove`](super::BulkMove).
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

// SAFETY: A `dma_resv` has locks of its own; to unlock it takes a `Reserved`, which can't be
// shared.
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
    /// [`Object::reserve_interruptible`](super::Object::reserve_interruptible).
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
        // SAFETY: By the type invariants the reservation is initialized. It is no longer used, as
        // each user has a reference to `self`, and so no thread waits for it. If a guard was
        // forgotten it is still held, which only lock debugging reports.
        unsafe { bindings::dma_resv_fini(self.resv.get()) };
    }
}

// SAFETY: By the type invariants the reservation is initialized. It is a part of `self`, so it is
// valid and the same one as long as that is borrowed.
unsafe impl private::RawResv for Resv {
    fn raw_resv(&self) -> *mut bindings::dma_resv {
        self.resv.get()
    }
}

impl HasResv for Resv {}
