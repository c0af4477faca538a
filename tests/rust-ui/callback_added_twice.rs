// SPDuse of moved value: `callback`-License-Identifier: GPL-2.0 OR MIT
//! A callback can be added to one fence only.

use kernel::dma_fence::{
    Fence,
    FenceCallback,
    FenceCb, //
};

fn case<T: FenceCb>(fence: &Fence, callback: FenceCallback<T>) {
    let added = fence.add_callback(callback);
    #[cfg(not(control))]
    let _ = fence.add_callback(callback); //~ error[E0382]: use of moved value: `callback`
    #[cfg(control)]
    let _ = added.map_err(|callback| fence.add_callback(callback));
}
