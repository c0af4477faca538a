// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Buffers that are pinned to their place.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    resv::private::RawResv,
    DriverObject,
    HasResv,
    Object,
    Reserved, //
};
use crate::{
    bindings,
    prelude::*,
    sync::aref::ARef, //
};
use core::{
    mem::ManuallyDrop,
    ops::Deref, //
};

/// An object is pinned to its place; dropping this unpins it.
///
/// It is also a reference to the object.
///
/// Unpinning needs the reservation. If it isn't free when this is dropped, for example because the
/// thread itself holds it, a work item unpins the object later. [`Self::unpin`] does it at once.
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
    pub fn unpin<B: HasResv>(
        self,
        reserved: &mut Reserved<'_, B>,
    ) -> Result<ARef<Object<T>>, Self> {
        if !reserved.holds(RawResv::raw_resv(&**self.0)) {
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

impl<T: DriverObject> Reserved<'_, Object<T>> {
    /// Pins the buffer to its place until the [`Pinned`] is dropped.
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
        Ok(Pinned(ManuallyDrop::new(ARef::from(&**self))))
    }
}

/// Pins a buffer once more.
///
/// # Errors
///
/// [`EOVERFLOW`] if that can't be counted. A count that wrapped would let a buffer go that is in
/// use.
///
/// # Safety
///
/// `bo` must be a valid buffer, its reservation held.
pub(super) unsafe fn pin(bo: *mut bindings::ttm_buffer_object) -> Result {
    // SAFETY: `bo` is a valid buffer, and its reservation, which protects the count, is held, by
    // the function's requirements.
    unsafe {
        if (*bo).pin_count == u32::MAX {
            return Err(EOVERFLOW);
        }
        bindings::ttm_bo_pin(bo);
    }
    Ok(())
}
