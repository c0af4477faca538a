// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A program can write any value to the argument of an ioctl.

use kernel::prelude::*;

#[derive(FromBytes)] //~ error[E0277]: the trait bound `bool: zerocopy::FromBytes` is not satisfied
#[repr(C)]
struct Args {
    #[cfg(not(control))]
    flag: bool,
    #[cfg(control)]
    flag: u8,
}
