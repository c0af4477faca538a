// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Two devices that are being made can't be swapped.

use core::mem::swap;
use kernel::{
    drm::ttm::test_device,
    prelude::*, //
};

fn case() -> Result {
    test_device::Device::with(|outer| {
        test_device::Device::with(|inner| {
            #[cfg(not(control))]
            swap(outer, inner);
            //~^ error[E0521]: borrowed data escapes outside of closure: `inner` escapes
            //~^^ error[E0521]: borrowed data escapes outside of closure: `outer` escapes
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}
