// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A virtual device with a driver, for the examples and the tests.

use super::{
    BufferId,
    BulkMove,
    Clear,
    ClearBy,
    CopyJob,
    MemType,
    Move,
    MoveBy,
    Node,
    Object,
    ObjectConfig,
    OperationCtx,
    Place,
    Placement,
    Resv, //
};
use crate::{
    bindings,
    device::{
        Bound,
        DeviceContext, //
    },
    dma_fence::DriverFence,
    drm,
    faux,
    prelude::*,
    str::CString,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Completion,
        SetOnce, //
    },
    ModuleMetadata, //
};
use core::ops::Deref;

mod answer;
mod client;
mod dma_buf;
mod engine;
pub use client::{
    Client,
    FdInfo,
    UserMap, //
};
pub use dma_buf::{
    flush,
    DmaBuf, //
};
pub use engine::{
    Engine,
    Works, //
};

/// The driver of the test devices.
pub struct Driver;

/// The driver's part of a buffer.
pub struct BufferData {
    kind: Kind,
    home: Atomic<u32>,
    purged: Atomic<bool>,
    insists: Atomic<bool>,
    swap_outs: Atomic<u32>,
    owned: SetOnce<Owned>,
}

/// The other values that a buffer owns.
#[derive(Default)]
pub struct Owned {
    /// Its own device, or another one.
    pub dev: Option<ARef<drm::Device<Driver>>>,
    /// The bulk that it is a member of, or another one.
    pub bulk: Option<Arc<BulkMove<Driver>>>,
    /// Other buffers.
    pub objects: KVec<ARef<Object<BufferData>>>,
    /// Completed when the buffer is freed.
    pub gone: Option<Gone>,
}

/// Completes a completion when it is dropped.
pub struct Gone(pub Arc<Completion>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.complete_all();
    }
}

/// How a buffer is evicted and exported.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// An eviction keeps the content.
    Kept,
    /// The content isn't needed any more once the buffer is evicted.
    Disposable,
    /// The buffer isn't worth evicting, and isn't exported.
    Precious,
    /// The buffer is exported in VRAM, where other devices don't reach it.
    OutOfReach,
}

impl BufferData {
    /// How often its pages were swapped out.
    pub fn swap_outs(&self) -> u32 {
        self.swap_outs.load(Relaxed)
    }

    /// Lets the driver insist on a better place for it from now on.
    pub fn insist(&self) {
        self.insists.store(true, Relaxed);
    }

    /// Gives it values to own. Only the first call has an effect.
    pub fn own(&self, owned: Owned) {
        self.owned.populate(owned);
    }

    /// The memory type that it was made in.
    pub fn home(&self) -> MemType {
        MemType::new(self.home.load(Relaxed)).unwrap_or(MemType::SYSTEM)
    }

    /// Whether the content was lost for a lack of memory.
    pub fn was_purged(&self) -> bool {
        self.purged.load(Relaxed)
    }
}

/// Private: a driver must not name it as its owner, as it keeps no module.
pub(in crate::drm::ttm) mod owner {
    use super::*;

    /// The driver is built in, so this is no module.
    pub struct Module;

    impl ModuleMetadata for Module {
        const NAME: &'static CStr = c"ttm-test-device";
        const THIS_MODULE: ThisModule = {
            // SAFETY: Built-in code has no module, which is a null pointer.
            unsafe { ThisModule::from_ptr(core::ptr::null_mut()) }
        };
    }
}

// Two ioctls, with the numbers of another driver.
impl Driver {
    /// Returns 1.
    fn guarded(
        _dev: &drm::Device<Self, drm::Registered>,
        _data: &(),
        args: &mut crate::uapi::drm_nova_getparam,
        _file: &drm::File<File>,
    ) -> Result<u32> {
        args.value = 1;
        Ok(1)
    }

