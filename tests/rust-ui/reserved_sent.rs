// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A reservation can't be sent to another thread.

use kernel::{
    drm::ttm::{test_device, Object},
    sync::aref::ARef, //
};

fn send<T: Send>(_: T) {}

fn case(obj: ARef<Object<test_device::BufferData>>) {
    #[cfg(not(control))]
    send(obj.reserve());
    //~^ error[E0277]: `*mut dma_resv` cannot be sent between threads safely
    //~^^ error[E0277]: `*mut ()` cannot be sent between threads safely
    //~^^^ error[E0277]: `UnsafeCell<*mut ttm_buffer_object>` cannot be shared between threads safely
    #[cfg(control)]
    send(obj);
}
