// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Destruction of buffers, and the work item that does the part of it that must wait.
//!
//! Rust drops a value where it goes out of scope. The thread may then hold the reservation that the
//! destructor needs, and would wait for itself. So a destructor takes the reservation only if it is
//! free (L2). If it isn't, the buffer's work item waits for it, and unpins the buffer or takes it
//! out of its bulk. The same work item frees a buffer that TTM is done with.
//!
//! Nothing here is generic, so all of it is part of the kernel image: the code may drop the last
//! reference to the driver's module (L1).
//!
//! C header: [`include/drm/ttm/ttm_owner.h`](srctree/include/drm/ttm/ttm_owner.h)

use super::{
    bulk::BulkInner,
    raw_device::RawDevice, //
};
use crate::{
    bindings,
    container_of,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        Arc, //
    },
    types::Opaque, //
};
use core::{
    cell::UnsafeCell,
    mem,
    ptr, //
};

/// A buffer, without the driver's part.
///
/// # Invariants
///
/// - It is the first field of an [`Object`](super::Object) that came out of a [`KBox`], and which
///   `free` frees.
/// - Once [`Self::keep_device`] was called, `late` is initialized with the owner of the buffer's
///   device, to which it has a reference.
/// - `bulk` is the bulk that `bo.bulk_move` points to; protected by the reservation.
/// - For each of `pins`, a pin of the buffer and a reference to the object belong to `late`. `late`
///   is queued when `pins` ceases to be 0; its function begins by setting `pins` to 0.
#[repr(C)]
#[pin_data]
pub(super) struct Base {
    // Comes first: C has a pointer to it.
    #[pin]
    bo: Opaque<bindings::ttm_buffer_object>,
    #[pin]
    late: Opaque<bindings::ttm_late>,
    pins: Atomic<usize>,
    bulk: UnsafeCell<Option<Arc<BulkInner>>>,
    free: unsafe fn(*mut bindings::ttm_buffer_object),
}

impl Base {
    /// # Safety
    ///
    /// It must only be used to initialize the first field of an object. `free` must free that, if
    /// it is called with its buffer.
    pub(super) unsafe fn new(
        free: unsafe fn(*mut bindings::ttm_buffer_object),
    ) -> impl PinInit<Self> {
        // INVARIANT: The function's requirements are the first one. `late` isn't initialized yet,
        // and the buffer is in no bulk and not pinned.
        pin_init!(Self {
            bo <- Opaque::init_zeroed(),
            late <- Opaque::init_zeroed(),
            pins: Atomic::new(0),
            bulk: UnsafeCell::new(None),
            free,
        })
    }

    pub(super) fn bo(&self) -> *mut bindings::ttm_buffer_object {
        self.bo.get()
    }

    /// Takes a reference to the device, which the buffer keeps until it is freed.
    ///
    /// # Safety
    ///
    /// `this` must be valid, without such a reference, and `raw` that of the device it is on.
    pub(super) unsafe fn keep_device(this: *mut Self, raw: &RawDevice) {
        // INVARIANT: It is initialized here.
        // SAFETY: `this` is valid and keeps no device yet, by the function's requirements, so
        // `late` is memory for one. The owner is initialized as long as its `RawDevice`, which the
        // reference keeps.
        unsafe { bindings::ttm_late_init((&raw mut (*this).late).cast(), raw.owner()) };
    }

    /// Records `bulk` as the bulk that the buffer has joined, and returns the one before.
    ///
    /// # Safety
    ///
    /// The reservation must be held, or no other code may have a pointer to the buffer yet.
    /// `bo.bulk_move` must point to `bulk`.
    pub(super) unsafe fn replace_bulk(
        &self,
        bulk: Option<Arc<BulkInner>>,
    ) -> Option<Arc<BulkInner>> {
        // INVARIANT: By the function's requirements.
        // SAFETY: By the function's requirements the reservation is held, which protects it, or no
        // other code has a pointer to the buffer yet.
        mem::replace(unsafe { &mut *self.bulk.get() }, bulk)
    }

    /// # Safety
    ///
    /// `bo` must be part of a valid `Self` for `'a`.
    unsafe fn from_bo<'a>(bo: *mut bindings::ttm_buffer_object) -> &'a Self {
        // CAST: The buffer comes first, and `Opaque` is transparent.
        // SAFETY: `bo` is part of a `Self` that is valid for `'a`, by the function's requirements.
        unsafe { &*bo.cast() }
    }