    /// Returns whether the device is registered.
    fn unguarded(
        dev: &drm::Device<Self, drm::Ioctl>,
        args: &mut crate::uapi::drm_nova_gem_create,
        _file: &drm::File<File>,
    ) -> Result<u32> {
        args.size = dev.registration_guard().is_some().into();
        Ok(2)
    }
}

/// The driver's part of an open file: nothing.
pub struct File;

// The macro is for other crates, where this isn't looked at.
#[allow(
    unused_variables,
    unsafe_op_in_unsafe_fn,
    clippy::missing_safety_doc,
    clippy::unnecessary_safety_comment
)]
#[vtable]
impl drm::Driver for Driver {
    type OwnerModule = owner::Module;
    type Data = super::Device<Self>;
    type Object = Object<BufferData>;
    type RegistrationData<'a> = ();
    type File = File;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"ttm-test-device",
        desc: c"For the examples",
    };

    crate::declare_drm_ioctls! {
        (NOVA_GETPARAM, drm_nova_getparam, drm::ioctl::RENDER_ALLOW, Driver::guarded),
        (NOVA_GEM_CREATE, drm_nova_gem_create, drm::ioctl::RENDER_ALLOW,
            unguarded Driver::unguarded),
    }

    fn show_fdinfo(
        _dev: &drm::Device<Self, drm::Registered>,
        file: &drm::File<File>,
        p: &mut drm::Printer<'_>,
    ) {
        let regions = [
            (c"system", MemType::SYSTEM),
            (c"gtt", MemType::TT),
            (c"vram", MemType::VRAM),
        ];

        super::show_memory(file, p, &regions, |bo| bo.home());
    }
}

#[vtable]
impl super::Driver for Driver {
    type OwnerModule = owner::Module;
    type BufferData = BufferData;
    type DeviceData = Pin<KBox<Engine>>;

    const MAPS_IMPORTS: bool = true;

    fn evict_flags(bo: &BufferData, _from: MemType) -> &'static [Place] {
        if bo.kind == Kind::Disposable {
            &[]
        } else {
            &[Place::SYSTEM]
        }
    }

    fn eviction_valuable(bo: &BufferData, _place: Option<&Place>) -> bool {
        bo.kind != Kind::Precious
    }

    fn insists(bo: &BufferData, _at: MemType) -> bool {
        bo.insists.load(Relaxed)
    }

    fn reachable_places(bo: &BufferData) -> &'static [Place] {
        match bo.kind {
            Kind::Precious => const { &[Place::new(MemType::PRIV), Place::SYSTEM.fallback()] },
            _ => &[],
        }
    }

    fn move_buffer(
        engine: &Self::DeviceData,
        _bo: &BufferData,
        mv: &mut Move<'_>,
    ) -> Result<MoveBy> {
        if mv.in_reclaim() {
            engine.reclaims.fetch_add(1, Relaxed);
        }
        if let Some(by) = engine.answer(mv) {
            return by;
        }
        match engine.works {
            Works::Never => return Ok(MoveBy::Memcpy),
            Works::NotToEvict if mv.is_eviction() => return Ok(MoveBy::Memcpy),
            Works::Forgets => return Ok(MoveBy::Nothing),
            Works::ToAndFro => {
                return Ok(match (mv.from().mem_type, mv.to().mem_type) {
                    (MemType::SYSTEM, MemType::VRAM) => MoveBy::Hop(Place::TT),
                    (MemType::VRAM, MemType::SYSTEM) => MoveBy::Hop(Place::TT),
                    (MemType::TT, MemType::SYSTEM) => MoveBy::Hop(Place::VRAM),
                    _ => MoveBy::Memcpy,
                })
            }
            Works::Badly => {
                let done = DriverFence::new(c"ttm-test-device", c"lost")?;
                let fence = done.fence();

                done.signal(Ok(()));
                return Ok(MoveBy::Fence(fence));
            }
            _ => (),
        }

        engine.copy(mv)?;
        Ok(MoveBy::Memcpy)
    }

    fn clear_place(
        engine: &Self::DeviceData,
        _bo: &BufferData,
        clear: &mut Clear<'_>,
    ) -> Result<ClearBy> {
        engine.clear(clear)
    }

    fn swap_notify(_engine: &Self::DeviceData, bo: &BufferData) {
        bo.swap_outs.fetch_add(1, Relaxed);
    }

    fn delete_mem_notify(engine: &Self::DeviceData, _bo: &BufferData) {
        engine.deletions.fetch_add(1, Relaxed);
    }

    fn export_places(bo: &BufferData) -> &'static [Place] {
        match bo.kind {
            Kind::Precious => &[],
            Kind::OutOfReach => &[Place::VRAM],
            _ => &[Place::TT],
        }
    }

    // The content of an imported buffer stays nevertheless: it is the exporter's.
    fn import(_dev: &drm::Device<Self>, _size: usize) -> Result<Kind> {
        Ok(Kind::Disposable)
    }

    fn shrunk(bo: &BufferData, purged: bool) {
        bo.purged.store(purged, Relaxed);
    }
}

