// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The trait behind it has a name that drivers can't say.

#[cfg(not(control))]
use kernel::drm::ttm::resv::private::RawResv; //~ error[E0603]: module `resv` is private
#[cfg(control)]
use kernel::drm::ttm::Reserve;
