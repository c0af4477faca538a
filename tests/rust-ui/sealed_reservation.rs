// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A driver can't implement `HasResv`.

use kernel::drm::ttm::HasResv;

struct Mine;

#[cfg(not(control))]
impl HasResv for Mine {} //~ error[E0277]: RawResv` is not satisfied
