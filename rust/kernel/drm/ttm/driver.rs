// SPDX-License-Identifier: GPL-2.0 OR MIT

//! What a driver supplies.
//!
//! C header: [`include/drm/ttm/ttm_device.h`](srctree/include/drm/ttm/ttm_device.h)

use super::{
    Caching,
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
/// [`Object`]. So each [`drm::Device`] of it owns one TTM device, which goes with it, and each
/// buffer on that device is one of the driver's own.
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
/// TTM calls these methods from wherever it needs the answer. All of them may sleep. None may reserve a
/// buffer, or validate, evict or make one: the thread has reservations, of which it doesn't say.
///
/// | Method | Held by the caller | In reclaim | Memory |
/// | --- | --- | --- | --- |
/// | [`evict_flags`], [`eviction_valuable`], [`insists`] | the buffer's reservation, and others' | no | `GFP_KERNEL` |
/// | [`move_buffer`] | the buffer's reservation, and others' | if [`Move::in_reclaim`] | `GFP_KERNEL`, but none in reclaim |
/// | [`swap_notify`] | the buffer's reservation, and others' | no | `GFP_NOWAIT`: memory is short |
/// | [`delete_mem_notify`] | the buffer's reservation, which nobody else has any more | no | `GFP_NOWAIT`: memory may be wanted |
/// | [`caching`] | the buffer's reservation, and others' | no | `GFP_KERNEL` |
/// | [`export_places`] | the buffer's reservation, or none | no | `GFP_KERNEL` |
/// | [`import`] | none | no | `GFP_KERNEL` |
/// | [`shrunk`] | the buffer's reservation | yes | none |
/// | [`ManagerOps::alloc`] | the buffer's reservation, and others' | no | `GFP_KERNEL` |
/// | [`ManagerOps::free`] | the buffer's reservation, or none | yes, of what is made of pages | none |
/// | dropping [`BufferData`](Self::BufferData) | none, but what the thread has that drops it | no | `GFP_KERNEL` |
///
/// A method that may be called in reclaim must take no lock under which any thread allocates with
/// `GFP_KERNEL`: that allocation may wait for this reclaim. Lockdep knows reclaim as `fs_reclaim`, and
/// reports such a lock as soon as it was taken in both ways.
///
/// A fence that was published must not depend on any of this: until it is signaled, the thread that is to
/// signal it must neither allocate memory nor take a reservation.
///
/// [`evict_flags`]: Self::evict_flags
/// [`eviction_valuable`]: Self::eviction_valuable
/// [`insists`]: Self::insists
/// [`move_buffer`]: Self::move_buffer
/// [`swap_notify`]: Self::swap_notify
/// [`delete_mem_notify`]: Self::delete_mem_notify
/// [`caching`]: Self::caching
/// [`export_places`]: Self::export_places
/// [`import`]: Self::import
/// [`shrunk`]: Self::shrunk
/// [`ManagerOps::alloc`]: super::ManagerOps::alloc
/// [`ManagerOps::free`]: super::ManagerOps::free
#[vtable]
pub trait Driver:
    drm::Driver<Data = Device<Self>, Object = Object<<Self as Driver>::BufferData>> + Sized + 'static
{
    /// The driver's part of a buffer.
    type BufferData: DriverObject<Driver = Self>;

    /// The driver's part of a device. It goes after all buffers, where the last reference to the device is
    /// dropped.
    type DeviceData: Send + Sync;

    /// Whether the CPU is to reach what imported buffers contain.
    ///
    /// If so, all of their memory is mapped for the kernel as long as they have pages, by the exporter;
    /// what isn't memory, or can't be mapped, is out of reach even so. If not, all that is known of it
    /// are its DMA addresses.
    ///
    /// The CPU accesses it as a coherent device does: no cache is flushed for that.
    const MAPS_IMPORTS: bool = false;

    /// Where a buffer may go when it is evicted from the memory type `from`.
    ///
    /// An empty list says that its content isn't needed any more: it then has no place at all,
    /// until it is validated the next time. Without this, buffers go to system memory.
    ///
    /// Called with the buffer's reservation held. The buffer may be a zombie: no one but TTM has a
    /// reference to it. That is why only the driver's part of it is there to see.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{fixture, MemType, OperationCtx, Placement};
    ///
    /// let dev = fixture::Device::new()?;
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

    /// Whether it is worth evicting a buffer to make room at `place`, or anywhere if there is none.
    ///
    /// That what lies outside of `place` is of no use is known without this.
    ///
    /// Called as [`Self::evict_flags`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{fixture, MemType};
    ///
    /// let dev = fixture::Device::new()?;
    /// // All VRAM, for two buffers: the driver says of one that it is to stay.
    /// let kept = dev.precious(fixture::Device::SIZE / 2)?;
    /// let other = dev.vram(fixture::Device::SIZE / 2)?;
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

    /// Whether a buffer that is in `at` is to have a better place, even if others must leave that.
    ///
    /// A buffer stays where it is if that is a [fallback](Place::fallback) of its placement, and there is
    /// no room in the other places. So one that was lucky to come first, and isn't used any more, keeps
    /// its place for ever. A driver that counts how its buffers are used can do better with this. If no
    /// room can be made, the buffer stays.
    ///
    /// Asked by [`Transaction::validate`](super::Transaction::validate), with the reservation held. Two
    /// buffers that insist take turns in driving each other out: a driver should see to it that this
    /// doesn't happen with each use.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{self, fixture, MemType, OperationCtx, Place, Placement};
    ///
    /// let dev = fixture::Device::new()?;
    /// let first = dev.vram(fixture::Device::SIZE)?;
    /// let used = dev.system(fixture::Device::SIZE)?;
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

    /// How to move a buffer. Without this, the CPU copies what it contains.
    ///
    /// Not called for buffers that have no place yet, nor for ghosts.
    ///
    /// Called as [`Self::evict_flags`]. It may sleep, and wait for the GPU, but not in memory reclaim: see
    /// [`Move::in_reclaim`].
    ///
    /// # Errors
    ///
    /// With an error, the buffer stays where it is; who wanted it to move gets that.
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

    /// A buffer's pages are about to be swapped out: the device must not use them any more.
    ///
    /// Called as [`Self::evict_flags`], when the GPU is done with the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{fixture, OperationCtx};
    ///
    /// let dev = fixture::Device::new()?;
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

    /// A buffer is about to lose its place for good, as nobody needs it any more.
    ///
    /// Called when the GPU is done with the buffer, which is a zombie.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::fixture;
    ///
    /// let dev = fixture::Device::new()?;
    /// drop(dev.vram(0x1000)?);
    /// assert_eq!(dev.driver_data().deletions(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    fn delete_mem_notify(dev: &Self::DeviceData, bo: &Self::BufferData) {
        let _ = (dev, bo);
    }

    /// How the CPU is to cache the pages of a buffer. Without this, as all other memory.
    ///
    /// Asked once, when the buffer is about to get its first pages.
    fn caching(bo: &Self::BufferData) -> Caching {
        let _ = bo;
        Caching::Cached
    }

    /// Where a buffer is to be as long as other devices use it.
    ///
    /// These must be in memory types that are made of pages; without this, it is system memory. An empty
    /// list says that it can't be exported: who tries gets [`EPERM`]. So does he for a buffer that
    /// shares its reservation, which isn't asked for.
    ///
    /// Called when the buffer is exported, and with its reservation held when another device attaches
    /// to it, or the kernel maps what was exported.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{fixture, Resv};
    ///
    /// let dev = fixture::Device::new()?;
    /// assert!(fixture::DmaBuf::export(&*dev.vram(0x1000)?).is_ok());
    ///
    /// // For this one, the driver returns an empty list.
    /// let own = dev.precious(0x1000)?;
    /// assert_eq!(fixture::DmaBuf::export(&own).err(), Some(EPERM));
    /// let shared = dev.shared(0x1000, &Resv::new()?)?;
    /// assert_eq!(fixture::DmaBuf::export(&shared).err(), Some(EPERM));
    /// # Ok::<(), Error>(())
    /// ```
    fn export_places(bo: &Self::BufferData) -> &'static [Place] {
        let _ = bo;
        SYSTEM
    }

    /// What the driver's part of a buffer is made with that is imported from another device. `size` is
    /// in bytes, whole pages.
    ///
    /// Without this, nothing can be imported: who tries gets [`EINVAL`].
    ///
    /// The buffer is in system memory at first. See [`Object`] for what is different about it.
    ///
    /// # Errors
    ///
    /// Who wants to import it gets them.
    fn import(
        dev: &drm::Device<Self>,
        size: usize,
    ) -> Result<<Self::BufferData as drm::gem::DriverObject>::Args> {
        let _ = (dev, size);
        Err(EINVAL)
    }

    /// The shrinker took a buffer's pages; if `purged`, its content is lost with them.
    ///
    /// Called with the buffer's reservation held, in memory reclaim: it must neither allocate nor
    /// take a lock that is held while allocating.
    fn shrunk(bo: &Self::BufferData, purged: bool) {
        let _ = (bo, purged);
    }
}

/// Where buffers go when nobody says anything else.
pub(super) const SYSTEM: &[Place] = &[Place::SYSTEM];

/// The driver's part of a buffer.
///
/// It lives longer than the GEM object that it is part of: TTM may have to wait for the GPU before
/// it can free a buffer, and until then calls the driver back on it.
///
/// It may own anything, like other buffers, a VM or the device. It is dropped by a work item of the
/// kernel's, when TTM is done with the buffer: without any locks, and not in memory reclaim.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::fixture::{self, Owned};
///
/// let dev = fixture::Device::new()?;
/// let obj = dev.vram(0x1000)?;
///
/// obj.own(Owned { dev: Some(dev.drm().clone()), ..Owned::default() });
/// // The buffer is the last one to have the device.
/// drop(dev);
/// drop(obj);
/// # Ok::<(), Error>(())
/// ```
pub trait DriverObject: drm::gem::DriverObject<Driver: Driver<BufferData = Self>> {}
