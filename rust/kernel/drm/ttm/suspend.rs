// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Emptying a device's memory, before it loses power or is reset.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    fence_slot::wait_for,
    reach::access,
    Device,
    Driver,
    MemType, //
};
use crate::{
    bindings,
    container_of,
    error::to_result,
    ffi::c_long,
    prelude::*,
    sync::lock::{
        spinlock::SpinLockBackend,
        Lock, //
    }, //
};
use core::ptr;

impl<T: Driver> Device<T> {
    /// Evicts all buffers in `mem_type` that aren't pinned, and waits until their moves are done.
    ///
    /// If a buffer can't be evicted, this goes on with the others. May sleep. The caller must hold
    /// no reservation, and no lock that [`Driver::move_buffer`] takes.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if the device doesn't have the memory type, and the error of an eviction if there
    /// are buffers left.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let (obj, precious) = (dev.vram(0x1000)?, dev.precious(0x1000)?);
    ///
    /// dev.evict_all(MemType::VRAM)?;
    /// assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
    /// // Also those that aren't worth it otherwise.
    /// assert_eq!(precious.reserve().mem_type(), Some(MemType::SYSTEM));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn evict_all(&self, mem_type: MemType) -> Result {
        let man = self.manager(mem_type).ok_or(ENODEV)?;

        // SAFETY: The manager is one of this device's. No reservation is held, unless the caller
        // deadlocks.
        to_result(unsafe { bindings::ttm_resource_manager_evict_all(self.as_bdev(), man.as_raw()) })
    }

    /// Empties the memory types `types`, whose content is about to be lost: evicts all buffers, and
    /// saves the content of those that are pinned.
    ///
    /// Call this when programs are frozen and their work is done, such as in a driver's `suspend`.
    /// The device may still be needed to move buffers. [`Suspended::resume`] writes the saved
    /// content back to the same place. Evicted buffers come back when they are used next. A device
    /// that is reset loses the content in the same way.
    ///
    /// # Errors
    ///
    /// As [`Self::evict_all`], and [`ENXIO`] if a pinned buffer is where the CPU doesn't reach it,
    /// [`ENODEV`] if it is in a window that is gone, [`ENOMEM`]. Buffers that were evicted stay so.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let ring = dev.vram(0x1000)?;
    /// let _pinned = ring.reserve().pin()?;
    /// ring.reserve().write(8, b"kept")?;
    ///
    /// let suspended = dev.suspend(&[MemType::VRAM])?;
    /// // The memory has no power now.
    /// ring.reserve().write(8, b"lost")?;
    ///
    /// suspended.resume()?;
    /// let mut bytes = [0; 4];
    /// ring.reserve().read(8, &mut bytes)?;
    /// assert_eq!(&bytes, b"kept");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn suspend(&self, types: &[MemType]) -> Result<Suspended> {
        for &mem_type in types {
            self.evict_all(mem_type)?;
        }

        // SAFETY: By the type invariants of `RawDevice` it is initialized.
        let pinned = unsafe { pinned(self.as_bdev(), types) }?;
        let mut saved = KVec::with_capacity(pinned.len(), GFP_KERNEL)?;
        for bo in pinned {
            if let Some(content) = bo.save(types)? {
                saved.push_within_capacity(content).map_err(|_| ENOMEM)?;
            }
        }
        Ok(Suspended(saved))
    }
}

/// The content of pinned buffers, see [`Device::suspend`].
///
/// Dropping this frees it. The buffers then keep what is in their places.
#[must_use = "the saved content is lost when this is unused"]
pub struct Suspended(KVec<Saved>);

impl Suspended {
    /// Writes the content back.
    ///
    /// A buffer that was unpinned and moved meanwhile is left out.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if a buffer is in a window that is gone. The other ones are written nevertheless.
    pub fn resume(self) -> Result {
        self.0.iter().map(Saved::restore).fold(Ok(()), Result::and)
    }
}

/// A reference to a buffer of a device.
///
/// # Invariants
///
/// It is valid, on the device of a `RawDevice`, and a reference to it belongs to this.
struct Ref(*mut bindings::ttm_buffer_object);

// SAFETY: A buffer may be used, and references to it dropped, from any thread.
unsafe impl Send for Ref {}

// SAFETY: A shared reference only reads what doesn't change, or takes the reservation.
unsafe impl Sync for Ref {}

impl Drop for Ref {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the reference belongs to this.
        unsafe { bindings::ttm_bo_fini(self.0) };
    }
}

impl Ref {
    /// Calls `f` with the buffer reserved, and with its place, if it has one. Moves have ended.
    fn reserved<R>(&self, f: impl FnOnce(*mut bindings::ttm_resource) -> R) -> R {
        // SAFETY: By the type invariants the buffer is valid, and so is its reservation. Without a
        // context, taking that doesn't fail, and neither does a wait that can't be interrupted.
        unsafe {
            let resv = (*self.0).base.resv;
            let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

            bindings::dma_resv_lock(resv, ptr::null_mut());
            let _ = wait_for(resv, usage, false, c_long::MAX);
            let ret = f((*self.0).resource);
            bindings::dma_resv_unlock(resv);
            ret
        }
    }

