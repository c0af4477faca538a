// SPDX-License-Identifier: GPL-2.0 OR MIT

//! GEM objects whose base is a TTM buffer.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    bulk::BulkInner,
    dma_buf::DmaBuf,
    fence_slot::wait_for,
    imports,
    late::{
        self,
        Base, //
    },
    raw_device::RawDevice,
    resv::private::RawResv,
    AsBuffer,
    Buffer,
    Device,
    Driver,
    DriverObject,
    FenceUsage,
    HasResv,
    ObjectConfig,
    OperationCtx,
    Reserved,
    Resv, //
};
use crate::{
    bindings,
    dma_fence::jiffies,
    drm::{
        self,
        driver::{
            AllocImpl,
            AllocOps, //
        },
        gem::{
            self,
            IntoGEMObject, //
        },
        private::Sealed,
        Printer, //
    },
    error::to_result,
    ffi::c_uint,
    page::{
        page_align,
        PAGE_SHIFT, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    time::Delta, //
};
use core::{
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    },
};

/// A GEM object whose base is a TTM buffer.
///
/// Programs can map it. A mapping shows the buffer's content in every memory type; accesses wait
/// while the buffer moves.
///
/// An object is alive as long as there is a reference to it, such as an [`ARef`]. When the last one
/// is dropped, the object may become a zombie, until the GPU is done with it. Then only TTM has a
/// reference: see [`Buffer`].
///
/// # PRIME
///
/// Programs can give an object to other devices, if [`Driver::export_places`] says so and the
/// object has a reservation of its own. It is pinned in one of these places as long as another
/// device uses it. Objects of other devices can be imported if the driver has [`Driver::import`]. A
/// device that imports an object of its own gets that same object.
///
/// The memory of an imported object, and its reservation, belong to the exporter. It can only be in
/// memory types made of pages, and is never swapped out, shrunk or purged. A mapping of it maps the
/// exported buffer. [`Driver::MAPS_IMPORTS`] says whether the CPU reaches its content.
///
/// [`Driver::export_places`]: super::Driver::export_places
/// [`Driver::import`]: super::Driver::import
/// [`Driver::MAPS_IMPORTS`]: super::Driver::MAPS_IMPORTS
///
/// ```
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx, Placement};
///
/// let (one, other) = (test_device::Device::new()?, test_device::Device::new()?);
/// let obj = one.vram(0x2000)?;
/// obj.reserve().write(0x1000, b"shared")?;
///
/// let imported = test_device::DmaBuf::export(&obj)?.import(&other)?;
/// assert!(imported.buffer().is_imported());
/// assert_eq!(obj.reserve().mem_type(), Some(MemType::TT));
/// assert!(obj.reserve().is_pinned());
///
/// let mut bytes = [0; 6];
/// imported.reserve().read(0x1000, &mut bytes)?;
/// assert_eq!(&bytes, b"shared");
/// let vram = imported.reserve().validate(Placement::VRAM, &mut OperationCtx::new());
/// assert_eq!(vram, Err(EINVAL));
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// - `base` has an initialized `struct ttm_buffer_object`, `bo`, of a [`Device<T::Driver>`], and
///   keeps its DRM device. `self` is the content of a [`KBox`].
/// - `bo` is imported if there is a `dma_buf`; then that has its reservation and its pages.
/// - `resv` is the reservation of `bo`, unless that has its own, or is imported.
#[repr(C)]
#[pin_data]
pub struct Object<T: DriverObject> {
    // Comes first, so that a pointer to the buffer is one to the object.
    #[pin]
    base: Base,
    resv: Option<Arc<Resv>>,
    dma_buf: Option<DmaBuf>,
    #[pin]
    data: T,
}

gem::impl_aref_for_gem_obj! {
    impl<T> for Object<T>
    where
        T: DriverObject
}

// SAFETY: GEM objects may be used and freed from any thread, and the driver's part is `Send`.
unsafe impl<T: DriverObject> Send for Object<T> {}

// SAFETY: All that a shared reference gives access to is constant, has locks of its own, or is
// protected by the reservation. The driver's part is `Sync`.
unsafe impl<T: DriverObject> Sync for Object<T> {}

impl<T: DriverObject> Object<T> {
    /// How many priorities there are.
    pub const PRIORITIES: u32 = bindings::TTM_MAX_BO_PRIORITY;

