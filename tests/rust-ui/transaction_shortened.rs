// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A transaction isn't taken for one that needs its objects for less long.

use kernel::drm::ttm::Transaction;

fn case<'short, 'env: 'short>(tx: &'short Transaction<'env>) {
    #[cfg(not(control))]
    let _: &'short Transaction<'short> = tx; //~ error: lifetime may not live long enough: type annotation requires that `'short` must outlive `'env`
    #[cfg(control)]
    let _: &'short Transaction<'env> = tx;
}
