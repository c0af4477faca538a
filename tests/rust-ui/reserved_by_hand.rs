// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Safe code can't claim that a reservation is held.

use kernel::{
    drm::ttm::{test_device, Object, Reserved},
    types::NotThreadSafe, //
};

fn case(obj: &Object<test_device::BufferData>) {
    #[cfg(not(control))]
    let _reserved = Reserved {
        inner: obj, //~ error[E0451]: field `inner` of struct `Reserved` is private
        resv: core::ptr::null_mut(), //~ error[E0451]: field `resv` of struct `Reserved` is private
        lender: None,
        //~^ error[E0451]: field `lender` of struct `Reserved` is private
        //~^^ error: type `ttm::contention::Contention` is private
        _not_send: NotThreadSafe, //~ error[E0451]: field `_not_send` of struct `Reserved` is private
    };
    #[cfg(control)]
    let _reserved = obj.reserve();
}
