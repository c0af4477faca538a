// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The argument of an ioctl has no padding, which a program could read.

use kernel::prelude::*;

#[derive(FromBytes, IntoBytes)] //~ error[E0277]: `Args` has 4 total byte(s) of padding
#[repr(C)]
struct Args {
    value: u64,
    flags: u32,
    #[cfg(control)]
    pad: u32,
    #[cfg(not(control))]
    none: (),
}
