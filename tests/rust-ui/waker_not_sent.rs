// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A waker runs in the thread that signals the fence, so it must be `Send`.

use kernel::{
    dma_fence::{Wake, Waker},
    drm::ttm::{test_device, Object, Reserved},
    prelude::*, //
};

struct Sleeper(#[cfg(not(control))] Option<Reserved<'static, Object<test_device::BufferData>>>);

impl Wake for Sleeper {
    //~^ error[E0277]: cannot be sent between threads safely
    //~^^ error[E0277]: `UnsafeCell<*mut ttm_buffer_object>` cannot be shared between threads safely
    fn wake(_waker: KBox<Waker<Self>>) {}
}
