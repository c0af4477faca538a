// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Walks over buffers that return each of them reserved.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

#[cfg(CONFIG_KUNIT = "y")]
use super::tests;
use super::{
    manager::Route,
    Buffer,
    Driver,
    Manager,
    OperationCtx,
    Reserved, //
};
use crate::{
    bindings,
    error::from_err_ptr,
    prelude::*,
    task::might_sleep,
    types::Opaque, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomPinned,
    mem::ManuallyDrop,
    ops::Deref, //
};

/// Counts the buffers that a walk did not return, by reason (P10 in
/// [`Documentation/gpu/ttm-lru.rst`](srctree/Documentation/gpu/ttm-lru.rst)).
///
/// Counts reasons, not buffers: a busy bulk counts once, and so does a list's tail that has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The buffer's reservation was taken, and the walk did not wait for it.
    pub busy: usize,

    /// The buffer was moved, or entered the list, since the walk began.
    pub moved: usize,

    /// The buffer was a zombie that was being released.
    pub zombies: usize,

    /// The buffer was moved while the walk waited for its reservation.
    pub replaced: usize,
}

impl LeftOut {
    /// Whether there may be more than the walk has seen.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?];
    /// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    ///
    /// let mut walk = pin!(vram.walk(&OperationCtx::new()));
    /// assert_eq!(walk.as_mut().count(), 2);
    /// assert!(!walk.left_out().is_any());
    ///
    /// let mut walk = pin!(vram.walk(&OperationCtx::new()));
    /// drop(walk.as_mut().next());
    /// objects[1].reserve().move_to_lru_tail();
    /// assert_eq!(walk.as_mut().count(), 0);
    /// assert!(walk.left_out().moved > 0 && walk.left_out().is_any());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn is_any(&self) -> bool {
        *self != Self::default()
    }

    fn add(&mut self, more: Self) {
        self.busy = self.busy.saturating_add(more.busy);
        self.moved = self.moved.saturating_add(more.moved);
        self.zombies = self.zombies.saturating_add(more.zombies);
        self.replaced = self.replaced.saturating_add(more.replaced);
    }
}

/// A walk over the buffers of a manager, made with [`Manager::walk`].
///
/// It is an iterator once it is pinned: while the caller works on a buffer, a node in the list
/// keeps the walk's place. Each buffer is returned reserved, with a reference, and with no other
/// lock held. Buffers that the walk can't reserve are skipped and counted: see [`Self::left_out`].
///
/// A walk is bounded (P7): it returns each buffer that was on the list when the walk began and
/// wasn't moved since, once. So it ends, even if other threads keep moving buffers, or the caller
/// moves the ones that it gets.
///
/// # Examples
///
/// ```
/// use core::pin::pin;
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
///
/// let dev = test_device::Device::new()?;
/// let a = dev.vram(0x1000)?;
/// let b = dev.vram(0x1000)?;
/// let c = dev.vram(0x1000)?;
/// let mut ctx = OperationCtx::new();
///
/// // Another user has reserved `b`.
/// let used = b.reserve();
///
/// let mut walk = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.walk(&ctx));
/// for bo in walk.as_mut() {
///     bo?.evict(&mut ctx)?;
/// }
/// assert_eq!(walk.left_out().busy, 1);
/// drop(used);
///
/// assert_eq!(a.reserve().mem_type(), Some(MemType::SYSTEM));
/// assert_eq!(b.reserve().mem_type(), Some(MemType::VRAM));
/// assert_eq!(c.reserve().mem_type(), Some(MemType::SYSTEM));
/// # Ok::<(), Error>(())
/// ```
///
/// The members of a bulk share a reservation. If that is taken, the walk skips all of them at once
/// (P9):
///
/// ```
/// use core::pin::pin;
/// use kernel::drm::ttm::{test_device, BulkMove, MemType, OperationCtx, Resv};
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
/// let used = members[1].reserve();
/// let mut walk = pin!(dev
///     .manager(MemType::VRAM)
///     .ok_or(ENODEV)?
///     .walk(&OperationCtx::new()));
/// let first = walk.as_mut().next().ok_or(ENOENT)??;
/// assert_eq!(first.id(), loose.buffer().id());
/// drop(first);
/// assert!(walk.as_mut().next().is_none());
/// assert_eq!(walk.left_out().busy, 1);
/// # drop(used);
/// # Ok::<(), Error>(())
/// ```
///
/// A walk that is forgotten on the heap leaves its node in the list. As that of a forgotten
/// [`Cursor`], the node does no harm, and the device takes it off the list before it goes.
///
/// [`Cursor`]: super::Cursor
///
/// # Invariants
///
/// - If `ready`, `cursor` is initialized for `man` with `arg`, `arg` points to `ctx`, and `self` is
///   pinned. Otherwise it is on no list.
/// - While its node is on a list, its memory isn't freed, for the same reasons as that of a
///   [`Cursor`].
/// - `arg` is initialized in any case.
/// - No buffer belongs to `cursor` between two steps.
pub struct ReservedWalk<'dev, T: Driver> {
    cursor: Opaque<bindings::ttm_bo_lru_cursor>,
    arg: UnsafeCell<bindings::ttm_lru_walk_arg>,
    ctx: OperationCtx,
    man: &'dev Manager<T>,
    route: Route<'dev, T>,
    left_out_before: LeftOut,
    ready: bool,
    _pin: PhantomPinned,
}

