// SPDX-License-Identifier: GPL-2.0 OR MIT

//! PRIME: buffers that several devices share.
//!
//! A buffer is exported as a DMA-buf. As long as another device is attached to the DMA-buf, the buffer is
//! pinned in pages. An imported buffer is a TTM buffer of type `ttm_bo_type_sg`, which has no memory of its
//! own: its pages and its reservation are the exporter's.
//!
//! When the exporter is unplugged, attached devices keep the pages, and their CPU can map them. But nothing
//! can attach to the buffer any more, programs can't map it, and accesses to older mappings of the DMA-buf
//! raise `SIGBUS`. The exporter's own programs see a dummy page instead; other programs don't know that the
//! device is gone, and must not take a dummy page for the buffer.
//!
//! C header: [`include/drm/drm_prime.h`](srctree/include/drm/drm_prime.h)

use super::{
    raw_device::{
        Plugged, //
        RawDevice,
    },
    reserved,
    Device,
    Driver,
    DriverObject,
    Object,
    OperationCtx,
    Place, //
};
use crate::{
    alloc::KVVec,
    bindings,
    drm::{
        self,
        gem::IntoGEMObject, //
    },
    error::{
        from_result,
        to_result, //
    },
    ffi::c_ulong,
    new_mutex,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Mutex, //
    }, //
};
use core::{
    ffi::c_int,
    mem,
    ptr::{
        self,
        NonNull, //
    },
};

/// A reference to a DMA-buf.
///
/// # Invariants
///
/// It is valid, and owns a reference.
pub(super) struct DmaBuf(NonNull<bindings::dma_buf>);

// SAFETY: DMA-bufs may be used and released from any thread.
unsafe impl Send for DmaBuf {}

// SAFETY: What is there for a shared reference is constant, or has locks of its own.
unsafe impl Sync for DmaBuf {}

impl DmaBuf {
    /// Takes a reference.
    ///
    /// # Safety
    ///
    /// `dma_buf` must be valid.
    unsafe fn get(dma_buf: NonNull<bindings::dma_buf>) -> Self {
        // SAFETY: `dma_buf` is valid, by the function's requirements, so it has a reference that keeps
        // it during the call.
        unsafe { bindings::get_dma_buf(dma_buf.as_ptr()) };
        // INVARIANT: Just taken.
        Self(dma_buf)
    }

    pub(super) fn as_raw(&self) -> *mut bindings::dma_buf {
        self.0.as_ptr()
    }

    /// The reservation. It lasts as long as the DMA-buf.
    fn resv(&self) -> *mut bindings::dma_resv {
        // SAFETY: By the type invariants the DMA-buf is valid. Its reservation is set when it is made,
        // and never changes.
        unsafe { (*self.as_raw()).resv }
    }

    /// Maps all of it for the kernel.
    ///
    /// # Safety
    ///
    /// The reservation must be held, and `map` be valid for writes.
    unsafe fn vmap(&self, map: *mut bindings::iosys_map) -> Result {
        // SAFETY: By the type invariants the DMA-buf is valid. Its reservation is held, and `map` is
        // valid for writes, by the function's requirements.
        to_result(unsafe { bindings::dma_buf_vmap(self.as_raw(), map) })
    }

    /// # Safety
    ///
    /// The reservation must be held, and `map` be from [`Self::vmap`].
    unsafe fn vunmap(&self, map: *mut bindings::iosys_map) {
        // SAFETY: By the type invariants the DMA-buf is valid. Its reservation is held, and it is
        // mapped there, by the function's requirements.
        unsafe { bindings::dma_buf_vunmap(self.as_raw(), map) };
    }

    /// Bytes.
    fn size(&self) -> usize {
        // SAFETY: By the type invariants the DMA-buf is valid. Its size is set when it is made, and
        // never changes.
        unsafe { (*self.as_raw()).size }
    }
}

impl Drop for DmaBuf {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the reference belongs to this, and it isn't used again: this
        // is `drop`.
        unsafe { bindings::dma_buf_put(self.as_raw()) };
    }
}

