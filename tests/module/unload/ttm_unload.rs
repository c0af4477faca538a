// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A driver that misuses the API in safe code, and is then unloaded.
//!
//! A program selects the misuse: which of the things in [`table`] is made, and where it is kept.
//! The ioctls have Nova's numbers and layouts: `gem_create` makes a buffer, of the file's VM if
//! `pad` says so; `gem_info` returns the offset where it can be mapped; `getparam` is for the rest,
//! see [`Call`].

#![forbid(unsafe_code)]

mod places;
mod slots;
mod table;
mod things;

use kernel::{
    debugfs,
    device::{
        Bound,
        DeviceContext, //
    },
    dma_fence::{
        Fence,
        Timeline, //
    },
    drm::{
        self,
        gem::{
            self,
            BaseObject, //
        },
        ioctl,
        ttm::{
            self,
            CopyJob,
            FenceUsage,
            JobBuilder, //
        }, //
    },
    faux,
    fs::file::{
        flags::O_CLOEXEC,
        FileDescriptorReservation, //
    },
    new_mutex,
    prelude::*,
    sizes::SZ_1M,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
    sync_file::SyncFile,
    uapi, //
};
use places::{
    boxed,
    Kept,
    Shelf, //
};
use slots::Slots;
use table::{
    Place,
    Thing, //
};

module! {
    type: Unload,
    name: "ttm_unload",
    authors: ["The Hitch developers"],
    description: "A TTM driver that does what looks wrong, in safe code",
    license: "Dual MIT/GPL",
    params: {
        shrinker: u8 {
            default: 1,
            description: "Whether the device has a shrinker; without, TTM swaps its buffers out",
        },
        init_fails: u8 {
            default: 0,
            description: "Whether the module fails to start, once a program has used its device",
        },
    },
}

pub(crate) struct Driver;

pub(crate) type Drm = drm::Device<Driver>;
pub(crate) type Object = ttm::Object<Buffer>;

/// A VM as drivers have it: the values that its buffers share.
pub(crate) struct Vm {
    bulk: ttm::BulkMove<Driver>,
}

impl Vm {
    pub(crate) fn new(dev: &ttm::Device<Driver>) -> Result<Arc<Self>> {
        let bulk = ttm::BulkMove::new(dev, ttm::Resv::new()?)?;

        Ok(Arc::new(Self { bulk }, GFP_KERNEL)?)
    }
}

/// The driver's part of a buffer: its VM, and other values that it owns.
pub(crate) struct Buffer {
    _vm: Option<Arc<Vm>>,
    _owned: Option<Kept>,
}

/// The driver's part of a device.
#[pin_data]
pub(crate) struct Data {
    shelf: Arc<Shelf>,
    #[pin]
    owned: Mutex<KVec<Kept>>,
    /// The fence that moves of buffers wait for.
    #[pin]
    move_behind: Mutex<Option<ARef<Fence>>>,
    /// The timeline of jobs that move buffers, and the last of these jobs.
    #[pin]
    copies: Mutex<(Option<Timeline>, Option<CopyJob>)>,
    /// The moves since they are noted. Memory is allocated with the lock held, which is wrong, as
    /// moves are noted in memory reclaim as well.
    #[pin]
    notes: Mutex<Option<KVec<usize>>>,
    /// Whether they are noted.
    is_noting: Atomic<bool>,
}

impl Data {
    fn note(&self, size: usize) -> Result {
        let mut notes = self.notes.lock();

        self.is_noting.store(true, Relaxed);
        notes.get_or_insert_default().push(size, GFP_KERNEL)?;
        Ok(())
    }

    /// Notes a move if there is room.
    fn note_in_reclaim(&self, size: usize) {
        if let Some(notes) = &mut *self.notes.lock() {
            let _ = notes.push_within_capacity(size);
        }
    }
}

#[pin_data]
pub(crate) struct File {
    vm: Arc<Vm>,
    #[pin]
    owned: Mutex<KVec<Kept>>,
}

#[vtable]
impl drm::Driver for Driver {
    type Data = ttm::Device<Self>;
    type RegistrationData<'a> = ();
    type File = File;
    type Object = Object;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"ttm_unload",
        desc: c"A TTM driver that does what looks wrong, in safe code",
    };
    const FEAT_RENDER: bool = true;

    kernel::declare_drm_ioctls! {
        (NOVA_GETPARAM, drm_nova_getparam, ioctl::RENDER_ALLOW, File::call),
        (NOVA_GEM_CREATE, drm_nova_gem_create, ioctl::RENDER_ALLOW, File::create),
        (NOVA_GEM_INFO, drm_nova_gem_info, ioctl::RENDER_ALLOW, File::offset),
    }

    fn show_fdinfo(
        _dev: &drm::Device<Self, drm::Registered>,
        file: &drm::File<File>,
        p: &mut drm::Printer<'_>,
    ) {
        let regions = [(c"vram", ttm::MemType::VRAM)];

        ttm::show_memory(file, p, &regions, |_| ttm::MemType::VRAM);
    }
}

