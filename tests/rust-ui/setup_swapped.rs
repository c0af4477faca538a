// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Two devices that are being made don't get into each other's way.

use core::mem::swap;
use kernel::{
    drm::ttm::fixture,
    prelude::*, //
};

fn case() -> Result {
    fixture::Device::with(|outer| {
        fixture::Device::with(|inner| {
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
