// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Helpers of the virtual GPU vttm. No other driver should use them.
//!
//! vttm has no `unsafe` code, so this lies here. Nothing of it is an interface: it is built for
//! vttm and for tests only, and goes when the kernel has the same for all drivers.

mod ordered;
mod registered;

pub use self::{
    ordered::OrderedQueue, //
    registered::RegisteredDevice,
};
