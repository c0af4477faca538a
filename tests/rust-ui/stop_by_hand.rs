// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Safe code can't claim that a reservation is contended.

use kernel::drm::ttm::Stop;

fn case() -> Stop {
    #[cfg(not(control))]
    let stop = Stop(None); //~ error[E0423]: cannot initialize a tuple struct which contains private fields
    #[cfg(control)]
    let stop = Stop::from(kernel::error::code::EINVAL);
    stop
}