impl drm::gem::DriverObject for BufferData {
    type Driver = Driver;
    type Args = Kind;

    fn new(dev: &drm::Device<Driver>, _size: usize, kind: Kind) -> impl PinInit<Self, Error> {
        let dropped = dev.driver_data().dropped.lock().take();
        drop(dropped);

        Ok(Self {
            kind,
            home: Atomic::new(MemType::SYSTEM.as_u32()),
            purged: Atomic::new(false),
            insists: Atomic::new(false),
            swap_outs: Atomic::new(0),
            owned: SetOnce::new(),
        })
    }
}

impl super::DriverObject for BufferData {}

impl drm::file::DriverFile for File {
    type Driver = Driver;

    fn open(_dev: &drm::Device<Driver>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}

/// A device with 1 MiB of VRAM that is memory of its own, and as much [`MemType::TT`] that is made
/// of pages.
pub struct Device {
    drm: ARef<drm::Device<Driver>>,
    _parent: faux::Registration,
    // Dropped last.
    _flush: FlushOnDrop,
}

/// Dropping this waits until the buffers that were dropped before are freed.
struct FlushOnDrop;

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        super::late::flush();
    }
}

impl Device {
    /// The bytes of VRAM, and of [`MemType::TT`].
    pub const SIZE: usize = 1 << 20;

    /// Makes a device.
    pub fn new() -> Result<Self> {
        Self::with(|_| Ok(()))
    }

    /// Makes a device with a shrinker.
    pub fn new_shrinkable() -> Result<Self> {
        Self::with(|setup| setup.shrinker())
    }

    /// Makes a device that moves buffers by jobs, which it keeps until it is told to run them. It
    /// evicts buffers at once.
    pub fn new_with_engine() -> Result<Self> {
        Self::make(Works::NotToEvict, |_| Ok(()))
    }

    /// Makes a device that moves buffers by such jobs in evictions as well. A buffer that gets the
    /// room waits for the job.
    pub fn new_with_pipeline() -> Result<Self> {
        Self::make(Works::Always, |_| Ok(()))
    }

    /// Makes a device whose engine moves nothing, but signals the fence of each move.
    pub fn new_with_bad_engine() -> Result<Self> {
        Self::make(Works::Badly, |_| Ok(()))
    }

    /// Makes a device that answers each move with [`MoveBy::Nothing`], so the content is lost.
    pub fn new_that_forgets() -> Result<Self> {
        Self::make(Works::Forgets, |_| Ok(()))
    }

    /// Makes a device that answers moves between system memory and VRAM with [`MoveBy::Hop`], and
    /// finds no way back to system memory.
    pub fn new_that_hops() -> Result<Self> {
        Self::make(Works::ToAndFro, |_| Ok(()))
    }

