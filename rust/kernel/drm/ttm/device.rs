// SPDX-License-Identifier: GPL-2.0 OR MIT

//! TTM devices.
//!
//! C header: [`include/drm/ttm/ttm_device.h`](srctree/include/drm/ttm/ttm_device.h)

use super::{
    driver::SYSTEM,
    lru,
    tt,
    Buffer,
    Driver,
    Lru,
    Manager,
    MemType,
    OperationCtx, //
};
use crate::{
    alloc::VVec,
    bindings,
    container_of,
    device,
    drm,
    error::{
        from_err_ptr,
        from_result,
        to_result, //
    },
    ffi::c_char,
    page::PAGE_SHIFT,
    prelude::*,
    sync::lock::{
        spinlock::SpinLockBackend,
        Lock, //
    },
    types::Opaque, //
};
use core::{
    ffi::c_int,
    ops::Deref,
    ptr, //
};

/// What the space in a memory type is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Pages of system memory, which a buffer has when it is there: for memory types that say which
    /// system memory the device can reach.
    Pages,

    /// Memory of its own: what a virtual device has for VRAM. It is allocated at once, from the
    /// kernel's virtual memory; contents are copied when a buffer moves there or away.
    Emulated,
}

/// The TTM device of a driver.
///
/// It is the [`drm::Driver::Data`] of the driver's [`drm::Device`], and nowhere else. It goes when the
/// last reference to that is dropped; each object that is alive has one.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{fixture, MemType};
///
/// // This is made with `ttm::Device::new`.
/// let dev = fixture::Device::new()?;
///
/// assert!(dev.manager(MemType::SYSTEM).is_some());
/// assert!(dev.manager(MemType::VRAM).is_some());
/// // From a DRM device, there is no way to lose the TTM device.
/// assert!(core::ptr::eq(&***dev.drm(), &*dev));
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// It is the data of a [`drm::Device<T>`].
#[pin_data]
pub struct Device<T: Driver> {
    // Goes first: TTM may call the driver back until then.
    #[pin]
    inner: Inner,
    #[pin]
    data: T::DeviceData,
}

/// What TTM has of a device.
///
/// # Invariants
///
/// - `bdev` is initialized.
/// - For each memory type whose space is memory of its own, this is in `emulated`; it is at least as
///   large as what the manager manages.
/// - `bdev.man_drv` and `emulated` don't change after initialization, and all managers but the one of
///   system memory are range managers.
/// - `shrinker` is null, or a shrinker of `bdev`. It doesn't change after initialization.
#[pin_data(PinnedDrop)]
struct Inner {
    #[pin]
    bdev: Opaque<bindings::ttm_device>,
    shrinker: *mut bindings::ttm_shrinker,
    emulated: [Option<VVec<u8>>; MemType::COUNT],
}

// SAFETY: TTM devices may be used and freed from any thread; the driver's part is `Send`.
unsafe impl<T: Driver> Send for Device<T> {}

// SAFETY: What is there for a shared reference is constant or has locks of its own; the driver's part is
// `Sync`.
unsafe impl<T: Driver> Sync for Device<T> {}

/// Lends a device that is being made, to be given its memory types.
pub struct Setup<'a> {
    inner: Pin<&'a mut Inner>,
    shrinker_funcs: &'static bindings::ttm_shrinker_funcs,
    name: *const c_char,
}

