// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A driver can't name the trait behind `HasResv`.

#[cfg(not(control))]
use kernel::drm::ttm::resv::private::RawResv; //~ error[E0603]: module `resv` is private
#[cfg(control)]
use kernel::drm::ttm::HasResv;