    const FUNCS: bindings::drm_gem_object_funcs = bindings::drm_gem_object_funcs {
        free: Some(late::free_callback),
        open: Some(gem::open_callback::<T>),
        close: Some(gem::close_callback::<T>),
        print_info: Some(Self::print_info_callback),
        export: Some(Self::export_callback),
        pin: Some(Self::pin_callback),
        unpin: Some(Self::unpin_callback),
        get_sg_table: Some(Self::sg_table_callback),
        vmap: Some(Self::vmap_callback),
        vunmap: Some(Self::vunmap_callback),
        mmap: Some(Self::mmap_callback),
        ..pin_init::zeroed()
    };

    /// Makes an object of at least `size` bytes on `dev`.
    ///
    /// The size is rounded up to whole pages. `args` are for the driver's part.
    ///
    /// May sleep, and may evict other buffers. If the object shares a reservation, the caller must
    /// not hold that.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if the size is 0 or too large, the priority is too high, or `config` has another
    /// reservation than its bulk; [`EXDEV`] if that bulk is on another device; errors of the
    /// driver's part and of [`Reserved::validate`].
    pub fn new(
        dev: &drm::Device<T::Driver>,
        size: usize,
        config: &ObjectConfig<'_, T>,
        ctx: &mut OperationCtx,
        args: T::Args,
    ) -> Result<ARef<Self>> {
        let tdev: &Device<T::Driver> = dev;
        let size = page_align(size).ok_or(EINVAL)?;
        Self::check_size(size)?;
        if config.priority >= Self::PRIORITIES {
            return Err(EINVAL);
        }

        let resv = match config.bulk {
            Some(bulk) if !ptr::eq(bulk.device(), tdev) => return Err(EXDEV),
            Some(bulk) => Some(bulk.resv()),
            None => config.resv,
        };
        if let (Some(a), Some(b)) = (resv, config.resv) {
            if !Arc::ptr_eq(a, b) {
                return Err(EINVAL);
            }
        }

        let obj = Self::alloc(dev, size, config.priority, resv.cloned(), None, args)?;
        let reserved = resv.map(|resv| resv.reserve());
        // SAFETY: `obj` was just made. Its reservation, if it shares one, is held, and will live as
        // long as the object, which has a reference to it.
        let obj = unsafe {
            Self::complete(
                obj,
                tdev,
                bindings::ttm_bo_type_ttm_bo_type_device,
                config,
                ctx,
                ptr::null_mut(),
                resv.map_or(ptr::null_mut(), |resv| resv.raw_resv()),
            )
        }?;
        // SAFETY: The current thread holds it: if it is shared, `reserved` stands for that and is
        // the same; if not, TTM has just taken the object's own, and no guard stands for it.
        let mut reserved = unsafe { Reserved::adopt(&*obj, reserved) };
        if let Some(bulk) = config.bulk {
            reserved.set_bulk(bulk)?;
        }
        drop(reserved);
        Ok(obj)
    }

    /// Fails with [`EINVAL`] if `size`, a multiple of the page size, is 0 or more pages than TTM
    /// can count.
    pub(super) fn check_size(size: usize) -> Result {
        if size == 0 || u32::try_from(size >> PAGE_SHIFT).is_err() {
            return Err(EINVAL);
        }
        Ok(())
    }

    /// Makes an object of `size` bytes whose base is not yet a TTM buffer.
    ///
    /// Pass it to [`Self::complete`]; otherwise it is leaked.
    pub(super) fn alloc(
        dev: &drm::Device<T::Driver>,
        size: usize,
        priority: u32,
        resv: Option<Arc<Resv>>,
        dma_buf: Option<DmaBuf>,
        args: T::Args,
    ) -> Result<NonNull<Self>> {
        let obj = KBox::try_pin_init(
            try_pin_init!(Self {
                // SAFETY: It is the first field, and `free` is for this type.
                base <- unsafe { Base::new(Self::free) },
                resv,
                dma_buf,
                data <- T::new(dev, size, args),
            }),
            GFP_KERNEL,
        )?;
        let tdev: &Device<T::Driver> = dev;

        // SAFETY: `obj` isn't moved from here on: it is only accessed through pointers.
        let obj = NonNull::from(KBox::leak(unsafe { Pin::into_inner_unchecked(obj) }));
        // CAST: The base comes first, and its buffer there.
        let bo: *mut bindings::ttm_buffer_object = obj.as_ptr().cast();

        // SAFETY: `bo` is memory for a `ttm_buffer_object`, zeroed, and no other code has a pointer
        // to it yet. The functions are static.
        unsafe {
            (*bo).base.funcs = const { &Self::FUNCS };
            (*bo).priority = priority;
        }
        // SAFETY: `dev` is valid, and the GEM part is zeroed, but for its functions.
        unsafe { bindings::drm_gem_private_object_init(dev.as_raw(), &raw mut (*bo).base, size) };
        // It isn't alive yet: a walk that finds it on a list before it is complete gets no
        // reference. A failure would free the object in spite of that reference.
        // SAFETY: The GEM part was just initialized, and no other code has a pointer to it yet.
        unsafe { bindings::refcount_set(&raw mut (*bo).base.refcount.refcount, 0) };
        // SAFETY: The base is valid, and keeps no device yet. This is the one that it will be on.
        unsafe { Base::keep_device(&raw mut (*obj.as_ptr()).base, tdev.raw()) };
        Ok(obj)
    }

