// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Many threads call a manager, so it must be `Sync`.

use core::cell::Cell;
use kernel::{
    drm::ttm::{ManagerOps, Request},
    prelude::*,
    sync::atomic::Atomic, //
};

struct Once {
    #[cfg(not(control))]
    next: Cell<u64>,
    #[cfg(control)]
    next: Atomic<u64>,
}

impl ManagerOps for Once {
    //~^ error[E0277]: `Cell<u64>` cannot be shared between threads safely
    type Space = u64;

    fn alloc(&self, _request: &Request<'_>) -> Result<u64> {
        Err(ENOSPC)
    }

    fn start(&self, space: &u64) -> u64 {
        *space
    }
}
