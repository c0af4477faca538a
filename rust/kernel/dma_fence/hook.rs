// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The link between a fence and its callbacks and wakers.

use super::{
    owner::get_owner_of,
    Fence, //
};
use crate::{
    bindings,
    sync::aref::ARef,
    types::Opaque, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// Links a function to the fence that calls it, and keeps the module of the code.
///
/// # Invariants
///
/// While a fence has it, `fence` is that fence, and a reference to `module` belongs to this, unless
/// that is null.
#[repr(C)]
pub(super) struct Hook {
    // Comes first: C has a pointer to it.
    cb: Opaque<bindings::dma_fence_cb>,
    fence: Option<ARef<Fence>>,
    module: *mut bindings::module,
}

// None of this is generic or inlined elsewhere, so it isn't part of the module whose reference it
// drops.
impl Hook {
    pub(super) fn new() -> Self {
        // INVARIANT: No fence has it.
        Self {
            cb: Opaque::uninit(),
            fence: None,
            module: ptr::null_mut(),
        }
    }

    /// Lets `fence` call `func`, and keeps the module that the function at `code` belongs to.
    /// Returns false if the fence is signaled already, or if the exit of that module has begun.
    ///
    /// # Safety
    ///
    /// - `this` must be valid, and accessed by no other code, until `func` is called or
    ///   [`Self::remove`] returns true; if this returns false, until then.
    /// - The caller must run code of that module, or have a reference to it.
    /// - `func` may be called once with `this`. It must give the reference to the
    ///   [module](Self::module) back, as must the caller of [`Self::remove`] that has removed it.
    #[inline(never)]
    pub(super) unsafe fn add(
        this: NonNull<Self>,
        fence: &Fence,
        code: *const (),
        func: unsafe extern "C" fn(*mut bindings::dma_fence, *mut bindings::dma_fence_cb),
    ) -> bool {
        let this = this.as_ptr();
        let Ok(module) = get_owner_of(code) else {
            return false;
        };

        // INVARIANT: A reference to `module` was just taken. If no fence gets it, both go below.
        // SAFETY: `this` is valid and no other code accesses it, by the function's requirements.
        unsafe {
            (*this).module = module;
            (*this).fence = Some(fence.into());
        }
        // SAFETY: By the type invariant of `Fence`, `fence` is valid; `this` keeps it. By the
        // function's requirements, `this` is valid until `func` is called or it is removed.
        let ret =
            unsafe { bindings::dma_fence_add_callback(fence.as_raw(), this.cast(), Some(func)) };
        if ret == 0 {
            return true;
        }

        // SAFETY: `func` isn't called, so no other code accesses `this`. The reference was taken
        // above.
        unsafe {
            (*this).fence = None;
            bindings::module_put(module);
        }
        false
    }

    /// The module that is kept, or null if the code is built in.
    pub(super) fn module(&self) -> *mut bindings::module {
        self.module
    }

    /// Removes it from its fence. Returns false if that has called it already, or calls it just
    /// now: then this waits for the call.
    ///
    /// # Safety
    ///
    /// [`Self::add`] must have returned true for `this`, which must be valid.
    #[inline(never)]
    pub(super) unsafe fn remove(this: NonNull<Self>) -> bool {
        // SAFETY: `this` is valid, by the function's requirements. `add` has set `fence`, and while
        // the fence calls, it isn't changed.
        let fence = unsafe { &(*this.as_ptr()).fence };

        // SAFETY: By the type invariant of `Fence`, it is valid. `this` was added to it, by the
        // function's requirements.
        fence.as_ref().is_some_and(|fence| unsafe {
            bindings::dma_fence_remove_callback(fence.as_raw(), this.as_ptr().cast())
        })
    }
}
