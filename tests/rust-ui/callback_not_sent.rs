// SPD`*mut ()` cannot be sent between threads safely-License-Identifier: GPL-2.0 OR MIT
//! A callback runs in the thread that signals the fence, so it must be `Send`.

use kernel::{
    dma_fence::FenceCallback,
    prelude::*,
    sync::rcu, //
};

fn case() -> Result {
    let guard = rcu::read_lock();

    #[cfg(not(control))]
    FenceCallback::new(move || {
        //~^ error[E0277]: `*mut ()` cannot be sent between threads safely
        let _ = &guard;
    })?;
    #[cfg(control)]
    drop(guard);
    Ok(())
}
