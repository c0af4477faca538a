// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A virtual GPU whose memory TTM manages.
//!
//! Its VRAM is system memory, and its engine is a worker. It makes TTM's work for real GPUs visible
//! and testable without one: eviction of busy buffers, swap-out, and the way back.

#![forbid(unsafe_code)]

mod count;
mod domain;
mod driver;
mod engine;
mod file;
mod gem;
mod gpu;
mod submit;
mod tasks;
mod under_way;
mod usage;
mod vm;
mod walk;

use gpu::{
    Config,
    Gpu, //
};
use kernel::{
    driver::Registration,
    drm::vttm::RegisteredDevice,
    platform::Adapter,
    prelude::*,
    InPlaceModule,
    ModuleMetadata, //
};

module! {
    type: Vttm,
    name: "vttm",
    authors: ["The Hitch developers"],
    description: "Virtual GPU whose memory TTM manages",
    license: "Dual MIT/GPL",
    params: {
        devices: u32 {
            default: 1,
            description: "How many GPUs, 1 to 16",
        },
        vram_mb: u32 {
            default: 64,
            description: "VRAM of each, in MiB",
        },
        gtt_mb: u32 {
            default: 64,
            description: "System memory that each reaches, in MiB",
        },
        delay_us: u32 {
            default: 0,
            description: "Microseconds each task of the engine waits; 0: the CPU moves buffers",
        },
        shrinker: u8 {
            default: 1,
            description: "1: a shrinker gives pages back; 0: TTM swaps out at its own limit",
        },
    },
}

/// The driver, and the devices that it makes for itself.
#[pin_data]
struct Vttm {
    // Dropped first.
    _devices: KVec<RegisteredDevice>,
    #[pin]
    _driver: Registration<Adapter<Gpu>>,
}

impl InPlaceModule for Vttm {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _driver <- Registration::new(Self::NAME, module),
            _devices: make_devices()?,
        })
    }
}

fn make_devices() -> Result<KVec<RegisteredDevice>> {
    // A larger number can only be a typing error.
    const MAX: u32 = 16;
    // The GPU has no limit of its own.
    const DMA_BITS: u32 = 64;

    let count = module_parameters::devices.value();
    if !(1..=MAX).contains(&count) {
        pr_err!("devices={count}: not 1 to {MAX}\n");
        return Err(EINVAL);
    }
    Config::from_parameters()?;

    let mut devices = KVec::new();
    for n in 0..count {
        let device = RegisteredDevice::new(Vttm::NAME, n, DMA_BITS)?;
        if !device.is_bound() {
            // The log says why.
            return Err(ENODEV);
        }
        devices.push(device, GFP_KERNEL)?;
    }
    Ok(devices)
}
