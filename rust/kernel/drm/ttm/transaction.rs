// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Transactions: several reservations at once.
//!
//! C header: [`include/drm/drm_exec.h`](srctree/include/drm/drm_exec.h)

use super::{
    contention::Contention,
    resv::private::RawResv,
    Buffer,
    Driver,
    DriverObject,
    Manager,
    Object,
    OperationCtx,
    Placement,
    Reserved,
    Resv, //
};
use crate::{
    bindings,
    drm::gem::IntoGEMObject,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    },
};
use core::{
    cell::Cell,
    marker::PhantomData,
    ops::ControlFlow,
    ptr, //
};

/// Why a transaction can't go on.
///
/// It is either an [`Error`], which ends the transaction, or contention: waiting for a reservation
/// could deadlock, so the transaction starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop(Option<Error>);

impl Stop {
    /// Contention: all reservations have to be given back, and taken anew.
    const CONTENDED: Self = Self(None);

    /// Whether the transaction starts over.
    pub fn is_contended(&self) -> bool {
        self.0.is_none()
    }
}

impl From<Error> for Stop {
    fn from(e: Error) -> Self {
        Self(Some(e))
    }
}

/// Calls `f`, which takes several reservations and works with the buffers.
///
/// `f` takes reservations with [`Transaction::reserve`], in any order; they are given back when `f`
/// has returned. If waiting for a reservation of another transaction could deadlock, `reserve`
/// fails, and so do further calls. `f` must return that error, and is called again when the other
/// transaction has released the reservation. The same applies to [`Transaction::validate`]. So `f`
/// should call both before it does anything that must not be done twice.
///
/// A method of a guard, such as [`Reserved::validate`] or [`Reserved::evict`], fails with
/// [`ENOSPC`] or finds another place when it can't wait for a reservation. After that the
/// transaction takes no more reservations before it has started over, so `reserve` fails; and if
/// `f` returns [`ENOSPC`], it is called again.
///
/// A transaction is as old as its first call of `f`, however often it starts over. The older one of
/// two transactions never gives way to the younger one.
///
/// With an interruptible `ctx`, a signal ends the waiting.
///
/// The caller must hold no reservation.
///
/// # Errors
///
/// Errors of `f`; [`ERESTARTSYS`]; [`EDEADLK`] if `f` returns that a reservation was contended when
/// none was.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{self, test_device, MemType, OperationCtx, Placement};
///
/// let dev = test_device::Device::new()?;
/// let objects = [dev.system(0x1000)?, dev.vram(0x1000)?];
/// let mut ctx = OperationCtx::new();
///
/// // They change places, and no other thread sees both in the same memory type.
/// ttm::transaction(&OperationCtx::new(), |tx| {
///     let mut a = tx.reserve(&objects[0])?;
///     let mut b = tx.reserve(&objects[1])?;
///     assert!(objects[1].try_reserve().is_none());
///
///     a.validate(Placement::VRAM, &mut ctx)?;
///     b.evict(&mut ctx)?;
///     Ok(())
/// })?;
///
/// assert_eq!(objects[0].reserve().mem_type(), Some(MemType::VRAM));
/// assert_eq!(objects[1].reserve().mem_type(), Some(MemType::SYSTEM));
/// # Ok::<(), Error>(())
/// ```
pub fn transaction<'env, R>(
    ctx: &OperationCtx,
    mut f: impl FnMut(&Transaction<'env>) -> Result<R, Stop>,
) -> Result<R> {
    let mut flags = bindings::DRM_EXEC_IGNORE_DUPLICATES;
    if ctx.is_interruptible() {
        flags |= bindings::DRM_EXEC_INTERRUPTIBLE_WAIT;
    }

    let tx = Transaction {
        exec: Opaque::uninit(),
        stopped: Cell::new(None),
        walking: Cell::new(false),
        contention: Contention::new(),
        _env: PhantomData,
        _not_send: NotThreadSafe,
    };

    // INVARIANT: `exec` of `Transaction` is initialized, and isn't moved before it goes.
    // SAFETY: `exec` is memory for a `drm_exec`.
    unsafe { bindings::drm_exec_init(tx.exec.get(), flags, 0) };
    let result = tx.rounds(&mut f);
    // SAFETY: It was initialized above. It isn't used any more, and all guards that it has lent are
    // gone.
    unsafe { bindings::drm_exec_fini(tx.exec.get()) };

    result.map_err(|stop| stop.0.unwrap_or(EDEADLK))
}

