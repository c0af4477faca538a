// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Registration data can't outlive the call of an ioctl handler.

include!("common/borrower.rs");

fn case(dev: &drm::Device<Mine, drm::Registered>) -> usize {
    #[cfg(not(control))]
    let parent = dev.registration_data_with(|hardware| hardware.0); //~ error: lifetime may not live long enough: returning this value requires that `'1` must outlive `'2`
    #[cfg(control)]
    let parent = dev.as_ref().as_ref();
    let parent: &Device<Bound> = parent;
    parent.name().count_bytes()
}