/// The memory of a DMA-buf, mapped for the kernel, and the pages that it is made of.
///
/// The pages are looked up in this mapping, as exporters need not put them into the scatterlist. They stay
/// as long as they are mapped.
///
/// # Invariants
///
/// `map` is the result of `dma_buf_vmap` for `dma_buf`, which is valid. As long as it is mapped, it maps
/// `pages`.
pub(super) struct MappedPages {
    dma_buf: *mut bindings::dma_buf,
    map: bindings::iosys_map,
    pages: KVVec<*mut bindings::page>,
}

impl MappedPages {
    /// Maps the first `count` pages of `dma_buf`. Returns [`None`] if they have no `struct page`, or can't
    /// be mapped.
    ///
    /// # Safety
    ///
    /// `dma_buf` must be valid until [`Self::unmap`], and have that many pages; its reservation must be
    /// held.
    pub(super) unsafe fn new(dma_buf: *mut bindings::dma_buf, count: usize) -> Option<Self> {
        let mut pages = KVVec::with_capacity(count, GFP_KERNEL).ok()?;
        let mut map = bindings::iosys_map::default();

        // SAFETY: `dma_buf` is valid, by the function's requirements, and `map` is memory for a mapping.
        to_result(unsafe { bindings::dma_buf_vmap(dma_buf, &mut map) }).ok()?;
        for n in 0..count {
            // SAFETY: There are that many pages, by the function's requirements, and all of them were
            // just mapped at `map`.
            match unsafe { page(&map, n) } {
                Some(page) => {
                    // There is room.
                    let _ = pages.push_within_capacity(page);
                }
                None => {
                    // SAFETY: Just mapped, for this; the reservation is still held.
                    unsafe { bindings::dma_buf_vunmap(dma_buf, &mut map) };
                    return None;
                }
            }
        }

        // INVARIANT: Just mapped, and these are the pages.
        Some(Self {
            dma_buf,
            map,
            pages,
        })
    }

    /// The pages, as an array that lasts as long as `self`. Nobody writes to it.
    pub(super) fn as_ptr(&self) -> *mut *mut bindings::page {
        self.pages.as_ptr().cast_mut()
    }

    /// Unmaps the pages.
    ///
    /// # Safety
    ///
    /// The reservation of the DMA-buf must be held, and the pages not be used any more.
    pub(super) unsafe fn unmap(mut self) {
        // SAFETY: By the type invariants `map` is the mapping of `dma_buf`, which is valid. Its
        // reservation is held, and nobody uses the pages any more, by the function's requirements.
        unsafe { bindings::dma_buf_vunmap(self.dma_buf, &mut self.map) };
    }
}

/// The `struct page` of page `n` of the mapping `map`, if it has one.
///
/// # Safety
///
/// More than `n` pages must be mapped at `map`.
unsafe fn page(map: &bindings::iosys_map, n: usize) -> Option<*mut bindings::page> {
    if map.is_iomem {
        return None;
    }
    // SAFETY: All variants are an address.
    let addr = unsafe { map.__bindgen_anon_1.vaddr }.wrapping_byte_add(n << PAGE_SHIFT);

    // SAFETY: By the function's requirements something is mapped there. What is done is what is allowed
    // for each kind of address, and page.
    unsafe {
        if bindings::is_vmalloc_addr(addr) {
            let pfn = bindings::vmalloc_to_pfn(addr);

            return bindings::pfn_valid(pfn).then(|| bindings::pfn_to_page(pfn));
        }
        bindings::virt_addr_valid(addr).then(|| bindings::virt_to_page(addr))
    }
}