/// The places of `placement` that are better than where the buffer is, if its driver insists on
/// one.
fn better_places<'a, T: DriverObject>(
    reserved: &Reserved<'_, Object<T>>,
    placement: &Placement<'a>,
) -> Option<Placement<'a>> {
    let at = reserved.mem_type()?;
    let better = placement.without_fallbacks()?;

    let is_there = better.places().iter().any(|place| place.mem_type() == at);
    (!is_there && T::Driver::insists(reserved, at)).then_some(better)
}

/// A transaction that is under way. See [`transaction`].
///
/// # Invariants
///
/// - `exec` is an initialized `struct drm_exec` in a round, which isn't moved, and to which only
///   the thread that made it has access.
/// - If `stopped` is set, no more reservations are taken in this round.
/// - While `walking`, only the walk takes reservations, and it gives them back before the round
///   ends.
/// - `contention` has the buffer that TTM could not wait for in this round, if any.
pub struct Transaction<'env> {
    exec: Opaque<bindings::drm_exec>,
    stopped: Cell<Option<Stop>>,
    walking: Cell<bool>,
    contention: Contention,
    // Objects outlive the transaction. The type is invariant, so that the lifetime can't be
    // shortened.
    _env: PhantomData<Cell<&'env ()>>,
    _not_send: NotThreadSafe,
}

impl<'env> Transaction<'env> {
    /// Calls `f` until it need not start over.
    fn rounds<R>(&self, f: &mut impl FnMut(&Self) -> Result<R, Stop>) -> Result<R, Stop> {
        // SAFETY: By the type invariants, `exec` is initialized. This begins the first round.
        unsafe { bindings::drm_exec_cleanup(self.exec.get()) };
        loop {
            self.stopped.set(None);
            let result = self.round(f);

            if self.stopped.get() != Some(Stop::CONTENDED) && !self.lacked_room(&result) {
                return result;
            }
            self.back_off()?;
        }
    }

    /// Whether the round failed for want of room, and TTM could not wait for a buffer that may be
    /// in the way.
    fn lacked_room<R>(&self, result: &Result<R, Stop>) -> bool {
        let failed = matches!(result, Err(stop) if *stop == ENOSPC.into());

        failed && self.contention.is_any()
    }

    /// Calls `f` once, after taking the reservation that the round before could not wait for.
    fn round<R>(&self, f: &mut impl FnMut(&Self) -> Result<R, Stop>) -> Result<R, Stop> {
        // SAFETY: By the type invariants `exec` is initialized. `contended` is only changed by this
        // thread, in calls with `exec`.
        let contended = unsafe { (*self.exec.get()).contended };

        // Wait for it now, while no reservation is held. It must also be the first object of
        // `exec`: no other object that shares its reservation may be registered without it.
        if !contended.is_null() {
            // SAFETY: `exec` has a reference to it, and it lives for `'env`.
            unsafe { self.lock(contended) }?;
        }
        f(self)
    }

    /// Gives all reservations back, and begins the next round. The transaction keeps its age (E4),
    /// so that it becomes the oldest one at some time, and then all others give way to it.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`]
    fn back_off(&self) -> Result<(), Stop> {
        let exec = self.exec.get();
        let Some(bo) = self.contention.take() else {
            // SAFETY: By the type invariants `exec` is initialized. All guards that were lent in
            // the last round are gone, as they borrowed `self`.
            unsafe { bindings::drm_exec_cleanup(exec) };
            return Ok(());
        };

        // SAFETY: By the type invariants `exec` is initialized, and nothing that was lent is left.
        // There is a reference to `bo`, so it is valid during the call, and so is its reservation,
        // which doesn't change as long as there is a reference.
        let ret = to_result(unsafe { bindings::drm_exec_back_off(exec, (*bo.0).base.resv) });
        ret.map_err(|_| ERESTARTSYS.into())
    }

