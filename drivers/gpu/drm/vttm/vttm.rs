// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A virtual GPU whose memory TTM manages.
//!
//! Its VRAM is the system's memory, and its copy engine a worker. So what TTM does for real GPUs can be
//! seen and tested without one: buffers are evicted while they are busy, swapped out, brought back.

#![forbid(unsafe_code)]

mod domain;
mod driver;
mod engine;
mod file;
mod gem;
mod gpu;
mod submit;
mod vm;
mod walk;

use gpu::{
    Config,
    Gpu, //
};
use kernel::{
    debugfs,
    prelude::*, //
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
            description: "How long each copy waits, in microseconds; 0: the CPU copies, and nothing waits",
        },
        shrinker: u8 {
            default: 1,
            description: "1: pages are given back by a shrinker, 0: by TTM's own limit",
        },
    },
}

/// More would only be a typing error.
const MAX_DEVICES: u32 = 16;

struct Vttm {
    _gpus: KVec<Pin<KBox<debugfs::File<Gpu>>>>,
}

impl kernel::Module for Vttm {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let devices = module_parameters::devices.value();
        let config = Config::new(
            module_parameters::vram_mb.value(),
            module_parameters::gtt_mb.value(),
            module_parameters::delay_us.value(),
            module_parameters::shrinker.value() != 0,
        )?;
        if !(1..=MAX_DEVICES).contains(&devices) {
            pr_err!("devices={devices}: not 1 to {MAX_DEVICES}\n");
            return Err(EINVAL);
        }

        let root = debugfs::Dir::new(c"vttm");
        let mut gpus = KVec::new();
        for n in 0..devices {
            gpus.push(Gpu::new(n, &config, &root)?, GFP_KERNEL)?;
        }
        Ok(Self { _gpus: gpus })
    }
}
