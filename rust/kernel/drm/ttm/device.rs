// SPDX-License-Identifier: GPL-2.0 OR MIT

//! TTM devices.
//!
//! C header: [`include/drm/ttm/ttm_device.h`](srctree/include/drm/ttm/ttm_device.h)

use super::{
    clear::{
        place_first,
        wait_for_moves,
        Clear,
        ClearBy, //
    },
    manager::Route,
    raw_device::{
        Plugged,
        RawDevice, //
    },
    reach,
    resource::uses_pages,
    tt,
    Buffer,
    Cursor,
    Driver,
    Lru,
    Manager,
    MemType,
    Move,
    MoveBy,
    OperationCtx,
    Place,
    ReservedWalk,
    Setup, //
};
use crate::{
    bindings,
    container_of,
    device,
    dma::DmaAddress,
    dma_fence::{
        is_owner,
        Kept, //
    },
    drm,
    error::{
        from_result,
        to_result, //
    },
    io::PhysAddr,
    module::this_module,
    page::PAGE_SHIFT,
    prelude::*,
    sync::lock::{
        spinlock::SpinLockBackend,
        Lock, //
    },
    types::Opaque, //
};
use core::{
    ffi::{
        c_int,
        c_void, //
    },
    ops::Deref,
    ptr, //
};

/// The TTM device of a driver.
///
/// It only exists as the [`drm::Driver::Data`] of the driver's [`drm::Device`], and is freed when
/// the last reference to the DRM device is dropped. Each buffer has such a reference until it is
/// freed. If that is the last one, the device is freed together with the buffer, in a work item of
/// the kernel image.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, MemType};
///
/// // This is made with `ttm::Device::new`.
/// let dev = test_device::Device::new()?;
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
    // Dropped first: TTM may call the driver back until then.
    #[pin]
    raw: RawDevice,
    #[pin]
    data: T::DeviceData,
}

// SAFETY: TTM devices may be used and freed from any thread; the driver's part is `Send`.
unsafe impl<T: Driver> Send for Device<T> {}

// SAFETY: All that a shared reference gives access to is constant or has locks of its own; the
// driver's part is `Sync`.
unsafe impl<T: Driver> Sync for Device<T> {}

impl<T: Driver> Device<T> {
    /// Makes a DRM device with a TTM device.
    ///
    /// `data` is the driver's part. `setup` is called to give the device its memory types, in
    /// addition to system memory.
    ///
    /// # Errors
    ///
    /// Errors of `data` and `setup`; [`EINVAL`] if an `OwnerModule` of the driver isn't the module
    /// that contains its code; [`ENODEV`] if the module's exit has begun, as nothing would wait for
    /// the end of the device; [`ENOMEM`] and other errors if DRM or TTM can't make it.
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
        let code = Self::move_callback as *const ();
        if !is_owner(this_module::<<T as Driver>::OwnerModule>().as_ptr(), code)
            || !is_owner(
                this_module::<<T as drm::Driver>::OwnerModule>().as_ptr(),
                code,
            )
        {
            return Err(EINVAL);
        }
        let _kept = Kept::new(code)?;

        // INVARIANT: It is initialized as data of a DRM device.
        let init = try_pin_init!(&this in Self {
            data <- data,
            raw <- {
                // SAFETY: `this` points to the data of a DRM device, all else of which is valid.
                let drm = unsafe {
                    let drm = container_of!(this.as_ptr(), drm::Device<T>, data);
                    Opaque::cast_into(&raw const (*drm).dev)
                };

                let funcs = const { &(Self::FUNCS, Self::SHRINKER_FUNCS) };
                let module = this_module::<<T as drm::Driver>::OwnerModule>();
                // SAFETY: `drm` is initialized but for its data, and will be as long as its data.
                // The functions are in the driver's module.
                unsafe { RawDevice::new(drm, module, funcs, setup) }
            },
        });

