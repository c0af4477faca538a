// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Walking an LRU list.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

#[cfg(CONFIG_KUNIT = "y")]
use super::tests;
use super::{
    manager::Route,
    Buffer,
    Driver,
    Lru,
    Manager,
    Resource, //
};
use crate::{
    bindings,
    prelude::*,
    sync::lock::{
        spinlock::SpinLockBackend,
        Guard, //
    },
    task::might_sleep,
    types::Opaque, //
};
use core::{
    hint::assert_unchecked,
    ptr, //
};

/// A place in a walk over a manager's resources.
///
/// While the lock isn't held, it is a node in the list, a hitch, so it must be pinned before it is
/// used. Dropping it takes the hitch off the list.
///
/// # Examples
///
/// The cursor keeps its place while the lock is dropped and other threads change the list:
///
/// ```
/// use core::pin::pin;
/// use kernel::drm::ttm::{test_device, MemType};
///
/// let dev = test_device::Device::new()?;
/// let a = dev.vram(0x1000)?;
/// let b = dev.vram(0x1000)?;
/// let c = dev.vram(0x1000)?;
///
/// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
///
/// let mut walk = cursor.as_mut().lock();
/// assert_eq!(walk.next().and_then(|res| res.buffer_id()), Some(a.buffer().id()));
/// drop(walk);
///
/// // `b` was used just now: it is behind `c`.
/// b.reserve().move_to_lru_tail();
/// drop(a);
///
/// let mut walk = cursor.as_mut().lock();
/// assert_eq!(walk.next().and_then(|res| res.buffer_id()), Some(c.buffer().id()));
/// assert_eq!(walk.next().and_then(|res| res.buffer_id()), Some(b.buffer().id()));
/// assert!(walk.next().is_none());
/// # Ok::<(), Error>(())
/// ```
///
/// # Forgetting
///
/// On the stack it is dropped with its scope, even if its pin is forgotten. On the heap it can be
/// forgotten, but then its memory is never freed. The hitch stays in the list, where it does no
/// harm, until the device takes it off before it goes:
///
/// ```
/// use kernel::drm::ttm::{test_device, MemType};
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.vram(0x1000)?;
///
/// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
/// let mut cursor = KBox::pin(vram.cursor(), GFP_KERNEL)?;
/// assert!(cursor.as_mut().lock().next().is_some());
/// # test_device::remember(&*cursor);
/// core::mem::forget(cursor);
/// drop(obj);
/// drop(dev);
/// # Ok::<(), Error>(())
/// ```
///
/// # Deadlocks
///
/// Dropping it takes the LRU lock. It can't be dropped during its own [`Walk`]. Don't drop it
/// during the walk of another cursor of the device, or while an [`Lru`] exists: that deadlocks.
///
/// # Invariants
///
/// - If `ready`, `cursor` is initialized for `way.man`, and `self` is pinned. Otherwise `cursor` is
///   on no list.
/// - While the hitch is on a list, the memory of `self` isn't freed. `self` is pinned, so it is
///   dropped before, which takes the hitch off; or its memory is never freed, and the device takes
///   the hitch off before it frees the lists.
/// - It is paused, unless there is a [`Walk`], or one was forgotten and so has the lock for ever.
pub struct Cursor<'dev, T: Driver> {
    cursor: Opaque<bindings::ttm_resource_cursor>,
    ready: bool,
    way: Way<'dev, T>,
}

/// The manager that a walk is in, and those that follow.
///
/// # Invariants
///
/// `man` and all that `route` leads to are on one device.
struct Way<'dev, T: Driver> {
    man: &'dev Manager<T>,
    route: Route<'dev, T>,
    bounded: bool,
}

// SAFETY: A cursor may be used and dropped by any thread, by one at a time, as each step takes the
// LRU lock. Only the guard of that lock must stay in its thread; it belongs to a `Walk`, which
// can't be sent.
unsafe impl<T: Driver> Send for Cursor<'_, T> {}

impl<'dev, T: Driver> Cursor<'dev, T> {
    pub(super) fn new(man: &'dev Manager<T>, route: Route<'dev, T>) -> Self {
        // INVARIANT: It isn't ready.
        Self {
            cursor: Opaque::uninit(),
            ready: false,
            way: Way {
                man,
                route,
                bounded: false,
            },
        }
    }

