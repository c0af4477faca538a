// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Giving a reserved buffer's memory back to the system: swap-out, backup and purge.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    raw_device,
    AsBuffer,
    Device,
    DriverObject,
    Object,
    OperationCtx,
    Reserved, //
};
use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};
use core::ptr;

impl<B: AsBuffer> Reserved<'_, B> {
    /// Swaps the buffer's pages out, and moves it to system memory for that.
    ///
    /// They come back with [`Reserved::populate`], or when the buffer moves. The pages of a zombie
    /// are freed instead.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if it has no pages, is imported or pinned, or the device has a shrinker; errors of
    /// [`Reserved::validate`].
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
        self.noting(ctx, |ctx| {
            // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
            // buffer is valid; the context is valid for the call.
            let pages =
                unsafe { bindings::ttm_bo_swapout_reserved(self.bo(), ctx, GFP_KERNEL.as_raw()) };

            // CAST: An error number.
            to_result(pages.min(0) as i32)
        })
    }

    /// Gives the buffer's pages back to the system: backs them up, or drops them if `purge`.
    ///
    /// For devices with a [shrinker](super::Setup::shrinker), which does the same under pressure.
    /// The buffer is moved to system memory for that. Returns how many pages came free.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if it has no pages, is imported or pinned or can't be moved, there is no room for
    /// the backup, or the device has no shrinker; [`ERESTARTSYS`] with an interruptible context.
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

        let pages = self.noting(ctx, |ctx| {
            // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
            // buffer is valid; the context is valid for the call.
            let pages = unsafe {
                if (*bo).resource.is_null()
                    || !raw_device::is_shrinkable((*bo).bdev)
                    || self.as_buffer().is_imported()
                    || !bindings::ttm_bo_shrink_suitable(bo, ctx)
                {
                    return Err(EBUSY);
                }
                // Zombies and ghosts have no user, so they aren't moved.
                flags.set_allow_move((!(*bo).deleted && !(*bo).base.dev.is_null()).into());
                bindings::ttm_bo_shrink(ctx, bo, flags)
            };

            // CAST: An error number.
            to_result(pages.min(0) as i32).map(|()| pages)
        })?;

        if pages > 0 {
            // SAFETY: By the type invariants the reservation is held. It has just lost its pages,
            // so it has a `ttm_tt`.
            unsafe { Device::<B::Driver>::was_shrunk(bo, purge) };
        }
        // CAST: It isn't negative.
        Ok(pages as usize)
    }

    /// Sets whether the content of the buffer may be dropped when the system is short of memory.
    ///
    /// For devices with a [shrinker](super::Setup::shrinker), which drops the content of purgeable
    /// buffers, and backs up that of all others. A new buffer isn't purgeable, nor is a buffer that
    /// was purged.
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
}

impl<T: DriverObject> Reserved<'_, Object<T>> {
    /// Drops the buffer's content, and its place.
    ///
    /// It gets a place again when it is validated.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if it is pinned or imported, [`ENOMEM`]; [`EBUSY`] with a context that doesn't
    /// wait for the GPU; [`ERESTARTSYS`] with an interruptible context.
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
        if self.is_pinned() || self.buffer().is_imported() {
            return Err(EINVAL);
        }
        let mut placement = bindings::ttm_placement {
            num_placement: 0,
            placement: ptr::null(),
        };

        self.noting(ctx, |ctx| {
            // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
            // buffer is valid. The placement and the context are valid for the call.
            to_result(unsafe { bindings::ttm_bo_validate(self.bo(), &mut placement, ctx) })
        })
    }
}