    /// Makes a TTM buffer of its base. Its reservation is then held.
    ///
    /// # Safety
    ///
    /// `obj` must come from [`Self::alloc`] for this device, and isn't to be used on failure.
    /// `resv` must be held and live as long as the object, or be null: the object then gets a
    /// reservation of its own. For an imported object, `sg` must be a valid scatterlist, and if
    /// this succeeds stay valid as long as the object; for any other object it must be null.
    pub(super) unsafe fn complete(
        obj: NonNull<Self>,
        dev: &Device<T::Driver>,
        bo_type: bindings::ttm_bo_type,
        config: &ObjectConfig<'_, T>,
        ctx: &mut OperationCtx,
        sg: *mut bindings::sg_table,
        resv: *mut bindings::dma_resv,
    ) -> Result<ARef<Self>> {
        // CAST: The base comes first, and its buffer there.
        let bo: *mut bindings::ttm_buffer_object = obj.as_ptr().cast();
        let mut placement = config.placement.as_raw();

        // SAFETY: All pointers are valid; the GEM base is initialized. The reservation and the
        // scatterlist are as the function's requirements say. The object, which keeps its device,
        // is freed after `destroy_callback`; that is also called on failure, and `obj` isn't used
        // then.
        to_result(unsafe {
            bindings::ttm_bo_init_reserved(
                dev.as_bdev(),
                bo,
                bo_type,
                &mut placement,
                config.alignment,
                ctx.as_raw(),
                sg,
                resv,
                Some(late::destroy_callback),
            )
        })?;

        // SAFETY: It is complete, and no thread has got a reference so far, as the count was 0.
        unsafe { bindings::refcount_set(&raw mut (*bo).base.refcount.refcount, 1) };
        // INVARIANT: `bo` is initialized, and `alloc` had the object keep its device.
        // SAFETY: This reference is given away here.
        Ok(unsafe { ARef::from_raw(obj) })
    }

    /// Whether it shares its reservation.
    pub(super) fn shares_resv(&self) -> bool {
        self.resv.is_some()
    }

    /// The DMA-buf that it was imported from, if any.
    pub(super) fn dma_buf(&self) -> Option<&DmaBuf> {
        self.dma_buf.as_ref()
    }

    /// The DMA-buf that a buffer was imported from, or null.
    ///
    /// # Safety
    ///
    /// `bo` must be embedded in a valid `Self`.
    pub(super) unsafe fn dma_buf_of(
        bo: *mut bindings::ttm_buffer_object,
    ) -> *mut bindings::dma_buf {
        // SAFETY: `bo` is embedded in a valid `Self`, by the function's requirements. `dma_buf`
        // never changes, and nothing else of the object is borrowed.
        let dma_buf = unsafe { &(*Self::from_bo(bo)).dma_buf };

        dma_buf.as_ref().map_or(ptr::null_mut(), DmaBuf::as_raw)
    }

    /// The driver's part.
    ///
    /// As this derefs to it, so do a [`Pinned`](super::Pinned) and a [`Mapping`](super::Mapping) of
    /// it.
    pub fn data(&self) -> &T {
        &self.data
    }

    /// Unpins it: now if its reservation is free, else later.
    ///
    /// # Safety
    ///
    /// One of its pins must belong to the caller, and is given away.
    pub(super) unsafe fn unpin(this: ARef<Self>) {
        let this = ARef::into_raw(this);

        // SAFETY: The object is alive, as this is a reference to it, which is given away here, as
        // is the pin, which is the caller's by the function's requirements.
        unsafe { Base::unpin(&raw const (*this.as_ptr()).base) };
    }

    /// The DRM device that it is on.
    pub fn dev(&self) -> &drm::Device<T::Driver> {
        // SAFETY: By the type invariants the buffer is initialized, and the object has a reference
        // to its device, which is of a `T::Driver`. `dev` never changes.
        unsafe { drm::Device::from_raw((*self.base.bo()).base.dev) }
    }

