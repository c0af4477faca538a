// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The part of a device that isn't generic: TTM's device, its memory types, and their teardown.
//!
//! C header: [`include/drm/ttm/ttm_device.h`](srctree/include/drm/ttm/ttm_device.h)

use super::{
    dma::{
        self,
        DeviceDma, //
    },
    imports::Imports,
    lru,
    manager_ops,
    reach::{
        Placed,
        Reach, //
    },
    registration::{
        self,
        Registered, //
    },
    Caching,
    MemType,
    Place,
    Setup,
    Window, //
};
use crate::{
    bindings,
    container_of,
    debugfs,
    dma::DmaAddress,
    error::to_result,
    faux,
    ffi::c_char,
    new_mutex,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        lock::{
            spinlock::SpinLockBackend,
            Lock, //
        },
        Completion,
        Mutex, //
    },
    types::Opaque, //
};
use core::{
    ffi::c_int,
    ptr, //
};

/// The memory behind a memory type.
pub(super) enum Memory {
    /// The buffers' pages.
    Pages,
    /// Memory that the kernel has allocated.
    #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
    Emulated(crate::alloc::VVec<u8>),
    /// Memory of a real device.
    Io(Window),
}

impl Memory {
    pub(super) fn is_pages(&self) -> bool {
        matches!(self, Self::Pages)
    }
}

/// The ways to a device that need no reference to it or to its module.
///
/// # Invariants
///
/// - `shrinker` is null, or a shrinker of the device.
/// - No other code has `debugfs`.
struct Outside {
    shrinker: *mut bindings::ttm_shrinker,
    debugfs: Option<debugfs::Dir>,
    registration: Option<Registered>,
    was_registered: bool,
    parent: Option<faux::Registration>,
}

// SAFETY: A shrinker can be ended from any thread.
unsafe impl Send for Outside {}

impl Outside {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    fn init() -> impl PinInit<Mutex<Self>> {
        // INVARIANT: There is no shrinker, and no folder.
        new_mutex!(Self {
            shrinker: ptr::null_mut(),
            debugfs: None,
            registration: None,
            was_registered: false,
            parent: None,
        })
    }
}

/// The part of a device that isn't generic over the driver.
///
/// # Invariants
///
/// - `bdev` is initialized. The managers in `bdev.man_drv` are valid, and are its own.
/// - `memory` has the memory behind each memory type: at least as much as its manager manages.
/// - A manager with an entry in `free` was made by [`manager_ops::install`], which returned the
///   entry. All other managers, except that of system memory, are range managers.
/// - `bdev.man_drv`, `memory`, `free`, `shrinkable` and `dma` don't change after initialization.
/// - `outside` and `imports` are those of this device.
/// - `drm` is the device that this is a part of.
/// - `owner` is on the list that is searched when a module goes. It names `bdev`, `drm` and the
///   driver's module.
#[pin_data(PinnedDrop)]
pub(super) struct RawDevice {
    #[pin]
    bdev: Opaque<bindings::ttm_device>,
    #[pin]
    owner: Opaque<bindings::ttm_owner>,
    drm: *mut bindings::drm_device,
    shrinkable: bool,
    dma: Option<DeviceDma>,
    memory: [Memory; MemType::COUNT],
    free: [Option<manager_ops::Free>; MemType::COUNT],
    #[pin]
    outside: Mutex<Outside>,
    /// Whether the device can't be registered any more. Held while it is being registered.
    #[pin]
    refused: Mutex<bool>,
    /// Done when the device was registered, and is unplugged.
    #[pin]
    unplugged: Completion,
    /// Done when the registration has ended, and its data was dropped.
    #[pin]
    ended: Completion,
    /// The thread that ends the registration: the address of its task, or 0.
    ending: Atomic<usize>,
    #[pin]
    imports: Mutex<Imports>,
}

