// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A manager lives as long as its device, so it can't borrow.

use core::ops::Range;
use kernel::{
    drm::ttm::{ManagerOps, Request},
    prelude::*, //
};

struct Ops<'a>(&'a u64);

#[cfg(not(control))]
impl<'a> ManagerOps for Ops<'a> {
    //~^ error[E0478]: lifetime bound not satisfied
    //~^^ error[E0495]: cannot infer an appropriate lifetime for lifetime parameter `'a` due to conflicting requirements
    type Space = Range<u64>;

    fn alloc(&self, request: &Request<'_>) -> Result<Self::Space> {
        //~^ error[E0477]: the type `Ops<'_>` does not fulfill the required lifetime
        //~^^ error[E0495]: cannot infer an appropriate lifetime for lifetime parameter `'a` due to conflicting requirements
        Ok(*self.0..*self.0 + request.pages() as u64)
    }

    fn start(&self, space: &Self::Space) -> u64 {
        //~^ error[E0477]: the type `Ops<'_>` does not fulfill the required lifetime
        //~^^ error[E0495]: cannot infer an appropriate lifetime for lifetime parameter `'a` due to conflicting requirements
        space.start
    }
}