    /// Bounds its walks (P7): they return only buffers that were on the list when the walk began
    /// and weren't moved since.
    ///
    /// Each of them that stays is returned once. So a walk ends, even if other threads keep moving
    /// buffers, or the caller moves the ones that it gets.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?];
    ///
    /// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor().bounded());
    /// let mut walk = cursor.as_mut().lock();
    /// let mut met = 0;
    /// while walk.next().is_some() {
    ///     met += 1;
    ///     // Moving the buffers that it returns doesn't prolong the walk.
    ///     walk.unlocked(|| objects.iter().for_each(|obj| obj.reserve().move_to_lru_tail()));
    /// }
    /// drop(walk);
    /// assert_eq!(met, 1);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn bounded(mut self) -> Self {
        self.way.bounded = true;
        self
    }

    /// Takes the LRU lock, to step.
    ///
    /// The first time, the walk begins with the manager's first resource, that is, the first of the
    /// lowest priority; afterwards it continues from its place.
    ///
    /// Must not be called by a thread that has the LRU lock of any device.
    pub fn lock(self: Pin<&mut Self>) -> Walk<'_, 'dev, T> {
        // SAFETY: Nothing is moved out of it: its fields are only assigned to, or borrowed.
        let this = unsafe { self.get_unchecked_mut() };
        let raw = this.cursor.get();

        if !this.ready {
            // SAFETY: `raw` is memory for a cursor, pinned as `self` is. It isn't ready, so by the
            // type invariants it is on no list.
            unsafe { this.way.init(raw) };
        }
        let guard = this.way.man.device().lru_lock().lock();
        if !this.ready {
            // SAFETY: `init` has just initialized the cursor, and the LRU lock is held. Dropping
            // the walk pauses it before the lock is dropped.
            unsafe { bindings::ttm_resource_cursor_restart(raw) };
            // INVARIANT: It is initialized and pinned.
            this.ready = true;
        }

        // INVARIANT: The lock was just taken.
        Walk {
            cursor: raw,
            way: &mut this.way,
            current: ptr::null_mut(),
            guard,
        }
    }
}

impl<'dev, T: Driver> Way<'dev, T> {
    /// Makes the cursor, for `man`.
    ///
    /// # Safety
    ///
    /// `cursor` must be memory for a cursor, and pinned; if it is initialized, it must be on no
    /// list.
    unsafe fn init(&self, cursor: *mut bindings::ttm_resource_cursor) {
        let init = if self.bounded {
            bindings::ttm_resource_cursor_init_bounded
        } else {
            bindings::ttm_resource_cursor_init
        };

        // SAFETY: `cursor` is memory for a cursor, pinned, and on no list, by the function's
        // requirements. The manager is valid, as it is borrowed for `'dev`.
        unsafe { init(cursor, self.man.as_raw()) };
    }

    /// At the end of one manager's lists, steps to the first resource of the next one's; null if
    /// there is none.
    ///
    /// # Safety
    ///
    /// `cursor` must be an initialized cursor of `man`, and pinned. The LRU lock must be held, and
    /// not be dropped before the cursor is paused.
    #[cold]
    #[inline(never)]
    unsafe fn advance(
        &mut self,
        cursor: *mut bindings::ttm_resource_cursor,
    ) -> *mut bindings::ttm_resource {
        let mut res = ptr::null_mut();

        while let Some(man) = self.route.next() {
            // SAFETY: `cursor` is initialized for `man` and pinned, and the LRU lock is held, by
            // the function's requirements; by the type invariants all of the route is on the device
            // of `man`.
            unsafe { self.go_to(cursor, man) };
            // SAFETY: `cursor` is initialized and pinned, as `go_to` left it. The LRU lock is held
            // until it is paused, by the function's requirements.
            if unsafe { bindings::ttm_resource_cursor_advance_to(cursor, &mut res) } {
                break;
            }
        }
        res
    }

