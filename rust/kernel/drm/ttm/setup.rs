// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The memory types of a device, and the memory behind them.
//!
//! C header: [`include/drm/ttm/ttm_device.h`](srctree/include/drm/ttm/ttm_device.h)

use super::{
    manager_ops,
    raw_device::{
        Memory, //
        RawDevice,
    },
    ManagerOps,
    MemType,
    Window, //
};
use crate::{
    bindings,
    debugfs,
    error::{
        from_err_ptr,
        to_result, //
    },
    page::PAGE_SHIFT,
    prelude::*,
    str::CString, //
};

/// The memory behind a memory type.
pub enum Backing {
    /// Pages of system memory, which a buffer has when it is there: for memory types that say which
    /// system memory the device can reach.
    Pages,

    /// Memory that the kernel allocates at once, with `vmalloc()`: the VRAM of a virtual device.
    /// The content of a buffer is copied when the buffer moves there or away.
    #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
    Emulated,

    /// Memory of a real device, which the CPU reaches in this window.
    ///
    /// If the window is smaller than the memory type, the CPU reaches only the first part of that,
    /// see [`Driver::reachable_places`](super::Driver::reachable_places).
    Io(Window),
}

/// Lends a device that is being made, to be given its memory types.
///
/// # Invariants
///
/// `raw` is completely initialized and pinned.
pub struct Setup<'a> {
    pub(super) raw: Pin<&'a mut RawDevice>,
    pub(super) shrinker_funcs: &'static bindings::ttm_shrinker_funcs,
}

