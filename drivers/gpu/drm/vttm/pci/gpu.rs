// SPDX-License-Identifier: GPL-2.0 OR MIT

//! GPUs: each is made when both of its functions are bound, and goes with the first one that isn't.

use crate::{
    driver::{
        DeviceData,
        VttmDriver, //
    },
    edu::{
        Edu,
        Watchdog, //
    },
    engine::Engine,
    module_parameters, //
};
use kernel::{
    debugfs::{
        self,
        File, //
    },
    device::Core,
    dma::DmaMask,
    drm::ttm::{
        self,
        Backing,
        BuddyManager,
        Caching,
        Dma,
        MemType,
        Window, //
    },
    pci,
    prelude::*,
    sizes::SZ_1M,
    sync::{
        Arc,
        Slot, //
    },
    time::hrtimer::ArcHrTimerHandle, //
};

/// The device that a GPU belongs to: its engine.
pub(crate) type Parent<Ctx> = pci::Device<Ctx>;

/// What a GPU has while it is registered. Fields are dropped in their order.
#[pin_data]
pub(crate) struct WhileRegistered {
    _watchdog: ArcHrTimerHandle<Watchdog>,
    _work: Work,
    /// Shows what the hardware did.
    #[pin]
    _counts: File<Arc<Edu>>,
}

impl WhileRegistered {
    fn new<'a>(edu: Arc<Edu>, dir: &'a debugfs::Dir) -> impl PinInit<Self, Error> + 'a {
        let counts = dir.read_callback_file(c"engine", edu.clone(), &Edu::show);

        try_pin_init!(Self {
            _watchdog: Watchdog::start(edu.clone())?,
            _work: Work(edu),
            _counts <- counts,
        })
    }
}

/// The work of the hardware. It ends when this is dropped. Only then are the pages and VRAM unmapped
/// for it.
struct Work(Arc<Edu>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The VRAM that has no engine yet.
static VRAM: Slot<Window> = Slot::new();

/// The functions of a GPU.
pub(crate) enum Function {
    /// An `edu`.
    Engine,
    /// An `ivshmem-plain`.
    Vram,
}

kernel::pci_device_table!(
    FUNCTIONS,
    <Gpu as pci::Driver>::IdInfo,
    [
        (
            pci::DeviceId::from_id(pci::Vendor::QEMU, 0x11e8),
            Function::Engine
        ),
        (
            pci::DeviceId::from_id(pci::Vendor::REDHAT_QUMRANET, 0x1110),
            Function::Vram
        ),
    ]
);

/// The driver's data of a bound function.
pub(crate) struct Gpu {
    is_vram: bool,
}

impl pci::Driver for Gpu {
    type IdInfo = Function;
    type Data<'bound> = Self;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &FUNCTIONS;

    fn probe<'bound>(
        dev: &'bound pci::Device<Core<'_>>,
        function: Option<&'bound Function>,
    ) -> impl PinInit<Self, Error> + 'bound {
        // When one of the functions is unbound, the GPU is unplugged. It is freed with the last open
        // file.
        Self::new(dev, function)
    }

    fn unbind<'bound>(_dev: &'bound pci::Device<Core<'_>>, this: Pin<&Self>) {
        if this.is_vram {
            // If no engine has taken it. It may be another device's, which then is offered anew
            // when that is bound again.
            drop(VRAM.take());
        }
    }
}

impl Gpu {
    fn new(dev: &pci::Device<Core<'_>>, function: Option<&Function>) -> Result<Self> {
        let is_vram = matches!(function.ok_or(ENODEV)?, Function::Vram);

        dev.enable_device_mem()?;
        if is_vram {
            offer(dev)?;
        } else {
            register(dev)?;
        }
        Ok(Self { is_vram })
    }
}

/// Offers VRAM to the next engine.
fn offer(dev: &pci::Device<Core<'_>>) -> Result {
    // The BAR with the memory.
    const BAR: u32 = 2;

    let window = Window::from_bar(dev, BAR, c"vttm-vram", Caching::WriteCombined)?;
    // One at a time: the driver core tries again when an engine has taken the other one.
    VRAM.put(KBox::new(window, GFP_KERNEL)?)
        .map_err(|_| EPROBE_DEFER)
}

/// Registers the GPU whose engine is `dev`.
fn register(dev: &pci::Device<Core<'_>>) -> Result {
    // The engine copies at most the size of VRAM, divided by this, out of pages at a time.
    const COPIES: usize = 4;

    let mask = DmaMask::try_new(module_parameters::dma_bits.value())?;
    let gtt = usize::try_from(module_parameters::gtt_mb.value())? * SZ_1M;
    // The driver core tries again when another function has been bound.
    let mut window = KBox::into_inner(VRAM.take().ok_or(EPROBE_DEFER)?);
    let vram = window.size();

    let dir = debugfs::Dir::new(dev.as_ref().name());
    let edu = Edu::new(dev)?;
    let engine = Engine::new(edu.clone(), vram / COPIES);
    let data = DeviceData::new(vram, gtt, engine);
    let drm = ttm::Device::<VttmDriver>::new(dev, data, |setup| {
        setup.dma(Dma::mapped(mask))?;
        edu.set_memory(dev, window.map_for(dev.as_ref())?)?;
        setup.manager(
            MemType::VRAM,
            vram,
            Backing::Io(window),
            BuddyManager::new(vram)?,
        )?;
        setup.range_manager(MemType::TT, gtt, Backing::Pages)?;
        setup.shrinker()?;
        setup.debugfs(&dir, c"managers")
    })?;
    ttm::register(dev.as_ref(), drm, |_| {
        KBox::pin_init(WhileRegistered::new(edu.clone(), &dir), GFP_KERNEL)
    })?;
    Ok(())
}