        drm::UnregisteredDevice::new(parent, init)
    }

    /// The DRM device whose data this is.
    pub fn drm(&self) -> &drm::Device<T> {
        // SAFETY: By the type invariants `self` is the `data` of a `drm::Device<T>`, which is valid
        // as long as its data.
        unsafe { &*container_of!(ptr::from_ref(self), drm::Device<T>, data) }
    }

    /// The driver's part.
    pub fn driver_data(&self) -> &T::DeviceData {
        &self.data
    }

    /// The manager of a memory type, or [`None`] if the device doesn't have the memory type.
    pub fn manager(&self, mem_type: MemType) -> Option<&Manager<T>> {
        // SAFETY: By the type invariants of `RawDevice` `bdev` is initialized, and its managers
        // don't change once the device can be seen. An index of a `MemType` is within the array.
        let man = unsafe { (*self.as_bdev()).man_drv[mem_type.index()] };

        // SAFETY: It isn't null, so by the type invariants of `RawDevice` it is a manager of this
        // device. It lasts as long as the device, which is borrowed.
        (!man.is_null()).then(|| unsafe { Manager::from_raw(man) })
    }

    /// Whether the device was unplugged, or is being so.
    ///
    /// An ioctl that is guarded by the registration, and waits for work of the device, must look at
    /// this from time to time: the unplug waits for the ioctl, and the work may end only afterwards.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::test_device;
    ///
    /// let dev = test_device::Device::new()?;
    /// assert!(!dev.is_unplugged());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn is_unplugged(&self) -> bool {
        // SAFETY: By the type invariants the DRM device is valid as long as `self`, its data.
        unsafe { Plugged::enter(self.raw().drm()) }.is_err()
    }

    /// The bus address at which the [window](super::Window) of `mem_type` begins, if it was mapped
    /// for a device: the first result of [`Window::map_for`](super::Window::map_for).
    ///
    /// It is valid until the device's registration ends.
    pub fn bus_address(&self, mem_type: MemType) -> Option<DmaAddress> {
        self.raw.bus_address(mem_type)
    }

    /// The part of `mem_type` that the CPU reaches: all of it, unless it is behind a
    /// [window](super::Window) that is smaller.
    ///
    /// A buffer that is validated for this place can be read, written and mapped there.
    pub fn reachable(&self, mem_type: MemType) -> Place {
        self.raw.in_reach(Place::new(mem_type))
    }

    /// Whether it was set up with a [shrinker](Setup::shrinker).
    pub fn is_shrinkable(&self) -> bool {
        self.raw.is_shrinkable()
    }

    /// A cursor for walks over the LRU lists of several managers, one after the other.
    ///
    /// Memory types that the device doesn't have are skipped. Otherwise as [`Manager::cursor`]: the
    /// promises of a walk hold for the lists of each manager.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if the device has none of the memory types.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let objects = [dev.vram(0x1000)?, dev.system(0x2000)?, dev.vram(0x3000)?];
    ///
    /// let types = [MemType::PRIV, MemType::VRAM, MemType::TT, MemType::SYSTEM];
    /// let mut cursor = pin!(dev.cursor(&types)?);
    /// let mut walk = cursor.as_mut().lock();
    /// for n in [0, 2, 1, 0] {
    ///     let id = walk.next().and_then(|res| res.buffer_id());
    ///     assert_eq!(id, Some(objects[n].buffer().id()));
    ///     walk.unlocked(|| ());
    ///     if n == 1 {
    ///         assert!(walk.next().is_none());
    ///         walk.restart();
    ///     }
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn cursor<'dev>(&'dev self, types: &'dev [MemType]) -> Result<Cursor<'dev, T>> {
        let mut route = Route::new(self, types);
        let first = route.next().ok_or(ENODEV)?;

        Ok(Cursor::new(first, route))
    }

    /// A walk over the buffers of several managers, one after the other, which returns each buffer
    /// reserved.
    ///
    /// Memory types that the device doesn't have are skipped. Otherwise as [`Manager::walk`].
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if the device has none of the memory types.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let objects = [dev.vram(0x1000)?, dev.system(0x2000)?, dev.vram(0x3000)?];
    /// // Another user has reserved the first one.
    /// let used = objects[0].reserve();
    ///
    /// let types = [MemType::VRAM, MemType::SYSTEM];
    /// let mut walk = pin!(dev.walk(&types, &OperationCtx::new())?);
    /// for n in [2, 1] {
    ///     let bo = walk.as_mut().next().ok_or(ENOENT)??;
    ///     assert_eq!(bo.id(), objects[n].buffer().id());
    /// }
    /// assert!(walk.as_mut().next().is_none());
    /// assert_eq!(walk.left_out().busy, 1);
    /// # drop(used);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn walk<'dev>(
        &'dev self,
        types: &'dev [MemType],
        ctx: &OperationCtx,
    ) -> Result<ReservedWalk<'dev, T>> {
        let mut route = Route::new(self, types);
        let first = route.next().ok_or(ENODEV)?;

        Ok(ReservedWalk::new(first, route, ctx))
    }

    /// Takes the lock of the LRU lists, to inspect them or to move bulks.
    ///
    /// Must not be called by a thread that holds the LRU lock of this device or of another.
    pub fn lru(&self) -> Lru<'_, T> {
        Lru::lock(self)
    }

    /// Swaps out all buffers that are made of pages and can be swapped out.
    ///
    /// Each list is walked once, however many of its buffers can't be swapped out. Buffers that are
    /// reserved stay. On a device with a [shrinker](Setup::shrinker), buffers are backed up
    /// instead, if there is swap space.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`] with a context that can be interrupted, and errors of the driver's moves,
    /// except [`EBUSY`], [`ENOSPC`] and [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
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
        // SAFETY: By the type invariants of `RawDevice` `bdev` is initialized. The context is valid
        // for the call.
        to_result(unsafe {
            bindings::ttm_device_swapout_all(self.as_bdev(), ctx.as_raw(), GFP_KERNEL.as_raw())
        })
    }

    pub(super) fn lru_lock(&self) -> &Lock<(), SpinLockBackend> {
        // SAFETY: By the type invariants of `RawDevice` `bdev` is initialized, and its `lru_lock`
        // with it, a spinlock. It isn't moved, and lasts as long as the device, which is borrowed.
        unsafe { Lock::from_raw(&raw mut (*self.as_bdev()).lru_lock) }
    }

    pub(super) fn raw(&self) -> &RawDevice {
        &self.raw
    }

    pub(super) fn as_bdev(&self) -> *mut bindings::ttm_device {
        self.raw.bdev()
    }

    /// # Safety
    ///
    /// `bdev` must be that of a `Device<T>` that is valid for `'a`.
    pub(super) unsafe fn from_bdev<'a>(bdev: *mut bindings::ttm_device) -> &'a Self {
        // SAFETY: `bdev` is part of a `RawDevice`, and that of a `Device<T>` which is valid, by the
        // function's requirements.
        unsafe { &*container_of!(ptr::from_ref(RawDevice::from_bdev(bdev)), Self, raw) }
    }

    /// The driver's part of the device that `bo` is on.
    ///
    /// # Safety
    ///
    /// `bo` must be valid for `'a`, and on a `Device<T>`.
    unsafe fn data_of<'a>(bo: *mut bindings::ttm_buffer_object) -> &'a T::DeviceData {
        // SAFETY: `bo` is valid, and on a `Device<T>`, by the function's requirements. It keeps its
        // device for `'a`; or it is a ghost, and keeps the buffer that it comes from, which keeps
        // the device.
        unsafe { &Self::from_bdev((*bo).bdev).data }
    }

    const FUNCS: bindings::ttm_device_funcs = bindings::ttm_device_funcs {
        ttm_tt_create: Some(tt::create::<T>),
        ttm_tt_populate: Some(tt::populate),
        ttm_tt_unpopulate: Some(tt::unpopulate),
        ttm_tt_destroy: Some(tt::destroy),
        eviction_valuable: if T::HAS_EVICTION_VALUABLE {
            Some(Self::eviction_valuable_callback)
        } else {
            Some(bindings::ttm_bo_eviction_valuable)
        },
        evict_flags: Some(Self::evict_flags_callback),
        move_: Some(Self::move_callback),
        delete_mem_notify: if T::HAS_DELETE_MEM_NOTIFY {
            Some(Self::delete_mem_notify_callback)
        } else {
            None
        },
        swap_notify: if T::HAS_SWAP_NOTIFY {
            Some(Self::swap_notify_callback)
        } else {
            None
        },
        io_mem_reserve: Some(io_mem_reserve_callback),
        io_mem_free: None,
        io_mem_pfn: Some(io_mem_pfn_callback),
        access_memory: Some(Self::access_callback),
        release_notify: None,
    };

    const SHRINKER_FUNCS: bindings::ttm_shrinker_funcs = bindings::ttm_shrinker_funcs {
        shrunk: Some(Self::shrunk_callback),
    };

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` that is alive, its reservation held,
    /// and that has lost its pages.
    unsafe extern "C" fn shrunk_callback(bo: *mut bindings::ttm_buffer_object, purged: bool) {
        // SAFETY: The buffer is on a `Device<T>`, reserved, and has a `ttm_tt`, by the function's
        // requirements.
        unsafe { Self::was_shrunk(bo, purged) };
    }

    /// Tells the driver that a buffer has lost its pages.
    ///
    /// # Safety
    ///
    /// The buffer must be on a `Device<T>` and have a `ttm_tt`; its reservation must be held.
    pub(super) unsafe fn was_shrunk(bo: *mut bindings::ttm_buffer_object, purged: bool) {
        if purged {
            // SAFETY: The `ttm_tt` comes from `tt::create`, as all on a `Device` do; the
            // reservation is held.
            unsafe { tt::set_purged((*bo).ttm) };
        }
        // SAFETY: The buffer is on a `Device<T>`, by the function's requirements, and valid for the
        // call: the holder of its reservation has a reference.
        if let Some(data) = unsafe { Buffer::<T>::from_raw(bo) }.data() {
            T::shrunk(data, purged);
        }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>`, its reservation held; `place` must
    /// be null or valid.
    unsafe extern "C" fn eviction_valuable_callback(
        bo: *mut bindings::ttm_buffer_object,
        place: *const bindings::ttm_place,
    ) -> bool {
        // SAFETY: The buffer is on a `Device<T>`, by the function's requirements, and valid for the
        // call, as TTM has a reference.
        let data = unsafe { Buffer::<T>::from_raw(bo) }.data();
        // SAFETY: `place` is valid during the call, by the function's requirements.
        let to = (!place.is_null()).then(|| unsafe { Place::from_raw(place) });

        if data.is_some_and(|data| !T::eviction_valuable(data, to)) {
            return false;
        }
        // SAFETY: TTM passes a valid buffer, reserved, and a valid place, by the function's
        // requirements.
        unsafe { bindings::ttm_bo_eviction_valuable(bo, place) }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` that it has a reference to.
    unsafe extern "C" fn swap_notify_callback(bo: *mut bindings::ttm_buffer_object) {
        // SAFETY: The buffer is on a `Device<T>`, and TTM has a reference, by the function's
        // requirements.
        if let Some(data) = unsafe { Buffer::<T>::from_raw(bo) }.data() {
            // SAFETY: It is valid, and on a `Device<T>`, by the function's requirements.
            T::swap_notify(unsafe { Self::data_of(bo) }, data);
        }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` whose memory is still there.
    unsafe extern "C" fn delete_mem_notify_callback(bo: *mut bindings::ttm_buffer_object) {
        // SAFETY: The buffer is on a `Device<T>`, and still has its memory, by the function's
        // requirements.
        if let Some(data) = unsafe { Buffer::<T>::from_raw(bo) }.data() {
            // SAFETY: It is valid, and on a `Device<T>`, by the function's requirements.
            T::delete_mem_notify(unsafe { Self::data_of(bo) }, data);
        }
    }

    /// Lets a debugger access a buffer that is mapped.
    ///
    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` with a resource and at least
    /// `offset + len` bytes, idle, its reservation held. `buf` must be valid for `len` bytes.
    unsafe extern "C" fn access_callback(
        bo: *mut bindings::ttm_buffer_object,
        offset: usize,
        buf: *mut c_void,
        len: c_int,
        write: c_int,
    ) -> c_int {
        from_result(|| {
            let n = usize::try_from(len)?;

            // SAFETY: The buffer is on a `Device<T>`, reserved, and has a place and these bytes; so
            // many are at `buf`. All by the function's requirements.
            unsafe {
                let mut ctx = OperationCtx::new().interruptible();

                reach::bring(bo, Self::reachable_places(bo), &mut ctx)?;
                // A device may do the move that this was.
                wait_for_moves((*bo).base.resv, ctx.as_raw())?;
                reach::access(bo, offset, buf.cast(), n, write != 0)?;
            }
            Ok(len)
        })
    }

    /// The places for [`reach::bring`].
    ///
    /// # Safety
    ///
    /// The buffer must be on a `Device<T>`, and valid for the call.
    pub(super) unsafe fn reachable_places(
        bo: *mut bindings::ttm_buffer_object,
    ) -> &'static [Place] {
        // SAFETY: The buffer is on a `Device<T>`, and valid for the call, by the function's
        // requirements.
        let data = unsafe { Buffer::<T>::from_raw(bo) }.data();

        data.map_or(&[], T::reachable_places)
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>`, its reservation held, with room for
    /// a fence. `ctx` must be valid, `new` be valid, completely allocated for the buffer, and `hop`
    /// be null or valid for writes.
    unsafe extern "C" fn move_callback(
        bo: *mut bindings::ttm_buffer_object,
        evict: bool,
        ctx: *mut bindings::ttm_operation_ctx,
        new: *mut bindings::ttm_resource,
        hop: *mut bindings::ttm_place,
    ) -> c_int {
        // Validation and eviction refuse such a place earlier, but a driver's hop may name it.
        // SAFETY: The buffer is on a `Device<T>`, and `new` was allocated for it, by the function's
        // requirements. Both are valid for the call, as TTM has a reference.
        if unsafe { Buffer::<T>::from_raw(bo).is_imported() && !uses_pages(new) } {
            return EINVAL.to_errno();
        }
        // SAFETY: The buffer is valid and reserved, so its resource stays, by the function's
        // requirements.
        let is_first = unsafe { (*bo).resource }.is_null();
        // SAFETY: The buffer is on a `Device<T>`, by the function's requirements, and valid for the
        // call, as TTM has a reference.
        let data = unsafe { Buffer::<T>::from_raw(bo) }.data();
        let mut clear = |clear: &mut Clear<'_>| match data {
            // SAFETY: It is valid, and on a `Device<T>`, by the function's requirements.
            Some(data) => T::clear_place(unsafe { Self::data_of(bo) }, data, clear),
            None => Ok(ClearBy::Cpu),
        };
        if is_first {
            // SAFETY: It is valid and reserved, with room for a fence, and `ctx` and `new` are
            // valid, by the function's requirements.
            return from_result(|| unsafe { place_first(bo, ctx, new, &mut clear) }.map(|()| 0));
        }

        // SAFETY: The buffer is reserved and on the device of a `RawDevice`, `new` was allocated
        // for it, `ctx` is valid, and there is room for a fence, by the function's requirements.
        // There is a resource, as was just checked. `finish` takes the result, below.
        let mut mv = unsafe { Move::new(bo, ctx, new, evict) };
        let by = match data {
            // SAFETY: It is valid, and on a `Device<T>`, by the function's requirements.
            Some(data) => T::move_buffer(unsafe { Self::data_of(bo) }, data, &mut mv),
            None => Ok(MoveBy::Memcpy),
        };
        // SAFETY: `hop` is null or memory for a place, by the function's requirements.
        from_result(|| unsafe { mv.finish(by, hop, &mut clear) }.map(|()| 0))
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a buffer of a `Device<T>` with a resource, its reservation
    /// held. `placement` must be valid for writes.
    unsafe extern "C" fn evict_flags_callback(
        bo: *mut bindings::ttm_buffer_object,
        placement: *mut bindings::ttm_placement,
    ) {
        // SAFETY: The buffer is valid and reserved, and has a resource, by the function's
        // requirements.
        let mem_type = MemType::new(unsafe { (*(*bo).resource).mem_type });
        // SAFETY: The buffer is on a `Device<T>`, by the function's requirements, and valid for the
        // call, as TTM has a reference.
        let bo = unsafe { Buffer::<T>::from_raw(bo) };
        let places = bo.eviction_places(mem_type);

        // SAFETY: `placement` is valid for writes, by the function's requirements. The places that
        // it then points to are static.
        unsafe {
            // No slice of places is that long.
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

/// # Safety
///
/// Only to be called by TTM, on a resource of a [`RawDevice`] that is valid and completely
/// allocated, and whose `bus` no other code uses.
unsafe extern "C" fn io_mem_reserve_callback(
    bdev: *mut bindings::ttm_device,
    res: *mut bindings::ttm_resource,
) -> c_int {
    // SAFETY: `bdev` is part of a `RawDevice` that is valid, by the function's requirements.
    let raw = unsafe { RawDevice::from_bdev(bdev) };

    // SAFETY: `res` is a valid resource on this device, completely allocated, and no other code
    // uses its `bus`, by the function's requirements. TTM expects these fields to be filled in. It
    // takes the address for that of one piece, so each page is looked up by its number.
    unsafe {
        let Some(caching) = raw.caching(res) else {
            return 0;
        };
        if !raw.is_in_reach(res) {
            return ENXIO.to_errno();
        }
        // CAST: The number of a page fits, and so does its address.
        (*res).bus.offset = (raw.pfn(res, 0) as PhysAddr) << PAGE_SHIFT;
        (*res).bus.is_iomem = true;
        (*res).bus.caching = caching.as_raw();
    }
    0
}

/// # Safety
///
/// Only to be called by TTM, on a buffer of a [`RawDevice`] whose resource isn't made of pages; its
/// reservation must be held, and `page` be less than its pages.
unsafe extern "C" fn io_mem_pfn_callback(
    bo: *mut bindings::ttm_buffer_object,
    page: usize,
) -> usize {
    // SAFETY: The buffer is valid and reserved, on the device of a `RawDevice`, by the function's
    // requirements.
    let (res, raw) = unsafe { ((*bo).resource, RawDevice::from_bdev((*bo).bdev)) };

    // SAFETY: `res` is allocated on that device, and has more than `page` pages, by the function's
    // requirements. It is in reach, as `io_mem_reserve_callback` has checked.
    unsafe { raw.pfn(res, page) }
}
