// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A waker can't be used once the fence has it.

use kernel::{
    dma_fence::{Fence, Wake, Waker},
    prelude::*, //
};

fn case<T: Wake>(fence: &Fence, waker: KBox<Waker<T>>) {
    let waiting = fence.wake(waker);
    #[cfg(not(control))]
    let _ = fence.wake(waker); //~ error[E0382]: use of moved value: `waker`
    #[cfg(control)]
    let _ = waiting.map_err(|waker| fence.wake(waker));
}