    /// This object as one of TTM's buffers.
    pub fn buffer(&self) -> &Buffer<T::Driver> {
        // SAFETY: By the type invariants the buffer is one of TTM's on a `Device<T::Driver>`,
        // embedded in this object. GEM's references, one of which keeps `self`, keep one of TTM's.
        unsafe { Buffer::from_raw(self.base.bo()) }
    }

    /// Waits for the buffer's reservation and takes it. See [`Buffer::reserve`].
    pub fn reserve(&self) -> Reserved<'_, Self> {
        Reserved::lock(self)
    }

    /// Waits for the buffer's reservation and takes it, unless a signal comes.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`]
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::test_device;
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// obj.reserve_interruptible()?.move_to_lru_tail();
    /// # Ok::<(), Error>(())
    /// ```
    pub fn reserve_interruptible(&self) -> Result<Reserved<'_, Self>> {
        Reserved::lock_interruptible(self)
    }

    /// Takes the buffer's reservation if it is free.
    pub fn try_reserve(&self) -> Option<Reserved<'_, Self>> {
        Reserved::try_lock(self)
    }

    /// Whether a new user with `usage` has no earlier user to wait for.
    ///
    /// This is only a snapshot: the reservation isn't taken, so another user may begin at any time.
    /// See [`Self::wait_idle_timeout`].
    pub fn is_idle_for(&self, usage: FenceUsage) -> bool {
        // SAFETY: `raw_resv` returns a reservation that is valid as long as `self` is borrowed, as
        // `RawResv` requires.
        unsafe { bindings::dma_resv_test_signaled(self.raw_resv(), usage.waits_for()) }
    }

    /// Waits, without the reservation, until a new user with `usage` has no earlier user to wait
    /// for; until a signal arrives; or for `timeout`. May sleep.
    ///
    /// A reader waits for writers and moves; a writer waits for readers, too;
    /// [`FenceUsage::Bookkeep`] waits for all users. Returns whether they are done. A use that
    /// begins during the call may or may not be waited for.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`]
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::DriverFence,
    ///     drm::ttm::{test_device, FenceUsage},
    ///     time::Delta, //
    /// };
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let work = DriverFence::new(c"example", c"ring 0")?;
    /// obj.reserve().fence_slot()?.add(&work.fence(), FenceUsage::Read)?;
    ///
    /// // The work reads.
    /// let soon = Delta::from_millis(10);
    /// assert!(obj.wait_idle_timeout(FenceUsage::Read, soon)?);
    /// assert!(!obj.wait_idle_timeout(FenceUsage::Write, soon)?);
    /// assert!(!obj.is_idle_for(FenceUsage::Write));
    ///
    /// work.signal(Ok(()));
    /// assert!(obj.wait_idle_timeout(FenceUsage::Bookkeep, Delta::ZERO)?);
    /// assert!(obj.is_idle_for(FenceUsage::Bookkeep));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn wait_idle_timeout(&self, usage: FenceUsage, timeout: Delta) -> Result<bool> {
        // SAFETY: `raw_resv` returns a reservation that is valid as long as `self` is borrowed, as
        // `RawResv` requires.
        unsafe { wait_for(self.raw_resv(), usage.waits_for(), true, jiffies(timeout)) }
    }

    /// Records `bulk` as the bulk that the buffer has joined, and returns the one before.
    ///
    /// # Safety
    ///
    /// As [`Base::replace_bulk`].
    pub(super) unsafe fn replace_bulk(
        &self,
        bulk: Option<Arc<BulkInner>>,
    ) -> Option<Arc<BulkInner>> {
        // SAFETY: The reservation is held, or no other code has a pointer to the buffer yet, and
        // `bo.bulk_move` points to `bulk`, by the function's requirements.
        unsafe { self.base.replace_bulk(bulk) }
    }

    /// # Safety
    ///
    /// `bo` must be embedded in a valid `Self`.
    unsafe fn from_bo(bo: *mut bindings::ttm_buffer_object) -> *mut Self {
        // CAST: The base comes first, and its buffer there.
        bo.cast()
    }

    /// The driver's part.
    ///
    /// # Safety
    ///
    /// `bo` must be embedded in a valid `Self`.
    pub(super) unsafe fn data_of(bo: *mut bindings::ttm_buffer_object) -> *const T {
        // SAFETY: `bo` is embedded in a valid `Self`, by the function's requirements. This is a
        // pointer to a field of that.
        unsafe { &raw const (*Self::from_bo(bo)).data }
    }

    /// Prints the place of the buffer.
    ///
    /// # Safety
    ///
    /// Only to be called by DRM, with a valid printer and an object of this type that is alive.
    unsafe extern "C" fn print_info_callback(
        printer: *mut bindings::drm_printer,
        indent: c_uint,
        gem: *const bindings::drm_gem_object,
    ) {
        // SAFETY: `gem` is an object of this type that is alive, by the function's requirements,
        // and DRM keeps it for the call.
        let this: &Self = unsafe { IntoGEMObject::from_raw(gem.cast_mut()) };

        // Without the reservation, its place may go meanwhile.
        let reserved = this.try_reserve();
        let place = match &reserved {
            // SAFETY: `printer` is valid, and `gem` an object of this type that is alive, by the
            // function's requirements. It has a place, which stays as it is reserved.
            Some(held) if held.mem_type().is_some() => unsafe {
                return bindings::drm_gem_ttm_print_info(printer, indent, gem);
            },
            Some(_) => "none",
            None => "busy",
        };
        // SAFETY: `printer` is valid, by the function's requirements; DRM doesn't use it until this
        // returns.
        let mut printer = unsafe { Printer::from_raw(printer) };
        for _ in 0..indent {
            printer.write_fmt(fmt!("\t"));
        }
        printer.write_fmt(fmt!("placement={place}\n"));
    }

    /// Frees an object.
    ///
    /// # Safety
    ///
    /// `bo` must come from [`Self::alloc`], TTM must be done with it, and it must not be used any
    /// more. No reservation must be held.
    unsafe fn free(bo: *mut bindings::ttm_buffer_object) {
        // SAFETY: `bo` comes from `alloc`, which has embedded it in a `Self`, by the function's
        // requirements.
        let this = unsafe { Self::from_bo(bo) };

        // SAFETY: The buffer is still valid, and so is the device, a `RawDevice`'s, which the
        // object keeps.
        let raw = unsafe { RawDevice::from_bdev((*bo).bdev) };
        // SAFETY: `bo` is a buffer on that device, which TTM doesn't use any more, and no
        // reservation is held, by the function's requirements.
        unsafe { imports::release(raw, bo) };
        // SAFETY: The GEM part was initialized by `alloc`, and it is no longer used, by the
        // function's requirements. If the buffer was imported, the reservation stays until the
        // object's reference to the DMA-buf is dropped, below.
        unsafe { bindings::drm_gem_object_release(&raw mut (*bo).base) };

        // SAFETY: It came out of a box in `alloc`, and it is no longer used, by the function's
        // requirements.
        drop(unsafe { KBox::from_raw(this) });
    }
}

