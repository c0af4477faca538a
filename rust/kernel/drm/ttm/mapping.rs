// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Buffers in the kernel's address space.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    raw_device::RawDevice,
    reach::map_pieces,
    DriverObject,
    Object,
    Pinned,
    Reserved, //
};
use crate::{
    bindings,
    error::to_result,
    io::{
        IoBase,
        Region,
        SysMem,
        SysMemBackend, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};
use core::ops::Deref;

/// A buffer that is pinned and mapped for the kernel; dropping this unmaps and unpins it.
///
/// It is accessed with the functions of [`Io`], in every memory type. Programs and the device may
/// access it at the same time.
///
/// It may be dropped with the reservation held, as [`Pinned`].
///
/// [`Io`]: crate::io::Io
///
/// # Examples
///
/// ```
/// use kernel::{
///     drm::ttm::{test_device, OperationCtx},
///     io::Io, //
/// };
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.vram(0x2000)?;
/// let map = obj.reserve().vmap::<0x1000>()?;
///
/// // Checked when it is compiled ...
/// (&map).write32(0xcafe, 0xffc);
/// // ... and when it is run.
/// (&map).try_write32(0xf00d, 0x1ffc)?;
/// assert!((&map).try_write32(0, 0x2000).is_err());
///
/// let mut bytes = [0; 4];
/// obj.reserve().read(0x1ffc, &mut bytes)?;
/// assert_eq!(u32::from_le_bytes(bytes), 0xf00d);
///
/// // It stays where it is, as long as it is mapped.
/// assert_eq!(obj.reserve().evict(&mut OperationCtx::new()), Err(EBUSY));
/// drop(map);
/// obj.reserve().evict(&mut OperationCtx::new())?;
///
/// // Now it is made of pages.
/// let map = obj.reserve().vmap::<0>()?;
/// assert_eq!((&map).try_read32(0xffc)?, 0xcafe);
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// All of the buffer, at least `SIZE` bytes, is mapped at `addr`, which is memory. If `owned`,
/// it was mapped for this alone, with `vmap`. The buffer is pinned as long as it is
/// mapped.
pub struct Mapping<T: DriverObject, const SIZE: usize = 0> {
    addr: *mut u8,
    owned: bool,
    pinned: Pinned<T>,
}

// SAFETY: The mapping may be used and undone from any thread; `pinned` is `Send`.
unsafe impl<T: DriverObject, const SIZE: usize> Send for Mapping<T, SIZE> {}

// SAFETY: All accesses to the memory allow for concurrent ones; `pinned` is `Sync`.
unsafe impl<T: DriverObject, const SIZE: usize> Sync for Mapping<T, SIZE> {}

impl<T: DriverObject, const SIZE: usize> Mapping<T, SIZE> {
    /// Maps a buffer, and pins it.
    ///
    /// # Safety
    ///
    /// The buffer must have a place, and be at least `SIZE` bytes.
    pub(super) unsafe fn new(reserved: &mut Reserved<'_, Object<T>>) -> Result<Self> {
        let pinned = reserved.pin()?;

        // SAFETY: By the function's requirements it has a place; it is reserved and, as of now,
        // pinned.
        match unsafe { map(reserved.buffer().as_raw()) } {
            // INVARIANT: It is mapped there and pinned, and as large as the function's requirements
            // say.
            Ok((addr, owned)) => Ok(Self {
                addr,
                owned,
                pinned,
            }),
            Err(e) => {
                // It is the right reservation.
                let _ = pinned.unpin(reserved);
                Err(e)
            }
        }
    }
}

/// Maps a buffer. Returns the address, and whether it was mapped with `vmap`.
///
/// # Safety
///
/// `bo` must be a valid buffer on the device of a [`RawDevice`], reserved and pinned, that has a
/// place.
unsafe fn map(bo: *mut bindings::ttm_buffer_object) -> Result<(*mut u8, bool)> {
    // SAFETY: `bo` is valid and on the device of a `RawDevice`, which it keeps, by the function's
    // requirements; the reservation, which protects `resource`, is held.
    let (raw, res) = unsafe { (RawDevice::from_bdev((*bo).bdev), (*bo).resource) };

    // SAFETY: `res` is the buffer's resource on that device, by the function's requirements, and
    // stays while it is reserved.
    if let Some(reach) = unsafe { raw.reach(res) }? {
        if reach.is_io() {
            // The window may go while it is mapped.
            return Err(ENOTSUPP);
        }
        // SAFETY: `bo` is valid, by the function's requirements, and its size doesn't change.
        let count = unsafe { (*bo).base.size } >> PAGE_SHIFT;
        return match reach.linear() {
            // It is mapped there as long as the device exists.
            Some(addr) => Ok((addr, false)),
            // SAFETY: It is emulated memory, which is vmalloc memory, of so many pages.
            None => unsafe { map_pieces(&reach, count) }.map(|addr| (addr, true)),
        };
    }
    // Coherent memory goes when the parent is unbound.
    if raw.has_coherent_memory() {
        return Err(ENOTSUPP);
    }

    let mut map = bindings::iosys_map::default();
    // SAFETY: `bo` is valid, reserved, pinned and has a place, by the function's requirements;
    // `map` is valid for writes during the call.
    to_result(unsafe { bindings::ttm_bo_vmap(bo, &mut map) })?;
    // CAST: Both are an address.
    // SAFETY: All variants are an address.
    Ok((unsafe { map.__bindgen_anon_1.vaddr }.cast(), true))
}

impl<'a, T: DriverObject, const SIZE: usize> IoBase<'a> for &'a Mapping<T, SIZE> {
    type Backend = SysMemBackend;
    type Target = Region<SIZE>;

    fn as_view(self) -> SysMem<'a, Region<SIZE>> {
        let size = self.pinned.buffer().size();

        // SAFETY: By the type invariants all of the buffer is mapped at `addr` as long as `self` is
        // borrowed, and the mapping consists of whole pages.
        unsafe { SysMem::new(Region::ptr_from_raw_parts_mut(self.addr, size)) }
    }
}

impl<T: DriverObject, const SIZE: usize> Deref for Mapping<T, SIZE> {
    type Target = Object<T>;

    fn deref(&self) -> &Object<T> {
        &self.pinned
    }
}

impl<T: DriverObject, const SIZE: usize> Drop for Mapping<T, SIZE> {
    fn drop(&mut self) {
        if self.owned {
            // Not `ttm_bo_vunmap`, which requires the reservation. For a buffer made of pages it
            // does no more than this.
            // SAFETY: By the type invariants this is where the buffer was mapped, for this alone,
            // and it isn't used again. The buffer is still pinned, so its pages are there.
            unsafe { bindings::vunmap(self.addr.cast()) };
        }
    }
}