#[vtable]
impl ttm::Driver for Driver {
    type BufferData = Buffer;
    type DeviceData = Data;

    fn move_buffer(dev: &Data, _bo: &Buffer, mv: &mut ttm::Move<'_>) -> Result<ttm::MoveBy> {
        if mv.in_reclaim() && dev.is_noting.load(Relaxed) {
            dev.note_in_reclaim(mv.size());
        }
        if let Some(fence) = dev.move_behind.lock().take() {
            return Ok(ttm::MoveBy::Fence(fence));
        }
        let (timeline, job) = &mut *dev.copies.lock();
        if let Some(timeline) = timeline.take() {
            *job = mv.copy_job(&timeline)?;
        }
        Ok(ttm::MoveBy::Memcpy)
    }

    // The driver has a callback for each step of a buffer's end.
    fn eviction_valuable(_bo: &Buffer, _place: Option<&ttm::Place>) -> bool {
        true
    }

    fn swap_notify(_dev: &Data, _bo: &Buffer) {}

    fn delete_mem_notify(dev: &Data, _bo: &Buffer) {
        dev.move_behind.lock().take();
    }

    fn shrunk(_bo: &Buffer, _purged: bool) {}

    fn import(_dev: &Drm, _size: usize) -> Result<(Option<Arc<Vm>>, Option<Kept>)> {
        Ok((None, None))
    }
}

impl gem::DriverObject for Buffer {
    type Driver = Driver;
    type Args = (Option<Arc<Vm>>, Option<Kept>);

    fn new(
        _dev: &Drm,
        _size: usize,
        (vm, owned): (Option<Arc<Vm>>, Option<Kept>),
    ) -> impl PinInit<Self, Error> {
        Ok(Buffer {
            _vm: vm,
            _owned: owned,
        })
    }
}

impl ttm::DriverObject for Buffer {}

/// Makes a buffer: in a VM, or with another value that it owns.
pub(crate) fn buffer(
    dev: &Drm,
    placement: ttm::Placement<'_>,
    size: usize,
    vm: Option<Arc<Vm>>,
    owned: Option<Kept>,
) -> Result<ARef<Object>> {
    let bulk = vm.clone();
    let config = ttm::ObjectConfig {
        placement,
        bulk: bulk.as_ref().map(|vm| &vm.bulk),
        ..Default::default()
    };

    Object::new(
        dev,
        size,
        &config,
        &mut ttm::OperationCtx::new(),
        (vm, owned),
    )
}

/// Makes a device with VRAM, memory that the device reaches, memory that the driver manages, and
/// files in debugfs.
pub(crate) fn device(
    parent: &faux::Device<Bound>,
    shelf: Arc<Shelf>,
    dir: &CStr,
) -> Result<drm::UnregisteredDevice<Driver>> {
    let data = try_pin_init!(Data {
        shelf,
        owned <- new_mutex!(KVec::new()),
        move_behind <- new_mutex!(None),
        copies <- new_mutex!((None, None)),
        notes <- new_mutex!(None, "Data.notes"),
        is_noting: Atomic::new(false),
    }? Error);

    ttm::Device::<Driver>::new(parent, data, |setup| {
        let buddy = ttm::BuddyManager::new(SZ_1M)?;

        setup.manager(ttm::MemType::VRAM, SZ_1M, ttm::Backing::Emulated, buddy)?;
        setup.range_manager(ttm::MemType::TT, SZ_1M, ttm::Backing::Pages)?;
        setup.manager(
            ttm::MemType::PRIV,
            SZ_1M,
            ttm::Backing::Emulated,
            Slots::new(),
        )?;
        if module_parameters::shrinker.value() != 0 {
            setup.shrinker()?;
        }
        setup.debugfs(&debugfs::Dir::new(dir), c"managers")
    })
}

impl drm::file::DriverFile for File {
    type Driver = Driver;

    fn open(dev: &Drm) -> Result<Pin<KBox<Self>>> {
        let vm = Vm::new(dev)?;

        KBox::pin_init(
            pin_init!(Self {
                vm,
                owned <- new_mutex!(KVec::new()),
            }),
            GFP_KERNEL,
        )
    }
}

/// The function that the lowest byte of `param` selects. `value` is the number of a sync file, a
/// foreign fence.
enum Call {
    /// Does the misuse: with the thing in the next byte, in the place in the byte after it.
    Do,
    /// Unregisters the device, from a worker.
    Unbind,
    /// The fence keeps the buffer busy whose handle is in the upper half.
    Attach,
    /// A job that waits for the fence uses that buffer; `value` is then its sync file.
    Submit,
    /// Evicts all buffers in VRAM.
    Evict,
    /// Moves are noted from now on, and the shrinker is given a buffer to move. `value` is its
    /// handle.
    Note,
    /// Lets the module's init continue, and fail.
    Fail,
}