impl Setup<'_> {
    /// Gives the device `size` bytes of `mem_type`, managed by TTM's range manager.
    ///
    /// The size is rounded down to whole pages.
    ///
    /// # Errors
    ///
    /// [`EEXIST`] if the device has this memory type already, [`EINVAL`] if `size` is less than a
    /// page, [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// See [`Device::new`](super::Device::new).
    pub fn range_manager(&mut self, mem_type: MemType, size: usize, backing: Backing) -> Result {
        let pages = self.pages(mem_type, size)?;
        let memory = Memory::new(pages, backing)?;

        // SAFETY: By the type invariants the device is initialized; it has no such manager yet, as
        // was just checked.
        to_result(unsafe {
            bindings::ttm_range_man_init_nocheck(
                self.raw.bdev(),
                mem_type.as_u32(),
                memory.is_pages(),
                pages,
            )
        })?;
        // INVARIANT: `memory` of `RawDevice`: the size is that of the manager, which is a range
        // manager.
        self.raw.as_mut().set_memory(mem_type, memory, None);
        Ok(())
    }

    /// Gives the device `size` bytes of `mem_type`, managed by `ops`.
    ///
    /// The size is rounded down to whole pages.
    ///
    /// # Errors
    ///
    /// As [`Self::range_manager`].
    ///
    /// # Examples
    ///
    /// See [`ManagerOps`] and [`BuddyManager`](super::BuddyManager).
    pub fn manager<M: ManagerOps>(
        &mut self,
        mem_type: MemType,
        size: usize,
        backing: Backing,
        ops: M,
    ) -> Result {
        let pages = self.pages(mem_type, size)?;
        let memory = Memory::new(pages, backing)?;

        let (bdev, use_tt) = (self.raw.bdev(), memory.is_pages());
        // SAFETY: By the type invariants the device is initialized; it has no such manager yet, as
        // was just checked. The returned function is called before the device goes.
        let free = unsafe { manager_ops::install(bdev, mem_type, use_tt, pages, ops) }?;
        // INVARIANT: `memory` of `RawDevice`: the size is that of the manager, and `free` was made
        // for it.
        self.raw.as_mut().set_memory(mem_type, memory, Some(free));
        Ok(())
    }

    /// Lets the system take pages from the device's buffers when it is short of memory.
    ///
    /// The pages of [purgeable](super::Reserved::set_purgeable) buffers and of zombies are dropped.
    /// Those of other buffers are backed up, if there is swap space, and come back when they are
    /// needed. TTM itself doesn't swap out buffers of this device. The shrinker ends when the
    /// device is unregistered.
    ///
    /// # Errors
    ///
    /// [`EEXIST`] if the device has a shrinker already; [`EOPNOTSUPP`] if its pages are
    /// [coherent memory](super::Dma::coherent), which can't be backed up; [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new_shrinkable()?;
    /// let mut ctx = OperationCtx::new();
    /// let kept = dev.system(0x2000)?;
    /// // This one is purgeable.
    /// let obj = dev.purgeable(0x2000)?;
    ///
    /// kept.reserve().populate(&mut ctx)?;
    /// kept.reserve().write(0, b"kept")?;
    /// obj.reserve().populate(&mut ctx)?;
    /// obj.reserve().write(0, b"gone")?;
    ///
    /// test_device::press_for_memory();
    /// assert!(!obj.reserve().is_populated());
    /// assert!(obj.was_purged());
    /// obj.reserve().populate(&mut ctx)?;
    /// let mut bytes = [1; 4];
    /// obj.reserve().read(0, &mut bytes)?;
    /// assert_eq!(bytes, [0; 4]);
    ///
    /// // The other one is still there, or comes back.
    /// kept.reserve().populate(&mut ctx)?;
    /// kept.reserve().read(0, &mut bytes)?;
    /// assert_eq!(&bytes, b"kept");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn shrinker(&mut self) -> Result {
        if self.raw.is_shrinkable() {
            return Err(EEXIST);
        }
        if self.raw.has_coherent_memory() {
            return Err(EOPNOTSUPP);
        }

        // SAFETY: By the type invariants the device is initialized, and the name a string, or null,
        // which is only read in the call. The shrinker is destroyed before the device goes, or the
        // module with the functions: see `RawDevice::leave`.
        let shrinker = from_err_ptr(unsafe {
            bindings::ttm_shrinker_create(self.raw.bdev(), self.shrinker_funcs, self.raw.name())
        })?;
        // INVARIANT: `shrinker` of `RawDevice` was just made for this device.
        self.raw.as_mut().set_shrinker(shrinker);
        Ok(())
    }

    /// Makes a folder `name` in `parent`, in debugfs, with a file for each manager.
    ///
    /// The folder has the managers that the device has when this is called, so call this last. It
    /// is removed when the device is unregistered or freed.
    ///
    /// # Errors
    ///
    /// [`EEXIST`] if the device has such a folder already, [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{debugfs, drm::ttm::test_device};
    ///
    /// let dir = debugfs::Dir::new(c"ttm-example");
    /// let dev = test_device::Device::with(|setup| setup.debugfs(&dir, c"managers"))?;
    /// # drop(dev);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn debugfs(&mut self, parent: &debugfs::Dir, name: &CStr) -> Result {
        if self.raw.has_debugfs() {
            return Err(EEXIST);
        }
        let dir = parent.subdir(name);

        #[cfg(CONFIG_DEBUG_FS)]
        if let Some(dentry) = dir.as_dentry() {
            for n in 0..bindings::TTM_NUM_MEM_TYPES {
                // SAFETY: By the type invariants the device is initialized, and its managers with
                // it, which only `self` can change.
                let man = unsafe { (*self.raw.bdev()).man_drv[n as usize] };
                if man.is_null() {
                    continue;
                }
                let file = CString::try_from_fmt(fmt!("memory{n}"))?;

                // SAFETY: The manager and the folder are valid, and the name is a string, and
                // copied. `RawDevice` drops the folder, and with it the file, before the manager
                // goes.
                unsafe {
                    bindings::ttm_resource_manager_create_debugfs(man, dentry, file.as_char_ptr())
                };
            }
        }
        self.raw.as_mut().set_debugfs(dir);
        Ok(())
    }

    /// Returns how many pages `size` bytes are.
    ///
    /// # Errors
    ///
    /// [`EEXIST`] if the device has `mem_type` already, [`EINVAL`] if there is not even one page.
    fn pages(&self, mem_type: MemType, size: usize) -> Result<usize> {
        let pages = size >> PAGE_SHIFT;

        // SAFETY: By the type invariants the device is initialized, and its managers with it, which
        // only `self` can change.
        if !unsafe { (*self.raw.bdev()).man_drv[mem_type.index()] }.is_null() {
            return Err(EEXIST);
        }
        if pages == 0 {
            return Err(EINVAL);
        }
        Ok(pages)
    }
}

impl Memory {
    #[cfg_attr(not(CONFIG_RUST_DRM_TTM_EMULATION), expect(unused_variables))]
    fn new(pages: usize, backing: Backing) -> Result<Self> {
        Ok(match backing {
            Backing::Pages => Self::Pages,
            #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
            Backing::Emulated => {
                let size = pages << PAGE_SHIFT;

                Self::Emulated(crate::alloc::VVec::from_elem(0, size, GFP_KERNEL)?)
            }
            Backing::Io(window) => Self::Io(window),
        })
    }
}
