// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Which module some code belongs to.
//!
//! Nothing here is generic, nor inlined elsewhere, so that all of it is part of the kernel image.

use crate::{
    bindings,
    prelude::*, //
};
#[cfg(CONFIG_MODULES)]
use crate::{
    ffi::c_ulong,
    sync::rcu, //
};
use core::ptr;

/// The module that the function at `code` belongs to, or null if that is built in.
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
        ptr::null_mut()
    }
}

/// Whether `module` is the one that the function at `code` belongs to; null is for what is built in.
///
/// Nothing would keep code whose owner is another module from going.
#[inline(never)]
pub(crate) fn is_owner(module: *const bindings::module, code: *const ()) -> bool {
    ptr::eq(module, owner_of(code))
}

/// A reference to the module that the function at `code` belongs to; null if that is built in.
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

/// A module that doesn't go meanwhile.
///
/// # Invariants
///
/// A reference to the module belongs to this, unless it is null.
pub(crate) struct Kept(*mut bindings::module);

impl Kept {
    /// The module that the function at `code` belongs to, which the caller runs.
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

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, this is our reference.
        unsafe { bindings::module_put(self.0) };
    }
}