impl Setup<'_> {
    /// Lets the system take pages from the device's buffers when it is short of memory.
    ///
    /// What is [purgeable](Driver::purgeable) is dropped, and so is what TTM alone still has. The
    /// rest is backed up, if there is swap space, and comes back when it is needed. Such buffers
    /// aren't swapped out by TTM itself.
    ///
    /// # Errors
    ///
    /// [`EEXIST`] if that was said before, [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{fixture, OperationCtx};
    ///
    /// let dev = fixture::Device::new_shrinkable()?;
    /// let mut ctx = OperationCtx::new();
    /// let kept = dev.system(0x2000)?;
    /// // For this one, the driver says that it is purgeable.
    /// let obj = dev.purgeable(0x2000)?;
    ///
    /// kept.reserve().populate(&mut ctx)?;
    /// kept.reserve().write(0, b"kept")?;
    /// obj.reserve().populate(&mut ctx)?;
    /// obj.reserve().write(0, b"gone")?;
    ///
    /// fixture::press_for_memory();
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
        if !self.inner.shrinker.is_null() {
            return Err(EEXIST);
        }

        // SAFETY: The device is initialized, and destroys the shrinker before it goes. The functions
        // are static, and the name is only read in the call.
        let shrinker = from_err_ptr(unsafe {
            bindings::ttm_shrinker_create(self.inner.bdev.get(), self.shrinker_funcs, self.name)
        })?;
        // INVARIANT: It was just made for this device.
        *self.inner.as_mut().project().shrinker = shrinker;
        Ok(())
    }

    /// Gives the device `size` bytes of `mem_type`, managed by TTM's range manager.
    ///
    /// The size is rounded down to whole pages.
    ///
    /// # Errors
    ///
    /// [`EEXIST`] if the device has this memory type already, [`EINVAL`] if it is less than a page,
    /// [`ENOMEM`].
    pub fn range_manager(&mut self, mem_type: MemType, size: usize, backing: Backing) -> Result {
        let pages = size >> PAGE_SHIFT;
        let bdev = self.inner.bdev.get();

        // SAFETY: `bdev` is initialized.
        if !unsafe { (*bdev).man_drv[mem_type.index()] }.is_null() {
            return Err(EEXIST);
        }
        if pages == 0 {
            return Err(EINVAL);
        }

        let emulated = match backing {
            Backing::Pages => None,
            Backing::Emulated => Some(VVec::from_elem(0, pages << PAGE_SHIFT, GFP_KERNEL)?),
        };

        // SAFETY: `bdev` is initialized and has no such manager yet.
        to_result(unsafe {
            bindings::ttm_range_man_init_nocheck(
                bdev,
                mem_type.as_u32(),
                backing == Backing::Pages,
                pages,
            )
        })?;
        // INVARIANT: The size is that of the manager.
        self.inner.as_mut().project().emulated[mem_type.index()] = emulated;
        Ok(())
    }
}

impl<T: Driver> Device<T> {
    /// Makes a DRM device with a TTM device.
    ///
    /// `data` is the driver's part. `setup` is called to give the device its memory types; system
    /// memory it has already.
    ///
    /// # Errors
    ///
    /// What `data` and `setup` return; [`ENOMEM`] and others if DRM or TTM can't make it.
    ///
    /// # Examples
    ///
    /// See [`Driver`].
    #[expect(clippy::new_ret_no_self)]
    pub fn new(
        parent: &T::ParentDevice<device::Bound>,
        data: impl PinInit<T::DeviceData, Error>,
        setup: impl FnOnce(&mut Setup<'_>) -> Result,
    ) -> Result<drm::UnregisteredDevice<T>> {
        // INVARIANT: It is initialized as data of a DRM device.
        let init = try_pin_init!(&this in Self {
            data <- data,
            inner <- {
                // SAFETY: `this` points to the data of a DRM device, all else of which is valid.
                let drm = unsafe {
                    let drm = container_of!(this.as_ptr(), drm::Device<T>, data);
                    Opaque::cast_into(&raw const (*drm).dev)
                };

                let funcs = const { &(Self::FUNCS, Self::SHRINKER_FUNCS) };
                // SAFETY: `drm` is initialized but for its data, and will be as long as its data.
                unsafe { Inner::new(drm, funcs, setup) }
            },
        });

        drm::UnregisteredDevice::new(parent, init)
    }

    /// The DRM device that this is the data of.
    pub fn drm(&self) -> &drm::Device<T> {
        // SAFETY: By the type invariant.
        unsafe { &*container_of!(ptr::from_ref(self), drm::Device<T>, data) }
    }

    /// The driver's part.
    pub fn driver_data(&self) -> &T::DeviceData {
        &self.data
    }

    /// The manager of a memory type, or [`None`] if the device doesn't have that.
    pub fn manager(&self, mem_type: MemType) -> Option<&Manager<T>> {
        // SAFETY: By the type invariants of `Inner`.
        let man = unsafe { (*self.as_bdev()).man_drv[mem_type.index()] };

        // SAFETY: By the type invariants of `Inner` it lasts as long as the device.
        (!man.is_null()).then(|| unsafe { Manager::from_raw(man) })
    }

    /// Takes the lock of the LRU lists, to move things there.
    ///
    /// Must not be called by a thread that has such a lock, of this device or another.
    pub fn lru(&self) -> Lru<'_, T> {
        Lru::lock(self)
    }

