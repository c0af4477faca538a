// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Pins that are dropped while somebody has the reservation.
//!
//! Rust drops a value where it goes out of scope. The thread may then hold the very reservation that
//! the destructor needs, and waiting for it would be waiting for ever. So a destructor takes the
//! reservation only if it is free. If it isn't, a work does the rest.

use crate::{
    bindings,
    container_of,
    prelude::*,
    sync::atomic::{
        Atomic,
        Full, //
    },
    types::Opaque, //
};
use core::ptr;

/// Pins of an object that are to go, and who takes them away.
///
/// Nothing here is generic: the work is the kernel image's. It holds a reference to the driver's module
/// as long as it has something of the driver's to do.
///
/// # Invariants
///
/// - `work` is initialized. `bo` is the buffer of the object that this is a part of.
/// - For each of `pins`, a pin of the buffer, a reference to the object, and one to `module` belong to
///   the work. It is queued when `pins` ceases to be 0, and `pins` is 0 again when it is done with them.
#[pin_data]
pub(super) struct Unpin {
    #[pin]
    work: Opaque<bindings::work_struct>,
    pins: Atomic<usize>,
    bo: *mut bindings::ttm_buffer_object,
    module: *mut bindings::module,
}

impl Unpin {
    /// For the object that `bo` is a part of, and a driver that `module` is.
    pub(super) fn new(
        bo: *mut bindings::ttm_buffer_object,
        module: *mut bindings::module,
    ) -> impl PinInit<Self> {
        let init = move |this: *mut Self| {
            // SAFETY: `this` is memory for a `Self`, which won't move: the initializer is a pinned one.
            unsafe {
                this.write(Self {
                    work: Opaque::uninit(),
                    pins: Atomic::new(0),
                    bo,
                    module,
                });
                init_work(Opaque::cast_into(&raw const (*this).work));
            }
            Ok(())
        };

        // INVARIANT: `work` is initialized; there is nothing to do.
        // SAFETY: All of it is initialized, and that doesn't fail.
        unsafe { pin_init::pin_init_from_closure(init) }
    }

    /// Gives a pin and a reference to the object back: now if the reservation is free, else later.
    ///
    /// # Safety
    ///
    /// `this` must be part of an object that is alive. One of its pins, and one of its references, must
    /// belong to the caller, who gives them away and doesn't use `this` afterwards.
    pub(super) unsafe fn unpin(this: *const Self) {
        // SAFETY: `this` is part of an object that is alive, with a pin and a reference to give away, by the
        // function's requirements; by the type invariants `bo` is its buffer.
        unsafe {
            let bo = (*this).bo;

            if !Self::lock_or_keep_module(this) {
                // INVARIANT: What the work needs is given to it. Nobody else queues it, as `pins` was 0,
                // and nobody frees it, as this reference is still there.
                if (*this).pins.fetch_add(1, Full) == 0 {
                    Self::queue(this);
                }
                return;
            }
            bindings::ttm_bo_unpin(bo);
            bindings::dma_resv_unlock((*bo).base.resv);
            bindings::drm_gem_object_put(&raw mut (*bo).base);
        }
    }

    /// Takes the reservation if it is free, and returns whether it was. Otherwise takes a reference to
    /// the module.
    ///
    /// # Safety
    ///
    /// `this` must be part of an object that is not freed.
    unsafe fn lock_or_keep_module(this: *const Self) -> bool {
        // SAFETY: By the function's requirements and the type invariants, the buffer and its reservation
        // are valid. The module is that of the driver whose object this is.
        unsafe {
            let resv = (*(*this).bo).base.resv;

            if bindings::dma_resv_trylock(resv) {
                return true;
            }
            if bindings::try_module_get((*this).module) {
                return false;
            }
            // The module's exit drops what it has: no program holds a reservation then.
            bindings::dma_resv_lock(resv, ptr::null_mut());
        }
        true
    }

    /// # Safety
    ///
    /// `this` must be part of an object that the work keeps. The work must not be queued.
    unsafe fn queue(this: *const Self) {
        // SAFETY: By the type invariants, `work` is initialized, and by the function's requirements valid
        // until it has run. Not on TTM's own queue: the work may drop the last reference to the device,
        // which drains that.
        unsafe {
            bindings::queue_work_on(
                bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int,
                bindings::system_dfl_wq,
                Opaque::cast_into(&raw const (*this).work),
            );
        }
    }
}

/// # Safety
///
/// `work` must be memory for a `work_struct`, and not move.
#[inline(never)]
unsafe fn init_work(work: *mut bindings::work_struct) {
    // Not for others to inline: the name of the lock class, and the function, are the kernel image's.
    // SAFETY: By the function's requirements. The name and the key are static.
    unsafe {
        bindings::init_work_with_key(
            work,
            Some(work_callback),
            false,
            c"ttm_unpin".as_char_ptr(),
            crate::static_lock_class!().as_ptr(),
        );
    }
}

/// # Safety
///
/// `work` must be that of an [`Unpin`] that has queued it.
unsafe extern "C" fn work_callback(work: *mut bindings::work_struct) {
    // SAFETY: By the function's requirements and the type invariants of `Unpin`: the object is valid until
    // the last of these references is put. Nothing of it is used afterwards.
    unsafe {
        let this = container_of!(Opaque::cast_from(work), Unpin, work);
        let (bo, module) = ((*this).bo, (*this).module);
        // INVARIANT: `pins` of `Unpin` is 0 now: another one that gives a pin back queues the work anew.
        let pins = (*this).pins.xchg(0, Full);

        bindings::dma_resv_lock((*bo).base.resv, ptr::null_mut());
        for _ in 0..pins {
            bindings::ttm_bo_unpin(bo);
        }
        bindings::dma_resv_unlock((*bo).base.resv);
        for _ in 0..pins {
            bindings::drm_gem_object_put(&raw mut (*bo).base);
            bindings::module_put(module);
        }
    }
}