    /// Makes a device that `more` sets up further.
    pub fn with(more: impl FnOnce(&mut super::Setup<'_>) -> Result) -> Result<Self> {
        Self::make(Works::Never, more)
    }

    /// As [`Self::with`], for a device that moves buffers in another way.
    pub fn with_engine(
        works: Works,
        more: impl FnOnce(&mut super::Setup<'_>) -> Result,
    ) -> Result<Self> {
        Self::make(works, more)
    }

    fn make(works: Works, more: impl FnOnce(&mut super::Setup<'_>) -> Result) -> Result<Self> {
        static COUNT: Atomic<u32> = Atomic::new(0);

        let n = COUNT.fetch_add(1, Relaxed);
        let name = CString::try_from_fmt(fmt!("ttm-test-device.{n}"))?;
        let parent = faux::Registration::new(&name, None)?;
        super::registration::enable_dma(&parent);
        let drm = Self::unregistered_with(parent.as_ref(), works, more)?;

        Ok(Self {
            drm: (&*drm).into(),
            _parent: parent,
            _flush: FlushOnDrop,
        })
    }

    /// Makes only the DRM device, for a parent that there is already.
    pub fn unregistered(parent: &faux::Device<Bound>) -> Result<drm::UnregisteredDevice<Driver>> {
        Self::unregistered_with_more(parent, |_| Ok(()))
    }

    /// As [`Self::unregistered`], and `more` sets the device up further.
    pub fn unregistered_with_more(
        parent: &faux::Device<Bound>,
        more: impl FnOnce(&mut super::Setup<'_>) -> Result,
    ) -> Result<drm::UnregisteredDevice<Driver>> {
        Self::unregistered_with(parent, Works::Never, more)
    }

    fn unregistered_with(
        parent: &faux::Device<Bound>,
        works: Works,
        more: impl FnOnce(&mut super::Setup<'_>) -> Result,
    ) -> Result<drm::UnregisteredDevice<Driver>> {
        super::Device::<Driver>::new(parent, Engine::new(works), |setup| {
            setup.range_manager(MemType::VRAM, Self::SIZE, super::Backing::Emulated)?;
            setup.range_manager(MemType::TT, Self::SIZE, super::Backing::Pages)?;
            more(setup)
        })
    }

    /// Runs the jobs that were kept. Returns how many there were.
    pub fn run_jobs(&self) -> usize {
        let jobs = self.driver_data().take_jobs();
        let count = jobs.len();

        jobs.into_iter().for_each(CopyJob::run);
        count
    }

    /// The DRM device.
    pub fn drm(&self) -> &ARef<drm::Device<Driver>> {
        &self.drm
    }

    /// A buffer of `size` bytes in system memory.
    pub fn system(&self, size: usize) -> Result<ARef<Object<BufferData>>> {
        self.object(size, ObjectConfig::default(), Kind::Kept)
    }

    /// A buffer of `size` bytes in VRAM.
    pub fn vram(&self, size: usize) -> Result<ARef<Object<BufferData>>> {
        self.object(size, Self::in_vram(), Kind::Kept)
    }

    /// A buffer of `size` bytes in the driver's own memory type.
    pub fn private(&self, size: usize) -> Result<ARef<Object<BufferData>>> {
        let private = [Place::new(MemType::PRIV)];

        self.object(
            size,
            ObjectConfig {
                placement: Placement::new(&private)?,
                ..ObjectConfig::default()
            },
            Kind::Kept,
        )
    }

    /// A buffer of `size` bytes in VRAM that the driver wants to keep there.
    pub fn precious(&self, size: usize) -> Result<ARef<Object<BufferData>>> {
        self.object(size, Self::in_vram(), Kind::Precious)
    }

    /// A buffer of `size` bytes in VRAM whose content isn't needed any more when it is evicted.
    pub fn disposable(&self, size: usize) -> Result<ARef<Object<BufferData>>> {
        self.object(size, Self::in_vram(), Kind::Disposable)
    }

    /// A buffer of `size` bytes in VRAM that is exported there.
    pub fn out_of_reach(&self, size: usize) -> Result<ARef<Object<BufferData>>> {
        self.object(size, Self::in_vram(), Kind::OutOfReach)
    }

    /// A buffer of `size` bytes in system memory whose content may be lost.
    pub fn purgeable(&self, size: usize) -> Result<ARef<Object<BufferData>>> {
        let obj = self.system(size)?;

        obj.reserve().set_purgeable(true);
        Ok(obj)
    }

    /// A buffer of `size` bytes in VRAM that shares a reservation.
    pub fn shared(&self, size: usize, resv: &Arc<Resv>) -> Result<ARef<Object<BufferData>>> {
        let resv = Some(resv);

        self.object(
            size,
            ObjectConfig {
                resv,
                ..Self::in_vram()
            },
            Kind::Kept,
        )
    }

    /// A buffer of `size` bytes in VRAM that is a member of `bulk`.
    pub fn member(&self, size: usize, bulk: &BulkMove<Driver>) -> Result<ARef<Object<BufferData>>> {
        let bulk = Some(bulk);

        self.object(
            size,
            ObjectConfig {
                bulk,
                ..Self::in_vram()
            },
            Kind::Kept,
        )
    }

    fn in_vram<'a>() -> ObjectConfig<'a, BufferData> {
        ObjectConfig {
            placement: Placement::VRAM,
            ..ObjectConfig::default()
        }
    }

    fn object(
        &self,
        size: usize,
        config: ObjectConfig<'_, BufferData>,
        kind: Kind,
    ) -> Result<ARef<Object<BufferData>>> {
        let obj = Object::new(&self.drm, size, &config, &mut OperationCtx::new(), kind)?;

        if let Some(home) = obj.reserve().mem_type() {
            obj.home.store(home.as_u32(), Relaxed);
        }
        Ok(obj)
    }

    /// Which buffers are on the LRU list of VRAM, in its order. At most 64.
    pub fn order(&self) -> Result<KVec<BufferId>> {
        let mut order = KVec::with_capacity(64, GFP_KERNEL)?;

        self.lru().visit(MemType::VRAM, |node| {
            if let Node::Resource(res) = node {
                if let Some(id) = res.buffer_id() {
                    let _ = order.push_within_capacity(id);
                }
            }
        });
        Ok(order)
    }
}

/// Lets all shrinkers give back as much as they can, as if the system were short of memory.
///
/// The thread is in reclaim meanwhile, as far as lockdep can tell. So lockdep reports a lock that
/// is taken here, and that a thread holds while it allocates.
pub fn press_for_memory() {
    // SAFETY: It may be called wherever one may sleep. The flags of a thread are its own; no other
    // one writes to them.
    unsafe {
        let current = bindings::get_current();
        let before = (*current).flags & bindings::PF_MEMALLOC;

        (*current).flags |= bindings::PF_MEMALLOC;
        #[cfg(CONFIG_LOCKDEP)]
        bindings::fs_reclaim_acquire(GFP_KERNEL.as_raw());
        bindings::drop_slab();
        #[cfg(CONFIG_LOCKDEP)]
        bindings::fs_reclaim_release(GFP_KERNEL.as_raw());
        (*current).flags = (*current).flags & !bindings::PF_MEMALLOC | before;
    }
}

/// Keeps the address of a value that is about to be forgotten, so that kmemleak doesn't report it.
pub fn remember<T>(forgotten: &T) {
    static ADDRESSES: [Atomic<usize>; 8] = [const { Atomic::new(0) }; 8];
    static COUNT: Atomic<usize> = Atomic::new(0);

    let n = COUNT.fetch_add(1, Relaxed) % ADDRESSES.len();
    ADDRESSES[n].store(core::ptr::from_ref(forgotten).addr(), Relaxed);
}

impl Drop for Device {
    fn drop(&mut self) {
        // Its teardown would wait for them.
        self.run_jobs();
    }
}

impl Deref for Device {
    type Target = super::Device<Driver>;

    fn deref(&self) -> &Self::Target {
        &self.drm
    }
}