    /// # Safety
    ///
    /// `late` must be part of a valid `Self` for `'a`.
    unsafe fn from_late<'a>(late: *mut bindings::ttm_late) -> &'a Self {
        // SAFETY: `late` is part of a `Self` that is valid for `'a`, by the function's
        // requirements.
        unsafe { &*container_of!(Opaque::cast_from(late), Self, late) }
    }

    /// Gives back a pin and a reference to the object: now if the reservation is free, otherwise in
    /// the work item.
    ///
    /// Not inlined elsewhere, so that the queued function is part of the kernel image.
    ///
    /// # Safety
    ///
    /// `this` must be that of an object that is alive. One of its pins, and one of its references,
    /// must belong to the caller. This gives them back, so the caller must not use `this`
    /// afterwards.
    #[inline(never)]
    pub(super) unsafe fn unpin(this: *const Self) {
        // SAFETY: The object is alive, by the function's requirements, and stays so until the
        // reference is given away.
        let this = unsafe { &*this };
        let bo = this.bo();
        // SAFETY: The object is alive, so by the type invariants `bo` is initialized, and its
        // reservation with it.
        let resv = unsafe { (*bo).base.resv };

        // SAFETY: The reservation of a buffer is valid as long as there is a reference to that.
        if unsafe { bindings::dma_resv_trylock(resv) } {
            // SAFETY: It was just taken. The pin and the reference are the caller's.
            unsafe { give_back_pins(bo, 1) };
            return;
        }
        // INVARIANT: The pin and the reference are given to `late`.
        if this.pins.fetch_add(1, Full) == 0 {
            // SAFETY: The object is complete, so by the type invariants `late` is initialized.
            // `pins` was 0, so it isn't queued, and only this call queues it. The reference keeps
            // the object until the function has begun. The function is part of the kernel image,
            // and gives `resv` back.
            unsafe { bindings::ttm_late_queue_alive(this.late.get(), resv, Some(unpin_later)) };
        }
    }

    /// Takes the buffer out of its bulk. TTM requires this before its last reference is dropped.
    ///
    /// # Safety
    ///
    /// There must be no GEM reference any more, so that no other thread changes the bulk. The
    /// reservation must be held; this gives it back.
    unsafe fn leave_bulk(&self) {
        let bo = self.bo();

        // SAFETY: By the type invariants `bo` is a buffer that isn't freed; its reservation is
        // held, by the function's requirements.
        unsafe { bindings::ttm_bo_set_bulk_move(bo, ptr::null_mut()) };
        // SAFETY: The reservation is held, by the function's requirements. `bo.bulk_move` was just
        // set to null.
        let bulk = unsafe { self.replace_bulk(None) };
        // SAFETY: The reservation is held and is the caller's to give away, by the function's
        // requirements.
        unsafe { bindings::dma_resv_unlock((*bo).base.resv) };
        drop(bulk);
    }
}

/// Gives back a number of pins, the reservation, and the same number of references to the object.
///
/// # Safety
///
/// `bo` must be the buffer of an object that is alive, and its reservation must be held. `pins` of
/// its pins, and as many references to the object, must belong to the caller. All of that is given
/// away.
unsafe fn give_back_pins(bo: *mut bindings::ttm_buffer_object, pins: usize) {
    for _ in 0..pins {
        // SAFETY: The buffer is valid and reserved, and one of its pins is the caller's, by the
        // function's requirements.
        unsafe { bindings::ttm_bo_unpin(bo) };
    }
    // SAFETY: The reservation is held and is the caller's to give away, by the function's
    // requirements. A reference still keeps the buffer.
    unsafe { bindings::dma_resv_unlock((*bo).base.resv) };
    for _ in 0..pins {
        // SAFETY: One of the references is the caller's, by the function's requirements; it keeps
        // the object up to here.
        unsafe { bindings::drm_gem_object_put(&raw mut (*bo).base) };
    }
}

/// Gives back all pins that could not be given back without waiting.
///
/// # Safety
///
/// Only to be called for a `late` that [`Base::unpin`] has queued.
unsafe extern "C" fn unpin_later(late: *mut bindings::ttm_late) -> bool {
    // SAFETY: `late` is that of an object that is alive, by the function's requirements: by the
    // type invariants of `Base` the references for `pins`, of which there are some, keep it.
    let this = unsafe { Base::from_late(late) };
    let bo = this.bo();
    // INVARIANT: `pins` of `Base` is 0 now: the next one that gives a pin back queues `late` again.
    let pins = this.pins.xchg(0, Full);

    // SAFETY: The reservation was taken before this was called. By the type invariants of `Base`
    // these pins and references belonged to `late`.
    unsafe { give_back_pins(bo, pins) };
    true
}

