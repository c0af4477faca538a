// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A driver can't implement `Reserve`.

use kernel::drm::ttm::Reserve;

struct Mine;

#[cfg(not(control))]
impl Reserve for Mine {} //~ error[E0277]: RawResv` is not satisfied