impl Call {
    fn from_number(number: u8) -> Result<Self> {
        const ALL: [Call; 7] = [
            Call::Do,
            Call::Unbind,
            Call::Attach,
            Call::Submit,
            Call::Evict,
            Call::Note,
            Call::Fail,
        ];

        ALL.into_iter().nth(number.into()).ok_or(EINVAL)
    }
}

impl File {
    fn create(
        dev: &drm::Device<Driver, drm::Registered>,
        _data: &(),
        args: &mut uapi::drm_nova_gem_create,
        file: &drm::File<File>,
    ) -> Result<u32> {
        let vm = (args.pad != 0).then(|| file.inner().vm.clone());
        let obj = buffer(dev, ttm::Placement::VRAM, args.size.try_into()?, vm, None)?;

        args.handle = obj.create_handle(file)?;
        Ok(0)
    }

    fn offset(
        _dev: &drm::Device<Driver, drm::Registered>,
        _data: &(),
        args: &mut uapi::drm_nova_gem_info,
        file: &drm::File<File>,
    ) -> Result<u32> {
        args.size = Object::lookup_handle(file, args.handle)?.create_mmap_offset()?;
        Ok(0)
    }

    fn call(
        dev: &drm::Device<Driver, drm::Registered>,
        _data: &(),
        args: &mut uapi::drm_nova_getparam,
        file: &drm::File<File>,
    ) -> Result<u32> {
        let [call, thing, place, _, handle @ ..] = args.param.to_le_bytes();
        let fence = SyncFile::fence_of(args.value.try_into()?);
        let object = || Object::lookup_handle(file, u32::from_le_bytes(handle));

        match Call::from_number(call)? {
            Call::Do => {
                let thing = Thing::from_number(thing.into()).ok_or(EINVAL)?;
                let place = Place::from_number(place.into()).ok_or(EINVAL)?;
                let fence = fence?;

                if let Some(kept) = things::make(dev, thing, &fence, &mut args.value)? {
                    places::keep(dev, &file.inner().owned, place, &fence, kept)?;
                }
            }
            Call::Unbind => dev.driver_data().shelf.unbind()?,
            Call::Attach => attach(&*object()?, &*fence?)?,
            Call::Submit => args.value = submit(&*object()?, fence?)?,
            Call::Evict => dev.manager(ttm::MemType::VRAM).ok_or(ENODEV)?.evict_all()?,
            Call::Note => {
                dev.driver_data().note(0)?;
                args.value = purgeable(dev)?.create_handle(file)?.into();
            }
            Call::Fail => dev.driver_data().shelf.init_may_end.complete_all(),
        }
        Ok(0)
    }
}

/// Adds `fence` to a buffer, which keeps it busy.
pub(crate) fn attach(obj: &Object, fence: &Fence) -> Result {
    obj.reserve().fence_slot()?.add(fence, FenceUsage::Write)
}

/// A buffer with pages that reclaim may take, after it has moved.
fn purgeable(dev: &Drm) -> Result<ARef<Object>> {
    let obj = buffer(dev, ttm::Placement::TT, 0x1000, None, None)?;
    let mut reserved = obj.reserve();

    reserved.populate(&mut ttm::OperationCtx::new())?;
    reserved.set_purgeable(true);
    drop(reserved);
    Ok(obj)
}

/// Publishes a job that uses `obj`, and waits for `fence`. Returns the number of its sync file.
fn submit(obj: &Object, fence: ARef<Fence>) -> Result<u64> {
    let timeline = Timeline::new(c"ttm_unload", c"late")?;
    let mut reserved = obj.reserve();
    let mut job = JobBuilder::new(&timeline, 1)?;

    job.wait_for(fence.clone())?;
    job.add(&mut reserved, FenceUsage::Write)?;
    let job = job.publish()?;
    let file = install(&job.fence())?;
    drop(reserved);
    places::wake_with(&fence, boxed(job)?)?;
    Ok(file)
}

/// Gives the program a sync file.
pub(crate) fn install(fence: &Fence) -> Result<u64> {
    let fd = FileDescriptorReservation::get_unused_fd_flags(O_CLOEXEC)?;
    let number = fd.reserved_fd().into();

    SyncFile::new(fence)?.install(fd);
    Ok(number)
}

struct Unload {
    shelf: Arc<Shelf>,
}

impl kernel::Module for Unload {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let shelf = Shelf::new()?;
        let registration = ttm::FauxRegistration::new(c"ttm_unload", |parent| {
            device(parent, shelf.clone(), c"ttm_unload")
        })?;

        shelf.register(registration);
        let this = Self { shelf };
        if module_parameters::init_fails.value() != 0 {
            this.shelf.init_may_end.wait_for_completion();
            return Err(EINVAL);
        }
        Ok(this)
    }
}

impl Drop for Unload {
    fn drop(&mut self) {
        self.shelf.empty();
    }
}