impl<'dev, T: Driver> ReservedWalk<'dev, T> {
    pub(super) fn new(man: &'dev Manager<T>, route: Route<'dev, T>, ctx: &OperationCtx) -> Self {
        // INVARIANT: It isn't ready.
        Self {
            cursor: Opaque::uninit(),
            arg: UnsafeCell::new(bindings::ttm_lru_walk_arg {
                trylock_only: true,
                ..Default::default()
            }),
            ctx: ctx.for_walk(),
            man,
            route,
            left_out_before: LeftOut::default(),
            ready: false,
            _pin: PhantomPinned,
        }
    }

    /// Waits for reservations that are taken, instead of skipping their buffers.
    ///
    /// The thread that steps must hold no reservation, and must have dropped the buffer of the step
    /// before: a walk that waits for a reservation of its own thread waits for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    ///
    /// let mut walk = pin!(vram.walk(&OperationCtx::new()).waiting());
    /// assert_eq!(walk.as_mut().count(), 1);
    /// // A waiting walk leaves out no busy buffer.
    /// assert_eq!(walk.left_out().busy, 0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn waiting(mut self) -> Self {
        let arg = self.arg.get_mut();

        arg.trylock_only = false;
        arg.sleeping_lock = true;
        self
    }

    /// Also returns buffers that were moved since the walk began. So it misses no buffer that stays
    /// on the list, but may never end.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let a = dev.vram(0x1000)?;
    /// let b = dev.vram(0x1000)?;
    /// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    ///
    /// let mut walk = pin!(vram.walk(&OperationCtx::new()).unbounded());
    /// assert_eq!(walk.as_mut().next().ok_or(ENOENT)??.id(), a.buffer().id());
    /// a.reserve().move_to_lru_tail();
    /// assert_eq!(walk.as_mut().next().ok_or(ENOENT)??.id(), b.buffer().id());
    /// assert_eq!(walk.as_mut().next().ok_or(ENOENT)??.id(), a.buffer().id());
    /// assert!(walk.as_mut().next().is_none());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn unbounded(mut self) -> Self {
        self.arg.get_mut().unbounded = true;
        self
    }

    /// Counts the buffers that the walk did not return so far.
    ///
    /// A walk that has ended has seen everything only if all counts are 0. Otherwise it doesn't
    /// prove that there is nothing left.
    pub fn left_out(&self) -> LeftOut {
        let mut all = self.left_out_before;

        all.add(self.left_out_here());
        all
    }

    /// Counts the buffers that the walk did not return so far in the current manager.
    fn left_out_here(&self) -> LeftOut {
        if !self.ready {
            return LeftOut::default();
        }
        // SAFETY: By the type invariants the cursor is initialized, as `ready` is set. It is only
        // changed by a step, which takes a unique reference.
        let raw = unsafe { (*self.cursor.get()).left_out };

        LeftOut {
            busy: raw.busy,
            moved: raw.moved,
            zombies: raw.zombies,
            replaced: raw.replaced,
        }
    }

    /// Steps to the next buffer of any manager; null if there is none.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`], which ends the walk.
    fn step(self: Pin<&mut Self>) -> Result<*mut bindings::ttm_buffer_object> {
        // SAFETY: Nothing is moved out of it: its fields are only assigned to, or borrowed.
        let this = unsafe { self.get_unchecked_mut() };

        let mut bo = if this.ready {
            // SAFETY: By the type invariants the cursor is initialized for `man`, and pinned, as
            // `ready` is set. So are its argument and its context, which it uses.
            unsafe { bindings::ttm_bo_lru_cursor_next(this.cursor.get()) }
        } else {
            // SAFETY: `self` is pinned. It isn't ready, so by the type invariants the cursor is on
            // no list.
            unsafe { this.first() }
        };
        while bo.is_null() {
            let Some(man) = this.route.next() else {
                break;
            };

            let here = this.left_out_here();
            this.left_out_before.add(here);
            this.man = man;
            // SAFETY: The cursor is initialized: by the type invariants, or by the step above.
            unsafe { bindings::ttm_bo_lru_cursor_fini(this.cursor.get()) };
            // SAFETY: `self` is pinned. The cursor was just taken off its list.
            bo = unsafe { this.first() };
        }
        // Without a ticket, only a signal ends a wait early.
        from_err_ptr(bo).map_err(|_| {
            this.route.end();
            ERESTARTSYS
        })
    }

    /// The first buffer of `man`.
    ///
    /// # Safety
    ///
    /// `self` must be pinned, and the cursor on no list.
    unsafe fn first(&mut self) -> *mut bindings::ttm_buffer_object {
        let raw = self.cursor.get();

        self.arg.get_mut().ctx = self.ctx.as_raw();
        // INVARIANT: It is initialized here, and `self` is pinned by the function's requirements.
        self.ready = true;
        // SAFETY: `raw` is memory for a cursor. That, the argument, and the context which that
        // points to are pinned, and the manager is valid.
        unsafe {
            bindings::ttm_bo_lru_cursor_init(raw, self.man.as_raw(), self.arg.get());
            bindings::ttm_bo_lru_cursor_first(raw)
        }
    }
}

