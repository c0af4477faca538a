// SPDX-License-Identifier: GPL-2.0 OR MIT

//! GPUs: how they are made when a device is bound, and how they go.

use crate::{
    driver::{
        DeviceData,
        VttmDriver, //
    },
    engine::Engine,
    module_parameters, //
};
use kernel::{
    debugfs,
    device::Core,
    drm::ttm::{
        self,
        Backing,
        BuddyManager,
        MemType, //
    },
    platform,
    prelude::*,
    sizes::SZ_1M,
    time::Delta, //
};

/// The device that a GPU belongs to.
pub(crate) type Parent<Ctx> = platform::Device<Ctx>;

/// What a GPU has while it is registered.
pub(crate) type Hardware = ();

/// The configuration of a GPU.
pub(crate) struct Config {
    /// Bytes, whole pages.
    pub(crate) vram: usize,
    /// Bytes, whole pages.
    pub(crate) gtt: usize,
    /// The time that each task of the engine waits. If it is zero, the CPU moves buffers.
    pub(crate) delay: Delta,
    shrinker: bool,
}

impl Config {
    pub(crate) fn from_parameters() -> Result<Self> {
        Ok(Self {
            vram: bytes("vram_mb", module_parameters::vram_mb.value())?,
            gtt: bytes("gtt_mb", module_parameters::gtt_mb.value())?,
            delay: Delta::from_micros(module_parameters::delay_us.value().into()),
            shrinker: module_parameters::shrinker.value() != 0,
        })
    }
}

fn bytes(name: &str, mb: u32) -> Result<usize> {
    // This limits the size of a buffer, and TTM has an array of all its pages.
    const MAX_MB: u32 = 1 << 18;

    if !(1..=MAX_MB).contains(&mb) {
        pr_err!("{name}={mb}: not 1 to {MAX_MB}\n");
        return Err(EINVAL);
    }
    Ok(usize::try_from(mb)? * SZ_1M)
}

/// The driver's data of a bound device: empty, as TTM and DRM have everything.
pub(crate) struct Gpu;

impl platform::Driver for Gpu {
    type IdInfo = ();
    type Data<'bound> = Self;

    fn probe<'bound>(
        dev: &'bound platform::Device<Core<'_>>,
        _info: Option<&'bound ()>,
    ) -> impl PinInit<Self, Error> + 'bound {
        // When the device is unbound, the GPU is unplugged. It is freed with the last open file.
        register(dev).map(|()| Self)
    }
}

/// The engine copies at most the size of VRAM, divided by this, out of pages at a time.
const COPIES: usize = 4;

fn register(dev: &platform::Device<Core<'_>>) -> Result {
    let config = Config::from_parameters()?;
    let name = dev.as_ref().name();

    let engine = Engine::new(name, config.delay, config.vram / COPIES);
    let data = DeviceData::new(config.vram, config.gtt, engine);
    let drm = ttm::Device::<VttmDriver>::new(dev, data, |setup| {
        let buddy = BuddyManager::new(config.vram)?;

        setup.manager(MemType::VRAM, config.vram, Backing::Emulated, buddy)?;
        setup.range_manager(MemType::TT, config.gtt, Backing::Pages)?;
        if config.shrinker {
            setup.shrinker()?;
        }
        setup.debugfs(&debugfs::Dir::new(name), c"managers")
    })?;
    ttm::register(dev.as_ref(), drm, |_| KBox::pin_init((), GFP_KERNEL))?;
    Ok(())
}
