// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Registration data can't be stored where it outlives the registration.

include!("common/borrower.rs");

fn keep(_parent: &'static Device<Bound>) {}

fn handler(_dev: &drm::Device<Mine, drm::Registered>, hardware: &Hardware<'_>) {
    #[cfg(not(control))]
    keep(hardware.0); //~ error[E0521]: borrowed data escapes outside of function: `hardware` escapes the function body here
}