    /// Starts over with `man`.
    ///
    /// # Safety
    ///
    /// As [`Self::advance`]; `man` must be on the same device.
    unsafe fn go_to(&mut self, cursor: *mut bindings::ttm_resource_cursor, man: &'dev Manager<T>) {
        self.man = man;
        // SAFETY: `cursor` is initialized and pinned, and the LRU lock is held until it is paused,
        // by the function's requirements. `fini` takes it off its list, so it is on none when it is
        // made anew.
        unsafe {
            bindings::ttm_resource_cursor_fini(cursor);
            self.init(cursor);
            bindings::ttm_resource_cursor_restart(cursor);
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl<T: Driver> tests::Hitch for Cursor<'_, T> {
    unsafe fn hitch(this: *const Self) -> Option<*const bindings::ttm_lru_item> {
        // SAFETY: `this` is valid, by the function's requirements. The cursor is initialized if it
        // is ready.
        unsafe {
            (*this)
                .ready
                .then(|| &raw const (*(*this).cursor.get()).hitch)
        }
    }
}

impl<T: Driver> Drop for Cursor<'_, T> {
    fn drop(&mut self) {
        if !self.ready {
            return;
        }

        let _guard = self.way.man.device().lru_lock().lock();
        // SAFETY: By the type invariants the cursor is initialized. The LRU lock of its device was
        // just taken.
        unsafe { bindings::ttm_resource_cursor_fini(self.cursor.get()) };
    }
}

/// A walk with the LRU lock held.
///
/// Dropping it leaves the cursor's hitch in the list and drops the lock. Forgetting it leaks the
/// lock: every later taker deadlocks, also the drop of the cursor.
///
/// # Examples
///
/// A resource is only there until the next step. To keep the buffer for longer, there is
/// [`Self::with_buffer`]:
///
/// ```
/// use core::pin::pin;
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
///
/// let dev = test_device::Device::new()?;
/// let small = dev.vram(0x1000)?;
/// let large = dev.vram(0x8000)?;
///
/// // Evict the large buffers.
/// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
/// let mut walk = cursor.as_mut().lock();
/// while let Some(res) = walk.next() {
///     if res.size() < 0x8000 {
///         continue;
///     }
///     walk.with_buffer(|bo| bo.reserve().evict(&mut OperationCtx::new()))
///         .unwrap_or(Ok(()))?;
/// }
/// drop(walk);
///
/// assert_eq!(small.reserve().mem_type(), Some(MemType::VRAM));
/// assert_eq!(large.reserve().mem_type(), Some(MemType::SYSTEM));
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// - `cursor` is an initialized cursor of `way.man`, pinned, and borrowed for `'w`.
/// - `guard` is that of the LRU lock of `way.man`'s device.
/// - `current` is null, or on a list of `way.man`; the lock wasn't dropped since it was found
///   there.
#[must_use = "the lock is dropped immediately when this is unused"]
pub struct Walk<'w, 'dev, T: Driver> {
    cursor: *mut bindings::ttm_resource_cursor,
    way: &'w mut Way<'dev, T>,
    current: *mut bindings::ttm_resource,
    guard: Guard<'dev, (), SpinLockBackend>,
}

impl<T: Driver> Walk<'_, '_, T> {
    /// Steps to the next resource. Writes nothing to the list.
    ///
    /// Returns [`None`] when the walk has ended, and from then on, until [`Self::restart`].
    // Not an iterator: the next step ends the borrow of the resource.
    #[expect(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Option<&Resource> {
        // Not `self.current` itself, so that no pointer into the walk escapes.
        let mut res = ptr::null_mut();

        // SAFETY: By the type invariants the cursor is initialized and pinned, and the LRU lock is
        // held. Dropping `self`, and all that drops the lock, pauses it before.
        if unsafe { bindings::ttm_resource_cursor_advance_to(self.cursor, &mut res) } {
            // INVARIANT: It is on one of the lists.
            self.current = res;
            // SAFETY: It returned true, so it has set `res` to a resource. The compiler then need
            // not compare the result with null.
            unsafe { assert_unchecked(!res.is_null()) };
            // SAFETY: The resource was found on one of the lists of `way.man`, under the LRU lock.
            // As long as `self` is borrowed, no code can step or drop the lock.
            return Some(unsafe { Resource::from_raw(res) });
        }

