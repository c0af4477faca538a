// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A thread can only borrow values that exist before the scope, not those inside of it.

use core::hint::black_box;
use kernel::{
    kthread,
    prelude::*, //
};

fn case() -> Result {
    let before = 5;
    let before = &before;
    kthread::scope(|scope| {
        let inside = 5;
        let inside = &inside; //~ error[E0597]: `inside` does not live long enough: borrowed value does not live long enough
        #[cfg(not(control))]
        scope.spawn(c"thread", move || drop(black_box(inside)))?;
        #[cfg(control)]
        scope.spawn(c"thread", move || drop(black_box(before)))?;
        drop(black_box(inside));
        Ok(())
    })
}