impl<T: DriverObject> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: DriverObject> Sealed for Object<T> {}

impl<T: DriverObject> IntoGEMObject for Object<T> {
    fn as_raw(&self) -> *mut bindings::drm_gem_object {
        // SAFETY: By the type invariants the buffer is initialized, and its GEM part with it. This
        // is a pointer to that.
        unsafe { &raw mut (*self.base.bo()).base }
    }

    unsafe fn from_raw<'a>(gem: *mut bindings::drm_gem_object) -> &'a Self {
        // SAFETY: `gem` is embedded in the buffer of a `Self` that is valid for `'a`, by the
        // function's requirements.
        unsafe {
            let bo = crate::container_of!(gem, bindings::ttm_buffer_object, base);

            &*Self::from_bo(bo)
        }
    }
}

impl<T: DriverObject> AllocImpl for Object<T> {
    type Driver = T::Driver;

    const ALLOC_OPS: AllocOps = AllocOps {
        gem_create_object: None,
        prime_handle_to_fd: None,
        prime_fd_to_handle: None,
        gem_prime_import: None,
        gem_prime_import_sg_table: if T::Driver::HAS_IMPORT {
            Some(Self::import_callback)
        } else {
            None
        },
        dumb_create: None,
        dumb_map_offset: Some(bindings::drm_gem_ttm_dumb_map_offset),
    };
}

// SAFETY: It returns the reservation of the buffer, which `RawResv` for `Buffer` keeps valid and
// the same as long as the buffer is borrowed.
unsafe impl<T: DriverObject> RawResv for Object<T> {
    fn raw_resv(&self) -> *mut bindings::dma_resv {
        self.buffer().raw_resv()
    }
}

impl<T: DriverObject> HasResv for Object<T> {}

// SAFETY: `raw_resv` returns that of this buffer.
unsafe impl<T: DriverObject> AsBuffer for Object<T> {
    type Driver = T::Driver;

    fn as_buffer(&self) -> &Buffer<T::Driver> {
        self.buffer()
    }
}
