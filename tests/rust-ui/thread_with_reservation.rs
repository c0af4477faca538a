// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A thread can't use the reservations of the thread that started it.

use kernel::{
    drm::ttm::{test_device, Object},
    kthread,
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result {
    let reserved = obj.reserve();
    let size = obj.buffer().size();
    kthread::scope(|scope| {
        #[cfg(not(control))]
        scope.spawn(c"thread", || drop(reserved))?;
        //~^ error[E0277]: cannot be sent between threads safely
        //~^^ error[E0277]: `UnsafeCell<*mut ttm_buffer_object>` cannot be shared between threads safely
        #[cfg(control)]
        scope.spawn(c"thread", || drop(size))?;
        Ok(())
    })
}
