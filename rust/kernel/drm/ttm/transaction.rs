// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Several reservations at once.
//!
//! C header: [`include/drm/drm_exec.h`](srctree/include/drm/drm_exec.h)

use super::{
    cursor::Reference,
    reserved::private::RawResv,
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
/// An [`Error`] turns into one that ends the transaction. That a reservation can't be waited for without
/// a deadlock is the other reason: then the transaction starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop(Option<Error>);

impl Stop {
    /// All reservations have to be given back, and taken anew.
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

/// Takes several reservations, and works with them.
///
/// `f` takes them with [`Transaction::reserve`], in any order; they are given back when it has
/// returned. Where another transaction has one that it can't be made to wait for, `reserve` fails, and
/// goes on failing: `f` must return that, and is called again when the other one is done. So it is with
/// [`Transaction::validate`]. So `f` should do that before it does what must not be done twice.
///
/// With an interruptible `ctx`, a signal ends the waiting.
///
/// Who calls this must have no reservation.
///
/// # Errors
///
/// What `f` returns; [`ERESTARTSYS`]; [`EDEADLK`] if `f` returns that a reservation was contended when
/// none was.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{self, fixture, MemType, OperationCtx, Placement};
///
/// let dev = fixture::Device::new()?;
/// let objects = [dev.system(0x1000)?, dev.vram(0x1000)?];
/// let mut ctx = OperationCtx::new();
///
/// // They change places, and nobody sees them in the same.
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
        in_the_way: Cell::new(None),
        _env: PhantomData,
        _not_send: NotThreadSafe,
    };

    loop {
        // INVARIANT: `exec` of `Transaction` is initialized, and isn't moved before it goes.
        // SAFETY: `exec` is memory for a `drm_exec`.
        unsafe { bindings::drm_exec_init(tx.exec.get(), flags, 0) };
        let result = tx.rounds(&mut f);
        // SAFETY: As above. It isn't used any more, nor is what was lent.
        unsafe { bindings::drm_exec_fini(tx.exec.get()) };

        match tx.in_the_way.take() {
            Some(bo) => wait_until_free(&bo, ctx)?,
            None => return result.map_err(|stop| stop.0.unwrap_or(EDEADLK)),
        }
    }
}

/// Waits until nobody has the reservation of a buffer, just now.
///
/// # Errors
///
/// [`ERESTARTSYS`]
fn wait_until_free(bo: &Reference, ctx: &OperationCtx) -> Result {
    // SAFETY: There is a reference to the buffer, so it and its reservation are valid. The current thread
    // has none.
    unsafe {
        let resv = (*bo.0).base.resv;
        let ret = if ctx.is_interruptible() {
            bindings::dma_resv_lock_interruptible(resv, ptr::null_mut())
        } else {
            bindings::dma_resv_lock(resv, ptr::null_mut())
        };

        to_result(ret).map_err(|_| ERESTARTSYS)?;
        bindings::dma_resv_unlock(resv);
    }
    Ok(())
}

/// Takes reservations together with others. See [`transaction`].
///
/// # Invariants
///
/// - `exec` is an initialized `struct drm_exec` in a round, which isn't moved, and to which only the
///   thread that made it has access.
/// - If `stopped` is set, no more reservations are taken in this round.
/// - While `walking`, none are taken but by the walk, which gives them back before the round ends.
/// - If `in_the_way` is set, a buffer stands in the way that someone else has reserved.
pub struct Transaction<'env> {
    exec: Opaque<bindings::drm_exec>,
    stopped: Cell<Option<Stop>>,
    walking: Cell<bool>,
    in_the_way: Cell<Option<Reference>>,
    // An object goes after all reservations are given back. Invariant: nobody may shorten it.
    _env: PhantomData<Cell<&'env ()>>,
    _not_send: NotThreadSafe,
}

impl<'env> Transaction<'env> {
    /// Calls `f`, again and again as long as it has to start over.
    fn rounds<R>(&self, f: &mut impl FnMut(&Self) -> Result<R, Stop>) -> Result<R, Stop> {
        let exec = self.exec.get();
        let mut result = Err(Stop::CONTENDED);

        // SAFETY: By the type invariants. What was lent for the last round is gone: it borrowed `self`.
        while unsafe { bindings::drm_exec_cleanup(exec) } {
            self.stopped.set(None);
            // What could not be waited for is waited for now, while there is nothing else. It also has to
            // be the first that `exec` knows of: what shares its reservation must not be alone with that.
            // SAFETY: As above.
            let contended = unsafe { (*exec).contended };
            result = if contended.is_null() {
                f(self)
            } else {
                // SAFETY: `exec` has a reference to it, and it lives for `'env`.
                unsafe { self.lock(contended) }.and_then(|()| f(self))
            };

            // SAFETY: As above.
            let is_contended = unsafe { !(*exec).contended.is_null() };
            if self.stopped.get() != Some(Stop::CONTENDED) || !is_contended {
                break;
            }
        }
        result
    }

