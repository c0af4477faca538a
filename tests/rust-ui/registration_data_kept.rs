// SPDX-License-Identifier: GPL-2.0 OR MIT
//! What it gets can't be kept where others find it later.

include!("common/borrower.rs");

fn keep(_parent: &'static Device<Bound>) {}

fn handler(_dev: &drm::Device<Mine, drm::Registered>, hardware: &Hardware<'_>) {
    #[cfg(not(control))]
    keep(hardware.0); //~ error[E0521]: borrowed data escapes outside of function: `hardware` escapes the function body here
}
