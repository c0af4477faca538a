// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The thread that frees a buffer frees its space, so the space must be `Send`.

use kernel::{
    drm::ttm::{test_device, ManagerOps, Object, Request, Reserved},
    prelude::*, //
};

struct Ops;

impl ManagerOps for Ops {
    #[cfg(not(control))]
    type Space = Option<Reserved<'static, Object<test_device::BufferData>>>;
    //~^ error[E0277]: cannot be shared between threads safely
    //~^^ error[E0277]: cannot be sent between threads safely
    #[cfg(control)]
    type Space = Option<u64>;

    fn alloc(&self, _request: &Request<'_>) -> Result<Self::Space> {
        Ok(None)
    }

    fn start(&self, _space: &Self::Space) -> u64 {
        0
    }
}
