// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Buffers on the LRU lists: objects, zombies and ghosts.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    driver::SYSTEM,
    resv::private::RawResv,
    AsBuffer,
    Device,
    Driver,
    HasResv,
    MemType,
    Object,
    Place,
    Reserved, //
};
use crate::{
    bindings,
    drm::gem::IntoGEMObject,
    fmt,
    sync::aref::ARef,
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    }, //
};

/// Identifies a buffer while it exists.
///
/// [`Debug`](core::fmt::Debug) prints a number, and not its address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BufferId(usize);

impl fmt::Debug for BufferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&fmt::HashedPtr(ptr::without_provenance::<u8>(self.0)), f)
    }
}

impl BufferId {
    pub(super) fn new(bo: *const bindings::ttm_buffer_object) -> Self {
        Self(bo.addr())
    }
}

/// A buffer as TTM sees it, in any state.
///
/// A buffer on an LRU list may be alive: an [`Object`] with references. It may be a *zombie*: all
/// references were dropped, but TTM must wait for the GPU before it frees the buffer. Or it may be
/// a *ghost*, which holds the old memory of a buffer that is being moved, and is no GEM object at
/// all. So this isn't an [`Object`], but may be turned into one.
///
/// # Invariants
///
/// `self.0` is a valid `struct ttm_buffer_object` of a [`Device<T>`], with a TTM reference that
/// lasts as long as any reference to `self`. Unless `base.dev` is null, which makes it a ghost, it
/// is embedded in an [`Object<T::BufferData>`].
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::test_device;
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.vram(0x3000)?;
/// let bo = obj.buffer();
///
/// assert_eq!(bo.size(), 0x3000);
/// assert!(!bo.is_ghost());
///
/// // It is alive, so there is an object.
/// let same = bo.object().ok_or(ENOENT)?;
/// assert_eq!(same.buffer().id(), bo.id());
/// # Ok::<(), Error>(())
/// ```
///
/// A walk may have the last reference to a buffer:
///
/// ```
/// use core::pin::pin;
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
///
/// let dev = test_device::Device::new()?;
/// let mut obj = Some(dev.vram(0x1000)?);
///
/// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
/// let mut walk = cursor.as_mut().lock();
/// assert!(walk.next().is_some());
/// let evicted = walk.with_buffer(|bo| {
///     assert!(bo.object().is_some());
///     obj = None;
///     assert!(bo.object().is_none());
///     bo.reserve().evict(&mut OperationCtx::new())
/// });
/// assert_eq!(evicted, Some(Ok(())));
/// # Ok::<(), Error>(())
/// ```
#[repr(transparent)]
pub struct Buffer<T: Driver>(Opaque<bindings::ttm_buffer_object>, PhantomData<fn() -> T>);

// SAFETY: TTM's buffers may be used and freed from any thread; the driver's part is `Send`.
unsafe impl<T: Driver> Send for Buffer<T> {}

// SAFETY: All that a shared reference gives access to is constant, has locks of its own, or is
// protected by the reservation. The driver's part is `Sync`.
unsafe impl<T: Driver> Sync for Buffer<T> {}

