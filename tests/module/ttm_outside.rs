// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A driver from outside of the tree that uses only the public API of the kernel crate.
//!
//! A virtual device with 1 MiB of VRAM that the buddy allocator manages. Programs create buffers
//! there and map them; they also ask for all to be evicted, or brought back. As its ioctls have no
//! header of their own, they are Nova's: `gem_create` as there, `gem_info` returns the offset where
//! a buffer can be mapped, and `getparam` selects a function by its number.

#![forbid(unsafe_code)]

use core::pin::pin;
use kernel::{
    debugfs,
    device::DeviceContext,
    drm::{
        self,
        gem::BaseObject,
        ioctl,
        ttm, //
    },
    faux,
    io::Io,
    new_mutex,
    prelude::*,
    sizes::SZ_1M,
    sync::{
        aref::ARef,
        Mutex, //
    },
    uapi, //
};

#[path = "plain.rs"]
mod plain;

use plain::{
    Buffer,
    File, //
};

module! {
    type: Outside,
    name: "ttm_outside",
    authors: ["The Hitch developers"],
    description: "A TTM driver from outside of the tree",
    license: "Dual MIT/GPL",
}

/// The functions of `getparam`.
const EVICT: u64 = 1;
const BRING_BACK: u64 = 2;

struct Driver;

type Object = ttm::Object<Buffer>;

/// The driver's part of a device: the buffers that programs have created.
#[pin_data]
struct Data {
    #[pin]
    handles: Mutex<KVec<u32>>,
}

#[vtable]
impl drm::Driver for Driver {
    type Data = ttm::Device<Self>;
    type RegistrationData<'a> = ();
    type File = File;
    type Object = Object;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"ttm_outside",
        desc: c"A TTM driver from outside of the tree",
    };
    const FEAT_RENDER: bool = true;

    kernel::declare_drm_ioctls! {
        (NOVA_GETPARAM, drm_nova_getparam, ioctl::RENDER_ALLOW, File::param),
        (NOVA_GEM_CREATE, drm_nova_gem_create, ioctl::RENDER_ALLOW, File::create),
        (NOVA_GEM_INFO, drm_nova_gem_info, ioctl::RENDER_ALLOW, File::offset),
    }
}

#[vtable]
impl ttm::Driver for Driver {
    type BufferData = Buffer;
    type DeviceData = Data;
}

impl File {
    fn create(
        dev: &drm::Device<Driver, drm::Registered>,
        _data: &(),
        args: &mut uapi::drm_nova_gem_create,
        file: &drm::File<File>,
    ) -> Result<u32> {
        let obj = in_vram(dev, args.size.try_into()?)?;

        args.handle = obj.create_handle(file)?;
        dev.handles.lock().push(args.handle, GFP_KERNEL)?;
        Ok(0)
    }

    fn offset(
        _dev: &drm::Device<Driver, drm::Registered>,
        _data: &(),
        args: &mut uapi::drm_nova_gem_info,
        file: &drm::File<File>,
    ) -> Result<u32> {
        args.size = Object::lookup_handle(file, args.handle)?.create_mmap_offset()?;
        Ok(0)
    }

    fn param(
        dev: &drm::Device<Driver, drm::Registered>,
        _data: &(),
        args: &mut uapi::drm_nova_getparam,
        file: &drm::File<File>,
    ) -> Result<u32> {
        match args.param {
            EVICT => vram(dev)?.evict_all()?,
            BRING_BACK => {
                let handles = dev.handles.lock();

                for &handle in handles.iter() {
                    // A program may have closed the buffer.
                    if let Ok(obj) = Object::lookup_handle(file, handle) {
                        let mut ctx = ttm::OperationCtx::new().interruptible();
                        obj.reserve_interruptible()?
                            .validate(ttm::Placement::VRAM, &mut ctx)?;
                    }
                }
            }
            _ => return Err(EINVAL),
        }
        args.value = vram(dev)?.usage();
        Ok(0)
    }
}

fn vram(dev: &ttm::Device<Driver>) -> Result<&ttm::Manager<Driver>> {
    dev.manager(ttm::MemType::VRAM).ok_or(ENODEV)
}

fn in_vram(dev: &drm::Device<Driver>, size: usize) -> Result<ARef<Object>> {
    let config = ttm::ObjectConfig {
        placement: ttm::Placement::VRAM,
        ..Default::default()
    };

    Object::new(dev, size, &config, &mut ttm::OperationCtx::new(), ())
}

/// Walks, moves, maps and reserves, without a program.
fn try_out(drm: &drm::Device<Driver>) -> Result {
    let dev: &ttm::Device<Driver> = drm;
    let mut ctx = ttm::OperationCtx::new();
    let objects = [
        in_vram(drm, 0x1000)?,
        in_vram(drm, 0x2000)?,
        in_vram(drm, 0x3000)?,
    ];
    let map = objects[0].reserve().vmap::<0x1000>()?;
    (&map).write32(0xcafe, 0xffc);
    drop(map);

    let mut cursor = pin!(vram(dev)?.cursor());
    let mut walk = cursor.as_mut().lock();
    let mut size = 0;
    while let Some(res) = walk.next() {
        size += res.size();
        walk.unlocked(|| ());
    }
    drop(walk);
    expect(size == 0x6000)?;

    let mut walk = pin!(vram(dev)?.walk(&ctx));
    for bo in walk.as_mut() {
        bo?.evict(&mut ctx)?;
    }
    expect(!walk.left_out().is_any() && vram(dev)?.usage() == 0)?;

    ttm::transaction(&ttm::OperationCtx::new(), |tx| {
        for obj in &objects {
            tx.reserve(obj)?.validate(ttm::Placement::VRAM, &mut ctx)?;
        }
        Ok(())
    })?;
    expect(vram(dev)?.usage() == 0x6000)?;

    let map = objects[0].reserve().vmap::<0x1000>()?;
    expect((&map).read32(0xffc) == 0xcafe)
}

fn expect(is_so: bool) -> Result {
    is_so.then_some(()).ok_or(EIO)
}

struct Outside {
    _device: ttm::FauxRegistration<Driver>,
}

impl kernel::Module for Outside {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let device = ttm::FauxRegistration::new(c"ttm_outside", |parent| {
            let data = try_pin_init!(Data {
                handles <- new_mutex!(KVec::new()),
            }? Error);

            ttm::Device::<Driver>::new(parent, data, |setup| {
                let buddy = ttm::BuddyManager::new(SZ_1M)?;

                setup.manager(ttm::MemType::VRAM, SZ_1M, ttm::Backing::Emulated, buddy)?;
                setup.debugfs(&debugfs::Dir::new(c"ttm_outside"), c"managers")
            })
        })?;

        try_out(device.device()).inspect_err(|_| pr_err!("doesn't do what it should\n"))?;
        Ok(Self { _device: device })
    }
}
