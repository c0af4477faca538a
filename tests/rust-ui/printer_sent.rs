// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A printer is used by the thread that DRM calls, so it can't be sent.

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