impl<'dev, T: Driver> Iterator for Pin<&mut ReservedWalk<'dev, T>> {
    type Item = Result<ReservedBuffer<'dev, T>>;

    /// Steps to the next buffer.
    ///
    /// May sleep. The only error is [`ERESTARTSYS`]: a signal has interrupted a wait, and the walk
    /// has ended. This requires [`ReservedWalk::waiting`] and [`OperationCtx::interruptible`].
    fn next(&mut self) -> Option<Self::Item> {
        let bo = match self.as_mut().step() {
            Ok(bo) => bo,
            Err(e) => return Some(Err(e)),
        };

        if bo.is_null() {
            return None;
        }

        // INVARIANT: The cursor gives the buffer away.
        // SAFETY: By the type invariants the cursor is initialized: `step` made it ready. Only a
        // pointer is changed.
        unsafe { (*self.cursor.get()).bo = core::ptr::null_mut() };
        // INVARIANT: The reference and the reservation were the cursor's. The guard isn't lent, so
        // it gives the reservation back.
        // SAFETY: `step` returned a buffer of this device, or a ghost of one, with a reference that
        // lasts as long as the `ReservedBuffer` made here, and this thread holds its reservation.
        // No other guard stands for that.
        Some(Ok(ReservedBuffer(ManuallyDrop::new(unsafe {
            Reserved::assume_locked(Buffer::from_raw(bo))
        }))))
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl<T: Driver> tests::Hitch for ReservedWalk<'_, T> {
    unsafe fn hitch(this: *const Self) -> Option<*const bindings::ttm_lru_item> {
        // SAFETY: `this` is valid, by the function's requirements. The cursor is initialized if it
        // is ready.
        unsafe {
            (*this)
                .ready
                .then(|| &raw const (*(*this).cursor.get()).res_curs.hitch)
        }
    }
}

impl<T: Driver> Drop for ReservedWalk<'_, T> {
    fn drop(&mut self) {
        if self.ready {
            // SAFETY: By the type invariants the cursor is initialized, as `ready` is set. It isn't
            // used again.
            unsafe { bindings::ttm_bo_lru_cursor_fini(self.cursor.get()) };
        }
    }
}