    /// Swaps out all buffers that are made of pages, and can be.
    ///
    /// In one walk of each list, however many can't be: those don't keep the others from it. Buffers
    /// whose reservation is taken stay.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`] with a context that can be interrupted, and what the driver's moves return,
    /// but for [`EBUSY`], [`ENOSPC`] and [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{fixture, OperationCtx};
    ///
    /// let dev = fixture::Device::new()?;
    /// let obj = dev.system(0x2000)?;
    /// let mut ctx = OperationCtx::new();
    /// obj.reserve().populate(&mut ctx)?;
    /// obj.reserve().write(0x1000, b"kept")?;
    ///
    /// dev.swap_out_all(&mut ctx)?;
    /// assert!(!obj.reserve().is_populated());
    ///
    /// obj.reserve().populate(&mut ctx)?;
    /// let mut bytes = [0; 4];
    /// obj.reserve().read(0x1000, &mut bytes)?;
    /// assert_eq!(&bytes, b"kept");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn swap_out_all(&self, ctx: &mut OperationCtx) -> Result {
        // SAFETY: By the type invariants of `Inner`; the context is valid for the call.
        to_result(unsafe {
            bindings::ttm_device_swapout_all(self.as_bdev(), ctx.as_raw(), GFP_KERNEL.as_raw())
        })
    }

    pub(super) fn lru_lock(&self) -> &Lock<(), SpinLockBackend> {
        // SAFETY: By the type invariants of `Inner` it is initialized.
        unsafe { Lock::from_raw(&raw mut (*self.as_bdev()).lru_lock) }
    }

    pub(super) fn as_bdev(&self) -> *mut bindings::ttm_device {
        self.inner.bdev.get()
    }

    /// # Safety
    ///
    /// `bdev` must be that of a `Device<T>` that is valid for `'a`.
    pub(super) unsafe fn from_bdev<'a>(bdev: *mut bindings::ttm_device) -> &'a Self {
        // SAFETY: By the function's requirements.
        unsafe { &*container_of!(ptr::from_ref(Inner::from_bdev(bdev)), Self, inner) }
    }

    const FUNCS: bindings::ttm_device_funcs = bindings::ttm_device_funcs {
        ttm_tt_create: Some(tt::create),
        ttm_tt_populate: Some(tt::populate),
        ttm_tt_unpopulate: Some(tt::unpopulate),
        ttm_tt_destroy: Some(tt::destroy),
        eviction_valuable: Some(bindings::ttm_bo_eviction_valuable),
        evict_flags: Some(Self::evict_flags_callback),
        move_: Some(move_callback),
        delete_mem_notify: None,
        swap_notify: None,
        io_mem_reserve: Some(io_mem_reserve_callback),
        io_mem_free: None,
        io_mem_pfn: None,
        access_memory: None,
        release_notify: None,
    };

    const SHRINKER_FUNCS: bindings::ttm_shrinker_funcs = bindings::ttm_shrinker_funcs {
        purgeable: if T::HAS_PURGEABLE {
            Some(Self::purgeable_callback)
        } else {
            None
        },
        shrunk: Some(Self::shrunk_callback),
    };

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` that is alive, its reservation held.
    unsafe extern "C" fn purgeable_callback(bo: *mut bindings::ttm_buffer_object) -> bool {
        // SAFETY: By the function's requirements. TTM has a reference.
        unsafe { Buffer::<T>::from_raw(bo) }
            .data()
            .is_some_and(T::purgeable)
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` that is alive, its reservation held.
    unsafe extern "C" fn shrunk_callback(bo: *mut bindings::ttm_buffer_object, purged: bool) {
        if purged {
            // SAFETY: By the function's requirements. It had pages.
            unsafe { tt::set_purged((*bo).ttm) };
        }
        // SAFETY: By the function's requirements. TTM has a reference.
        if let Some(data) = unsafe { Buffer::<T>::from_raw(bo) }.data() {
            T::shrunk(data, purged);
        }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` with a resource, its reservation held.
    unsafe extern "C" fn evict_flags_callback(
        bo: *mut bindings::ttm_buffer_object,
        placement: *mut bindings::ttm_placement,
    ) {
        // SAFETY: By the function's requirements.
        let mem_type = MemType::new(unsafe { (*(*bo).resource).mem_type });
        // SAFETY: By the function's requirements. TTM has a reference.
        let bo = unsafe { Buffer::<T>::from_raw(bo) };

        let places = match (bo.data(), mem_type) {
            (Some(data), Some(mem_type)) => T::evict_flags(data, mem_type),
            _ => SYSTEM,
        };

        // SAFETY: TTM wants this filled in.
        unsafe {
            // A driver that has more than that has other problems.
            (*placement).num_placement = u32::try_from(places.len()).unwrap_or(u32::MAX);
            // CAST: `Place` is transparent.
            (*placement).placement = places.as_ptr().cast();
        }
    }
}

impl<T: Driver> Deref for Device<T> {
    type Target = T::DeviceData;

    fn deref(&self) -> &T::DeviceData {
        &self.data
    }
}

impl Inner {
    /// # Safety
    ///
    /// It must only be used to initialize a part of `drm`'s data. `drm` must be initialized but for its
    /// data.
    unsafe fn new(
        drm: *mut bindings::drm_device,
        (funcs, shrinker_funcs): &'static (
            bindings::ttm_device_funcs,
            bindings::ttm_shrinker_funcs,
        ),
        setup: impl FnOnce(&mut Setup<'_>) -> Result,
    ) -> impl PinInit<Self, Error> {
        let init = move |this: *mut Self| {
            // SAFETY: `this` is memory for a `Self`.
            let bdev = unsafe {
                (&raw mut (*this).emulated).write([const { None }; MemType::COUNT]);
                (&raw mut (*this).shrinker).write(ptr::null_mut());
                let bdev = Opaque::cast_into(&raw const (*this).bdev);
                bdev.write_bytes(0, 1);
                bdev
            };

            // The flag lets TTM tell a lack of room from a lack of memory.
            // SAFETY: `bdev` is zeroed memory; the function's requirements hold for all the rest.
            to_result(unsafe {
                bindings::ttm_device_init(
                    bdev,
                    funcs,
                    (*drm).dev,
                    (*(*drm).anon_inode).i_mapping,
                    (*drm).vma_offset_manager,
                    bindings::TTM_ALLOCATION_PROPAGATE_ENOSPC,
                )
            })?;

            // INVARIANT: `bdev` is initialized, and there is a manager of system memory only.
            // SAFETY: All of `this` is initialized, and it is pinned.
            let mut inner = unsafe { Pin::new_unchecked(&mut *this) };
            setup(&mut Setup {
                inner: inner.as_mut(),
                shrinker_funcs,
                // SAFETY: By the function's requirements.
                name: unsafe { (*drm).unique },
            })
            .inspect_err(|_| {
                // SAFETY: It is initialized, and not used any more.
                unsafe { ptr::drop_in_place(this) };
            })
        };

        // SAFETY: It is initialized on success. On failure, either nothing was that needs dropping, or
        // it was dropped.
        unsafe { pin_init::pin_init_from_closure(init) }
    }

    /// # Safety
    ///
    /// `bdev` must be that of an `Inner` that is valid for `'a`.
    unsafe fn from_bdev<'a>(bdev: *mut bindings::ttm_device) -> &'a Self {
        // SAFETY: By the function's requirements.
        unsafe { &*container_of!(Opaque::cast_from(bdev), Self, bdev) }
    }

    /// The emulated memory where `res` is, if it is in such a memory type.
    ///
    /// # Safety
    ///
    /// `res` must be a valid resource on this device, completely allocated.
    unsafe fn memory(&self, res: *const bindings::ttm_resource) -> Option<*mut u8> {
        // SAFETY: By the function's requirements.
        let (mem_type, start) = unsafe { ((*res).mem_type as usize, (*res).start) };
        let memory = self.emulated.get(mem_type)?.as_ref()?;

        // The memory is only accessed through this pointer.
        Some(memory.as_ptr().cast_mut().wrapping_add(start << PAGE_SHIFT))
    }
}