impl RawDevice {
    /// # Safety
    ///
    /// It must only be used to initialize a part of `drm`'s data. `drm` must be initialized except
    /// for its data. `module` must be the module with `funcs` and their callers.
    pub(super) unsafe fn new(
        drm: *mut bindings::drm_device,
        module: &'static ThisModule,
        (funcs, shrinker_funcs): &'static (
            bindings::ttm_device_funcs,
            bindings::ttm_shrinker_funcs,
        ),
        setup: impl FnOnce(&mut Setup<'_>) -> Result,
    ) -> impl PinInit<Self, Error> {
        let init = move |this: *mut Self| {
            // SAFETY: `this` is memory for a `Self`.
            let bdev = unsafe {
                (&raw mut (*this).memory).write([const { Memory::Pages }; MemType::COUNT]);
                (&raw mut (*this).free).write([const { None }; MemType::COUNT]);
                (&raw mut (*this).drm).write(drm);
                (&raw mut (*this).shrinkable).write(false);
                (&raw mut (*this).dma).write(None);
                pin_init::raw_init(&raw mut (*this).outside, Outside::init());
                pin_init::raw_init(&raw mut (*this).refused, refused());
                pin_init::raw_init(&raw mut (*this).unplugged, Completion::new());
                pin_init::raw_init(&raw mut (*this).ended, Completion::new());
                (&raw mut (*this).ending).write(Atomic::new(0));
                pin_init::raw_init(&raw mut (*this).imports, Imports::init());
                let bdev = Opaque::cast_into(&raw const (*this).bdev);
                bdev.write_bytes(0, 1);
                bdev
            };

            // With the flag, TTM distinguishes a lack of room from a lack of memory.
            // SAFETY: `bdev` is zeroed memory. `funcs` is static, and `drm` is initialized, and
            // with it its parent, inode and offset manager, by the function's requirements.
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

            // SAFETY: `owner` is memory for one; it goes before `bdev`, which was just initialized,
            // and `drm`. The function is no part of the module.
            unsafe {
                let owner = Opaque::cast_into(&raw const (*this).owner);
                owner.write(bindings::ttm_owner {
                    bdev,
                    drm,
                    module: module.as_ptr(),
                    leave: Some(leave_callback),
                    ..Default::default()
                });
                bindings::ttm_owner_add(owner);
            }

            // INVARIANT: `bdev` and `owner` of `RawDevice` are initialized, and the only manager is
            // that of system memory.
            // SAFETY: All of `this` is initialized, and it is pinned: the initializer is a pinned
            // one.
            let mut raw = unsafe { Pin::new_unchecked(&mut *this) };
            // INVARIANT: All of `this` is initialized and pinned, as above.
            setup(&mut Setup {
                raw: raw.as_mut(),
                shrinker_funcs,
            })
            .inspect_err(|_| {
                // SAFETY: It is initialized, and not used any more.
                unsafe { ptr::drop_in_place(this) };
            })?;

            // SAFETY: It is initialized, and from now on there are only shared references to it. It
            // isn't dropped before the last reference to `drm` is.
            unsafe { attach_windows(this) };
            Ok(())
        };

        // SAFETY: On success all of it is initialized. On failure it was dropped, or nothing that
        // needs to be dropped was initialized.
        unsafe { pin_init::pin_init_from_closure(init) }
    }

    /// The name of the DRM device: null, or a string that lasts as long as `self`.
    pub(super) fn name(&self) -> *const c_char {
        // SAFETY: By the type invariants `drm` is the device that this is a part of, and valid as
        // long. Its name is set before, and never changes.
        unsafe { (*self.drm).unique }
    }

    pub(super) fn bdev(&self) -> *mut bindings::ttm_device {
        self.bdev.get()
    }

    /// # Safety
    ///
    /// `bdev` must be that of a `RawDevice` that is valid for `'a`.
    pub(super) unsafe fn from_bdev<'a>(bdev: *mut bindings::ttm_device) -> &'a Self {
        // SAFETY: `bdev` is part of a `RawDevice` that is valid for `'a`, by the function's
        // requirements.
        unsafe { &*container_of!(Opaque::cast_from(bdev), Self, bdev) }
    }

    pub(super) fn owner(&self) -> *mut bindings::ttm_owner {
        self.owner.get()
    }

    pub(super) fn is_shrinkable(&self) -> bool {
        self.shrinkable
    }

