// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The guard of a reservation, and the state of a buffer that it protects.
//!
//! C header: [`include/linux/dma-resv.h`](srctree/include/linux/dma-resv.h)

use super::{
    contention::Contention,
    resource::uses_pages,
    AsBuffer,
    BulkId,
    HasResv,
    MemType,
    OperationCtx,
    Resv, //
};
use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::NotThreadSafe, //
};
use core::{
    mem,
    ops::Deref,
    ptr, //
};

/// A guard of the reservation of a `B`. Dropping the guard gives the reservation back. If a
/// transaction has lent the guard, the transaction gives the reservation back instead.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, MemType, OperationCtx, Placement};
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.system(0x2000)?;
/// let mut ctx = OperationCtx::new();
///
/// let mut reserved = obj.reserve();
/// reserved.write(0x1ffc, b"tail")?;
///
/// // To VRAM and back, the content goes along.
/// reserved.validate(Placement::VRAM, &mut ctx)?;
/// assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
/// assert_eq!(ctx.bytes_moved(), 0x2000);
/// reserved.evict(&mut ctx)?;
/// assert_eq!(reserved.mem_type(), Some(MemType::SYSTEM));
///
/// let mut tail = [0; 4];
/// reserved.read(0x1ffc, &mut tail)?;
/// assert_eq!(&tail, b"tail");
/// # Ok::<(), Error>(())
/// ```
///
/// # Deadlocks
///
/// A thread that takes a reservation twice waits for itself. A guard that isn't bound to a variable
/// lives to the end of its statement, so this does it: `f(bo.reserve().start(),
/// bo.reserve().priority())`. Bind the guard to use it more than once.
///
/// # Forgetting
///
/// The reservation is held for ever. A buffer with a reservation of its own is never freed, nor is
/// its device. Once all references to that buffer are dropped, the driver's module can't be
/// unloaded.
///
/// # Invariants
///
/// - `resv` is the reservation of `inner`, and the current thread holds it. If `inner` is an
///   [`AsBuffer`], it is the reservation of that buffer.
/// - Without a `lender`, the guard gives the reservation back. With one, that does so, after `'a`.
/// - There are two guards of one reservation only if both are lent.
#[must_use = "the reservation is given back immediately when this is unused"]
pub struct Reserved<'a, B: HasResv> {
    inner: &'a B,
    resv: *mut bindings::dma_resv,
    // That of the transaction that has lent this.
    lender: Option<&'a Contention>,
    _not_send: NotThreadSafe,
}

impl<'a, B: HasResv> Reserved<'a, B> {
    pub(super) fn lock(inner: &'a B) -> Self {
        // Without an acquire context, this doesn't fail.
        // SAFETY: By the requirements of `RawResv`, the reservation is valid as long as `inner` is
        // borrowed.
        unsafe { bindings::dma_resv_lock(inner.raw_resv(), ptr::null_mut()) };

        // SAFETY: The reservation was just taken, and no guard stands for it yet.
        unsafe { Self::assume_locked(inner) }
    }

    pub(super) fn lock_interruptible(inner: &'a B) -> Result<Self> {
        // SAFETY: By the requirements of `RawResv`, the reservation is valid as long as `inner` is
        // borrowed.
        let ret = to_result(unsafe {
            bindings::dma_resv_lock_interruptible(inner.raw_resv(), ptr::null_mut())
        });

        // Without an acquire context, there is no other reason.
        ret.map_err(|_| ERESTARTSYS)?;
        // SAFETY: The reservation was just taken, and no guard stands for it yet.
        Ok(unsafe { Self::assume_locked(inner) })
    }

    pub(super) fn try_lock(inner: &'a B) -> Option<Self> {
        // SAFETY: By the requirements of `RawResv`, the reservation is valid as long as `inner` is
        // borrowed.
        let taken = unsafe { bindings::dma_resv_trylock(inner.raw_resv()) };

        // SAFETY: The reservation was just taken, and no guard stands for it yet.
        taken.then(|| unsafe { Self::assume_locked(inner) })
    }

    /// # Safety
    ///
    /// The current thread must hold the reservation of `inner`, and no guard stand for it.
    pub(super) unsafe fn assume_locked(inner: &'a B) -> Self {
        // INVARIANT: By the function's requirements, and those of `RawResv` and `AsBuffer`.
        Self {
            inner,
            resv: inner.raw_resv(),
            lender: None,
            _not_send: NotThreadSafe,
        }
    }

    /// # Safety
    ///
    /// The current thread must hold the reservation of `inner` for `'a`, and the transaction that
    /// `lender` belongs to must give it back. No guard that isn't lent may stand for it.
    pub(super) unsafe fn lend(inner: &'a B, lender: &'a Contention) -> Self {
        // INVARIANT: By the function's requirements, and those of `RawResv` and `AsBuffer`.
        Self {
            inner,
            resv: inner.raw_resv(),
            lender: Some(lender),
            _not_send: NotThreadSafe,
        }
    }

