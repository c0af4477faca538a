// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Several reservations at once.
//!
//! C header: [`include/drm/drm_exec.h`](srctree/include/drm/drm_exec.h)

use super::{
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
/// goes on failing: `f` must return that, and is called again when the other one is done. So `f` should
/// take all reservations before it does what must not be done twice.
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
        _env: PhantomData,
        _not_send: NotThreadSafe,
    };
    let exec = tx.exec.get();
    let mut result = Err(Stop::CONTENDED);

    // INVARIANT: `exec` of `Transaction` is initialized, and isn't moved before it goes.
    // SAFETY: `exec` is memory for a `drm_exec`.
    unsafe { bindings::drm_exec_init(exec, flags, 0) };
    // SAFETY: Initialized. What was lent for the last round is gone: it borrowed `tx`.
    while unsafe { bindings::drm_exec_cleanup(exec) } {
        tx.stopped.set(None);
        // What could not be waited for is waited for now, while there is nothing else. It also has to
        // be the first that `exec` knows of: what shares its reservation must not be alone with that.
        // SAFETY: As above.
        let contended = unsafe { (*exec).contended };
        result = if contended.is_null() {
            f(&tx)
        } else {
            // SAFETY: `exec` has a reference to it, and it lives for `'env`.
            unsafe { tx.lock(contended) }.and_then(|()| f(&tx))
        };

        if tx.stopped.get() != Some(Stop::CONTENDED) {
            break;
        }
    }
    // SAFETY: As above. It isn't used any more, nor is what was lent.
    unsafe { bindings::drm_exec_fini(exec) };

    result.map_err(|stop| stop.0.unwrap_or(EDEADLK))
}

/// Takes reservations together with others. See [`transaction`].
///
/// # Invariants
///
/// - `exec` is an initialized `struct drm_exec` in a round, which isn't moved, and to which only the
///   thread that made it has access.
/// - If `stopped` is set, no more reservations are taken in this round.
/// - While `walking`, none are taken but by the walk, which gives them back before the round ends.
pub struct Transaction<'env> {
    exec: Opaque<bindings::drm_exec>,
    stopped: Cell<Option<Stop>>,
    walking: Cell<bool>,
    // An object goes after all reservations are given back. Invariant: nobody may shorten it.
    _env: PhantomData<Cell<&'env ()>>,
    _not_send: NotThreadSafe,
}

impl<'env> Transaction<'env> {
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

    /// As [`Reserved::validate`], but may also evict buffers that have the reservation `lent`.
    ///
    /// Otherwise, what the transaction has reserved stays where it is. This is for the buffers of a VM,
    /// which share a reservation: those that aren't needed now can make room for those that are. Which
    /// these are, the driver says with [`Driver::eviction_valuable`].
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if the transaction doesn't have that reservation; as [`Reserved::validate`].
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
    ///     let mut reserved = tx.reserve(&loose)?;
    ///     let vram = Placement::VRAM;
    ///     assert_eq!(tx.validate(&mut reserved, vram, &resv, &mut ctx), Err(EINVAL));
    ///
    ///     let member = tx.reserve(&member)?;
    ///     assert_eq!(reserved.validate(vram, &mut ctx), Err(ENOSPC));
    ///     tx.validate(&mut reserved, vram, &resv, &mut ctx)?;
    ///     assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
    ///     assert_eq!(member.mem_type(), Some(MemType::SYSTEM));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn validate<T: DriverObject>(
        &self,
        reserved: &mut Reserved<'_, Object<T>>,
        placement: Placement<'_>,
        lent: &Resv,
        ctx: &mut OperationCtx,
    ) -> Result {
        let lent = lent.raw_resv();
        // SAFETY: It is valid as long as it is borrowed; by the type invariants, `exec` is initialized,
        // and in a round its ticket is.
        let is_ours = unsafe {
            ptr::eq(
                bindings::dma_resv_locking_ctx(lent),
                &raw const (*self.exec.get()).ticket,
            )
        };
        if !is_ours {
            return Err(EINVAL);
        }

        // SAFETY: The transaction has it, as was just checked, until the end of the round.
        unsafe { ctx.lending(lent, |ctx| reserved.validate(placement, ctx)) }
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