    /// The DMA of the device, if its pages are mapped.
    pub(super) fn dma(&self) -> Option<&DeviceDma> {
        self.dma.as_ref()
    }

    /// Whether the pages of its buffers are coherent memory, which goes when the parent is unbound.
    pub(super) fn has_coherent_memory(&self) -> bool {
        self.dma().is_some_and(DeviceDma::is_coherent)
    }

    /// Sets the DMA of the device, which must be that of `self`.
    pub(super) fn set_dma(self: Pin<&mut Self>, dma: DeviceDma) {
        *self.project().dma = Some(dma);
    }

    /// Sets the device's shrinker, which must have been made for it.
    pub(super) fn set_shrinker(self: Pin<&mut Self>, shrinker: *mut bindings::ttm_shrinker) {
        let this = self.project();

        *this.shrinkable = true;
        this.outside.lock().shrinker = shrinker;
    }

    pub(super) fn has_debugfs(&self) -> bool {
        self.outside.lock().debugfs.is_some()
    }

    /// Sets the debugfs folder that shows the managers. No other code may have it.
    pub(super) fn set_debugfs(self: Pin<&mut Self>, dir: debugfs::Dir) {
        self.outside.lock().debugfs = Some(dir);
    }

    /// Records that the device is registered; the registration is a resource of the device's
    /// parent.
    pub(super) fn set_registration(&self, registration: Registered) {
        let mut outside = self.outside.lock();

        outside.registration = Some(registration);
        outside.was_registered = true;
    }

    pub(super) fn was_registered(&self) -> bool {
        self.outside.lock().was_registered
    }

    pub(super) fn refused(&self) -> &Mutex<bool> {
        &self.refused
    }

    pub(super) fn unplugged(&self) -> &Completion {
        &self.unplugged
    }

    pub(super) fn ended(&self) -> &Completion {
        &self.ended
    }

    /// Records that the current thread ends the registration.
    pub(super) fn set_ending(&self) {
        self.ending.store(current_task(), Relaxed);
    }