    /// Makes the reservation of a buffer that is just being made that of `inner`.
    ///
    /// # Safety
    ///
    /// The current thread must hold the reservation of `inner`: either it is that of `shared`,
    /// which isn't lent, or there is no `shared`, and no guard stands for it.
    pub(super) unsafe fn adopt(inner: &'a B, shared: Option<Reserved<'_, Resv>>) -> Self {
        mem::forget(shared);
        // SAFETY: The current thread holds the reservation of `inner`, by the function's
        // requirements. No guard stands for it any more: if `shared` did, it was just forgotten.
        unsafe { Self::assume_locked(inner) }
    }

    /// The reservation that this guard stands for.
    pub(super) fn held(&self) -> *mut bindings::dma_resv {
        self.resv
    }

    /// Whether a transaction has lent this guard.
    pub(super) fn is_lent(&self) -> bool {
        self.lender.is_some()
    }

    /// Whether the transaction that `lender` belongs to has lent this guard.
    pub(super) fn is_lent_by(&self, lender: &Contention) -> bool {
        self.lender.is_some_and(|own| ptr::eq(own, lender))
    }

    /// Calls `f` with a context that lets TTM tell the transaction which has lent this guard, if
    /// any, that it could not wait for a reservation. The transaction then takes no more of them
    /// in this round (E3), even if `f` succeeds.
    ///
    /// # Errors
    ///
    /// Errors of `f`, but [`ENOSPC`] for [`EDEADLK`], as TTM returns it outside of transactions.
    pub(super) fn noting<R>(
        &self,
        ctx: &mut OperationCtx,
        f: impl FnOnce(*mut bindings::ttm_operation_ctx) -> Result<R>,
    ) -> Result<R> {
        match ctx.noting(self.lender, |ctx| f(ctx.as_raw())) {
            Err(EDEADLK) => Err(ENOSPC),
            result => result,
        }
    }

    /// Whether this is the reservation `resv`.
    pub(super) fn holds(&self, resv: *const bindings::dma_resv) -> bool {
        ptr::eq(self.resv, resv)
    }
}

impl<B: HasResv> Drop for Reserved<'_, B> {
    fn drop(&mut self) {
        if self.lender.is_none() {
            // SAFETY: By the type invariants the reservation is held, and as this guard isn't lent,
            // it gives it back.
            unsafe { bindings::dma_resv_unlock(self.resv) };
        }
    }
}

impl<B: HasResv> Deref for Reserved<'_, B> {
    type Target = B;

    fn deref(&self) -> &B {
        self.inner
    }
}

impl<B: AsBuffer> Reserved<'_, B> {
    pub(super) fn bo(&self) -> *mut bindings::ttm_buffer_object {
        self.inner.as_buffer().as_raw()
    }

    /// The memory type that the buffer is in, or [`None`] if it has no place.
    pub fn mem_type(&self) -> Option<MemType> {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource`, is held.
        let res = unsafe { (*self.bo()).resource };
        if res.is_null() {
            return None;
        }

        // SAFETY: It isn't null, so it is the buffer's resource: valid, as the reservation is held.
        MemType::new(unsafe { (*res).mem_type })
    }

    /// The first page of the buffer's place, counted from the start of the memory type.
    ///
    /// [`None`] if it has no place. It has no meaning in system memory.
    pub fn start(&self) -> Option<usize> {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource`, is held.
        let res = unsafe { (*self.bo()).resource };

        // SAFETY: It isn't null, so it is the buffer's resource: valid, as the reservation is held.
        (!res.is_null()).then(|| unsafe { (*res).start })
    }

    /// Whether the buffer is pinned to its place.
    pub fn is_pinned(&self) -> bool {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `pin_count`, is held.
        unsafe { (*self.bo()).pin_count != 0 }
    }

    /// Whether the buffer has pages of system memory just now.
    pub fn is_populated(&self) -> bool {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `ttm`, is held.
        let tt = unsafe { (*self.bo()).ttm };

        // SAFETY: It isn't null, so it is the buffer's `ttm_tt`: valid, as the reservation is held.
        !tt.is_null() && unsafe { bindings::ttm_tt_is_populated(tt) }
    }

    /// Whether the buffer has memory: it has a place, and pages if the place is made of pages.
    pub(super) fn is_resident(&self) -> bool {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource`, is held.
        let res = unsafe { (*self.bo()).resource };

        // SAFETY: It isn't null, so it is the buffer's resource: valid, as the reservation is held.
        !res.is_null() && (!unsafe { uses_pages(res) } || self.is_populated())
    }

    /// The buffer's priority, less than [`Object::PRIORITIES`](super::Object::PRIORITIES).
    pub fn priority(&self) -> u32 {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `priority`, is held.
        unsafe { (*self.bo()).priority }
    }

    /// The bulk that the buffer has joined, if any.
    pub fn bulk_id(&self) -> Option<BulkId> {
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `bulk_move`, is held.
        BulkId::new(unsafe { (*self.bo()).bulk_move })
    }
}
