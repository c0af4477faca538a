// SPDX-License-Identifier: GPL-2.0 OR MIT

//! I/O memory, which UML emulates, and a device that lends it.
//!
//! It is memory of the system, so that programs can map it.

use crate::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    drm::ttm::{
        registration::enable_dma,
        Caching,
        Lender,
        Window, //
    },
    error::to_result,
    faux,
    ffi::{
        c_int,
        c_long,
        c_uint,
        c_ulong,
        c_void, //
    },
    io::Resource,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};
use core::ptr;

/// Its size in bytes.
pub(super) const SIZE: usize = 1 << 20;

/// Data that other buffers have left behind.
pub(super) const OTHERS: u8 = 0x55;

static REGION: bindings::logic_iomem_region_ops =
    bindings::logic_iomem_region_ops { map: Some(map) };
static OPS: bindings::logic_iomem_ops = bindings::logic_iomem_ops {
    read: Some(read),
    write: Some(write),
    set: Some(set),
    copy_from: Some(copy_from),
    copy_to: Some(copy_to),
    unmap: None,
};

/// The memory. Only accessed through this, and by the thread of the test.
static MEMORY: Atomic<usize> = Atomic::new(0);

/// Byte `offset` of it.
fn byte(offset: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut::<u8>(MEMORY.load(Relaxed)).wrapping_add(offset)
}

/// # Safety
///
/// `ops` must be valid for writes.
unsafe extern "C" fn map(
    offset: c_ulong,
    _size: usize,
    ops: *mut *const bindings::logic_iomem_ops,
    _private: *mut *mut c_void,
) -> c_long {
    // SAFETY: `ops` is valid for writes, by the function's requirements.
    unsafe { *ops = &raw const OPS };
    // CAST: It is small.
    offset as c_long
}

/// # Safety
///
/// The accessed bytes must be within the region.
unsafe extern "C" fn read(_private: *mut c_void, offset: c_uint, _size: c_int) -> c_ulong {
    // SAFETY: The byte is in the region, by the function's requirements; only this thread
    // accesses that.
    unsafe { byte(offset as usize).read() }.into()
}

/// # Safety
///
/// The accessed bytes must be within the region.
unsafe extern "C" fn write(_private: *mut c_void, offset: c_uint, size: c_int, value: c_ulong) {
    // SAFETY: So many bytes are in the region, by the function's requirements, and no more than
    // `value` has, as a window is written in words at most. They don't overlap, and only this
    // thread accesses the region.
    unsafe {
        ptr::copy_nonoverlapping(
            value.to_le_bytes().as_ptr(),
            byte(offset as usize),
            size as usize,
        )
    };
}

/// # Safety
///
/// The accessed bytes must be within the region.
unsafe extern "C" fn set(_private: *mut c_void, offset: c_uint, value: u8, size: c_int) {
    // SAFETY: So many bytes are in the region, by the function's requirements; only this thread
    // accesses that.
    unsafe { byte(offset as usize).write_bytes(value, size as usize) };
}

/// # Safety
///
/// The accessed bytes must be within the region and `to`.
unsafe extern "C" fn copy_from(
    _private: *mut c_void,
    to: *mut c_void,
    offset: c_uint,
    size: c_int,
) {
    // SAFETY: So many bytes are in the region and in `to`, by the function's requirements. That
    // isn't in the region, which only this thread accesses.
    unsafe { ptr::copy_nonoverlapping(byte(offset as usize), to.cast(), size as usize) };
}

/// # Safety
///
/// The accessed bytes must be within the region and `from`.
unsafe extern "C" fn copy_to(
    _private: *mut c_void,
    offset: c_uint,
    from: *const c_void,
    size: c_int,
) {
    // SAFETY: So many bytes are in the region and in `from`, by the function's requirements.
    // That isn't in the region, which only this thread accesses.
    unsafe { ptr::copy_nonoverlapping(from.cast(), byte(offset as usize), size as usize) };
}

