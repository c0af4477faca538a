// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Whoever signals a fence, in whatever thread, runs the waker.

use kernel::{
    dma_fence::{Wake, Waker},
    drm::ttm::{fixture, Object, Reserved},
    prelude::*, //
};

#[allow(unused_macros)]
#[macro_use]
#[path = "common/driver.rs"]
mod driver;

struct Sleeper(#[cfg(not(control))] Option<Reserved<'static, Object<fixture::BufferData>>>);

#[vtable]
impl Wake for Sleeper {
    //~^ error[E0277]: cannot be sent between threads safely
    type OwnerModule = driver::Module;

    fn wake(_waker: KBox<Waker<Self>>) {}
}
