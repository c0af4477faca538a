// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A waker may run after all borrows have ended, so it can't borrow.

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