/// A buffer that a walk has returned: reserved, and with a reference.
///
/// It may be a zombie or a ghost: see [`Buffer`]. It can be kept while the walk continues, and
/// after the walk. But until it is dropped, other threads wait for the reservation. If it is
/// forgotten, they wait for ever: see [`Reserved`].
///
/// # Examples
///
/// ```
/// use core::pin::pin;
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.vram(0x1000)?;
///
/// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
/// let mut walk = pin!(vram.walk(&OperationCtx::new()));
/// let bo = walk.as_mut().next().ok_or(ENOENT)??;
/// assert_eq!(bo.mem_type(), Some(MemType::VRAM));
/// assert!(obj.try_reserve().is_none());
///
/// drop(bo);
/// assert!(obj.try_reserve().is_some());
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// One of the references to the buffer belongs to this.
#[must_use = "the buffer is given back immediately when this is unused"]
pub struct ReservedBuffer<'dev, T: Driver>(ManuallyDrop<Reserved<'dev, Buffer<T>>>);

impl<T: Driver> ReservedBuffer<'_, T> {
    /// Moves the buffer where [`Driver::evict_flags`] says. See [`Reserved::evict`].
    ///
    /// # Errors
    ///
    /// As [`Reserved::evict`].
    pub fn evict(&mut self, ctx: &mut OperationCtx) -> Result {
        self.0.evict(ctx)
    }

    /// Swaps the buffer's pages out. See [`Reserved::swap_out`].
    ///
    /// # Errors
    ///
    /// As [`Reserved::swap_out`].
    ///
    /// # Examples
    ///
    /// ```
    /// use core::pin::pin;
    /// use kernel::drm::ttm::{test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let objects = [dev.system(0x1000)?, dev.system(0x1000)?];
    /// let mut ctx = OperationCtx::new();
    /// objects[1].reserve().populate(&mut ctx)?;
    ///
    /// let system = dev.manager(MemType::SYSTEM).ok_or(ENODEV)?;
    /// let mut walk = pin!(system.walk(&ctx));
    /// let mut swapped = 0;
    /// for bo in walk.as_mut() {
    ///     // One has no pages; that doesn't keep the other from it.
    ///     if bo?.swap_out(&mut ctx).is_ok() {
    ///         swapped += 1;
    ///     }
    /// }
    /// assert_eq!(swapped, 1);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn swap_out(&mut self, ctx: &mut OperationCtx) -> Result {
        self.0.swap_out(ctx)
    }

    /// Gives the buffer's pages back to the system. See [`Reserved::shrink`].
    ///
    /// # Errors
    ///
    /// As [`Reserved::shrink`].
    pub fn shrink(&mut self, purge: bool, ctx: &mut OperationCtx) -> Result<usize> {
        self.0.shrink(purge, ctx)
    }
}

// Not `DerefMut`: swapping the `Reserved` for another one would separate it from its reference.
impl<'dev, T: Driver> Deref for ReservedBuffer<'dev, T> {
    type Target = Reserved<'dev, Buffer<T>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: Driver> Drop for ReservedBuffer<'_, T> {
    fn drop(&mut self) {
        let bo = self.0.as_raw();

        // The reference may be the last one.
        might_sleep();
        // SAFETY: `self.0` isn't used again: this is `drop`.
        unsafe { ManuallyDrop::drop(&mut self.0) };
        // SAFETY: By the type invariants the reference belongs to this, and it isn't used again;
        // the reservation was just given back. The caller may sleep, as was asserted.
        unsafe { bindings::ttm_bo_fini(bo) };
    }
}
