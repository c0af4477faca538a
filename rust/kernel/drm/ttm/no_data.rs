// SPDX-License-Identifier: GPL-2.0 OR MIT

//! What a driver uses that keeps nothing with a buffer, or with an open file.

use super::{
    Driver,
    DriverObject, //
};
use crate::{
    drm::{
        self,
        file::DriverFile,
        gem, //
    },
    prelude::*, //
};
use core::marker::PhantomData;

/// The part of the driver `T` in a buffer or in an open file, if it keeps nothing there.
///
/// Use it as [`Driver::BufferData`], as [`drm::Driver::File`], or as both.
///
/// # Examples
///
/// ```
/// # use kernel::{
/// #     device::DeviceContext,
/// #     drm::{self, ioctl, ttm},
/// #     faux,
/// #     prelude::*,
/// #     sizes::SZ_1M, //
/// # };
/// #
/// mod uapi {
///     # use kernel::{drm::ioctl::IOWR, prelude::*, uapi::DRM_COMMAND_BASE};
///     #[derive(FromBytes, IntoBytes)]
///     #[repr(C)]
///     pub(crate) struct VramUsed {
///         pub(crate) bytes: u64,
///     }
///
///     pub(crate) const DRM_IOCTL_VRAM_USED: u32 = IOWR::<VramUsed>(DRM_COMMAND_BASE);
/// }
///
/// struct MyDriver;
///
/// impl MyDriver {
///     fn vram_used(
///         dev: &drm::Device<Self, drm::Registered>,
///         _data: &(),
///         args: &mut uapi::VramUsed,
///         _file: &drm::File<ttm::NoData<Self>>,
///     ) -> Result<u32> {
///         args.bytes = dev.manager(ttm::MemType::VRAM).ok_or(ENODEV)?.usage();
///         Ok(0)
///     }
/// }
///
/// #[vtable]
/// impl drm::Driver for MyDriver {
///     type Data = ttm::Device<Self>;
///     type Object = ttm::Object<ttm::NoData<Self>>;
///     type RegistrationData<'a> = ();
///     type File = ttm::NoData<Self>;
///     type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;
///
///     const INFO: drm::DriverInfo = drm::DriverInfo {
///         major: 1,
///         minor: 0,
///         patchlevel: 0,
///         name: c"my-driver",
///         desc: c"An example",
///     };
///
///     kernel::declare_drm_ioctls! {
///         in uapi;
///         (VRAM_USED, VramUsed, ioctl::RENDER_ALLOW, MyDriver::vram_used),
///     }
/// }
///
/// #[vtable]
/// impl ttm::Driver for MyDriver {
///     type BufferData = ttm::NoData<Self>;
///     type DeviceData = ();
/// }
///
/// let parent = faux::Registration::new(c"my-driver", None)?;
/// let dev = ttm::Device::<MyDriver>::new(parent.as_ref(), Ok(()), |setup| {
///     setup.range_manager(ttm::MemType::TT, SZ_1M, ttm::Backing::Pages)
/// })?;
/// let config = ttm::ObjectConfig::<ttm::NoData<MyDriver>>::default();
/// let obj = ttm::Object::new(&dev, 0x1000, &config, &mut ttm::OperationCtx::new(), ())?;
/// assert_eq!(obj.reserve().mem_type(), Some(ttm::MemType::SYSTEM));
///
/// assert_eq!(<MyDriver as drm::Driver>::IOCTLS[0].cmd, uapi::DRM_IOCTL_VRAM_USED);
/// # Ok::<(), Error>(())
/// ```
pub struct NoData<T>(PhantomData<fn() -> T>);

impl<T: Driver<BufferData = Self>> gem::DriverObject for NoData<T> {
    type Driver = T;
    type Args = ();

    fn new(_dev: &drm::Device<T>, _size: usize, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self(PhantomData))
    }
}

impl<T: Driver<BufferData = Self>> DriverObject for NoData<T> {}

impl<T: drm::Driver<File = Self>> DriverFile for NoData<T> {
    type Driver = T;

    fn open(_dev: &drm::Device<T>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self(PhantomData), GFP_KERNEL)?.into())
    }
}
