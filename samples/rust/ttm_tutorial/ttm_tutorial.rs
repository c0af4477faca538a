// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A virtual GPU with 1 MiB of VRAM: see Documentation/gpu/ttm-rust-tutorial.rst.

use kernel::{
    device::DeviceContext,
    drm::{self, gem::BaseObject, ioctl, ttm},
    faux,
    prelude::*, //
};

/// What programs see, as in ttm_tutorial_drm.h.
mod uapi {
    use kernel::{drm::ioctl::IOWR, prelude::*, uapi::DRM_COMMAND_BASE};

    #[derive(FromBytes, IntoBytes)]
    #[repr(C)]
    pub(crate) struct Buffer {
        pub(crate) size: u64,
        pub(crate) offset: u64,
        pub(crate) handle: u32,
        pub(crate) in_vram: u32,
    }

    pub(crate) const DRM_IOCTL_TUTORIAL_CREATE: u32 = IOWR::<Buffer>(DRM_COMMAND_BASE);
    pub(crate) const DRM_IOCTL_TUTORIAL_MOVE: u32 = IOWR::<Buffer>(DRM_COMMAND_BASE + 1);
    pub(crate) const DRM_IOCTL_TUTORIAL_EVICT: u32 = IOWR::<Buffer>(DRM_COMMAND_BASE + 2);
}

struct Tutorial;

type Device = drm::Device<Tutorial, drm::Registered>;
type File = drm::File<ttm::NoData<Tutorial>>;
type Buffer = ttm::Object<ttm::NoData<Tutorial>>;

impl Tutorial {
    fn create(dev: &Device, _data: &(), args: &mut uapi::Buffer, file: &File) -> Result<u32> {
        let config = ttm::ObjectConfig {
            placement: ttm::Placement::VRAM,
            ..Default::default()
        };
        let mut ctx = ttm::OperationCtx::new().interruptible();
        let buffer = Buffer::new(dev, args.size.try_into()?, &config, &mut ctx, ())?;
        args.offset = buffer.create_mmap_offset()?;
        args.handle = buffer.create_handle(file)?;
        Ok(0)
    }

    fn move_to(_dev: &Device, _data: &(), args: &mut uapi::Buffer, file: &File) -> Result<u32> {
        let to = match args.in_vram {
            0 => ttm::Placement::SYSTEM,
            _ => ttm::Placement::VRAM,
        };
        let mut ctx = ttm::OperationCtx::new().interruptible();
        let buffer = Buffer::lookup_handle(file, args.handle)?;
        buffer.reserve_interruptible()?.validate(to, &mut ctx)?;
        Ok(0)
    }

    fn evict(dev: &Device, _data: &(), args: &mut uapi::Buffer, _file: &File) -> Result<u32> {
        let vram = dev.manager(ttm::MemType::VRAM).ok_or(ENODEV)?;
        vram.evict_all()?;
        args.size = vram.usage();
        Ok(0)
    }
}

#[vtable]
impl drm::Driver for Tutorial {
    type Data = ttm::Device<Self>;
    type RegistrationData<'a> = ();
    type File = ttm::NoData<Self>;
    type Object = Buffer;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 1,
        minor: 0,
        patchlevel: 0,
        name: c"ttm_tutorial",
        desc: c"The driver of the TTM tutorial",
    };
    const FEAT_RENDER: bool = true;

    kernel::declare_drm_ioctls! {
        in uapi;
        (TUTORIAL_CREATE, Buffer, ioctl::RENDER_ALLOW, Tutorial::create),
        (TUTORIAL_MOVE, Buffer, ioctl::RENDER_ALLOW, Tutorial::move_to),
        (TUTORIAL_EVICT, Buffer, ioctl::RENDER_ALLOW, Tutorial::evict),
    }
}

#[vtable]
impl ttm::Driver for Tutorial {
    type BufferData = ttm::NoData<Self>;
    type DeviceData = ();
}

struct Module {
    _gpu: ttm::FauxRegistration<Tutorial>,
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let _gpu = ttm::FauxRegistration::new(c"ttm_tutorial", |parent| {
            ttm::Device::new(parent, Ok(()), |setup| {
                setup.range_manager(ttm::MemType::VRAM, 1 << 20, ttm::Backing::Emulated)
            })
        })?;
        Ok(Self { _gpu })
    }
}

module! {
    type: Module,
    name: "ttm_tutorial",
    authors: ["You"],
    description: "The driver of the TTM tutorial",
    license: "Dual MIT/GPL",
}
