// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The lifetime of a transaction can't be shortened, as it keeps its objects borrowed.

use kernel::drm::ttm::Transaction;

fn case<'short, 'env: 'short>(tx: &'short Transaction<'env>) {
    #[cfg(not(control))]
    let _: &'short Transaction<'short> = tx; //~ error: lifetime may not live long enough: type annotation requires that `'short` must outlive `'env`
    #[cfg(control)]
    let _: &'short Transaction<'env> = tx;
}
