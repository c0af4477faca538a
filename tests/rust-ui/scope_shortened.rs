// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A scope isn't taken for one that ends earlier: its threads would borrow what is gone before they
//! end.

use kernel::kthread::Scope;

fn case<'short, 'scope: 'short>(scope: &'scope Scope<'scope, 'scope>) {
    #[cfg(not(control))]
    let _: &'short Scope<'short, 'scope> = scope; //~ error: lifetime may not live long enough: type annotation requires that `'short` must outlive `'scope`
    #[cfg(control)]
    let _: &'short Scope<'scope, 'scope> = scope;
}