#[pinned_drop]
impl PinnedDrop for Inner {
    fn drop(self: Pin<&mut Self>) {
        let bdev = self.bdev.get();

        if !self.shrinker.is_null() {
            // SAFETY: By the type invariants. The managers are still there.
            unsafe { bindings::ttm_shrinker_destroy(self.shrinker) };
        }

        // SAFETY: By the type invariants.
        let managers = unsafe { (*bdev).man_drv };
        for &man in managers.iter().filter(|man| !man.is_null()) {
            // SAFETY: By the type invariants.
            unsafe { unlink_forgotten(bdev, man) };
        }

        // This waits for zombies, which free their resources: so it comes before the managers go. TTM
        // leaves range managers alone.
        // SAFETY: By the type invariants. Nobody uses the device any more, but TTM: there are no
        // objects that are alive, as they have references to the DRM device.
        unsafe { bindings::ttm_device_fini(bdev) };

        for n in 1..bindings::TTM_NUM_MEM_TYPES {
            // SAFETY: By the type invariants, it is a range manager, or there is none. It is empty, so
            // this doesn't fail.
            unsafe { bindings::ttm_range_man_fini_nocheck(bdev, n) };
        }
    }
}

/// Whether the buffers of a device are made so that a shrinker can have their pages.
///
/// # Safety
///
/// `bdev` must be that of a valid [`Device`].
pub(super) unsafe fn is_shrinkable(bdev: *mut bindings::ttm_device) -> bool {
    // SAFETY: By the function's requirements.
    !unsafe { Inner::from_bdev(bdev) }.shrinker.is_null()
}