/// The last GEM reference was dropped. The thread may hold any reservation, including the buffer's
/// own.
///
/// # Safety
///
/// Only to be called by DRM, with an object that is complete, when its last GEM reference is gone.
#[inline(never)]
pub(super) unsafe extern "C" fn free_callback(gem: *mut bindings::drm_gem_object) {
    // SAFETY: `gem` is that of a complete object, by the function's requirements, so it is embedded
    // in a buffer.
    let bo = unsafe { container_of!(gem, bindings::ttm_buffer_object, base) };
    // SAFETY: The buffer is part of a `Base`, which is valid until TTM's last reference is dropped,
    // below.
    let this = unsafe { Base::from_bo(bo) };
    let late = this.late.get();

    // SAFETY: The object is complete, so by the type invariants of `Base` `late` is initialized.
    // This is called once for it.
    unsafe { bindings::ttm_late_hold(late) };
    // SAFETY: No thread changes `bulk` any more, as there is no GEM reference.
    if unsafe { (*this.bulk.get()).is_some() } {
        // SAFETY: The buffer is valid, and so is its reservation.
        let resv = unsafe { (*bo).base.resv };
        // SAFETY: As long as the buffer has TTM's initial reference, its reservation is valid.
        if !unsafe { bindings::dma_resv_trylock(resv) } {
            // Another thread holds it, or the current one, which would wait for itself.
            // SAFETY: `late` is initialized and holds the module; it isn't queued. The function is
            // one of the kernel image, and gives `resv`, which is valid until then, back.
            unsafe { bindings::ttm_late_queue(late, resv, Some(leave_later)) };
            return;
        }
        // SAFETY: There is no GEM reference any more; the reservation was just taken.
        unsafe { this.leave_bulk() };
    }
    // SAFETY: This drops TTM's initial reference, which belongs to GEM's last one. The buffer isn't
    // used afterwards.
    unsafe { bindings::ttm_bo_fini(bo) };
}

/// The rest of [`free_callback`], with only the buffer's own reservation held.
///
/// # Safety
///
/// Only to be called for a `late` that [`free_callback`] has queued.
unsafe extern "C" fn leave_later(late: *mut bindings::ttm_late) -> bool {
    // SAFETY: `late` is that of a buffer whose initial reference is still there, by the function's
    // requirements, so it is part of a valid `Base`.
    let this = unsafe { Base::from_late(late) };
    let bo = this.bo();

    // SAFETY: There is no GEM reference any more. The reservation was taken before this was called.
    unsafe { this.leave_bulk() };
    // SAFETY: This drops TTM's initial reference, which belongs to GEM's last one. The buffer isn't
    // used afterwards.
    unsafe { bindings::ttm_bo_fini(bo) };
    // The buffer may be freed by now, but `free_later` reports that.
    false
}

/// TTM's last reference was dropped. The thread may hold locks, or reclaim memory.
///
/// # Safety
///
/// Only to be called by TTM, with a buffer that is part of a [`Base`] which keeps its device.
#[inline(never)]
pub(super) unsafe extern "C" fn destroy_callback(bo: *mut bindings::ttm_buffer_object) {
    // SAFETY: The buffer is part of a `Base`, by the function's requirements, which is valid until
    // `free_later` frees it.
    let this = unsafe { Base::from_bo(bo) };
    // SAFETY: It keeps its device, by the function's requirements, so by the type invariants of
    // `Base` `late` is initialized. TTM is done with the buffer, so it isn't queued. The function
    // is one of the kernel image.
    unsafe { bindings::ttm_late_destroy(this.late.get(), Some(free_later)) };
}

/// Frees a buffer, with no lock held.
///
/// # Safety
///
/// Only to be called for a `late` that [`destroy_callback`] has queued.
unsafe extern "C" fn free_later(late: *mut bindings::ttm_late) -> bool {
    // SAFETY: `late` is that of a buffer which TTM is done with, by the function's requirements, so
    // it is part of a `Base` that is valid until it is freed here.
    let this = unsafe { Base::from_late(late) };
    let (free, bo) = (this.free, this.bo());

    // SAFETY: By the type invariants of `Base` `free` frees this object. TTM is done with it and it
    // has no GEM reference, so it is no longer used; no reservation is held.
    unsafe { free(bo) };
    true
}

/// Waits until the buffers that were dropped so far are freed, except those that a fence or a
/// reference still keeps.
#[cfg(CONFIG_KUNIT = "y")]
pub(super) fn flush() {
    // SAFETY: It may be called wherever sleeping is allowed.
    unsafe { bindings::ttm_late_flush() };
}
