// SPDX-License-Identifier: GPL-2.0 OR MIT
//! What is to be done when a fence is signaled may be done after all that is borrowed has gone.

use kernel::{
    dma_fence::{Wake, Waker},
    prelude::*, //
};

struct Sleeper<'a>(&'a u32);

#[cfg(not(control))]
impl<'a> Wake for Sleeper<'a> {
    //~^ error[E0478]: lifetime bound not satisfied
    //~^^ error[E0495]: cannot infer an appropriate lifetime for lifetime parameter `'a` due to conflicting requirements
    fn wake(_waker: KBox<Waker<Self>>) {}
}