/// Takes hitches off the lists of `man`.
///
/// Who has a cursor borrows the device, so these are of cursors that were leaked.
///
/// # Safety
///
/// `man` must be a valid manager of `bdev`, and nobody use a cursor any more.
unsafe fn unlink_forgotten(
    bdev: *mut bindings::ttm_device,
    man: *mut bindings::ttm_resource_manager,
) {
    // SAFETY: By the function's requirements.
    let _guard = unsafe { Lock::<(), SpinLockBackend>::from_raw(&raw mut (*bdev).lru_lock) }.lock();

    loop {
        let mut hitch = ptr::null();
        lru::visit_raw(man, |item| {
            // SAFETY: The LRU lock is held.
            let kind = unsafe { (*item).type_() as u32 };
            if kind == bindings::ttm_lru_item_type_TTM_LRU_HITCH {
                hitch = item;
            }
        });
        if hitch.is_null() {
            break;
        }

        // SAFETY: It is the hitch of a cursor, which is valid, as it is on a list, and which nobody
        // uses. The LRU lock is held.
        unsafe {
            let cursor = container_of!(hitch, bindings::ttm_resource_cursor, hitch);
            bindings::ttm_resource_cursor_fini(cursor.cast_mut());
        }
    }
}

/// # Safety
///
/// Only to be called by TTM, on a buffer of an [`Inner`], its reservation held.
unsafe extern "C" fn move_callback(
    bo: *mut bindings::ttm_buffer_object,
    _evict: bool,
    ctx: *mut bindings::ttm_operation_ctx,
    new: *mut bindings::ttm_resource,
    _hop: *mut bindings::ttm_place,
) -> c_int {
    from_result(|| {
        // SAFETY: By the function's requirements.
        if !unsafe { (*bo).resource }.is_null() {
            // SAFETY: By the function's requirements.
            to_result(unsafe { bindings::ttm_bo_move_memcpy(bo, ctx, new) })?;
            return Ok(0);
        }

        // There is nothing to move; but nobody is to see what others left behind.
        // SAFETY: By the function's requirements; `new` is completely allocated.
        if let Some(memory) = unsafe { Inner::from_bdev((*bo).bdev).memory(new) } {
            // SAFETY: By the type invariants of `Inner`, so much is there. It belongs to `new`.
            unsafe { memory.write_bytes(0, (*new).size) };
        }
        // SAFETY: By the function's requirements.
        unsafe { bindings::ttm_bo_move_null(bo, new) };
        Ok(0)
    })
}

/// # Safety
///
/// Only to be called by TTM, on a resource of an [`Inner`] that is completely allocated.
unsafe extern "C" fn io_mem_reserve_callback(
    bdev: *mut bindings::ttm_device,
    res: *mut bindings::ttm_resource,
) -> c_int {
    // SAFETY: By the function's requirements.
    let Some(memory) = (unsafe { Inner::from_bdev(bdev).memory(res) }) else {
        return 0;
    };

    // SAFETY: By the function's requirements. TTM wants these filled in.
    unsafe {
        (*res).bus.addr = memory.cast();
        (*res).bus.offset = 0;
        (*res).bus.is_iomem = true;
        (*res).bus.caching = bindings::ttm_caching_ttm_cached;
    }
    0
}
