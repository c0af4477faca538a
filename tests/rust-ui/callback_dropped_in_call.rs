// SPDexpected a closure that implements the `FnMut` trait, but this closure only implements
// `FnOnce`-License-Identifier: GPL-2.0 OR MIT
//! A callback is called by reference, so its values can't be dropped by accident with the fence's
//! lock held.

use kernel::{
    dma_fence::{Fence, FenceCallback},
    prelude::*,
    sync::aref::ARef, //
};

fn case(other: ARef<Fence>) -> Result {
    #[cfg(not(control))]
    FenceCallback::new(move || drop(other))?; //~ error[E0525]: expected a closure that implements the `FnMut` trait, but this closure only implements `FnOnce`
    #[cfg(control)]
    {
        let mut other = Some(other);
        FenceCallback::new(move || drop(other.take()))?;
    }
    Ok(())
}
