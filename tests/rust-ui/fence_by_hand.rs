// SPDfield `_data` of struct `DriverFence` is private-License-Identifier: GPL-2.0 OR MIT
//! A `Fence` can't be turned into a `DriverFence`.

use core::marker::PhantomData;
use kernel::{
    dma_fence::{DriverFence, Fence},
    sync::aref::ARef, //
};

fn case(fence: &ARef<Fence>, work: DriverFence) {
    #[cfg(not(control))]
    let work = DriverFence::<()> {
        fence: fence.clone(), //~ error[E0451]: field `fence` of struct `DriverFence` is private
        _data: PhantomData,   //~ error[E0451]: field `_data` of struct `DriverFence` is private
    };
    work.signal(Ok(()));
}