        // SAFETY: By the type invariants the cursor is initialized for `way.man` and pinned, and
        // the LRU lock is held. Dropping `self`, and all that drops the lock, pauses it before.
        self.current = unsafe { self.way.advance(self.cursor) };
        // SAFETY: It isn't null, so it was found on one of the lists. As long as `self` is
        // borrowed, no code can step or drop the lock.
        (!self.current.is_null()).then(|| unsafe { Resource::from_raw(self.current) })
    }

    /// The driver's part of the buffer that the last step led to.
    ///
    /// [`None`] if there was no step since the lock was taken, the walk has ended, or the buffer is
    /// a ghost. The buffer may be a zombie.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let _obj = dev.vram(0x1000)?;
    ///
    /// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
    /// let mut walk = cursor.as_mut().lock();
    /// assert!(walk.data().is_none());
    /// assert!(walk.next().is_some());
    /// assert_eq!(walk.data().map(|data| data.swap_outs()), Some(0));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn data(&self) -> Option<&T::BufferData> {
        if self.current.is_null() {
            return None;
        }

        // SAFETY: `current` isn't null, as was just checked, so by the type invariants it is on a
        // list: it is valid as long as the LRU lock is held, which protects its `bo` as well.
        let bo = unsafe { (*self.current).bo };
        if bo.is_null() {
            return None;
        }
        // SAFETY: It is a buffer of this device, or a ghost of one. It is valid as long as its
        // resource is on a list, and that is as long as `self` is borrowed: no code can drop the
        // lock.
        unsafe { Buffer::<T>::from_raw(bo) }.data()
    }

    /// Calls `f` on the buffer that the last step led to, with a reference, but without the lock.
    ///
    /// The walk keeps its place, but forgets the buffer of the last step. Returns [`None`], and
    /// doesn't call `f`, if there was no step since the lock was taken, the walk has ended, or the
    /// buffer is being freed.
    ///
    /// `f` may do anything with the buffer. It may be a zombie or a ghost: see [`Buffer`]. Its
    /// result has no destructor, as the lock is held again when the result is dropped: a reference
    /// to an object may be the last one, and dropping that takes the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    ///
    /// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
    /// let mut walk = cursor.as_mut().lock();
    ///
    /// // No step yet.
    /// assert!(walk.with_buffer(|_| ()).is_none());
    ///
    /// assert!(walk.next().is_some());
    /// assert_eq!(walk.with_buffer(|bo| bo.id()), Some(obj.buffer().id()));
    /// // The lock was dropped.
    /// assert!(walk.with_buffer(|_| ()).is_none());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn with_buffer<R: Copy>(&mut self, f: impl FnOnce(&Buffer<T>) -> R) -> Option<R> {
        if self.current.is_null() {
            return None;
        }

        // SAFETY: `current` isn't null, as was just checked, so by the type invariants it is on a
        // list: it is valid as long as the LRU lock is held, which protects its `bo` as well.
        let bo = unsafe { (*self.current).bo };
        // SAFETY: A buffer isn't freed as long as its resource is on a list, and the lock, which
        // keeps it there, is held.
        if bo.is_null() || unsafe { bindings::kref_get_unless_zero(&raw mut (*bo).kref) } == 0 {
            return None;
        }

        Some(self.unlocked(|| {
            // INVARIANT: The reference was just taken.
            let bo = Reference(bo);

            // SAFETY: It is a buffer of this device, or a ghost of one. It is valid for this call,
            // as the reference is dropped afterwards.
            f(unsafe { Buffer::from_raw(bo.0) })
        }))
    }

    /// Drops the lock while `f` runs. The walk keeps its place, but forgets the buffer of the last
    /// step.
    ///
    /// The result of `f` has no destructor, as for [`Self::with_buffer`].
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let a = dev.vram(0x1000)?;
    /// let b = dev.vram(0x1000)?;
    ///
    /// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
    /// let mut walk = cursor.as_mut().lock();
    /// assert!(walk.next().is_some());
    /// walk.unlocked(|| drop(b));
    /// assert!(walk.next().is_none());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn unlocked<R: Copy>(&mut self, f: impl FnOnce() -> R) -> R {
        self.pause();
        self.guard.do_unlocked(f)
    }

    /// Skips the rest of the bulk's range that the walk is in, if any.
    ///
    /// The members share a reservation: if that is taken, none of them can be reserved. A walk that
    /// skipped has not seen everything (P10). This takes the same time for any number of members
    /// (P8).
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, BulkMove, MemType, Resv};
    ///
    /// let dev = test_device::Device::new()?;
    /// let bulk = BulkMove::new(&dev, Resv::new()?)?;
    /// let members = [
    ///     dev.member(0x1000, &bulk)?,
    ///     dev.member(0x1000, &bulk)?,
    ///     dev.member(0x1000, &bulk)?,
    /// ];
    /// let loose = dev.vram(0x1000)?;
    ///
    /// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
    /// let mut walk = cursor.as_mut().lock();
    /// assert_eq!(walk.next().and_then(|res| res.bulk_id()), Some(bulk.id()));
    /// walk.skip_bulk();
    /// assert_eq!(walk.next().and_then(|res| res.buffer_id()), Some(loose.buffer().id()));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn skip_bulk(&mut self) {
        // SAFETY: By the type invariants the cursor is initialized and pinned, and the LRU lock is
        // held. Dropping `self`, and all that drops the lock, pauses it before.
        unsafe { bindings::ttm_resource_cursor_skip_bulk(self.cursor) };
    }

    /// Starts over, from the first resource.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    ///
    /// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
    /// let mut walk = cursor.as_mut().lock();
    /// assert!(walk.next().is_some());
    /// // Once the walk has ended, it stays so (P6) ...
    /// assert!(walk.next().is_none());
    /// assert!(walk.next().is_none());
    /// // ... until it is restarted.
    /// walk.restart();
    /// assert!(walk.next().is_some());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn restart(&mut self) {
        // INVARIANT: `current` is null.
        self.current = ptr::null_mut();
        if let Some(man) = self.way.route.restart() {
            // SAFETY: By the type invariants the cursor is initialized and pinned, the LRU lock is
            // held, and all of the route is on one device. Dropping `self`, and all that drops the
            // lock, pauses it before.
            return unsafe { self.way.go_to(self.cursor, man) };
        }
        // SAFETY: By the type invariants the cursor is initialized and pinned, and the LRU lock is
        // held. Dropping `self`, and all that drops the lock, pauses it before.
        unsafe { bindings::ttm_resource_cursor_restart(self.cursor) };
    }

    /// Lends the lock, to move bulks within the lists, or to inspect these. The walk keeps its
    /// place, but forgets the buffer of the last step.
    pub fn lru(&mut self) -> Lru<'_, T> {
        self.pause();
        // SAFETY: By the type invariants the LRU lock of this device is held, and lent for as long
        // as `self` is borrowed. The cursor was just paused, and can't be advanced meanwhile.
        unsafe { Lru::assume_locked(self.way.man.device()) }
    }

    /// Leaves the hitch in the list where the walk is.
    fn pause(&mut self) {
        // INVARIANT: `current` is null.
        self.current = ptr::null_mut();
        // SAFETY: By the type invariants the cursor is initialized, and the LRU lock is held.
        unsafe { bindings::ttm_resource_cursor_pause(self.cursor) };
    }
}

impl<T: Driver> Drop for Walk<'_, '_, T> {
    fn drop(&mut self) {
        // The guard drops the lock afterwards.
        self.pause();
    }
}

/// One of TTM's references to a buffer.
///
/// # Invariants
///
/// One of the references to `self.0` belongs to this.
pub(super) struct Reference(pub(super) *mut bindings::ttm_buffer_object);

impl Drop for Reference {
    #[inline]
    fn drop(&mut self) {
        // It may be the last one.
        might_sleep();
        // SAFETY: By the type invariants the reference belongs to this, and it isn't used again.
        // The caller may sleep, as was asserted.
        unsafe { bindings::ttm_bo_fini(self.0) };
    }
}
