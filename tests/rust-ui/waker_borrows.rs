// SPDX-License-Identifier: GPL-2.0 OR MIT
//! What is to be done when a fence is signaled may be done after all that is borrowed has gone.

use kernel::{
    dma_fence::{Wake, Waker},
    prelude::*, //
};

#[allow(unused_macros)]
#[macro_use]
#[path = "common/driver.rs"]
mod driver;

struct Sleeper<'a>(&'a u32);

#[cfg(not(control))]
#[vtable]
impl<'a> Wake for Sleeper<'a> {
    //~^ error[E0478]: lifetime bound not satisfied
    //~^^ error[E0495]: cannot infer an appropriate lifetime for lifetime parameter `'a` due to conflicting requirements
    type OwnerModule = driver::Module;

    fn wake(_waker: KBox<Waker<Self>>) {}
}
