// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The memory of a place, as the CPU reaches it.
//!
//! A place in emulated memory or in a window may consist of several pieces, and a window may be
//! smaller than its memory type. Places that are made of pages have neither.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    bytes::{
        copy,
        zero, //
    },
    fence_slot::wait_for,
    raw_device::{
        Plugged,
        RawDevice, //
    },
    window::InUse,
    MemType,
    OperationCtx,
    Place,
    Placement, //
};
use crate::{
    bindings,
    container_of,
    error::to_result,
    ffi::c_long,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::Arc, //
};
use core::{
    ops::Range,
    slice, //
};

/// Ranges of pages in a memory type, in the order of a buffer's pages.
///
/// # Examples
///
/// See [`ManagerOps::pieces`](super::ManagerOps::pieces).
pub struct PageList {
    list: KVec<Range<u64>>,
    left: u64,
}

impl PageList {
    /// A list for `pages` pages.
    pub(super) fn new(pages: u64) -> Self {
        Self {
            list: KVec::new(),
            left: pages,
        }
    }

    /// Adds pages. More than the buffer has are left out.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if `pages` is empty, [`ENOMEM`].
    pub fn push(&mut self, pages: Range<u64>) -> Result {
        let count = pages.end.checked_sub(pages.start).ok_or(EINVAL)?;
        if count == 0 {
            return Err(EINVAL);
        }
        let count = count.min(self.left);
        let pages = pages.start..pages.start + count;

        self.left -= count;
        match self.list.last_mut() {
            _ if count == 0 => (),
            Some(last) if last.end == pages.start => last.end = pages.end,
            _ => self.list.push(pages, GFP_KERNEL)?,
        }
        Ok(())
    }

    /// The pieces, if they are all of the buffer, and within the first `limit` pages.
    pub(super) fn finish(self, limit: u64) -> Option<KVec<Range<u64>>> {
        let within = self.list.iter().all(|pages| pages.end <= limit);

        (self.left == 0 && within).then_some(self.list)
    }
}

/// Where a buffer is in a memory type: pages, in the order of the buffer's.
#[derive(Clone)]
pub(super) enum Placed {
    /// One piece.
    One(Range<u64>),
    /// Several pieces, none of which is empty.
    Many(Arc<KVec<Range<u64>>>),
}

impl Placed {
    pub(super) fn pieces(&self) -> &[Range<u64>] {
        match self {
            Self::One(pages) => slice::from_ref(pages),
            Self::Many(list) => list,
        }
    }

    /// The page in the memory type that is the buffer's page `n`, and how many pages are contiguous
    /// from there on. Beyond the end, a page that there can't be, and none.
    pub(super) fn run(&self, n: u64) -> (u64, u64) {
        let mut n = n;

        for pages in self.pieces() {
            let count = pages.end - pages.start;
            if n < count {
                return (pages.start + n, count - n);
            }
            n -= count;
        }
        (u64::MAX >> PAGE_SHIFT, 0)
    }

    /// The page in the memory type that is the buffer's page `n`.
    pub(super) fn page(&self, n: u64) -> u64 {
        self.run(n).0
    }

    /// Whether all of it is within the first `limit` pages.
    pub(super) fn is_within(&self, limit: u64) -> bool {
        self.pieces().iter().all(|pages| pages.end <= limit)
    }
}

/// The memory of a place that isn't made of pages.
///
/// # Invariants
///
/// - `base` is where the memory type begins: memory, or if `io` is there, I/O memory that stays as
///   long as that. `limit` pages are there.
/// - `placed` is within the memory type.
pub(super) struct Reach<'a> {
    base: *mut u8,
    limit: u64,
    placed: Placed,
    io: Option<InUse<'a>>,
}

impl<'a> Reach<'a> {
    /// # Safety
    ///
    /// The arguments must be as the type's invariants say.
    pub(super) unsafe fn new(
        base: *mut u8,
        limit: u64,
        placed: Placed,
        io: Option<InUse<'a>>,
    ) -> Self {
        // INVARIANT: By the function's requirements.
        Self {
            base,
            limit,
            placed,
            io,
        }
    }

    pub(super) fn is_io(&self) -> bool {
        self.io.is_some()
    }

