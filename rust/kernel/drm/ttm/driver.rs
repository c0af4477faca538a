// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The traits that a driver implements.
//!
//! C header: [`include/drm/ttm/ttm_device.h`](srctree/include/drm/ttm/ttm_device.h)

use super::{
    Caching,
    Clear,
    ClearBy,
    Device,
    MemType,
    Move,
    MoveBy,
    Object,
    Place, //
};
use crate::{
    drm,
    prelude::*, //
};

/// A DRM driver whose buffers are managed by TTM.
///
/// The driver's [`drm::Driver::Data`] is a [`Device`], and its [`drm::Driver::Object`] an
/// [`Object`]. So each [`drm::Device`] of the driver owns one TTM device, which is freed with it,
/// and all buffers on that device are the driver's.
///
/// # Examples
///
/// ```
/// use kernel::{
///     device::DeviceContext,
///     drm::{self, gem, ttm},
///     faux,
///     prelude::*, //
/// };
///
/// struct MyDriver;
/// struct MyFile;
/// struct MyBuffer;
///
/// #[vtable]
/// impl drm::Driver for MyDriver {
///     type Data = ttm::Device<Self>;
///     type Object = ttm::Object<MyBuffer>;
///     type RegistrationData<'a> = ();
///     type File = MyFile;
///     type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;
///
///     const INFO: drm::DriverInfo = drm::DriverInfo {
///         major: 1,
///         minor: 0,
///         patchlevel: 0,
///         name: c"my-driver",
///         desc: c"An example",
///     };
///
///     kernel::declare_drm_ioctls! {}
/// }
///
/// #[vtable]
/// impl ttm::Driver for MyDriver {
///     type BufferData = MyBuffer;
///     type DeviceData = u32;
/// }
///
/// impl gem::DriverObject for MyBuffer {
///     type Driver = MyDriver;
///     type Args = ();
///
///     fn new(
///         _dev: &drm::Device<MyDriver>,
///         _size: usize,
///         _args: (),
///     ) -> impl PinInit<Self, Error> {
///         Ok(MyBuffer)
///     }
/// }
///
/// impl ttm::DriverObject for MyBuffer {}
///
/// impl drm::file::DriverFile for MyFile {
///     type Driver = MyDriver;
///
///     fn open(_dev: &drm::Device<MyDriver>) -> Result<Pin<KBox<Self>>> {
///         Ok(KBox::new(Self, GFP_KERNEL)?.into())
///     }
/// }
///
/// let parent = faux::Registration::new(c"my-driver", None)?;
/// let dev = ttm::Device::<MyDriver>::new(parent.as_ref(), Ok(42), |_| Ok(()))?;
/// assert_eq!(*dev.driver_data(), 42);
/// # Ok::<(), Error>(())
/// ```
///
/// # Locks and allocations
///
/// TTM calls these methods in any thread that needs the answer. All of them may sleep. None may
/// reserve, validate, evict or make a buffer: the calling thread holds reservations, and a method
/// cannot know which.
///
/// | Method | Reservations held | In reclaim? | Allocations |
/// | --- | --- | --- | --- |
/// | [`evict_flags`], [`eviction_valuable`] | the buffer's, and others | no | `GFP_KERNEL` |
/// | [`insists`] | the buffer's, and others | no | `GFP_KERNEL` |
/// | [`move_buffer`] | the buffer's, and others | no | `GFP_KERNEL` |
/// | [`move_buffer`], if [`Move::in_reclaim`] | the buffer's, and others | yes | none |
/// | [`clear_place`] | the buffer's, and others | no | `GFP_KERNEL` |
/// | [`swap_notify`] | the buffer's, and others | no | `GFP_NOWAIT`: memory is short |
/// | [`delete_mem_notify`] | the buffer's | no | `GFP_NOWAIT`: memory may be short |
/// | [`caching`] | the buffer's, and others | no | `GFP_KERNEL` |
/// | [`export_places`] | the buffer's, or none | no | `GFP_KERNEL` |
/// | [`import`] | none | no | `GFP_KERNEL` |
/// | [`shrunk`] | the buffer's | yes | none |
/// | [`ManagerOps::alloc`] | the buffer's, and others | no | `GFP_KERNEL` |
/// | [`ManagerOps::free`], memory made of pages | the buffer's, or none | yes | none |
/// | [`ManagerOps::free`], other memory | the buffer's, or none | no | none |
/// | dropping [`BufferData`](Self::BufferData) | none: in a work item | no | `GFP_KERNEL` |
///
/// A method that may be called in reclaim must take no lock under which any thread allocates with
/// `GFP_KERNEL`: the allocation may wait for this reclaim. Lockdep models reclaim as a lock,
/// `fs_reclaim`, and reports a lock that was taken both in reclaim and around an allocation.
///
/// A published fence must not depend on any of this: until it is signaled, the thread that will
/// signal it must neither allocate memory nor take a reservation.
///
/// [`evict_flags`]: Self::evict_flags
/// [`eviction_valuable`]: Self::eviction_valuable
/// [`insists`]: Self::insists
/// [`move_buffer`]: Self::move_buffer
/// [`clear_place`]: Self::clear_place
/// [`swap_notify`]: Self::swap_notify
/// [`delete_mem_notify`]: Self::delete_mem_notify
/// [`caching`]: Self::caching
/// [`export_places`]: Self::export_places
/// [`import`]: Self::import
/// [`shrunk`]: Self::shrunk
/// [`ManagerOps::alloc`]: super::ManagerOps::alloc
/// [`ManagerOps::free`]: super::ManagerOps::free
#[vtable]
pub trait Driver: Sized + 'static
where
    Self: drm::Driver<Data = Device<Self>, Object = Object<<Self as Driver>::BufferData>>,
{
    /// The driver's part of a buffer.
    type BufferData: DriverObject<Driver = Self>;

    /// The driver's part of a device. It is dropped after all buffers, by the thread that drops the
    /// last reference to the device.
    type DeviceData: Send + Sync;

    /// Whether the CPU is to access the content of imported buffers.
    ///
    /// If so, the exporter maps all memory of an imported buffer for the kernel as long as the
    /// buffer has pages. The CPU still can't access memory that has no `struct page`, or that the
    /// exporter can't map. If not, only the DMA addresses of an imported buffer are known.
    ///
    /// The CPU accesses the memory as a coherent device does: no cache is flushed.
    const MAPS_IMPORTS: bool = false;

    /// Returns the places where a buffer may go when it is evicted from the memory type `from`.
    ///
    /// An empty list says that the content isn't needed any more: the buffer then has no place
    /// until it is validated the next time. By default, buffers go to system memory.
    ///
    /// Called with the buffer's reservation held. The buffer may be a zombie, to which only TTM has
    /// a reference. So this gets only the driver's part of the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx, Placement};
    ///
    /// let dev = test_device::Device::new()?;
    /// // For this one, the driver returns an empty list.
    /// let obj = dev.disposable(0x1000)?;
    /// let mut reserved = obj.reserve();
    /// let mut ctx = OperationCtx::new();
    ///
    /// reserved.write(0, b"gone")?;
    /// reserved.evict(&mut ctx)?;
    /// assert_eq!(reserved.mem_type(), None);
    /// let mut bytes = [1; 4];
    /// assert_eq!(reserved.read(0, &mut bytes), Err(ENXIO));
    ///
    /// reserved.validate(Placement::VRAM, &mut ctx)?;
    /// assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
    /// reserved.read(0, &mut bytes)?;
    /// assert_eq!(bytes, [0; 4]);
    /// # Ok::<(), Error>(())
    /// ```
    fn evict_flags(bo: &Self::BufferData, from: MemType) -> &'static [Place] {
        let _ = (bo, from);
        SYSTEM
    }

    /// Whether it is worth evicting a buffer to make room at `place`, or anywhere if that is
    /// [`None`].
    ///
    /// The driver need not compare the buffer's place with `place`: TTM does that.
    ///
    /// Called as [`Self::evict_flags`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// // All VRAM, for two buffers: the driver says of one that it is to stay.
    /// let kept = dev.precious(test_device::Device::SIZE / 2)?;
    /// let other = dev.vram(test_device::Device::SIZE / 2)?;
    ///
    /// let _new = dev.vram(0x1000)?;
    /// assert_eq!(kept.reserve().mem_type(), Some(MemType::VRAM));
    /// assert_eq!(other.reserve().mem_type(), Some(MemType::SYSTEM));
    /// # Ok::<(), Error>(())
    /// ```
    fn eviction_valuable(bo: &Self::BufferData, place: Option<&Place>) -> bool {
        let _ = (bo, place);
        true
    }

    /// Whether a buffer that is in `at` must get a better place, even if other buffers must leave
    /// it.
    ///
    /// A buffer stays in a [fallback](Place::fallback) of its placement as long as the other places
    /// have no room. So a buffer that came first keeps the better place for ever, even if it isn't
    /// used any more. A driver that counts how its buffers are used can do better with this method.
    /// If no room can be made, the buffer stays.
    ///
    /// Called by [`Transaction::validate`](super::Transaction::validate), with the reservation
    /// held. Two buffers that insist may evict each other in turn: a driver should make sure that
    /// they don't do so with each use.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{self, test_device, MemType, OperationCtx, Place, Placement};
    ///
    /// let dev = test_device::Device::new()?;
    /// let first = dev.vram(test_device::Device::SIZE)?;
    /// let used = dev.system(test_device::Device::SIZE)?;
    /// let places = [Place::VRAM, Place::TT.fallback()];
    /// let place = || {
    ///     ttm::transaction(&OperationCtx::new(), |tx| {
    ///         let mut used = tx.reserve(&used)?;
    ///         let placement = Placement::new(&places)?;
    ///         tx.validate(&mut used, placement, None, &mut OperationCtx::new())?;
    ///         Ok(used.mem_type())
    ///     })
    /// };
    ///
    /// used.reserve().validate(Placement::TT, &mut OperationCtx::new())?;
    /// assert_eq!(place()?, Some(MemType::TT));
    /// used.insist();
    /// assert_eq!(place()?, Some(MemType::VRAM));
    /// assert_eq!(first.reserve().mem_type(), Some(MemType::SYSTEM));
    /// # Ok::<(), Error>(())
    /// ```
    fn insists(bo: &Self::BufferData, at: MemType) -> bool {
        let _ = (bo, at);
        false
    }

    /// Returns the places where the CPU can access a buffer that it doesn't reach now, as it is
    /// beyond the end of a [window](super::Window). A program accesses a mapping of the buffer, or
    /// a debugger does.
    ///
    /// A place behind a window is limited to the part that the CPU reaches. An empty list, the
    /// default, stands for the buffer's own memory type if it has room there, and else for system
    /// memory. To evict other buffers for it, name the place, and make system memory a
    /// [fallback](Place::fallback). If the buffer can't be moved to any of these places, the program
    /// gets a signal (`SIGBUS`).
    ///
    /// Called with the buffer's reservation held, and in a page fault also with the lock of the
    /// program's mappings. So [`Self::move_buffer`] must not access the memory of programs.
    fn reachable_places(bo: &Self::BufferData) -> &'static [Place] {
        let _ = bo;
        &[]
    }

    /// Says how to move a buffer. By default, the CPU copies the content.
    ///
    /// Not called for buffers that have no place yet, nor for ghosts.
    ///
    /// Called as [`Self::evict_flags`]. It may sleep, and wait for the GPU, but not in memory
    /// reclaim: see [`Move::in_reclaim`].
    ///
    /// # Errors
    ///
    /// After an error the buffer stays where it is, and the operation that moves it returns the
    /// error.
    ///
    /// # Examples
    ///
    /// See [`CopyJob`](super::CopyJob).
    fn move_buffer(
        dev: &Self::DeviceData,
        bo: &Self::BufferData,
        mv: &mut Move<'_>,
    ) -> Result<MoveBy> {
        let _ = (dev, bo, mv);
        Ok(MoveBy::Memcpy)
    }

    /// Says how to clear a place that a buffer is about to get, and in which other buffers may have
    /// left data. By default, the CPU clears it.
    ///
    /// Called when a buffer has no content that would fill the place: for its first place, and for
    /// moves that [copy nothing](MoveBy::Nothing). Not called for places made of pages: they are
    /// clear when a buffer gets them. Called as [`Self::move_buffer`], but never in memory reclaim.
    ///
    /// # Errors
    ///
    /// After an error the buffer doesn't get the place, and the operation returns the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{dma_fence::DriverFence, drm::ttm::{test_device, ClearBy}};
    ///
    /// let dev = test_device::Device::new()?;
    /// let work = DriverFence::new(c"example", c"engine")?;
    /// let done = work.fence();
    /// dev.driver_data().clear_with(move |clear| {
    ///     // engine.queue_clear(clear.dependencies()?, clear.pieces()?, work);
    ///     assert_eq!(clear.size(), 0x1000);
    ///     Ok(ClearBy::Fence(done.clone()))
    /// })?;
    ///
    /// // Nothing waits, but the content isn't there yet.
    /// let obj = dev.vram(0x1000)?;
    /// assert!(!obj.reserve().is_idle());
    /// work.signal(Ok(()));
    /// assert!(obj.reserve().is_idle());
    /// # Ok::<(), Error>(())
    /// ```
    fn clear_place(
        dev: &Self::DeviceData,
        bo: &Self::BufferData,
        clear: &mut Clear<'_>,
    ) -> Result<ClearBy> {
        let _ = (dev, bo, clear);
        Ok(ClearBy::Cpu)
    }

    /// Called when a buffer's pages are about to be swapped out: the device must not use them any
    /// more.
    ///
    /// The GPU is done with the buffer. Otherwise called as [`Self::evict_flags`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.system(0x1000)?;
    /// let mut ctx = OperationCtx::new();
    ///
    /// obj.reserve().populate(&mut ctx)?;
    /// obj.reserve().swap_out(&mut ctx)?;
    /// // The driver was told.
    /// assert_eq!(obj.swap_outs(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    fn swap_notify(dev: &Self::DeviceData, bo: &Self::BufferData) {
        let _ = (dev, bo);
    }

    /// Called when a buffer is about to lose its place for good, as its last reference was dropped.
    ///
    /// The buffer is a zombie, and the GPU is done with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::test_device;
    ///
    /// let dev = test_device::Device::new()?;
    /// drop(dev.vram(0x1000)?);
    /// assert_eq!(dev.driver_data().deletions(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    fn delete_mem_notify(dev: &Self::DeviceData, bo: &Self::BufferData) {
        let _ = (dev, bo);
    }

    /// How the CPU is to cache the pages of a buffer. By default, as all other memory.
    ///
    /// Called when TTM makes the buffer's `struct ttm_tt`: before the buffer gets its first pages,
    /// and maybe again when it comes back from a memory type that isn't made of pages.
    fn caching(bo: &Self::BufferData) -> Caching {
        let _ = bo;
        Caching::Cached
    }

    /// Returns the places where a buffer may be as long as other devices use it.
    ///
    /// The memory types must be made of pages; the default is system memory. An empty list says
    /// that the buffer can't be exported: an export then fails with [`EPERM`]. A buffer that shares
    /// its reservation can't be exported either, nor can one of a device with [coherent
    /// memory](super::Dma::coherent), and this isn't called for them.
    ///
    /// Called when the buffer is exported, and, with its reservation held, when another device
    /// attaches to it or the kernel maps it.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, Resv};
    ///
    /// let dev = test_device::Device::new()?;
    /// assert!(test_device::DmaBuf::export(&*dev.vram(0x1000)?).is_ok());
    ///
    /// // For this one, the driver returns an empty list.
    /// let own = dev.precious(0x1000)?;
    /// assert_eq!(test_device::DmaBuf::export(&own).err(), Some(EPERM));
    /// let shared = dev.shared(0x1000, &Resv::new()?)?;
    /// assert_eq!(test_device::DmaBuf::export(&shared).err(), Some(EPERM));
    /// # Ok::<(), Error>(())
    /// ```
    fn export_places(bo: &Self::BufferData) -> &'static [Place] {
        let _ = bo;
        SYSTEM
    }

    /// Returns the arguments for the driver's part of a buffer that is imported from another
    /// device. `size` is in bytes, a multiple of the page size.
    ///
    /// By default nothing can be imported: an import fails with [`EINVAL`].
    ///
    /// The buffer is in system memory at first. See [`Object`] for the differences from other
    /// buffers.
    ///
    /// # Errors
    ///
    /// The import fails with the error that this returns.
    fn import(
        dev: &drm::Device<Self>,
        size: usize,
    ) -> Result<<Self::BufferData as drm::gem::DriverObject>::Args> {
        let _ = (dev, size);
        Err(EINVAL)
    }

    /// Called when a buffer was shrunk and has lost its pages; if `purged`, its content is lost,
    /// too.
    ///
    /// Called with the buffer's reservation held. If the shrinker took the pages, this is in memory
    /// reclaim: it must neither allocate nor take a lock that is held while allocating.
    fn shrunk(bo: &Self::BufferData, purged: bool) {
        let _ = (bo, purged);
    }
}

/// The default of [`Driver::evict_flags`] and [`Driver::export_places`].
pub(super) const SYSTEM: &[Place] = &[Place::SYSTEM];

/// The driver's part of a buffer.
///
/// It lives longer than the references to its GEM object: TTM may have to wait for the GPU before
/// it can free a buffer, and may call the driver for it until then.
///
/// It may own anything, such as other buffers, a VM or the device. A work item of the kernel image
/// drops it when TTM is done with the buffer: with no lock held, and not in memory reclaim.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::test_device::{self, Owned};
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.vram(0x1000)?;
///
/// obj.own(Owned { dev: Some(dev.drm().clone()), ..Owned::default() });
/// // The buffer is the last one to have the device.
/// drop(dev);
/// drop(obj);
/// # Ok::<(), Error>(())
/// ```
pub trait DriverObject: drm::gem::DriverObject<Driver: Driver<BufferData = Self>> {}
