// SPDX-License-Identifier: GPL-2.0 OR MIT

//! PRIME: buffers that several devices share.
//!
//! A buffer is exported as a DMA-buf. As long as another device is attached to the DMA-buf, the
//! buffer is pinned in pages. An imported buffer is a TTM buffer of type `ttm_bo_type_sg`, which
//! has no memory of its own: its pages and its reservation are the exporter's.
//!
//! When the exporter is unplugged, attached devices keep the pages, and their CPU can map them. But
//! nothing can attach to the buffer any more, programs can't map it, and accesses to older mappings
//! of the DMA-buf raise `SIGBUS`. The exporter's own programs see a dummy page instead; other
//! programs don't know that the device is gone, and must not take a dummy page for the buffer.
//!
//! C header: [`include/drm/drm_prime.h`](srctree/include/drm/drm_prime.h)

use super::{
    dma_buf::{
        DmaBuf,
        Locked, //
    },
    fence_slot::{
        patience,
        wait_for, //
    },
    imports::take_sg,
    pinned,
    raw_device::Plugged,
    reach::fault,
    Device,
    Driver,
    DriverObject,
    Object,
    OperationCtx,
    Place, //
};
use crate::{
    bindings,
    drm::{
        self,
        gem::IntoGEMObject, //
    },
    error::{
        from_result,
        to_result, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::aref::ARef, //
};
use core::{
    ffi::c_int,
    ptr::{
        self,
        NonNull, //
    },
};

/// Whether all places of `placement` are in memory types that are made of pages.
///
/// # Safety
///
/// `bdev` must be initialized, and `placement` valid.
pub(super) unsafe fn is_of_pages(
    bdev: *mut bindings::ttm_device,
    placement: &bindings::ttm_placement,
) -> bool {
    // CAST: The array is in memory, so its length fits.
    (0..placement.num_placement as usize).all(|n| {
        // SAFETY: By the function's requirements, there are that many; the managers are null or
        // valid.
        unsafe {
            let man = (*bdev).man_drv[(*placement.placement.add(n)).mem_type as usize];

            !man.is_null() && (*man).use_tt
        }
    })
}

/// Brings a buffer to one of `places`, with its pages, and pins it there.
///
/// # Errors
///
/// [`EINVAL`] if the places aren't made of pages, or the buffer is pinned elsewhere; errors of
/// moving it and of [`pinned::pin`].
///
/// # Safety
///
/// `bo` must be a valid buffer, its reservation held.
unsafe fn pin(bo: *mut bindings::ttm_buffer_object, places: &[Place]) -> Result {
    // A program asked for this and can handle an error, so don't invoke the OOM killer.
    let mut ctx = OperationCtx::new().gfp_retry_mayfail();
    let mut placement = bindings::ttm_placement {
        num_placement: u32::try_from(places.len())?,
        // CAST: `Place` is transparent.
        placement: places.as_ptr().cast(),
    };

    // SAFETY: `bo` is a valid buffer, so its device is initialized, and its reservation is held, by
    // the function's requirements. The placement and the context are valid for the call.
    unsafe {
        if places.is_empty() || !is_of_pages((*bo).bdev, &placement) {
            return Err(EINVAL);
        }
        to_result(bindings::ttm_bo_validate(bo, &mut placement, ctx.as_raw()))?;
        to_result(bindings::ttm_bo_populate(bo, ctx.as_raw()))?;
        pinned::pin(bo)
    }
}

/// Maps all of a buffer for the kernel. It must be pinned as long as it is mapped.
///
/// # Safety
///
/// `bo` must be a valid buffer that is pinned in pages, its reservation held, and `map` be valid
/// for writes.
unsafe fn vmap(bo: *mut bindings::ttm_buffer_object, map: *mut bindings::iosys_map) -> Result {
    let moves = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

    // SAFETY: The buffer is valid and reserved, by the function's requirements; `map` is memory for
    // a mapping.
    unsafe {
        if !wait_for((*bo).base.resv, moves, false, patience())? {
            return Err(EBUSY);
        }
        to_result(bindings::ttm_bo_vmap(bo, map))
    }
}

/// Makes a scatterlist of the pages of a buffer, for a device that attaches to it.
///
/// # Safety
///
/// `bo` must be a valid buffer, its reservation held.
unsafe fn sg_table(bo: *mut bindings::ttm_buffer_object) -> Result<*mut bindings::sg_table> {
    // SAFETY: The buffer is valid, and its pages stay while it is reserved, by the function's
    // requirements.
    unsafe {
        let tt = (*bo).ttm;
        if tt.is_null() || !bindings::ttm_tt_is_populated(tt) || (*tt).pages.is_null() {
            return Err(EINVAL);
        }
        crate::error::from_err_ptr(bindings::drm_prime_pages_to_sg(
            (*bo).base.dev,
            (*tt).pages,
            (*tt).num_pages,
        ))
    }
}

/// Maps a DMA-buf for a program.
///
/// # Safety
///
/// `dma_buf` must be valid, and `vma` be a mapping that is just being made.
unsafe fn mmap(dma_buf: *mut bindings::dma_buf, vma: *mut bindings::vm_area_struct) -> Result {
    // SAFETY: Both are valid, and no other code has a pointer to the mapping yet, by the function's
    // requirements.
    unsafe {
        // The exporter sets these.
        (*vma).vm_private_data = ptr::null_mut();
        (*vma).vm_ops = ptr::null();
        to_result(bindings::dma_buf_mmap(dma_buf, vma, 0))
    }
}

/// Whether a mapping is made through a file of the DRM device, and not through a DMA-buf.
///
/// # Safety
///
/// `drm` must be valid, and `vma` be a mapping of a file that is just being made.
unsafe fn is_of_device(
    drm: *const bindings::drm_device,
    vma: *const bindings::vm_area_struct,
) -> bool {
    // SAFETY: `drm` is valid, and `vma` has the file that it is a mapping of, by the function's
    // requirements. The operations of an open file, and those of a driver, never change.
    unsafe { ptr::eq((*(*vma).vm_file).f_op, (*(*drm).driver).fops) }
}

type Fault = unsafe extern "C" fn(*mut bindings::vm_fault) -> bindings::vm_fault_t;

// The operations of mappings.
impl<T: DriverObject> Object<T> {
    const fn vm_ops(fault: Fault) -> bindings::vm_operations_struct {
        bindings::vm_operations_struct {
            fault: Some(fault),
            open: Some(bindings::ttm_bo_vm_open),
            close: Some(bindings::ttm_bo_vm_close),
            access: Some(bindings::ttm_bo_vm_access),
            ..pin_init::zeroed()
        }
    }

    /// # Safety
    ///
    /// Only to be called by the MM, for a mapping of a buffer on a device of this driver.
    unsafe extern "C" fn fault_callback(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
        // SAFETY: The mapping is one of a buffer on a device of this driver, by the function's
        // requirements.
        unsafe { fault(vmf, false, Device::<T::Driver>::reachable_places) }
    }

    /// As [`Self::fault_callback`], for a mapping that was made through a DMA-buf.
    ///
    /// # Safety
    ///
    /// As [`Self::fault_callback`].
    unsafe extern "C" fn shared_fault_callback(
        vmf: *mut bindings::vm_fault,
    ) -> bindings::vm_fault_t {
        // SAFETY: The mapping is one of a buffer on a device of this driver, by the function's
        // requirements.
        unsafe { fault(vmf, true, Device::<T::Driver>::reachable_places) }
    }
}

// The callbacks of GEM.
impl<T: DriverObject> Object<T> {
    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive.
    unsafe fn export_places<'a>(
        gem: *mut bindings::drm_gem_object,
    ) -> (&'a Self, &'static [Place]) {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };

        // An importer that holds a shared reservation would block all buffers that share it.
        // Importers may use the memory longer than coherent memory lasts.
        let is_coherent = this.buffer().device().raw().has_coherent_memory();
        if this.shares_resv() || is_coherent {
            (this, &[])
        } else {
            (this, T::Driver::export_places(this))
        }
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive.
    pub(super) unsafe extern "C" fn export_callback(
        gem: *mut bindings::drm_gem_object,
        flags: c_int,
    ) -> *mut bindings::dma_buf {
        // SAFETY: It is an object of this type that is alive, by the function's requirements.
        let (_, places) = unsafe { Self::export_places(gem) };
        if places.is_empty() {
            return EPERM.to_ptr();
        }

        // SAFETY: `gem` is an object of this type that is alive, by the function's requirements;
        // `flags` are DRM's.
        unsafe { bindings::drm_gem_prime_export(gem, flags) }
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive. The reservation must be
    /// held.
    pub(super) unsafe extern "C" fn pin_callback(gem: *mut bindings::drm_gem_object) -> c_int {
        // SAFETY: It is an object of this type that is alive, by the function's requirements.
        let (this, places) = unsafe { Self::export_places(gem) };

        from_result(|| {
            // SAFETY: The object is alive, and so has a reference to its device, which is valid for
            // the call.
            let _plugged = unsafe { Plugged::enter((*gem).dev) }?;
            // SAFETY: The object is alive, so its buffer is valid; its reservation is held. Both by
            // the function's requirements.
            unsafe { pin(this.buffer().as_raw(), places) }.map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive. The reservation must be
    /// held, and one of its pins be from [`Self::pin_callback`].
    pub(super) unsafe extern "C" fn unpin_callback(gem: *mut bindings::drm_gem_object) {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };

        // SAFETY: The buffer is reserved, and the pin is from `pin_callback`, by the function's
        // requirements.
        unsafe { bindings::ttm_bo_unpin(this.buffer().as_raw()) };
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive. The reservation must be
    /// held, and the object be pinned by [`Self::pin_callback`].
    pub(super) unsafe extern "C" fn sg_table_callback(
        gem: *mut bindings::drm_gem_object,
    ) -> *mut bindings::sg_table {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };

        // SAFETY: The object is alive, so its buffer is valid; its reservation is held, and it is
        // pinned. All by the function's requirements.
        unsafe { sg_table(this.buffer().as_raw()) }.unwrap_or_else(|e| e.to_ptr())
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive. The reservation must be
    /// held; `map` must be valid for writes.
    pub(super) unsafe extern "C" fn vmap_callback(
        gem: *mut bindings::drm_gem_object,
        map: *mut bindings::iosys_map,
    ) -> c_int {
        // SAFETY: It is an object of this type that is alive, by the function's requirements.
        let (this, places) = unsafe { Self::export_places(gem) };
        let bo = this.buffer().as_raw();

        from_result(|| {
            if let Some(dma_buf) = this.dma_buf() {
                // SAFETY: The reservation is held, and `map` valid for writes, by the function's
                // requirements. That of the object is the one of the DMA-buf which it was imported
                // from.
                return unsafe { dma_buf.vmap(map) }.map(|()| 0);
            }
            // SAFETY: The object is alive, so its buffer is valid. The reservation is held, so its
            // pins don't change.
            let is_pinned = unsafe { (*bo).pin_count } != 0;
            // SAFETY: The object is alive, and so has a reference to its device, which is valid for
            // the call.
            let plugged = unsafe { Plugged::enter((*gem).dev) };
            // An attached device keeps its pages pinned. Mapping these needs no hardware.
            if !is_pinned && plugged.is_err() {
                return Err(ENODEV);
            }
            // SAFETY: The buffer is valid and reserved, and `map` memory for a mapping, by the
            // function's requirements.
            unsafe {
                pin(bo, places)?;
                // The move's end may need the unplug to go on.
                drop(plugged);
                vmap(bo, map).inspect_err(|_| bindings::ttm_bo_unpin(bo))?;
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive. The reservation must be
    /// held; `map` must be from [`Self::vmap_callback`].
    pub(super) unsafe extern "C" fn vunmap_callback(
        gem: *mut bindings::drm_gem_object,
        map: *mut bindings::iosys_map,
    ) {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };
        let bo = this.buffer().as_raw();

        // SAFETY: The reservation is held, and `map` is from `vmap_callback`, by the function's
        // requirements: it has mapped an imported buffer through its DMA-buf, and has pinned and
        // mapped any other buffer.
        unsafe {
            if let Some(dma_buf) = this.dma_buf() {
                dma_buf.vunmap(map);
            } else {
                bindings::ttm_bo_vunmap(bo, map);
                bindings::ttm_bo_unpin(bo);
            }
        }
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on an object of this type that is alive. `vma` must be a mapping
    /// that is just being made, which has a reference to the object.
    pub(super) unsafe extern "C" fn mmap_callback(
        gem: *mut bindings::drm_gem_object,
        vma: *mut bindings::vm_area_struct,
    ) -> c_int {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };

        from_result(|| {
            let Some(dma_buf) = this.dma_buf() else {
                // SAFETY: The object is alive, and so has a reference to its device, which is valid
                // for the call.
                let _plugged = unsafe { Plugged::enter((*gem).dev) }?;
                // SAFETY: `gem` is an object that is alive, and `vma` a mapping of it that is just
                // being made, by the function's requirements. The operations are static, and for
                // mappings of TTM, as this is one.
                unsafe {
                    to_result(bindings::drm_gem_ttm_mmap(gem, vma))?;
                    (*vma).vm_ops = if is_of_device((*gem).dev, vma) {
                        const { &Self::vm_ops(Self::fault_callback) }
                    } else {
                        const { &Self::vm_ops(Self::shared_fault_callback) }
                    };
                }
                return Ok(0);
            };

            // SAFETY: The mapping is just being made, and has a reference to `gem`, by the
            // function's requirements.
            unsafe {
                mmap(dma_buf.as_raw(), vma)?;
                // The mapping has a reference to the DMA-buf, and needs none to the object.
                bindings::drm_gem_object_put(gem);
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Only to be called by DRM, on a device of this driver. `attach` must be valid, and `sgt` be
    /// the scatterlist that is mapped for it.
    pub(super) unsafe extern "C" fn import_callback(
        dev: *mut bindings::drm_device,
        attach: *mut bindings::dma_buf_attachment,
        sgt: *mut bindings::sg_table,
    ) -> *mut bindings::drm_gem_object {
        // SAFETY: All three are valid, `dev` is one of this driver, by the function's requirements.
        let obj = unsafe {
            let dev = drm::Device::<T::Driver>::from_raw(dev);

            NonNull::new((*attach).dmabuf)
                .ok_or(EINVAL)
                .and_then(|dma_buf| Self::import(dev, DmaBuf::get(dma_buf), attach, sgt))
        };

        match obj {
            // SAFETY: The object is valid, as there is a reference, which DRM gets.
            Ok(obj) => unsafe { ARef::into_raw(obj).as_ref() }.as_raw(),
            Err(e) => e.to_ptr(),
        }
    }

    /// Makes an object from the memory of `dma_buf`.
    ///
    /// # Safety
    ///
    /// `sgt` must be the scatterlist that is mapped for `attach`, an attachment to it, and stay so
    /// until `imports::release` or `Imports::end`; if this fails, until it returns.
    unsafe fn import(
        dev: &drm::Device<T::Driver>,
        dma_buf: DmaBuf,
        attach: *mut bindings::dma_buf_attachment,
        sgt: *mut bindings::sg_table,
    ) -> Result<ARef<Self>> {
        let size = dma_buf.size();
        if size % PAGE_SIZE != 0 {
            return Err(EINVAL);
        }
        Self::check_size(size)?;

        // A second reference for the object. The object may be freed before the lock is dropped.
        let owned = dma_buf.clone();
        // The driver may end a registration in both calls, so the lock of the imports isn't held.
        let args = T::Driver::import(dev, size)?;
        let obj = Self::alloc(dev, size, 0, None, Some(owned), args)?;

        let tdev: &Device<T::Driver> = dev;
        let locked = Locked::new(&dma_buf);
        // SAFETY: `obj` was just made; the reservation is held, and lasts as long as the DMA-buf,
        // which the object has a reference to. `sgt` stays until `release`, `Imports::end` or
        // `take_sg`, by the function's requirements: if it isn't added, it is taken below.
        let obj = unsafe {
            Self::complete(
                obj,
                tdev,
                bindings::ttm_bo_type_ttm_bo_type_sg,
                &super::ObjectConfig::<T>::default(),
                &mut OperationCtx::new(),
                sgt,
                dma_buf.resv(),
            )
        }?;
        drop(locked);

        let bo = obj.buffer().as_raw();
        // SAFETY: It was just imported by `attach`, with `sgt`. If this succeeds, that stays, by
        // the function's requirements.
        let added = unsafe { tdev.raw().imports().lock().add(bo, attach) };
        if added.is_err() {
            let _locked = Locked::new(&dma_buf);

            // SAFETY: The buffer is valid, and its reservation, that of the DMA-buf, is held.
            unsafe { take_sg(bo) };
        }
        added?;
        Ok(obj)
    }
}