    /// Whether the current thread ends, or has ended, the registration.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Relaxed) == current_task()
    }

    /// Gives the windows back. The device must be unplugged.
    pub(super) fn end_windows(&self) {
        self.windows().for_each(Window::end);
    }

    /// Records the parent that was made for the device, to be unregistered with it.
    pub(super) fn set_parent(&self, parent: faux::Registration) {
        self.outside.lock().parent = Some(parent);
    }

    /// Takes the parent that was made for the device, if any, to unregister it.
    pub(super) fn take_parent(&self) -> Option<faux::Registration> {
        self.outside.lock().parent.take()
    }

    /// Takes the registration, to end it.
    pub(super) fn take_registration(&self) -> Option<Registered> {
        self.outside.lock().registration.take()
    }

    /// Removes the device from all places that lead to it without a reference to it or to the
    /// module: the list of shrinkers, debugfs, and TTM's list of devices (L1). Unmaps imported
    /// buffers.
    pub(super) fn leave(&self) {
        let mut outside = self.outside.lock();

        // This waits for readers.
        outside.debugfs = None;
        if !outside.shrinker.is_null() {
            // SAFETY: By the type invariants it is one of `bdev`, whose managers are still there.
            // Only this destroys it: the lock is held, and the pointer is cleared below.
            unsafe { bindings::ttm_shrinker_destroy(outside.shrinker) };
            // INVARIANT: There is no shrinker any more.
            outside.shrinker = ptr::null_mut();
        }
        // SAFETY: By the type invariants `bdev` is initialized. It may be unlisted twice.
        unsafe { bindings::ttm_device_unlist(self.bdev()) };
        drop(outside);
        self.imports.lock().end();
    }

    pub(super) fn imports(&self) -> &Mutex<Imports> {
        &self.imports
    }

    /// The DRM device. Valid as long as `self`.
    pub(super) fn drm(&self) -> *mut bindings::drm_device {
        self.drm
    }

    /// Sets the memory behind a memory type that was just given a manager, and the function that
    /// frees the manager.
    pub(super) fn set_memory(
        self: Pin<&mut Self>,
        mem_type: MemType,
        memory: Memory,
        free: Option<manager_ops::Free>,
    ) {
        let this = self.project();

        this.memory[mem_type.index()] = memory;
        this.free[mem_type.index()] = free;
    }

    /// Where `res` is in its memory type.
    ///
    /// # Safety
    ///
    /// `res` must be a valid resource on this device, completely allocated.
    pub(super) unsafe fn pieces(&self, res: *const bindings::ttm_resource) -> Placed {
        // SAFETY: `res` is valid, by the function's requirements; its memory type never changes.
        let mem_type = unsafe { (*res).mem_type } as usize;
        let is_ours = self.free.get(mem_type).is_some_and(Option::is_some);

        // SAFETY: `res` is completely allocated, by the function's requirements. By the type
        // invariants the manager is as `free` says.
        unsafe {
            if is_ours {
                manager_ops::placed(res)
            } else {
                manager_ops::one_piece(res)
            }
        }
    }

    /// The memory where `res` is, unless it is made of pages.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if it is in a window that is gone.
    ///
    /// # Safety
    ///
    /// As [`Self::pieces`].
    pub(super) unsafe fn reach(
        &self,
        res: *const bindings::ttm_resource,
    ) -> Result<Option<Reach<'_>>> {
        // SAFETY: `res` is valid, by the function's requirements; its memory type never changes.
        let (base, pages, io) = match self.memory.get(unsafe { (*res).mem_type } as usize) {
            #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
            Some(Memory::Emulated(memory)) => {
                let pages = (memory.len() >> PAGE_SHIFT) as u64;

                (memory.as_ptr().cast_mut(), pages, None)
            }
            Some(Memory::Io(window)) => (window.addr(), window.pages(), Some(window.enter()?)),
            _ => return Ok(None),
        };

        // SAFETY: The memory begins there, and is only accessed through this pointer. A window
        // stays as long as `io`. `res` is completely allocated, by the function's requirements.
        Ok(Some(unsafe {
            Reach::new(base, pages, self.pieces(res), io)
        }))
    }

    /// Whether the CPU reaches all of `res`.
    ///
    /// # Safety
    ///
    /// As [`Self::pieces`].
    pub(super) unsafe fn is_in_reach(&self, res: *const bindings::ttm_resource) -> bool {
        // SAFETY: `res` is completely allocated, by the function's requirements; its memory type
        // never changes.
        unsafe {
            match self.memory.get((*res).mem_type as usize) {
                Some(Memory::Io(window)) => self.pieces(res).is_within(window.pages()),
                _ => true,
            }
        }
    }

    /// How many pages of a memory type the CPU reaches, if not all.
    pub(super) fn reach_limit(&self, mem_type: MemType) -> Option<u64> {
        match &self.memory[mem_type.index()] {
            Memory::Io(window) => Some(window.pages()),
            _ => None,
        }
    }

    /// Limits a place to the part of its memory type that the CPU reaches.
    pub(super) fn in_reach(&self, place: Place) -> Place {
        match self.reach_limit(place.mem_type()) {
            Some(limit) => place.up_to(limit),
            None => place,
        }
    }

    /// The number of the page frame of a buffer's page `n`, and the caching of its place, if that
    /// isn't made of pages.
    ///
    /// # Safety
    ///
    /// As [`Self::pieces`]. The CPU must reach that page.
    pub(super) unsafe fn pfn(&self, res: *const bindings::ttm_resource, n: usize) -> usize {
        // SAFETY: `res` is completely allocated, by the function's requirements; its memory type
        // never changes.
        let (mem_type, placed) = unsafe { ((*res).mem_type as usize, self.pieces(res)) };
        // CAST: It is the number of a page in memory.
        let page = placed.page(n as u64) as usize;

        match &self.memory[mem_type] {
            Memory::Pages => page,
            #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
            Memory::Emulated(memory) => {
                let addr = memory.as_ptr().wrapping_add(page << PAGE_SHIFT);

                // SAFETY: Emulated memory is vmalloc memory.
                unsafe { bindings::vmalloc_to_pfn(addr.cast()) }
            }
            // CAST: The number of a page always fits.
            Memory::Io(window) => (window.start() >> PAGE_SHIFT) as usize + page,
        }
    }

    /// How the memory of `res` is cached, if it isn't made of pages.
    ///
    /// # Safety
    ///
    /// As [`Self::pieces`].
    pub(super) unsafe fn caching(&self, res: *const bindings::ttm_resource) -> Option<Caching> {
        // SAFETY: `res` is valid, by the function's requirements; its memory type never changes.
        match self.memory.get(unsafe { (*res).mem_type } as usize)? {
            Memory::Pages => None,
            #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
            Memory::Emulated(_) => Some(Caching::Cached),
            Memory::Io(window) => Some(window.caching()),
        }
    }

    /// The emulated memory that the memory type of `res` begins with, if it is such a one, and
    /// where `res` is in it.
    ///
    /// # Safety
    ///
    /// As [`Self::pieces`].
    #[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
    pub(super) unsafe fn memory(
        &self,
        res: *const bindings::ttm_resource,
    ) -> Option<(*mut u8, Placed)> {
        // SAFETY: `res` is valid, by the function's requirements; its memory type never changes.
        match self.memory.get(unsafe { (*res).mem_type } as usize)? {
            // The memory is only accessed through this pointer.
            // SAFETY: `res` is completely allocated, by the function's requirements.
            Memory::Emulated(memory) => unsafe {
                Some((memory.as_ptr().cast_mut(), self.pieces(res)))
            },
            _ => None,
        }
    }

    fn windows(&self) -> impl Iterator<Item = &Window> {
        self.memory.iter().filter_map(|memory| match memory {
            Memory::Io(window) => Some(window),
            _ => None,
        })
    }

    /// The bus address at which the window of `mem_type` begins, if it is mapped for a device.
    pub(super) fn bus_address(&self, mem_type: MemType) -> Option<DmaAddress> {
        match &self.memory[mem_type.index()] {
            Memory::Io(window) => window.bus(),
            _ => None,
        }
    }
}