/// The resource that describes the memory.
static RESOURCE: Atomic<usize> = Atomic::new(0);

/// Makes the memory once, as the region of I/O memory stays for ever.
fn resource() -> Result<*mut bindings::resource> {
    let known = RESOURCE.load(Relaxed);
    if known != 0 {
        return Ok(ptr::with_exposed_provenance_mut(known));
    }

    let memory = KVec::from_elem(OTHERS, SIZE, GFP_KERNEL)?
        .into_raw_parts()
        .0;
    // SAFETY: It is memory of the kernel, in its linear mapping.
    let start = unsafe { bindings::page_to_phys(bindings::virt_to_page(memory.cast())) };
    let resource = KBox::leak(KBox::new(
        bindings::resource {
            start,
            end: start + SIZE as u64 - 1,
            name: c"ttm-io-memory".as_char_ptr(),
            flags: bindings::IORESOURCE_MEM as c_ulong,
            ..Default::default()
        },
        GFP_KERNEL,
    )?);

    MEMORY.store(memory.expose_provenance(), Relaxed);
    RESOURCE.store(ptr::from_mut(resource).expose_provenance(), Relaxed);
    // SAFETY: The resource and the operations are never freed.
    to_result(unsafe { bindings::logic_iomem_add_region(resource, &raw const REGION) })?;
    Ok(resource)
}

/// Fills the memory with data of others.
fn fill() {
    // SAFETY: No other thread accesses it.
    unsafe { byte(0).write_bytes(OTHERS, SIZE) };
}

/// A device that lends the memory. It is filled with data of others.
pub(super) struct IoMemory {
    lender: faux::Registration,
    resource: *mut bindings::resource,
}

impl IoMemory {
    pub(super) fn new() -> Result<Self> {
        let resource = resource()?;

        fill();
        let lender = faux::Registration::new(c"ttm-io-memory", None)?;
        enable_dma(&lender);
        Ok(Self { lender, resource })
    }

    pub(super) fn lender(&self) -> &Device<Bound> {
        self.lender.as_ref().as_ref()
    }

    pub(super) fn window(&self) -> Result<Window> {
        Self::window_of(self.lender(), self.resource)
    }

    /// Lends its windows.
    pub(super) fn lends(&self) -> Result<Lender> {
        // SAFETY: The resource is never freed. No other code uses the memory without requesting it.
        unsafe {
            Lender::new(
                self.lender(),
                self.resource,
                c"ttm-window",
                Caching::WriteCombined,
            )
        }
    }

    /// A window that the lender lends when it is being unbound.
    pub(super) fn window_of(
        lender: &Device<Bound>,
        resource: *mut bindings::resource,
    ) -> Result<Window> {
        // SAFETY: The resource is never freed. No other code uses the memory without requesting it.
        unsafe {
            let resource = Resource::from_raw(resource);
            Window::new(lender, resource, c"ttm-window", Caching::WriteCombined)
        }
    }

    pub(super) fn lender_device(&self) -> &faux::Device<Bound> {
        self.lender.as_ref()
    }

    pub(super) fn resource(&self) -> *mut bindings::resource {
        self.resource
    }

    /// Its address on the bus.
    pub(super) fn start(&self) -> u64 {
        // SAFETY: The resource is never freed, and doesn't move.
        unsafe { (*self.resource).start }
    }

    /// Where byte `offset` is.
    pub(super) fn address(&self, offset: usize) -> *const u8 {
        byte(offset)
    }

    /// The byte at `offset`.
    pub(super) fn byte(&self, offset: usize) -> u8 {
        assert!(offset < SIZE);
        // SAFETY: It is within the memory, as was just checked. No other thread writes to it.
        unsafe { byte(offset).read() }
    }

    /// Loses the content.
    pub(super) fn fill(&self) {
        fill();
    }

    /// Unbinds the lender.
    pub(super) fn unbind(self) {
        drop(self.lender);
    }
}
