// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L3: a buffer is clear in its first place, with every backing.

use super::*;
#[cfg(CONFIG_INDIRECT_IOMEM)]
use crate::{
    drm::ttm::{
        test_device,
        Place, //
    },
    error::to_result,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

const PAGE: usize = 0x1000;

/// Data that another buffer has left behind.
const OTHERS: u8 = 0x55;

/// Whether a buffer contains no data of others.
fn is_clear(obj: &Object) -> Result<bool> {
    let mut bytes = KVec::from_elem(1_u8, obj.buffer().size(), GFP_KERNEL)?;

    obj.reserve().read(0, &mut bytes)?;
    Ok(bytes.iter().all(|&byte| byte == 0))
}

/// Fills all VRAM with data that other buffers must not contain.
fn leave_behind(dev: &Device) -> Result {
    let obj = dev.vram(Device::SIZE)?;
    let bytes = KVec::from_elem(OTHERS, Device::SIZE, GFP_KERNEL)?;

    obj.reserve().write(0, &bytes)?;
    Ok(())
}

/// A window of I/O memory, which UML emulates.
#[cfg(CONFIG_INDIRECT_IOMEM)]
mod window {
    use super::*;
    use crate::{
        drm::ttm::{
            Backing,
            Caching,
            Window, //
        },
        ffi::{
            c_int,
            c_long,
            c_uint,
            c_ulong,
            c_void, //
        },
        io::Resource, //
    };
    use core::ptr;

    const START: u64 = 1 << 40;
    pub(super) const SIZE: usize = 16 * PAGE;

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
    pub(super) fn byte(offset: usize) -> *mut u8 {
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

    /// A device whose own memory is behind the window, and filled with data of other buffers.
    ///
    /// Called only once, as the region of I/O memory stays for ever.
    pub(super) fn device() -> Result<Device> {
        let memory = KVec::from_elem(OTHERS, SIZE, GFP_KERNEL)?;
        let resource = KBox::leak(KBox::new(
            bindings::resource {
                start: START,
                end: START + SIZE as u64 - 1,
                name: c"ttm-window".as_char_ptr(),
                flags: bindings::IORESOURCE_MEM as c_ulong,
                ..Default::default()
            },
            GFP_KERNEL,
        )?);

        test_device::remember(&*resource);
        MEMORY.store(memory.into_raw_parts().0.expose_provenance(), Relaxed);
        // SAFETY: The resource and the operations are never freed.
        to_result(unsafe { bindings::logic_iomem_add_region(resource, &raw const REGION) })?;
        // SAFETY: The pointer is valid, and no other code uses it.
        let window = unsafe { Window::new(Resource::from_raw(resource), Caching::WriteCombined) }?;
        Device::with(|setup| setup.range_manager(MemType::PRIV, SIZE, Backing::Io(window)))
    }
}

#[kunit_tests(rust_ttm_l3_cleared)]
mod cases {
    use super::*;

    #[test]
    fn emulated_memory_is_cleared() -> Result {
        let dev = Device::new()?;
        leave_behind(&dev)?;

        assert!(is_clear(&*dev.vram(4 * PAGE)?)?);
        let obj = dev.system(4 * PAGE)?;
        obj.reserve()
            .validate(Placement::VRAM, &mut OperationCtx::new())?;
        assert!(is_clear(&obj)?);
        Ok(())
    }

    // The driver says that the content isn't needed. The buffer must not get data of others
    // instead.
    #[test]
    fn a_move_without_content_is_cleared() -> Result {
        let dev = Device::new_that_forgets()?;
        let mut ctx = OperationCtx::new();
        leave_behind(&dev)?;

        let obj = dev.system(4 * PAGE)?;
        obj.reserve().populate(&mut ctx)?;
        obj.reserve().write(PAGE, b"mine")?;
        obj.reserve().validate(Placement::VRAM, &mut ctx)?;
        assert!(is_clear(&obj)?);
        Ok(())
    }

    // Its first pages were filled from VRAM, so TTM doesn't clear those that come next.
    #[test]
    fn pages_of_a_purged_buffer_are_cleared() -> Result {
        let dev = Device::new_shrinkable()?;
        let bytes = KVec::from_elem(OTHERS, Device::SIZE, GFP_KERNEL)?;
        let mut ctx = OperationCtx::new();
        let obj = dev.vram(Device::SIZE)?;
        obj.reserve().write(0, &bytes)?;
        obj.reserve().evict(&mut ctx)?;

        assert_eq!(
            obj.reserve().shrink(true, &mut ctx),
            Ok(Device::SIZE / PAGE)
        );
        obj.reserve().populate(&mut ctx)?;
        assert!(is_clear(&obj)?);
        Ok(())
    }

    #[cfg(CONFIG_INDIRECT_IOMEM)]
    #[test]
    fn a_window_is_cleared() -> Result {
        let dev = window::device()?;
        let private = [Place::new(MemType::PRIV)];
        let mut ctx = OperationCtx::new();
        // SAFETY: No other thread writes to it.
        let found = |n: usize| unsafe { window::byte(n * PAGE + 8).read() };

        // One buffer is made there, and one comes without content.
        let first = dev.private(3 * PAGE)?;
        let second = dev.system(2 * PAGE)?;
        second
            .reserve()
            .validate(Placement::new(&private)?, &mut ctx)?;
        assert!(is_clear(&first)? && is_clear(&second)?);
        for n in 0..window::SIZE / PAGE {
            assert_eq!(found(n), if n < 5 { 0 } else { OTHERS });
        }

        // The kernel doesn't map it, as the window goes when the device is unplugged.
        assert_eq!(first.reserve().vmap::<0>().err(), Some(ENOTSUPP));
        assert!(!first.reserve().is_pinned());

        // Again, for another client.
        first.reserve().write(8, &[OTHERS; 16])?;
        assert_eq!(found(0), OTHERS);
        drop(first);
        assert!(is_clear(&*dev.private(3 * PAGE)?)?);
        Ok(())
    }
}
