// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Registration data can't outlive its guard.

include!("common/borrower.rs");

fn case(dev: &drm::Device<Mine, drm::Ioctl>) -> Result {
    let guard = dev.registration_guard().ok_or(ENODEV)?;
    let registered: &drm::Device<Mine, drm::Registered> = &guard;

    #[cfg(not(control))]
    drop(guard); //~ error[E0505]: cannot move out of `guard` because it is borrowed
    registered.registration_data_with(|hardware| hardware.0.name().count_bytes());
    Ok(())
}