/// The device isn't unplugged as long as this is there.
///
/// # Invariants
///
/// The index is one that `drm_dev_enter` returned.
pub(super) struct Plugged(c_int);

impl Plugged {
    /// # Errors
    ///
    /// [`ENODEV`] if it is unplugged.
    ///
    /// # Safety
    ///
    /// `drm` must be valid as long as the returned [`Plugged`].
    pub(super) unsafe fn enter(drm: *mut bindings::drm_device) -> Result<Self> {
        let mut index = 0;

        // SAFETY: `drm` is valid, by the function's requirements; `index` is valid for writes
        // during the call.
        if !unsafe { bindings::drm_dev_enter(drm, &mut index) } {
            return Err(ENODEV);
        }
        // INVARIANT: Just entered.
        Ok(Self(index))
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        // SAFETY: By the type invariants `drm_dev_enter` gave the index. It is given back once:
        // this is `drop`.
        unsafe { bindings::drm_dev_exit(self.0) };
    }
}

/// The address of the current thread's task.
fn current_task() -> usize {
    // SAFETY: There always is a current task.
    unsafe { bindings::get_current() }.addr()
}

// Never inlined, as `Outside::init`.
#[inline(never)]
fn refused() -> impl PinInit<Mutex<bool>> {
    new_mutex!(false)
}

/// Lets the end of a window end the registration of the device.
///
/// # Safety
///
/// `this` must be initialized and shared. It must be dropped when the last reference to its DRM
/// device was.
unsafe fn attach_windows(this: *const RawDevice) {
    // SAFETY: It is valid and shared, by the function's requirements.
    let raw = unsafe { &*this };

    for window in raw.windows() {
        // SAFETY: The window is part of the device, which is dropped as the function's requirements
        // say.
        if unsafe { window.attach(this) }.is_err() {
            // It ended meanwhile.
            registration::refuse(raw);
        }
    }
}

