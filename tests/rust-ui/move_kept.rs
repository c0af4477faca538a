// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A driver can't keep the `Move` that it is lent.

use core::cell::Cell;
use kernel::{
    drm::ttm::{Move, MoveBy},
    prelude::*, //
};

fn case<'a>(mv: &mut Move<'_>, kept: &Cell<Option<&'a Move<'a>>>) -> Result<MoveBy> {
    #[cfg(not(control))]
    kept.set(Some(mv));
    //~^ error[E0621]: explicit lifetime required in the type of `mv`
    #[cfg(control)]
    kept.set(None);
    Ok(MoveBy::Memcpy)
}