/// Whether all of the places are in memory types that are made of pages.
///
/// # Safety
///
/// `bdev` must be initialized, and `placement` valid.
pub(super) unsafe fn is_of_pages(
    bdev: *mut bindings::ttm_device,
    placement: &bindings::ttm_placement,
) -> bool {
    // CAST: Not more than fit into memory.
    (0..placement.num_placement as usize).all(|n| {
        // SAFETY: By the function's requirements, there are that many; the managers are null or valid.
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
/// [`EINVAL`] if the places aren't made of pages, or the buffer is pinned elsewhere; errors of moving it and
/// of [`reserved::pin`].
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
        reserved::pin(bo)
    }
}

/// Maps all of a buffer for the kernel. It must be pinned as long as it is mapped.
///
/// # Safety
///
/// `bo` must be a valid buffer that is pinned in pages, its reservation held, and `map` be valid for
/// writes.
unsafe fn vmap(bo: *mut bindings::ttm_buffer_object, map: *mut bindings::iosys_map) -> Result {
    let moves = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

    // SAFETY: The buffer is valid and reserved, by the function's requirements; `map` is memory for a
    // mapping.
    unsafe {
        // This doesn't fail, as it can't be interrupted.
        bindings::dma_resv_wait_timeout((*bo).base.resv, moves, false, c_ulong::MAX >> 1);
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
    // SAFETY: Both are valid, and nobody else knows the mapping yet, by the function's requirements.
    unsafe {
        // The exporter sets these.
        (*vma).vm_private_data = ptr::null_mut();
        (*vma).vm_ops = ptr::null();
        to_result(bindings::dma_buf_mmap(dma_buf, vma, 0))
    }
}

/// The operations of mappings that were made through a DMA-buf.
const SHARED_VM_OPS: bindings::vm_operations_struct = bindings::vm_operations_struct {
    fault: Some(shared_fault_callback),
    open: Some(bindings::ttm_bo_vm_open),
    close: Some(bindings::ttm_bo_vm_close),
    access: Some(bindings::ttm_bo_vm_access),
    ..pin_init::zeroed()
};

/// # Safety
///
/// Only to be called by the MM, for a mapping made by TTM.
unsafe extern "C" fn shared_fault_callback(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
    // SAFETY: By the function's requirements, this is a buffer, which the mapping has a reference to.
    let drm = unsafe {
        let vma = (*vmf).__bindgen_anon_1.vma;
        let bo: *mut bindings::ttm_buffer_object = (*vma).vm_private_data.cast();

        (*bo).base.dev
    };

    // SAFETY: It is valid, as the buffer has a reference to it.
    match unsafe { Plugged::enter(drm) } {
        // SAFETY: The fault is one of a mapping of that buffer, by the function's requirements.
        Ok(_plugged) => unsafe { bindings::ttm_bo_vm_fault(vmf) },
        Err(_) => bindings::vm_fault_reason_VM_FAULT_SIGBUS,
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

/// The buffers that a device has imported, as long as it is registered.
///
/// # Invariants
///
/// Each of `all` is an imported buffer that isn't freed yet, and its attachment. The buffer's scatterlist is
/// the one that is mapped for the attachment.
pub(super) struct Imports {
    all: KVec<(
        *mut bindings::ttm_buffer_object,
        *mut bindings::dma_buf_attachment,
    )>,
    ended: bool,
}

// SAFETY: Buffers and attachments may be used from any thread.
unsafe impl Send for Imports {}

impl Imports {
    // Not for others to inline: lockdep wants the name of a lock class to be in one place.
    #[inline(never)]
    pub(super) fn init() -> impl PinInit<Mutex<Self>> {
        // INVARIANT: There is none.
        new_mutex!(Self {
            all: KVec::new(),
            ended: false,
        })
    }

    /// Adds a buffer, unless the device is unregistered.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if it is; [`ENOMEM`].
    ///
    /// # Safety
    ///
    /// `bo` must be an imported buffer that stays until [`release`], its scatterlist be what is mapped for
    /// `attach`, and stay so until [`release`] or [`Self::end`].
    unsafe fn add(
        &mut self,
        bo: *mut bindings::ttm_buffer_object,
        attach: *mut bindings::dma_buf_attachment,
    ) -> Result {
        if self.ended {
            return Err(ENODEV);
        }
        // INVARIANT: By the function's requirements.
        self.all.push((bo, attach), GFP_KERNEL)?;
        Ok(())
    }

    /// Unmaps all imported buffers, and accepts no more: the device is unregistered.
    pub(super) fn end(&mut self) {
        self.ended = true;
        while let Some((bo, attach)) = self.all.pop() {
            // SAFETY: By the type invariants, they are valid. The buffer's reservation is that of the
            // DMA-buf, which protects the scatterlist. From here on it has none, and gets no pages.
            unsafe {
                let resv = (*bo).base.resv;

                bindings::dma_resv_lock(resv, ptr::null_mut());
                bindings::dma_buf_unmap_attachment(
                    attach,
                    take_sg(bo),
                    bindings::dma_data_direction::DMA_BIDIRECTIONAL,
                );
                bindings::dma_resv_unlock(resv);
            }
        }
    }
}

/// Takes the scatterlist away from an imported buffer, which gets no pages any more.
///
/// # Safety
///
/// `bo` must be valid, and its reservation be held.
unsafe fn take_sg(bo: *mut bindings::ttm_buffer_object) -> *mut bindings::sg_table {
    // SAFETY: The buffer is valid, and its reservation, which protects both fields, is held, by the
    // function's requirements.
    unsafe {
        if !(*bo).ttm.is_null() {
            (*(*bo).ttm).sg = ptr::null_mut();
        }
        mem::replace(&mut (*bo).sg, ptr::null_mut())
    }
}

/// Releases the attachment of a buffer, if it was imported.
///
/// # Safety
///
/// `bo` must be a buffer of an object, on the device of `raw`, which TTM doesn't use any more. No
/// reservation must be held.
pub(super) unsafe fn release(raw: &RawDevice, bo: *mut bindings::ttm_buffer_object) {
    // SAFETY: The buffer is valid, by the function's requirements; its type never changes.
    if unsafe { (*bo).type_ } != bindings::ttm_bo_type_ttm_bo_type_sg {
        return;
    }
    let mut imports = raw.imports().lock();
    imports.all.retain(|&mut (other, _)| !ptr::eq(other, bo));
    drop(imports);

    // SAFETY: `bo` is a buffer of an object, which TTM doesn't use any more, by the function's
    // requirements. If it has an attachment, `sg` is what that was mapped to, or null. What wasn't
    // imported completely has no attachment; the DRM core then undoes the rest.
    unsafe {
        let gem = &raw mut (*bo).base;

        if !(*gem).import_attach.is_null() {
            bindings::drm_prime_gem_destroy(gem, (*bo).sg);
        }
    }
}

/// A guard of the reservation of a DMA-buf.
///
/// # Invariants
///
/// The current thread holds the reservation, and this gives it back.
struct Locked<'a>(&'a DmaBuf);

impl<'a> Locked<'a> {
    fn new(dma_buf: &'a DmaBuf) -> Self {
        // Without an acquire context, this doesn't fail.
        // SAFETY: By the type invariants of `DmaBuf` it is valid, and so is its reservation, for as
        // long as it is borrowed.
        unsafe { bindings::dma_resv_lock(dma_buf.resv(), ptr::null_mut()) };
        // INVARIANT: Just taken.
        Self(dma_buf)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the current thread holds the reservation, and it is given
        // back once: this is `drop`.
        unsafe { bindings::dma_resv_unlock(self.0.resv()) };
    }
}

// The callbacks of GEM. All are only to be called by DRM, on an object of this type that is alive.
impl<T: DriverObject> Object<T> {
    /// # Safety
    ///
    /// See above.
    unsafe fn export_places<'a>(
        gem: *mut bindings::drm_gem_object,
    ) -> (&'a Self, &'static [Place]) {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };

        // An importer that holds a shared reservation would block all buffers that share it.
        if this.shares_resv() {
            (this, &[])
        } else {
            (this, T::Driver::export_places(this))
        }
    }

    /// # Safety
    ///
    /// See above.
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
        // `flags` are what DRM asks for.
        unsafe { bindings::drm_gem_prime_export(gem, flags) }
    }

    /// # Safety
    ///
    /// See above. The reservation must be held.
    pub(super) unsafe extern "C" fn pin_callback(gem: *mut bindings::drm_gem_object) -> c_int {
        // SAFETY: It is an object of this type that is alive, by the function's requirements.
        let (this, places) = unsafe { Self::export_places(gem) };

        from_result(|| {
            // SAFETY: It is alive, and so has a reference to its device.
            let _plugged = unsafe { Plugged::enter((*gem).dev) }?;
            // SAFETY: The object is alive, so its buffer is valid; its reservation is held. Both by
            // the function's requirements.
            unsafe { pin(this.buffer().as_raw(), places) }.map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// See above. The reservation must be held, and one of its pins be from [`Self::pin_callback`].
    pub(super) unsafe extern "C" fn unpin_callback(gem: *mut bindings::drm_gem_object) {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };

        // SAFETY: The buffer is reserved, and the pin is from `pin_callback`, by the function's
        // requirements.
        unsafe { bindings::ttm_bo_unpin(this.buffer().as_raw()) };
    }

    /// # Safety
    ///
    /// See above. The reservation must be held, and it be pinned by [`Self::pin_callback`].
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
    /// See above. The reservation must be held; `map` must be valid for writes.
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
            // SAFETY: It is alive, so its buffer is valid; the reservation is held, so pins stay.
            let is_pinned = unsafe { (*bo).pin_count } != 0;
            // SAFETY: It is alive, and so has a reference to its device.
            let plugged = unsafe { Plugged::enter((*gem).dev) };
            // An attached device keeps its pages pinned. To map these takes no hardware.
            if !is_pinned && plugged.is_err() {
                return Err(ENODEV);
            }
            // SAFETY: The buffer is valid and reserved, and `map` memory for a mapping, by the
            // function's requirements.
            unsafe {
                pin(bo, places)?;
                vmap(bo, map).inspect_err(|_| bindings::ttm_bo_unpin(bo))?;
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// See above. The reservation must be held; `map` must be from [`Self::vmap_callback`].
    pub(super) unsafe extern "C" fn vunmap_callback(
        gem: *mut bindings::drm_gem_object,
        map: *mut bindings::iosys_map,
    ) {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };
        let bo = this.buffer().as_raw();

        // SAFETY: The reservation is held, and `map` is from `vmap_callback`, by the function's
        // requirements: that has mapped what was imported through its DMA-buf, and has pinned and
        // mapped anything else.
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
    /// See above. `vma` must be a mapping that is just being made, which has a reference to the object.
    pub(super) unsafe extern "C" fn mmap_callback(
        gem: *mut bindings::drm_gem_object,
        vma: *mut bindings::vm_area_struct,
    ) -> c_int {
        // SAFETY: DRM passes an object of this type that is alive, by the function's requirements.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem) };

        from_result(|| {
            let Some(dma_buf) = this.dma_buf() else {
                // SAFETY: It is alive, and so has a reference to its device.
                let _plugged = unsafe { Plugged::enter((*gem).dev) }?;
                // SAFETY: `gem` is an object that is alive, and `vma` a mapping of it that is just
                // being made, by the function's requirements. The operations are static, and for
                // mappings of TTM, as this is one.
                unsafe {
                    to_result(bindings::drm_gem_ttm_mmap(gem, vma))?;
                    if !is_of_device((*gem).dev, vma) {
                        (*vma).vm_ops = const { &SHARED_VM_OPS };
                    }
                }
                return Ok(0);
            };

            // SAFETY: The mapping is just being made, and has a reference to `gem`, by the function's
            // requirements.
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
    /// Only to be called by DRM, on a device of this driver. `attach` must be valid, and `sgt` be what is
    /// mapped for it.
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
            // SAFETY: It is valid; DRM gets the reference.
            Ok(obj) => unsafe { ARef::into_raw(obj).as_ref() }.as_raw(),
            Err(e) => e.to_ptr(),
        }
    }

    /// Makes an object from the memory of `dma_buf`.
    ///
    /// # Safety
    ///
    /// `sgt` must be what is mapped of it for a device, by `attach`, and stay so until [`release`] or
    /// [`Imports::end`]; if this fails, until it returns.
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
        // SAFETY: It is valid.
        let owned = unsafe { DmaBuf::get(dma_buf.0) };
        // The driver may end a registration in both calls, so the lock of the imports isn't held.
        let args = T::Driver::import(dev, size)?;
        let obj = Self::alloc(dev, size, 0, None, Some(owned), args)?;

        let tdev: &Device<T::Driver> = dev;
        let locked = Locked::new(&dma_buf);
        // SAFETY: `obj` was just made; the reservation is held, and lasts as long as the DMA-buf, which
        // the object has a reference to. `sgt` stays until `release`, `Imports::end` or `take_sg`, by the
        // function's requirements: if it isn't added, it is taken below.
        let obj = unsafe {
            Self::complete(
                obj,
                tdev,
                bindings::ttm_bo_type_ttm_bo_type_sg,
                &super::ObjectConfig::<T>::default(),
                &mut OperationCtx::new(),
                sgt,
                locked.0.resv(),
            )
        }?;
        drop(locked);

        let bo = obj.buffer().as_raw();
        // SAFETY: It was just imported by `attach`, with `sgt`. If this succeeds, that stays, by the
        // function's requirements.
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