    /// Waits for the reservation of `obj` and takes it, until the end of the transaction.
    ///
    /// May be called for several objects that share a reservation, and again for the same.
    ///
    /// # Errors
    ///
    /// If the transaction has to start over, and from then on. With [`ERESTARTSYS`] or [`ENOMEM`] it
    /// ends. [`EBUSY`] inside of a [walk](Self::walk).
    pub fn reserve<'a, T: DriverObject>(
        &'a self,
        obj: &'env Object<T>,
    ) -> Result<Reserved<'a, Object<T>>, Stop> {
        self.may_go_on()?;

        // SAFETY: The object is valid, and is as long as `'env`.
        unsafe { self.lock(obj.as_raw()) }?;
        // SAFETY: It was just taken, or was taken before by `exec`, as there is no walk. It is held
        // until the end of the round, which is after `'a`: then `exec` gives it back. All guards of
        // it are lent.
        Ok(unsafe { Reserved::lend(obj) })
    }

    /// Takes a reservation, unless the transaction has it.
    ///
    /// # Safety
    ///
    /// `obj` must be a valid object as long as `self` is.
    unsafe fn lock(&self, obj: *mut bindings::drm_gem_object) -> Result<(), Stop> {
        // SAFETY: By the type invariants, and the function's requirements.
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

    /// As [`Reserved::validate`], but evicts what is in the way even if that has to be waited for.
    ///
    /// Buffers whose reservation others have are waited for. Where that could deadlock, the transaction
    /// starts over, when such a buffer is free.
    ///
    /// What the transaction has reserved stays where it is, but for the buffers with the reservation
    /// `lent`, or without that, with the buffer's own. This is for those of a VM, which share one: what
    /// isn't needed now can make room for what is. Which these are, the driver says with
    /// [`Driver::eviction_valuable`].
    ///
    /// # Errors
    ///
    /// If the transaction has to start over, and from then on. [`EINVAL`] if it doesn't have the
    /// reservation `lent`; as [`Reserved::validate`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{self, fixture, MemType, OperationCtx, Placement, Resv};
    ///
    /// let dev = fixture::Device::new()?;
    /// let resv = Resv::new()?;
    /// let member = dev.shared(fixture::Device::SIZE, &resv)?;
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
        let lent = match lent {
            None => reserved.raw_resv(),
            Some(lent) if self.has(lent) => lent.raw_resv(),
            Some(_) => return Err(EINVAL.into()),
        };
        let mut contended = ptr::null_mut();

        // SAFETY: The transaction has it, as was just checked, or `reserved` has it.
        let result = unsafe {
            ctx.in_transaction(lent, &mut contended, |ctx| {
                reserved.validate(placement, ctx)
            })
        };
        // INVARIANT: There is a reference for this.
        let contended = (!contended.is_null()).then(|| Reference(contended));

        if result == Err(ENOSPC) && contended.is_some() {
            self.in_the_way.set(contended);
            return Err(self.stop(Stop::CONTENDED));
        }
        Ok(result?)
    }

    /// Whether the transaction has taken this reservation.
    fn has(&self, resv: &Resv) -> bool {
        // SAFETY: It is valid as long as it is borrowed; by the type invariants, `exec` is initialized, and
        // in a round its ticket is.
        unsafe {
            ptr::eq(
                bindings::dma_resv_locking_ctx(resv.raw_resv()),
                &raw const (*self.exec.get()).ticket,
            )
        }
    }

    /// Calls `f` for the buffers of a manager, each reserved together with what the transaction has.
    ///
    /// This waits for reservations, and what waiting would cause a deadlock can't have any more in
    /// this transaction ends it. Buffers whose reservation the transaction already has are passed by.
    /// Each buffer is given back before the next one is taken. `f` may end the walk, but not take
    /// reservations in this transaction, as they could be that of the buffer.
    ///
    /// What was moved since the walk began is passed by, so that it ends.
    ///
    /// # Errors
    ///
    /// [`ENOSPC`] if a reservation can't be waited for: the transaction can't go on. [`ERESTARTSYS`].
    /// [`EBUSY`] inside of another walk.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::ops::ControlFlow;
    /// use kernel::drm::ttm::{self, fixture, MemType, OperationCtx};
    ///
    /// let dev = fixture::Device::new()?;
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
        self.may_go_on()?;

        let mut ctx = ctx.for_walk();
        let mut arg = bindings::ttm_lru_walk_arg {
            ctx: ctx.as_raw(),
            // SAFETY: By the type invariants `exec` is initialized, and in a round its ticket is.
            ticket: unsafe { &raw mut (*self.exec.get()).ticket },
            keep_ticket: true,
            ..Default::default()
        };
        let cursor = Opaque::uninit();
        let cursor = cursor.get();

        // INVARIANT: Nobody but the walk takes reservations: `may_go_on` says so.
        self.walking.set(true);
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
                    // SAFETY: It is a buffer of this device, or a ghost of one, with a reference and
                    // reserved until the next step, which gives it back. No other guard stands for
                    // that: what the transaction has is passed by, and `f` takes none in it.
                    let mut reserved = unsafe { Reserved::lend(Buffer::from_raw(bo)) };
                    if f(&mut reserved).is_break() {
                        break Ok(());
                    }
                }
                Err(e) if e == EINTR => break Err(ERESTARTSYS),
                Err(e) => break Err(e),
            }
            // SAFETY: The cursor is initialized; what was lent is gone.
            bo = unsafe { bindings::ttm_bo_lru_cursor_next(cursor) };
        };
        // SAFETY: As above; what was lent is gone.
        unsafe { bindings::ttm_bo_lru_cursor_fini(cursor) };
        // INVARIANT: The walk has given everything back.
        self.walking.set(false);

        result.map_err(|e| self.stop(e.into()))
    }

    fn may_go_on(&self) -> Result<(), Stop> {
        if self.walking.get() {
            return Err(EBUSY.into());
        }
        match self.stopped.get() {
            Some(stop) => Err(stop),
            None => Ok(()),
        }
    }

    fn stop(&self, stop: Stop) -> Stop {
        self.stopped.set(Some(stop));
        stop
    }
}
