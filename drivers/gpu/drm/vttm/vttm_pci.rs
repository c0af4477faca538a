// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A GPU of two PCI devices that QEMU has, with memory that TTM manages.
//!
//! Its engine is an `edu`, which does DMA by bus addresses and raises an interrupt after each. Its
//! VRAM is a BAR of an `ivshmem-plain`. All that doesn't depend on the hardware is shared with the
//! virtual GPU `vttm`, which has the same ioctls.

#![forbid(unsafe_code)]

mod count;
mod domain;
mod driver;
#[path = "pci/edu.rs"]
mod edu;
#[path = "pci/engine.rs"]
mod engine;
mod file;
mod gem;
#[path = "pci/gpu.rs"]
mod gpu;
mod submit;
mod under_way;
mod usage;
mod vm;
mod walk;

use gpu::Gpu;

kernel::module_pci_driver! {
    type: Gpu,
    name: "vttm_pci",
    authors: ["The Hitch developers"],
    description: "GPU of two PCI devices in QEMU",
    license: "Dual MIT/GPL",
    params: {
        gtt_mb: u32 {
            default: 64,
            description: "System memory that the GPU reaches, in MiB",
        },
        visible_mb: u32 {
            default: 0,
            description: "The part of VRAM that the CPU reaches, in MiB; 0 for all that it can",
        },
        dma_bits: u32 {
            default: 28,
            description: "Bits of the addresses that the engine sends",
        },
    },
}