/// TTM calls this when the module goes, after the module's own exit (L1).
///
/// # Safety
///
/// Only to be called by TTM, with the owner in a `RawDevice`, to whose device there is a reference.
unsafe extern "C" fn leave_callback(owner: *mut bindings::ttm_owner) {
    // SAFETY: The owner is part of a `RawDevice`, which the reference keeps, by the function's
    // requirements.
    let raw = unsafe { &*container_of!(Opaque::cast_from(owner), RawDevice, owner) };

    registration::end(raw);
    // The parent is still there if its registration was forgotten.
    drop(raw.take_parent());
    raw.leave();
}

#[pinned_drop]
impl PinnedDrop for RawDevice {
    fn drop(self: Pin<&mut Self>) {
        self.leave();
        if let Some(dma) = &self.dma {
            dma::end(dma);
        }
        let this = self.project();
        let bdev = this.bdev.get();

        // SAFETY: By the type invariants it was added, and there is no reference to the device any
        // more.
        unsafe { bindings::ttm_owner_del(this.owner.get()) };

        // SAFETY: By the type invariants `bdev` is initialized. Its managers don't change any more.
        let managers = unsafe { (*bdev).man_drv };
        for &man in managers.iter().filter(|man| !man.is_null()) {
            // SAFETY: By the type invariants `man` is a manager of `bdev`. A cursor borrows the
            // device, so no cursor is in use any more.
            unsafe { unlink_forgotten(bdev, man) };
        }

        // `ttm_device_fini` frees no manager but that of system memory.
        // SAFETY: By the type invariants `bdev` is initialized. There are no buffers: each of them,
        // zombies as well, has a reference to the DRM device, and ghosts have one to a buffer. It
        // isn't used again, but to free its managers.
        unsafe { bindings::ttm_device_fini(bdev) };
        // SAFETY: It has just ended.
        unsafe { bindings::ttm_pool_destroy(&raw mut (*bdev).pool) };

        for (n, free) in (1..).zip(&this.free[1..]) {
            match free {
                // SAFETY: By the type invariants `free` frees the manager of this memory type. The
                // manager is empty, as there are no buffers, and no cursor is in use.
                Some(free) => unsafe { free.call(bdev, n) },
                // SAFETY: By the type invariants, it is a range manager, or there is none. It is
                // empty, so this doesn't fail.
                None => unsafe {
                    bindings::ttm_range_man_fini_nocheck(bdev, n);
                },
            }
        }
    }
}

/// Whether a shrinker may take the pages of a device's buffers.
///
/// # Safety
///
/// `bdev` must be that of a valid [`RawDevice`].
pub(super) unsafe fn is_shrinkable(bdev: *mut bindings::ttm_device) -> bool {
    // SAFETY: `bdev` is part of a `RawDevice` that is valid, by the function's requirements.
    unsafe { RawDevice::from_bdev(bdev) }.is_shrinkable()
}

/// Takes hitches off the lists of `man`.
///
/// A cursor borrows the device, so these are hitches of cursors that were leaked.
///
/// # Safety
///
/// `man` must be a valid manager of `bdev`, which is initialized, and no cursor may be in use any
/// more.
unsafe fn unlink_forgotten(
    bdev: *mut bindings::ttm_device,
    man: *mut bindings::ttm_resource_manager,
) {
    // SAFETY: `bdev` is initialized, and its `lru_lock` with it, a spinlock; it is valid for the
    // call. All by the function's requirements.
    let _guard = unsafe { Lock::<(), SpinLockBackend>::from_raw(&raw mut (*bdev).lru_lock) }.lock();

    loop {
        let mut hitch = ptr::null();
        let visit = |item: *const bindings::ttm_lru_item| {
            // SAFETY: The LRU lock is held, so the item is valid.
            if unsafe { lru::is_hitch(item) } {
                hitch = item;
            }
        };
        // SAFETY: `man` is a valid manager of `bdev`, by the function's requirements, and the LRU
        // lock of that was just taken.
        unsafe { lru::visit_raw(man, visit) };
        if hitch.is_null() {
            break;
        }

        // SAFETY: It is the hitch of a cursor, which is valid, as it is on a list, and no longer in
        // use, by the function's requirements. The LRU lock is held.
        unsafe {
            let cursor = container_of!(hitch, bindings::ttm_resource_cursor, hitch);
            bindings::ttm_resource_cursor_fini(cursor.cast_mut());
        }
    }
}
