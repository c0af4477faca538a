// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The argument of an ioctl is known to be just bytes. The macro's line is reported, not one here:
//~^^^ error[E0277]: the trait bound `Others: zerocopy::IntoBytes` is not satisfied

use kernel::{
    drm::{
        self,
        ioctl,
        ttm::test_device::Driver, //
    },
    prelude::*, //
};

mod uapi {
    use kernel::{
        drm::ioctl::IOWR,
        prelude::*,
        uapi::DRM_COMMAND_BASE, //
    };

    #[derive(FromBytes, IntoBytes)]
    #[repr(C)]
    pub(crate) struct Bytes(u64);

    #[derive(FromBytes)]
    #[repr(C)]
    pub(crate) struct Others(u64);

    pub(crate) const DRM_IOCTL_CASE: u32 = IOWR::<u64>(DRM_COMMAND_BASE);

    #[cfg(control)]
    pub(crate) use Bytes as Args;
    #[cfg(not(control))]
    pub(crate) use Others as Args;
}

fn handler(
    _: &drm::Device<Driver, drm::Registered>,
    _: &(),
    _: &mut uapi::Args,
    _: &drm::File<<Driver as drm::Driver>::File>,
) -> Result<u32> {
    Ok(0)
}

struct Case;

impl Case {
    kernel::declare_drm_ioctls! {
        in uapi;
        (CASE, Args, ioctl::RENDER_ALLOW, handler),
    }
}
