// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Looks up, and keeps, the module that some code belongs to.
//!
//! Nothing here is generic or inlined elsewhere, so all of it is part of the kernel image.

use crate::{
    bindings,
    prelude::*, //
};
#[cfg(CONFIG_MODULES)]
use crate::{
    ffi::c_ulong,
    sync::rcu, //
};

/// The module that the function at `code` belongs to, or null if the function is built in.
///
/// The caller runs that module's code, or has a reference to the module.
#[inline(never)]
pub(crate) fn owner_of(code: *const ()) -> *mut bindings::module {
    #[cfg(CONFIG_MODULES)]
    {
        let _guard = rcu::read_lock();

        // CAST: The address of a function.
        // SAFETY: RCU is locked for reading; any address will do.
        unsafe { bindings::__module_text_address(code.addr() as c_ulong) }
    }
    #[cfg(not(CONFIG_MODULES))]
    {
        let _ = code;
        core::ptr::null_mut()
    }
}

/// Whether the function at `code` belongs to `module`, or is built in if that is null.
///
/// If a driver named another module as its owner, nothing would keep the code.
#[cfg(CONFIG_RUST_DRM_TTM)]
#[inline(never)]
pub(crate) fn is_owner(module: *const bindings::module, code: *const ()) -> bool {
    core::ptr::eq(module, owner_of(code))
}

/// A reference to the module that the function at `code` belongs to; null if the function is built
/// in.
///
/// # Errors
///
/// [`ENODEV`] if the module's exit has begun.
#[inline(never)]
pub(crate) fn get_owner_of(code: *const ()) -> Result<*mut bindings::module> {
    let module = owner_of(code);

    // SAFETY: It is null, or a module whose code the caller runs, so it is there.
    if unsafe { bindings::try_module_get(module) } {
        Ok(module)
    } else {
        Err(ENODEV)
    }
}

/// Keeps a module from being unloaded until this is dropped.
///
/// # Invariants
///
/// A reference to the module belongs to this, unless the pointer is null.
#[cfg(CONFIG_RUST_DRM_TTM)]
pub(crate) struct Kept(*mut bindings::module);

#[cfg(CONFIG_RUST_DRM_TTM)]
impl Kept {
    /// Keeps the module that the function at `code` belongs to. The caller runs code of that
    /// module.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if its exit has begun.
    #[inline(never)]
    pub(crate) fn new(code: *const ()) -> Result<Self> {
        // INVARIANT: The reference was just taken.
        Ok(Self(get_owner_of(code)?))
    }
}

#[cfg(CONFIG_RUST_DRM_TTM)]
impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, this is our reference.
        unsafe { bindings::module_put(self.0) };
    }
}
