// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A transaction can't be used by another thread.

use kernel::{
    drm::ttm::{test_device, Object, Transaction},
    kthread,
    prelude::*, //
};

fn case<'env>(tx: &Transaction<'env>, obj: &'env Object<test_device::BufferData>) -> Result {
    kthread::scope(|scope| {
        #[cfg(not(control))]
        scope.spawn(c"thread", || drop(tx.reserve(obj)))?; //~ error[E0277]: cannot be shared between threads safely
        #[cfg(control)]
        scope.spawn(c"thread", || drop(obj.reserve()))?;
        drop(tx.reserve(obj));
        Ok(())
    })
}
