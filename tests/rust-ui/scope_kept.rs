// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A thread can't be started after the scope has waited for all of them.

use core::cell::Cell;
use kernel::{
    kthread::{self, Scope},
    prelude::*, //
};

fn case<'a>(kept: &Cell<Option<&'a Scope<'a, 'a>>>) -> Result {
    kthread::scope(|scope| {
        #[cfg(not(control))]
        kept.set(Some(scope)); //~ error[E0521]: borrowed data escapes outside of closure: `scope` escapes the closure body here
        #[cfg(control)]
        kept.set(None);
        scope.spawn(c"thread", || ())
    })
}