    /// Whether the CPU reaches all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.placed.is_within(self.limit)
    }

    /// Where the buffer's page `n` is, or [`None`] if the CPU doesn't reach it.
    pub(super) fn page(&self, n: usize) -> Option<*mut u8> {
        // CAST: Never more than 64 bits.
        let page = self.placed.page(n as u64);

        // CAST: It is memory, so it is within the address space.
        (page < self.limit).then(|| self.base.wrapping_add((page as usize) << PAGE_SHIFT))
    }

    /// Where it begins, if it is one piece that is in reach.
    pub(super) fn linear(&self) -> Option<*mut u8> {
        match self.placed.pieces() {
            [_] if self.is_whole() => self.page(0),
            _ => None,
        }
    }

    /// Clears all of it.
    ///
    /// # Errors
    ///
    /// [`ENXIO`] if the CPU doesn't reach all of it.
    ///
    /// # Safety
    ///
    /// No other code may rely on the content.
    pub(super) unsafe fn clear(&self) -> Result {
        if !self.is_whole() {
            return Err(ENXIO);
        }
        for pages in self.placed.pieces() {
            // CAST: It is memory, so it is within the address space.
            let (start, count) = (pages.start as usize, (pages.end - pages.start) as usize);
            let to = self.base.wrapping_add(start << PAGE_SHIFT);

            // SAFETY: By the type invariants these pages are there, as all are in reach. They are
            // whole pages, and are only accessed through pointers.
            unsafe {
                if self.is_io() {
                    bindings::memset_io(to.cast(), 0, count << PAGE_SHIFT);
                } else {
                    zero(to, count << PAGE_SHIFT);
                }
            }
        }
        Ok(())
    }
}

/// The pages of a place, for [`ttm_move_memcpy`](bindings::ttm_move_memcpy).
#[repr(C)]
struct Iter<'a> {
    base: bindings::ttm_kmap_iter,
    reach: &'a Reach<'a>,
}

impl<'a> Iter<'a> {
    const OPS: bindings::ttm_kmap_iter_ops = bindings::ttm_kmap_iter_ops {
        map_local: Some(map_callback),
        unmap_local: None,
        maps_tt: false,
    };

    fn new(reach: &'a Reach<'a>) -> Self {
        Self {
            base: bindings::ttm_kmap_iter { ops: &Self::OPS },
            reach,
        }
    }
}

