// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The memory of a client, for the `fdinfo` of its file.
//!
//! C header: [`include/drm/drm_file.h`](srctree/include/drm/drm_file.h)

use super::{
    Driver,
    DriverObject,
    MemType,
    Object, //
};
use crate::{
    bindings,
    drm::{
        self,
        file::DriverFile,
        gem::IntoGEMObject,
        Printer, //
    },
    ffi::c_ulong,
    prelude::*,
    sync::{
        aref::ARef,
        lock::{
            spinlock::SpinLockBackend,
            Lock, //
        }, //
    },
};
use core::ptr::NonNull;

/// Shows the memory of the buffers that `file` has handles of, by region.
///
/// `regions` are the memory types to show, and their names. `home` returns the memory type that a
/// buffer belongs to. The buffer is counted there as a whole, wherever it is now, and whether it
/// has memory or not. So the totals add up to the size of the client's buffers. A buffer that
/// belongs to no memory type of `regions` isn't counted.
///
/// For each region, with the keys of [drm-usage-stats]:
///
/// - `drm-total` counts the buffers that belong there, and `drm-shared` those of them that have
///   another handle, or were exported or imported.
/// - `drm-resident` counts the buffers that are there now. In a memory type made of pages, it
///   counts only those that have their pages.
/// - `drm-active` counts the resident buffers that are in use, according to their fences.
/// - `drm-purgeable` counts the resident buffers that are not in use and may be purged, see
///   [`Reserved::set_purgeable`](super::Reserved::set_purgeable).
///
/// For [`drm::Driver::show_fdinfo`]. May sleep: it takes the reservations of the buffers, one after
/// the other, as these protect the places of buffers. So the caller must hold none.
///
/// [drm-usage-stats]: srctree/Documentation/gpu/drm-usage-stats.rst
///
/// # Examples
///
/// ```
/// use kernel::drm::{gem::BaseObject, ttm::test_device};
///
/// // Its driver's `show_fdinfo` does so, with the regions `system`, `gtt` and `vram`.
/// let dev = test_device::Device::new()?;
/// let client = test_device::Client::new(dev.drm())?;
///
/// dev.vram(0x3000)?.create_handle(client.file())?;
/// dev.system(0x1000)?.create_handle(client.file())?;
///
/// let text = client.fdinfo()?;
/// assert!(text.has_line("drm-driver:\tttm-test-device"));
/// assert!(text.has_line("drm-total-vram:\t12 KiB"));
/// assert!(text.has_line("drm-resident-vram:\t12 KiB"));
/// assert!(text.has_line("drm-total-system:\t4 KiB"));
/// // It has no pages yet.
/// assert!(text.has_line("drm-resident-system:\t0"));
/// # Ok::<(), Error>(())
/// ```
pub fn show_memory<T, F>(
    file: &drm::File<F>,
    printer: &mut Printer<'_>,
    regions: &[(&CStr, MemType)],
    home: impl Fn(&Object<T::BufferData>) -> MemType,
) where
    T: Driver + drm::Driver<File = F>,
    F: DriverFile<Driver = T>,
{
    let mut stats = [const { None }; MemType::COUNT];
    for (_, mem_type) in regions {
        stats[mem_type.index()] = Some(bindings::drm_memory_stats::default());
    }

    let mut next: c_ulong = 0;
    while let Some(obj) = next_object::<T, F>(file, &mut next) {
        count(&mut stats, &obj, home(&obj));
    }

    let columns = bindings::drm_gem_object_status_DRM_GEM_OBJECT_RESIDENT
        | bindings::drm_gem_object_status_DRM_GEM_OBJECT_ACTIVE
        | bindings::drm_gem_object_status_DRM_GEM_OBJECT_PURGEABLE;
    for (name, mem_type) in regions {
        if let Some(stats) = &stats[mem_type.index()] {
            // SAFETY: By the type invariants of `Printer` it is valid; all else is for the call.
            unsafe {
                bindings::drm_print_memory_stats(
                    printer.as_raw(),
                    stats,
                    columns,
                    name.as_char_ptr(),
                )
            };
        }
    }
}

/// Returns a reference to the object with the lowest handle in `file` from `next` on, and sets
/// `next` to the handle after it.
///
/// The place of a buffer is protected by its reservation, which can't be taken under the lock of
/// the handles. With a reference to the object, that lock can be dropped. A handle that is created
/// or closed meanwhile may be missed; any other is found once.
fn next_object<T, F>(file: &drm::File<F>, next: &mut c_ulong) -> Option<ARef<Object<T::BufferData>>>
where
    T: Driver + drm::Driver<File = F>,
    F: DriverFile<Driver = T>,
{
    let file = file.as_raw();

    // SAFETY: The file is open, so its lock is initialized.
    let handles = unsafe { Lock::<(), SpinLockBackend>::from_raw(&raw mut (*file).table_lock) };
    let _guard = handles.lock();

    // SAFETY: The file is open, so its lock is initialized; it was taken above, by this thread.
    let gem = unsafe { bindings::idr_get_next_ul(&raw mut (*file).object_idr, next) };
    let gem = NonNull::new(gem.cast::<bindings::drm_gem_object>())?;
    *next += 1;

    // SAFETY: Handles in a file of this driver are of its objects. The handle has a reference, and
    // can't drop it as long as the lock is held.
    let obj: &Object<T::BufferData> = unsafe { IntoGEMObject::from_raw(gem.as_ptr()) };
    Some(obj.into())
}

/// Adds a buffer to the counts of the memory types that are shown.
fn count<D: DriverObject>(
    stats: &mut [Option<bindings::drm_memory_stats>; MemType::COUNT],
    obj: &Object<D>,
    home: MemType,
) {
    // CAST: Never more than 64 bits.
    let size = obj.buffer().size() as u64;

    if let Some(home) = &mut stats[home.index()] {
        // SAFETY: By the type invariants of `Object` it is a valid GEM object, and there is a
        // reference for the call.
        if unsafe { bindings::drm_gem_object_is_shared_for_memory_stats(obj.as_raw()) } {
            home.shared += size;
        } else {
            home.private += size;
        }
    }

    let reserved = obj.reserve();
    let Some(here) = reserved.mem_type().filter(|_| reserved.is_resident()) else {
        return;
    };
    let Some(here) = &mut stats[here.index()] else {
        return;
    };
    here.resident += size;
    if !reserved.is_idle() {
        here.active += size;
    } else if reserved.is_purgeable() {
        here.purgeable += size;
    }
}
