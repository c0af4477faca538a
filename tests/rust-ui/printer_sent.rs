// SPDX-License-Identifier: GPL-2.0 OR MIT
//! What is printed, is printed while DRM waits for it, by the thread that it asks.

use kernel::{
    drm::Printer,
    kthread,
    prelude::*, //
};

fn case(printer: &mut Printer<'_>) -> Result {
    kthread::scope(|scope| {
        #[cfg(not(control))]
        scope.spawn(c"thread", || printer.write_fmt(fmt!("late")))?; //~ error[E0277]: cannot be sent between threads safely
        #[cfg(control)]
        printer.write_fmt(fmt!("in time"));
        Ok(())
    })
}