impl<T: Driver> Buffer<T> {
    /// # Safety
    ///
    /// `bo` must be as the type's invariants say, for `'a`.
    pub(super) unsafe fn from_raw<'a>(bo: *mut bindings::ttm_buffer_object) -> &'a Self {
        // CAST: `Self` is transparent.
        // INVARIANT: By the function's requirements.
        // SAFETY: `bo` is valid for `'a` and as the type's invariants say, by the function's
        // requirements. `Self` is a transparent wrapper of a buffer, in an `Opaque`, so that C may
        // write to it.
        unsafe { &*bo.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::ttm_buffer_object {
        self.0.get()
    }

    /// Identifies this buffer while it exists.
    pub fn id(&self) -> BufferId {
        BufferId::new(self.as_raw())
    }

    /// Its size in bytes, a multiple of the page size.
    pub fn size(&self) -> usize {
        // SAFETY: By the type invariants the buffer is valid. Its size is set before it is one of
        // TTM's, and never changes.
        unsafe { (*self.as_raw()).base.size }
    }

    /// The device that it is on.
    pub fn device(&self) -> &Device<T> {
        // SAFETY: By the type invariants the buffer is valid, and `bdev`, which never changes, is
        // that of a `Device<T>`. Each buffer has a reference to its device, and so has the one that
        // a ghost comes from.
        unsafe { Device::from_bdev((*self.as_raw()).bdev) }
    }

    /// Whether it is a ghost: no GEM object, just old memory of one that is being moved.
    pub fn is_ghost(&self) -> bool {
        // SAFETY: By the type invariants the buffer is valid. `dev` is set before a buffer, or a
        // ghost, can be seen, and never changes.
        unsafe { (*self.as_raw()).base.dev.is_null() }
    }

    /// Whether its memory was imported: it belongs to another device, or to another exporter of
    /// DMA-bufs.
    ///
    /// # Examples
    ///
    /// See [`Object`].
    pub fn is_imported(&self) -> bool {
        // SAFETY: By the type invariants the buffer is valid. Its type is set before it is one of
        // TTM's, and never changes.
        unsafe { (*self.as_raw()).type_ == bindings::ttm_bo_type_ttm_bo_type_sg }
    }

    /// Where it may go when it is evicted from `from`.
    pub(super) fn eviction_places(&self, from: Option<MemType>) -> &'static [Place] {
        match (self.data(), from) {
            (Some(data), Some(from)) if !self.is_imported() => T::evict_flags(data, from),
            _ => SYSTEM,
        }
    }

    /// A reference to the object, or [`None`] if it isn't alive any more.
    ///
    /// For the driver's part, [`Self::data`] is enough. Dropping the last reference to an object
    /// may sleep, but doesn't wait for the reservation, so the thread may hold that.
    pub fn object(&self) -> Option<ARef<Object<T::BufferData>>> {
        if self.is_ghost() {
            return None;
        }

        // SAFETY: By the type invariants the buffer is valid. This is a pointer to its GEM part,
        // which is initialized, as this is no ghost.
        let gem = unsafe { &raw mut (*self.as_raw()).base };

        // SAFETY: The GEM part is in the buffer, which is valid as long as `self` is borrowed. Its
        // count is initialized, and only accessed as an atomic.
        if unsafe { bindings::kref_get_unless_zero(&raw mut (*gem).refcount) } == 0 {
            return None;
        }

        // SAFETY: No ghost, hence embedded in an object by the type invariants; it is alive, as
        // there is a reference since just now.
        let obj: &Object<T::BufferData> = unsafe { IntoGEMObject::from_raw(gem) };

        // SAFETY: The reference that was just taken is given away here, and not used otherwise.
        Some(unsafe { ARef::from_raw(NonNull::from(obj)) })
    }

    /// The driver's part, unless this is a ghost. The object may be a zombie.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let _obj = dev.vram(0x1000)?;
    ///
    /// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    /// let mut walk = pin!(vram.walk(&OperationCtx::new()));
    /// for bo in walk.as_mut() {
    ///     let bo = bo?;
    ///     assert_eq!(bo.data().map(|data| data.home()), Some(MemType::VRAM));
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn data(&self) -> Option<&T::BufferData> {
        if self.is_ghost() {
            return None;
        }

        // SAFETY: By the type invariants the buffer is valid, and as it is no ghost, it is embedded
        // in an object whose driver's part is there until TTM's last reference is dropped. Nothing
        // else of the object is borrowed.
        Some(unsafe { &*Object::<T::BufferData>::data_of(self.as_raw()) })
    }

    /// Waits for the buffer's reservation and takes it.
    ///
    /// May sleep. Must not be called by a thread that has this reservation already, see
    /// [`Reserved`](Reserved#deadlocks). A thread that has another one can deadlock as well: it
    /// should take all of them in a [`transaction`](super::transaction()).
    pub fn reserve(&self) -> Reserved<'_, Self> {
        Reserved::lock(self)
    }

    /// Takes the buffer's reservation if it is free.
    pub fn try_reserve(&self) -> Option<Reserved<'_, Self>> {
        Reserved::try_lock(self)
    }
}

// SAFETY: By the type invariants the buffer, and with it its reservation, is valid. It changes only
// when TTM's last reference is dropped, which is not the case while there is a reference to `self`.
unsafe impl<T: Driver> RawResv for Buffer<T> {
    fn raw_resv(&self) -> *mut bindings::dma_resv {
        // SAFETY: By the type invariants the buffer is valid. Its reservation is set before anyone
        // else can have a reference, and is replaced only when TTM's last reference was dropped.
        unsafe { (*self.as_raw()).base.resv }
    }
}

impl<T: Driver> HasResv for Buffer<T> {}

// SAFETY: `as_buffer` returns the buffer itself, so both have the same reservation.
unsafe impl<T: Driver> AsBuffer for Buffer<T> {
    type Driver = T;

    fn as_buffer(&self) -> &Buffer<T> {
        self
    }
}