    /// Waits for the reservation of `obj` and takes it, until the end of the transaction.
    ///
    /// May be called for several objects that share a reservation, and again for the same.
    ///
    /// # Errors
    ///
    /// - A [contended](Stop::is_contended) [`Stop`] if the transaction has to start over. All
    ///   further calls in this round fail as well.
    /// - [`ERESTARTSYS`] or [`ENOMEM`], which end the transaction.
    /// - [`EBUSY`] inside of a [walk](Self::walk).
    pub fn reserve<'a, T: DriverObject>(
        &'a self,
        obj: &'env Object<T>,
    ) -> Result<Reserved<'a, Object<T>>, Stop> {
        self.may_lock()?;

        // SAFETY: The object is valid, and is as long as `'env`.
        unsafe { self.lock(obj.as_raw()) }?;
        // SAFETY: It was just taken, or was taken before by `exec`, as there is no walk. It is held
        // until the end of the round, which is after `'a`: then `exec` gives it back. All guards of
        // it are lent.
        Ok(unsafe { Reserved::lend(obj, &self.contention) })
    }

    /// Takes a reservation, unless the transaction has it.
    ///
    /// # Safety
    ///
    /// `obj` must be a valid object as long as `self` is.
    unsafe fn lock(&self, obj: *mut bindings::drm_gem_object) -> Result<(), Stop> {
        // SAFETY: By the type invariants `exec` is initialized; `obj` is a valid object, by the
        // function's requirements, and stays so until `exec` gives it back, at the end of the
        // round, as it takes a reference.
        let ret = to_result(unsafe { bindings::drm_exec_lock_obj(self.exec.get(), obj) });

        ret.map_err(|e| {
            self.stop(if e == EDEADLK {
                Stop::CONTENDED
            } else if e == EINTR {
                ERESTARTSYS.into()
            } else {
                e.into()
            })
        })
    }

    /// As [`Reserved::validate`], but waits for the reservations of buffers that must be evicted.
    ///
    /// If waiting for a reservation could deadlock, the transaction starts over when that
    /// reservation is free.
    ///
    /// Buffers that the transaction has reserved stay in place, except those with the reservation
    /// `lent`; if that is [`None`], those with the reservation of this buffer. This lets a VM,
    /// whose buffers share a reservation, evict buffers that it doesn't need now to make room for
    /// others. [`Driver::eviction_valuable`] says which may go. A buffer that is in a fallback of
    /// `placement` leaves it for a better place if [`Driver::insists`] says so.
    ///
    /// # Errors
    ///
    /// A contended [`Stop`], as [`Self::reserve`]; [`EINVAL`] if the transaction doesn't have the
    /// reservation `lent`, or has not lent `reserved`; errors of [`Reserved::validate`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{self, test_device, MemType, OperationCtx, Placement, Resv};
    ///
    /// let dev = test_device::Device::new()?;
    /// let resv = Resv::new()?;
    /// let member = dev.shared(test_device::Device::SIZE, &resv)?;
    /// let loose = dev.system(0x1000)?;
    /// let mut ctx = OperationCtx::new();
    ///
    /// ttm::transaction(&OperationCtx::new(), |tx| {
    ///     let vram = Placement::VRAM;
    ///     let mut loose = tx.reserve(&loose)?;
    ///     let member = tx.reserve(&member)?;
    ///     assert_eq!(loose.validate(vram, &mut ctx), Err(ENOSPC));
    ///     assert_eq!(tx.validate(&mut loose, vram, None, &mut ctx), Err(ENOSPC.into()));
    ///
    ///     tx.validate(&mut loose, vram, Some(&resv), &mut ctx)?;
    ///     assert_eq!(loose.mem_type(), Some(MemType::VRAM));
    ///     assert_eq!(member.mem_type(), Some(MemType::SYSTEM));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn validate<T: DriverObject>(
        &self,
        reserved: &mut Reserved<'_, Object<T>>,
        placement: Placement<'_>,
        lent: Option<&Resv>,
        ctx: &mut OperationCtx,
    ) -> Result<(), Stop> {
        self.may_go_on()?;
        if !reserved.is_lent_by(&self.contention) || lent.is_some_and(|lent| !self.has(lent)) {
            return Err(EINVAL.into());
        }
        let lent = lent.map_or(reserved.held(), RawResv::raw_resv);
        let better = better_places(reserved, &placement);
        let mut validate = |placement| {
            ctx.noting(Some(&self.contention), |ctx| {
                // SAFETY: The transaction has the reservation `lent`: that was just checked, or
                // `reserved` stands for it. The context is valid for the call.
                unsafe { ctx.lending(lent, |ctx| reserved.validate_raw(placement, ctx.as_raw())) }
            })
        };

        if let Some(better) = better {
            match validate(better) {
                // It stays where it is. That is no reason to start over.
                Err(e) if [ENOSPC, EDEADLK, ENOMEM, EBUSY].contains(&e) => (),
                result => return Ok(result?),
            }
        }
        validate(placement).map_err(|e| self.failed(e))
    }

    /// Turns an error of TTM into a [`Stop`]: if TTM could not wait for a buffer's reservation, the
    /// transaction starts over.
    fn failed(&self, e: Error) -> Stop {
        if e == EDEADLK && self.contention.is_any() {
            return self.stop(Stop::CONTENDED);
        }
        e.into()
    }

    /// The transaction keeps its age as long as this stays the same. The older of two transactions
    /// has the smaller stamp.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(super) fn stamp(&self) -> usize {
        // SAFETY: By the type invariants, `exec` is initialized, and in a round its ticket is.
        unsafe { (*self.exec.get()).ticket.stamp }
    }

    /// Whether the transaction has taken this reservation.
    fn has(&self, resv: &Resv) -> bool {
        // SAFETY: It is valid as long as it is borrowed; by the type invariants, `exec` is
        // initialized, and in a round its ticket is.
        unsafe {
            ptr::eq(
                bindings::dma_resv_locking_ctx(resv.raw_resv()),
                &raw const (*self.exec.get()).ticket,
            )
        }
    }

    /// Calls `f` for the buffers of a manager, each reserved in this transaction.
    ///
    /// This waits for reservations. If that could deadlock, the transaction starts over when the
    /// reservation is free, so `f` may get a buffer again. The walk skips buffers whose reservation
    /// the transaction already has. Each buffer is given back before the next one is taken. `f` may
    /// end the walk, but not take reservations in this transaction, as they could be that of the
    /// buffer.
    ///
    /// The walk skips buffers that were moved since it began, so that it ends.
    ///
    /// # Errors
    ///
    /// As [`Self::reserve`].
    ///
    /// # Examples
    ///
    /// ```
    /// use core::ops::ControlFlow;
    /// use kernel::drm::ttm::{self, test_device, MemType, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let mine = dev.vram(0x1000)?;
    /// let others = [dev.vram(0x1000)?, dev.vram(0x1000)?];
    /// let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    ///
    /// ttm::transaction(&OperationCtx::new(), |tx| {
    ///     let mine = tx.reserve(&mine)?;
    ///     let mut met = 0;
    ///
    ///     tx.walk(vram, &OperationCtx::new(), |bo| {
    ///         assert!(bo.id() != mine.buffer().id());
    ///         // Not while the buffer is reserved for this alone.
    ///         assert_eq!(tx.reserve(&others[0]).err(), Some(EBUSY.into()));
    ///         met += 1;
    ///         ControlFlow::Continue(())
    ///     })?;
    ///     assert_eq!(met, others.len());
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn walk<T: Driver>(
        &self,
        man: &Manager<T>,
        ctx: &OperationCtx,
        mut f: impl FnMut(&mut Reserved<'_, Buffer<T>>) -> ControlFlow<()>,
    ) -> Result<(), Stop> {
        self.may_lock()?;

        // INVARIANT: Only the walk takes reservations, as `may_go_on` fails while `walking` is set.
        self.walking.set(true);
        let result = ctx.for_walk().noting(Some(&self.contention), |ctx| {
            // SAFETY: There is no contention in this round, as was just checked, and the
            // transaction takes no reservation while `walking`.
            unsafe { self.walk_with(man, ctx, &mut f) }
        });
        // INVARIANT: The walk has given everything back.
        self.walking.set(false);

        result.map_err(|e| {
            let stop = self.failed(if e == EINTR { ERESTARTSYS } else { e });
            self.stop(stop)
        })
    }

    /// # Safety
    ///
    /// The ticket must not have got [`EDEADLK`] in this round, and only the walk may take
    /// reservations with it until this returns.
    unsafe fn walk_with<T: Driver>(
        &self,
        man: &Manager<T>,
        ctx: &mut OperationCtx,
        f: &mut impl FnMut(&mut Reserved<'_, Buffer<T>>) -> ControlFlow<()>,
    ) -> Result {
        let mut arg = bindings::ttm_lru_walk_arg {
            ctx: ctx.as_raw(),
            // SAFETY: By the type invariants `exec` is initialized, and in a round its ticket is.
            ticket: unsafe { &raw mut (*self.exec.get()).ticket },
            keep_ticket: true,
            ..Default::default()
        };
        let cursor = Opaque::uninit();
        let cursor = cursor.get();

        // SAFETY: `cursor` is memory for a cursor, and isn't moved before it goes; neither are the
        // argument and the context. The manager is valid as long as it is borrowed.
        let mut bo = unsafe {
            bindings::ttm_bo_lru_cursor_init(cursor, man.as_raw(), &mut arg);
            bindings::ttm_bo_lru_cursor_first(cursor)
        };
        let result = loop {
            match from_err_ptr(bo) {
                Ok(bo) if bo.is_null() => break Ok(()),
                Ok(bo) => {
                    // SAFETY: It is a buffer of this device, or a ghost of one, with a reference
                    // and reserved until the next step, which gives it back. No other guard stands
                    // for its reservation: the walk skips reservations that the transaction has,
                    // and `f` takes none in it.
                    let mut reserved =
                        unsafe { Reserved::lend(Buffer::from_raw(bo), &self.contention) };
                    if f(&mut reserved).is_break() {
                        break Ok(());
                    }
                    // `f` has used the ticket, which may wait for nothing any more.
                    if self.contention.is_any() {
                        break Err(EDEADLK);
                    }
                }
                Err(e) => break Err(e),
            }
            // SAFETY: The cursor is initialized, and the guard that was lent is gone.
            bo = unsafe { bindings::ttm_bo_lru_cursor_next(cursor) };
        };
        // SAFETY: The cursor was initialized above, and isn't used again. The guards that were lent
        // for the walk are gone.
        unsafe { bindings::ttm_bo_lru_cursor_fini(cursor) };
        result
    }

    /// Fails if no reservation may be taken in this round: once the transaction, or TTM for it,
    /// could not wait for one, all must be given back first.
    fn may_lock(&self) -> Result<(), Stop> {
        self.may_go_on()?;
        if self.contention.is_any() {
            return Err(self.stop(Stop::CONTENDED));
        }
        Ok(())
    }

    /// Fails inside of a walk, and once the transaction was stopped.
    fn may_go_on(&self) -> Result<(), Stop> {
        if self.walking.get() {
            return Err(EBUSY.into());
        }
        match self.stopped.get() {
            Some(stop) => Err(stop),
            None => Ok(()),
        }
    }

    /// Lets no more reservations be taken in this round.
    fn stop(&self, stop: Stop) -> Stop {
        self.stopped.set(Some(stop));
        stop
    }
}