/// # Safety
///
/// Only to be called by TTM, with an [`Iter`] of a place that is in reach and has more than `n`
/// pages. `map` must be valid for writes.
unsafe extern "C" fn map_callback(
    iter: *mut bindings::ttm_kmap_iter,
    map: *mut bindings::iosys_map,
    n: usize,
) {
    // SAFETY: It is part of an `Iter`, by the function's requirements.
    let reach = unsafe { (*container_of!(iter, Iter<'_>, base)).reach };
    // All is in reach.
    let page = reach.page(n).unwrap_or(reach.base);

    // SAFETY: `map` is valid for writes, by the function's requirements.
    unsafe {
        (*map).is_iomem = reach.is_io();
        if reach.is_io() {
            (*map).__bindgen_anon_1.vaddr_iomem = page.cast();
        } else {
            (*map).__bindgen_anon_1.vaddr = page.cast();
        }
    }
}

/// The pages of a place: those of the buffer, or memory.
enum Pages<'a> {
    Tt(bindings::ttm_kmap_iter_tt),
    Memory(Iter<'a>),
}

impl<'a> Pages<'a> {
    /// # Safety
    ///
    /// If `reach` is [`None`], `tt` must be the populated `ttm_tt` of the buffer, or null.
    unsafe fn new(reach: &'a Option<Reach<'a>>, tt: *mut bindings::ttm_tt) -> Result<Self> {
        match reach {
            Some(reach) if !reach.is_whole() => Err(ENXIO),
            Some(reach) => Ok(Self::Memory(Iter::new(reach))),
            None => {
                let mut pages = bindings::ttm_kmap_iter_tt::default();

                // SAFETY: The iterator is valid for writes. It only keeps the pointer, which isn't
                // used if it is null.
                unsafe { bindings::ttm_kmap_iter_tt_init(&mut pages, tt) };
                Ok(Self::Tt(pages))
            }
        }
    }

    fn as_raw(&mut self) -> *mut bindings::ttm_kmap_iter {
        match self {
            Self::Tt(pages) => &mut pages.base,
            Self::Memory(iter) => (&raw mut *iter).cast(),
        }
    }
}

/// Moves a buffer to `new`; the CPU copies the content, or clears the new place if there is none.
///
/// # Errors
///
/// [`ENXIO`] if the CPU doesn't reach all of both places, [`ENODEV`] if one is in a window that is
/// gone, and errors of populating the buffer. The buffer then stays where it is.
///
/// # Safety
///
/// `bo` must be a valid buffer with a resource, on the device of a [`RawDevice`], its reservation
/// held, and idle. `new` must be completely allocated for it, and is given away on success. `ctx`
/// must be valid.
pub(super) unsafe fn move_memcpy(
    bo: *mut bindings::ttm_buffer_object,
    ctx: *mut bindings::ttm_operation_ctx,
    new: *mut bindings::ttm_resource,
) -> Result {
    // SAFETY: The buffer is valid, on the device of a `RawDevice`, and reserved; both resources are
    // allocated there. All by the function's requirements.
    unsafe {
        let raw = RawDevice::from_bdev((*bo).bdev);
        let tt = (*bo).ttm;
        let (from, to) = (raw.reach((*bo).resource)?, raw.reach(new)?);

        if !tt.is_null() && (bindings::ttm_tt_is_swapped(tt) || to.is_none()) {
            to_result(bindings::ttm_bo_populate(bo, ctx))?;
        }
        let is_empty = tt.is_null() || !bindings::ttm_tt_is_populated(tt);
        if to.is_none() && is_empty {
            return Err(EINVAL);
        }

        let count = u32::try_from((*new).size.div_ceil(PAGE_SIZE))?;
        let clear = from.is_none() && is_empty;
        let (mut source, mut dest) = (Pages::new(&from, tt)?, Pages::new(&to, tt)?);
        bindings::ttm_move_memcpy(clear, count, dest.as_raw(), source.as_raw());
        bindings::ttm_bo_move_sync_cleanup(bo, new);
    }
    Ok(())
}

/// Maps a place in emulated memory that has several pieces for the kernel. Unmap it with `vunmap`.
///
/// # Errors
///
/// [`ENOMEM`]
///
/// # Safety
///
/// `reach` must be vmalloc memory of `count` pages, all in reach.
pub(super) unsafe fn map_pieces(reach: &Reach<'_>, count: usize) -> Result<*mut u8> {
    let mut pages = KVVec::with_capacity(count, GFP_KERNEL)?;

    for n in 0..count {
        let addr = reach.page(n).ok_or(ENXIO)?;
        // SAFETY: It is vmalloc memory, by the function's requirements.
        let page = unsafe { bindings::vmalloc_to_page(addr.cast()) };
        pages.push_within_capacity(page).map_err(|_| ENOMEM)?;
    }
    // SAFETY: These are so many pages of the kernel, which stay as long as the device.
    let addr = unsafe { bindings::vmap_pages(pages.as_mut_ptr(), u32::try_from(count)?) };
    if addr.is_null() {
        return Err(ENOMEM);
    }
    Ok(addr.cast())
}

/// How the CPU reaches the content of a reserved buffer, wherever it is.
///
/// Calls `copy(at, memory, n, is_io)` for the parts `at..at + n` of `0..len`, with the memory, or
/// I/O memory, where these bytes are; `offset` says where the buffer's part begins.
///
/// # Errors
///
/// [`ENXIO`] if the CPU can't reach a part, [`ENODEV`] if the buffer is in a window that is gone,
/// [`ENOMEM`]. Parts may have been copied then.
///
/// # Safety
///
/// `bo` must be a valid buffer on the device of a [`RawDevice`], its reservation held, and have a
/// place, and pages if that is made of them. It must have `offset + len` bytes.
pub(super) unsafe fn for_each_part(
    bo: *mut bindings::ttm_buffer_object,
    offset: usize,
    len: usize,
    mut copy: impl FnMut(usize, *mut u8, usize, bool),
) -> Result {
    // SAFETY: The buffer is valid, on the device of a `RawDevice`, and reserved, by the function's
    // requirements.
    let reach = unsafe { RawDevice::from_bdev((*bo).bdev).reach((*bo).resource) }?;
    let mut at = 0;

    while at < len {
        let page = (offset + at) >> PAGE_SHIFT;
        let start = (offset + at) & (PAGE_SIZE - 1);
        let n = (PAGE_SIZE - start).min(len - at);

        if let Some(reach) = &reach {
            let memory = reach.page(page).ok_or(ENXIO)?;
            copy(at, memory.wrapping_add(start), n, reach.is_io());
        } else {
            let mut map = bindings::ttm_bo_kmap_obj::default();

            // SAFETY: The buffer is valid and reserved, and has pages, by the function's
            // requirements.
            to_result(unsafe { bindings::ttm_bo_kmap(bo, page, 1, &mut map) })?;
            // CAST: One page is mapped there.
            copy(at, map.virtual_.cast::<u8>().wrapping_add(start), n, false);
            // SAFETY: It was just mapped, and isn't used any more.
            unsafe { bindings::ttm_bo_kunmap(&mut map) };
        }
        at += n;
    }
    Ok(())
}

/// Copies bytes from or to the content of a reserved buffer.
///
/// # Errors
///
/// As [`for_each_part`].
///
/// # Safety
///
/// As [`for_each_part`]. `buf` must be valid for reads, or, if not `write`, for writes, of `len`
/// bytes.
pub(super) unsafe fn access(
    bo: *mut bindings::ttm_buffer_object,
    offset: usize,
    buf: *mut u8,
    len: usize,
    write: bool,
) -> Result {
    let part = |at, memory: *mut u8, n, is_io| {
        let buf = buf.wrapping_add(at);

        // SAFETY: `at` is one of `len` bytes, and `n` of them are left, which are valid at `buf`, by
        // the function's requirements. As many are at `memory`, which is only accessed through
        // pointers, maybe concurrently.
        unsafe {
            match (is_io, write) {
                (true, true) => bindings::memcpy_toio(memory.cast(), buf.cast(), n),
                (true, false) => bindings::memcpy_fromio(buf.cast(), memory.cast(), n),
                (false, true) => copy(memory, buf, n),
                (false, false) => copy(buf, memory, n),
            }
        }
    };

    // SAFETY: The buffer is valid, reserved, and has a place and these bytes, by the function's
    // requirements.
    unsafe { for_each_part(bo, offset, len, part) }
}

/// Moves a buffer to where the CPU reaches all of it, unless it is there. `places` are as
/// [`Driver::reachable_places`](super::Driver::reachable_places) says.
///
/// # Errors
///
/// Those of a validation; [`ENODEV`] if the device is unplugged.
///
/// # Safety
///
/// `bo` must be a valid buffer with a resource, on the device of a [`RawDevice`], and its
/// reservation be held.
pub(super) unsafe fn bring(
    bo: *mut bindings::ttm_buffer_object,
    places: &[Place],
    ctx: &mut OperationCtx,
) -> Result {
    // SAFETY: The buffer is valid, reserved, and on the device of a `RawDevice`, by the function's
    // requirements.
    let (raw, res) = unsafe { (RawDevice::from_bdev((*bo).bdev), (*bo).resource) };
    // SAFETY: It is the buffer's resource, by the function's requirements.
    if unsafe { raw.is_in_reach(res) } {
        return Ok(());
    }
    // A device that is unplugged moves nothing.
    // SAFETY: The DRM device is valid: the buffer has a reference to it.
    let _plugged = unsafe { Plugged::enter(raw.drm()) }?;

    // SAFETY: It is the buffer's resource, by the function's requirements. Its memory type never
    // changes.
    let here = MemType::new(unsafe { (*res).mem_type }).unwrap_or(MemType::SYSTEM);
    let default = [Place::new(here), Place::SYSTEM];
    let mut list = KVec::with_capacity(default.len().max(places.len()), GFP_KERNEL)?;
    for &place in if places.is_empty() { &default } else { places } {
        list.push_within_capacity(raw.in_reach(place))
            .map_err(|_| ENOMEM)?;
    }

    let mut placement = Placement::new(&list)?.as_raw();
    // SAFETY: The buffer is valid and reserved, by the function's requirements; the places and the
    // context are valid for the call.
    to_result(unsafe { bindings::ttm_bo_validate(bo, &mut placement, ctx.as_raw()) })?;
    // SAFETY: The buffer is valid and reserved, by the function's requirements. It has a resource,
    // as the placement isn't empty.
    if unsafe { raw.is_in_reach((*bo).resource) } {
        Ok(())
    } else {
        Err(ENXIO)
    }
}

/// Handles a fault in a mapping of a buffer, which is moved if the CPU doesn't reach it.
///
/// `shared` says that the mapping was made through a DMA-buf. If the device is unplugged, it gives a
/// signal instead of pages that nobody shares.
///
/// # Safety
///
/// `vmf` must be the fault of a mapping of a buffer on the device of a [`RawDevice`], made by TTM.
/// `places` must return the buffer's places, see [`bring`].
pub(super) unsafe fn fault(
    vmf: *mut bindings::vm_fault,
    shared: bool,
    places: unsafe fn(*mut bindings::ttm_buffer_object) -> &'static [Place],
) -> bindings::vm_fault_t {
    // SAFETY: By the function's requirements, this is a buffer, which the mapping has a reference
    // to.
    let (bo, prot) = unsafe {
        let vma = (*vmf).__bindgen_anon_1.vma;
        let bo: *mut bindings::ttm_buffer_object = (*vma).vm_private_data.cast();

        (bo, (*vma).vm_page_prot)
    };
    // SAFETY: The buffer is that of the fault.
    let ret = unsafe { bindings::ttm_bo_vm_reserve(bo, vmf) };
    if ret != 0 {
        return ret;
    }

    // SAFETY: The buffer is that of the fault, and was just reserved.
    let Some(ret) = (unsafe { fault_reserved(bo, vmf, prot, shared, places) }) else {
        // SAFETY: The buffer is that of the fault, and was reserved above.
        return unsafe { unlock_and_wait(bo, vmf) };
    };

    // SAFETY: The fault is valid.
    let nowait = unsafe { (*vmf).flags } & bindings::fault_flag_FAULT_FLAG_RETRY_NOWAIT != 0;
    if ret != bindings::vm_fault_reason_VM_FAULT_RETRY || nowait {
        // SAFETY: It was reserved above. TTM ends the reservation if it has dropped the lock of the
        // program's mappings, and only then.
        unsafe { bindings::dma_resv_unlock((*bo).base.resv) };
    }
    ret
}

/// The part of [`fault`] with the reservation. Returns [`None`] if the buffer is being moved.
///
/// # Safety
///
/// As [`fault`]. `bo` must be the buffer, its reservation be held, and `prot` be that of the mapping.
unsafe fn fault_reserved(
    bo: *mut bindings::ttm_buffer_object,
    vmf: *mut bindings::vm_fault,
    prot: bindings::pgprot_t,
    shared: bool,
    places: unsafe fn(*mut bindings::ttm_buffer_object) -> &'static [Place],
) -> Option<bindings::vm_fault_t> {
    let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;
    // SAFETY: The DRM device is valid, as the buffer has a reference to it.
    let enter = || unsafe { Plugged::enter((*bo).base.dev) };

    if enter().is_ok() {
        // SAFETY: The buffer is that of the fault, and reserved; `places` is for it. All by the
        // function's requirements.
        if let Err(ret) = unsafe { bring_for_fault(bo, vmf, places) } {
            return Some(ret);
        }
        // SAFETY: The buffer is valid, and so is its reservation, which is held.
        if !unsafe { bindings::dma_resv_test_signaled((*bo).base.resv, usage) } {
            return None;
        }
    }
    let ret = match enter() {
        // SAFETY: The buffer is that of the fault, and reserved, by the function's requirements. It
        // has no moves any more, so this doesn't wait.
        Ok(_plugged) => unsafe {
            bindings::ttm_bo_vm_fault_reserved(vmf, prot, bindings::TTM_BO_VM_NUM_PREFAULT as usize)
        },
        Err(_) if shared => bindings::vm_fault_reason_VM_FAULT_SIGBUS,
        // SAFETY: The buffer is that of the fault, and reserved, by the function's requirements.
        Err(_) => unsafe { bindings::ttm_bo_vm_dummy_page(vmf, prot) },
    };

    Some(ret)
}

/// Ends the reservation, and waits until the buffer's moves are done. The program then tries again.
///
/// A device that is unplugged ends its moves only when nobody is between `drm_dev_enter()` and
/// `drm_dev_exit()`. So this must neither wait there, nor keep what others wait for there.
///
/// # Safety
///
/// As [`fault`]. `bo` must be the buffer, and its reservation be held.
unsafe fn unlock_and_wait(
    bo: *mut bindings::ttm_buffer_object,
    vmf: *mut bindings::vm_fault,
) -> bindings::vm_fault_t {
    let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;
    // SAFETY: The buffer and the fault are valid, by the function's requirements.
    let (obj, resv, mm, flags) = unsafe {
        let vma = (*vmf).__bindgen_anon_1.vma;

        (
            &raw mut (*bo).base,
            (*bo).base.resv,
            (*vma).vm_mm,
            (*vmf).flags,
        )
    };
    let has = |flag| flags & flag != 0;

    if has(bindings::fault_flag_FAULT_FLAG_RETRY_NOWAIT) {
        // SAFETY: The reservation is held, by the function's requirements.
        unsafe { bindings::dma_resv_unlock(resv) };
        return bindings::vm_fault_reason_VM_FAULT_RETRY;
    }
    // The lock of the program's mappings must not be kept for long, if that can be helped.
    let unlocks = has(bindings::fault_flag_FAULT_FLAG_ALLOW_RETRY)
        && !has(bindings::fault_flag_FAULT_FLAG_TRIED);

    // SAFETY: The reservation is held, by the function's requirements, and so is the lock of the
    // mappings, as in each fault. Without it, the mapping may go, and with it its reference to the
    // buffer; the one that is taken here keeps the buffer and its reservation.
    unsafe {
        bindings::drm_gem_object_get(obj);
        bindings::dma_resv_unlock(resv);
        if unlocks {
            bindings::mmap_read_unlock(mm);
        }
        // A signal is seen when the fault returns.
        let _ = wait_for(resv, usage, true, c_long::MAX);
        bindings::drm_gem_object_put(obj);
    }
    if unlocks {
        bindings::vm_fault_reason_VM_FAULT_RETRY
    } else {
        bindings::vm_fault_reason_VM_FAULT_NOPAGE
    }
}

/// As [`bring`]. Returns the result of the fault on failure.
///
/// # Safety
///
/// As [`bring`] and [`fault`].
unsafe fn bring_for_fault(
    bo: *mut bindings::ttm_buffer_object,
    vmf: *const bindings::vm_fault,
    places: unsafe fn(*mut bindings::ttm_buffer_object) -> &'static [Place],
) -> Result<(), bindings::vm_fault_t> {
    // SAFETY: The buffer is valid, reserved, and on the device of a `RawDevice`, by the function's
    // requirements; the fault is valid.
    let (in_reach, flags) = unsafe {
        let res = (*bo).resource;

        // TTM gives the signal for a buffer without a place.
        let in_reach = res.is_null() || RawDevice::from_bdev((*bo).bdev).is_in_reach(res);
        (in_reach, (*vmf).flags)
    };
    if in_reach {
        return Ok(());
    }
    if flags & bindings::fault_flag_FAULT_FLAG_RETRY_NOWAIT != 0 {
        return Err(bindings::vm_fault_reason_VM_FAULT_RETRY);
    }

    // Rather a signal than a process that is killed for memory.
    let mut ctx = OperationCtx::new().interruptible().gfp_retry_mayfail();
    // SAFETY: The buffer is valid, reserved, and has a resource; `places` is for it, by the
    // function's requirements.
    unsafe { bring(bo, places(bo), &mut ctx) }.map_err(|e| {
        if e == EINTR || e == ERESTARTSYS || e == EAGAIN || e == EBUSY {
            bindings::vm_fault_reason_VM_FAULT_NOPAGE
        } else {
            bindings::vm_fault_reason_VM_FAULT_SIGBUS
        }
    })
}
