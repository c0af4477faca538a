// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The lifetime of a scope can't be shortened, as its threads could then borrow values that go
//! before they end.

use kernel::kthread::Scope;

fn case<'short, 'scope: 'short>(scope: &'scope Scope<'scope, 'scope>) {
    #[cfg(not(control))]
    let _: &'short Scope<'short, 'scope> = scope; //~ error: lifetime may not live long enough: type annotation requires that `'short` must outlive `'scope`
    #[cfg(control)]
    let _: &'short Scope<'scope, 'scope> = scope;
}
