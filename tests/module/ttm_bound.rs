// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A driver from outside of the tree whose data borrows from the device that it is bound to.
//!
//! It drives any platform device with a matching `driver_override`. Its one ioctl, Nova's
//! `getparam`, returns how often it was called since the device was bound.

#![forbid(unsafe_code)]

use kernel::{
    device::{
        Bound,
        Core,
        DeviceContext, //
    },
    drm::{
        self,
        ioctl,
        ttm, //
    },
    platform,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    uapi, //
};

#[path = "plain.rs"]
mod plain;

use plain::{
    Buffer,
    File, //
};

kernel::module_platform_driver! {
    type: Bus,
    name: "ttm_bound",
    authors: ["The Hitch developers"],
    description: "A TTM driver that borrows the device which it is bound to",
    license: "Dual MIT/GPL",
}

struct Bus;

struct Driver;

/// The data of a bound device. A real driver has its registers here.
struct Hardware<'bound> {
    parent: &'bound platform::Device<Bound>,
    uses: Atomic<u64>,
}

impl Drop for Hardware<'_> {
    fn drop(&mut self) {
        let uses = self.uses.load(Relaxed);

        dev_info!(self.parent, "let go after {uses}\n");
    }
}

impl platform::Driver for Bus {
    type IdInfo = ();
    type Data<'bound> = Self;

    fn probe<'bound>(
        dev: &'bound platform::Device<Core<'_>>,
        _info: Option<&'bound ()>,
    ) -> impl PinInit<Self, Error> + 'bound {
        register(dev).map(|()| Self)
    }
}

fn register(dev: &platform::Device<Core<'_>>) -> Result {
    let drm = ttm::Device::<Driver>::new(dev, Ok(()), |_| Ok(()))?;

    ttm::register(dev.as_ref(), drm, |parent| {
        let uses = Atomic::new(0);

        KBox::pin_init(Hardware { parent, uses }, GFP_KERNEL)
    })?;
    Ok(())
}

impl Driver {
    fn param(
        _dev: &drm::Device<Driver, drm::Registered>,
        hardware: &Hardware<'_>,
        args: &mut uapi::drm_nova_getparam,
        _file: &drm::File<File>,
    ) -> Result<u32> {
        args.value = hardware.uses.fetch_add(1, Relaxed) + 1;
        dev_dbg!(hardware.parent, "used\n");
        Ok(0)
    }
}

#[vtable]
impl drm::Driver for Driver {
    type Data = ttm::Device<Self>;
    type RegistrationData<'a> = Hardware<'a>;
    type File = File;
    type Object = ttm::Object<Buffer>;
    type ParentDevice<Ctx: DeviceContext> = platform::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"ttm_bound",
        desc: c"A TTM driver that borrows the device which it is bound to",
    };
    const FEAT_RENDER: bool = true;

    kernel::declare_drm_ioctls! {
        (NOVA_GETPARAM, drm_nova_getparam, ioctl::RENDER_ALLOW, Driver::param),
    }
}

#[vtable]
impl ttm::Driver for Driver {
    type BufferData = Buffer;
    type DeviceData = ();
}