    fn size(&self) -> usize {
        // SAFETY: By the type invariants the buffer is valid. Its size never changes.
        unsafe { (*self.0).base.size }
    }

    /// Saves the content, if the buffer is still pinned in one of `types`.
    fn save(self, types: &[MemType]) -> Result<Option<Saved>> {
        let mut content = KVVec::from_elem(0, self.size(), GFP_KERNEL)?;

        let place = self.reserved(|res| {
            // SAFETY: The buffer is reserved, so its pins don't change, and `res` is null or its
            // resource.
            let Some(place) = (unsafe { Where::of(self.0, res, types) }) else {
                return Ok(None);
            };
            // SAFETY: The buffer is on the device of a `RawDevice`, reserved, has a place that isn't
            // made of pages, and as many bytes.
            unsafe { access(self.0, 0, content.as_mut_ptr(), content.len(), false) }?;
            Ok::<_, Error>(Some(place))
        })?;
        Ok(place.map(|place| Saved {
            bo: self,
            place,
            content,
        }))
    }
}

/// Where a pinned buffer is.
#[derive(Clone, Copy, PartialEq)]
struct Where {
    mem_type: u32,
    start: usize,
}

impl Where {
    /// Where a buffer is, if it is pinned, and in one of `types` that isn't made of pages.
    ///
    /// # Safety
    ///
    /// `bo` must be valid and reserved, `res` be null or its resource.
    unsafe fn of(
        bo: *const bindings::ttm_buffer_object,
        res: *const bindings::ttm_resource,
        types: &[MemType],
    ) -> Option<Self> {
        // SAFETY: `bo` is valid and reserved, and `res` its resource if it isn't null, which is
        // looked at first. All by the function's requirements.
        let (place, use_tt) = unsafe {
            if res.is_null() || (*bo).pin_count == 0 {
                return None;
            }
            let (mem_type, start) = ((*res).mem_type, (*res).start);
            let man = (*(*bo).bdev).man_drv[mem_type as usize];

            (Self { mem_type, start }, (*man).use_tt)
        };
        let is_one = types.iter().any(|of| of.as_u32() == place.mem_type);

        (is_one && !use_tt).then_some(place)
    }
}

/// The content of a buffer, which has as many bytes.
struct Saved {
    bo: Ref,
    place: Where,
    content: KVVec<u8>,
}

impl Saved {
    fn restore(&self) -> Result {
        let bo = self.bo.0;
        // The content isn't written to: `access` is told so.
        let content = self.content.as_ptr().cast_mut();

        self.bo.reserved(|res| {
            let all = [MemType::new(self.place.mem_type).ok_or(EINVAL)?];

            // SAFETY: The buffer is reserved, so its pins don't change, and `res` is null or its
            // resource. In the second call it has a place, and as many bytes as the content.
            unsafe {
                if Where::of(bo, res, &all) != Some(self.place) {
                    return Ok(());
                }
                access(bo, 0, content, self.content.len(), true)
            }
        })
    }
}

/// References to the buffers of a device that are pinned in one of `types`. Others may be among
/// them.
///
/// # Errors
///
/// [`ENOMEM`]
///
/// # Safety
///
/// `bdev` must be that of a `RawDevice`, and valid.
unsafe fn pinned(bdev: *mut bindings::ttm_device, types: &[MemType]) -> Result<KVec<Ref>> {
    let mut found = KVec::with_capacity(16, GFP_KERNEL)?;

    loop {
        let mut more = 0;
        // SAFETY: `bdev` is initialized, by the function's requirements, and its `lru_lock` with
        // it, a spinlock.
        let lock = unsafe { Lock::<(), SpinLockBackend>::from_raw(&raw mut (*bdev).lru_lock) };
        let guard = lock.lock();
        // SAFETY: The LRU lock, which protects the list, is held. The list has only resources,
        // which are valid, and so are their buffers.
        unsafe {
            let head = &raw mut (*bdev).unevictable;
            let mut link = (*head).next;

            while link != head {
                let item = container_of!(link, bindings::ttm_lru_item, link);
                let res = container_of!(item, bindings::ttm_resource, lru);
                let bo = (*res).bo;

                link = (*link).next;
                if bo.is_null() || !types.iter().any(|of| of.as_u32() == (*res).mem_type) {
                    continue;
                }
                if found.len() == found.capacity() {
                    more += 1;
                } else if bindings::kref_get_unless_zero(&raw mut (*bo).kref) != 0 {
                    // INVARIANT: It is valid, and the reference is this one's.
                    let _ = found.push_within_capacity(Ref(bo));
                }
            }
        }
        drop(guard);
        if more == 0 {
            return Ok(found);
        }
        let room = found.len() + more;
        found = KVec::with_capacity(room, GFP_KERNEL)?;
    }
}
