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
        Lender,
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
            _work: Work::new(edu),
            _counts <- counts,
        })
    }
}

/// The work of the hardware. It ends when this is dropped. Only then are the pages and VRAM unmapped
/// for it.
struct Work(Arc<Edu>);

impl Work {
    fn new(edu: Arc<Edu>) -> Self {
        edu.start_work();
        Self(edu)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// All VRAM that is there. Each engine takes a window of the first one that isn't in use.
static VRAM: Slot<Vram> = Slot::new();

/// VRAM, in a list.
struct Vram {
    lender: Arc<Lender>,
    next: Option<KBox<Self>>,
}

impl Vram {
    /// Puts a list of VRAM back, or new VRAM into the list.
    fn put(mut list: KBox<Self>) {
        loop {
            let mut end = &mut list.next;
            while let Some(vram) = end {
                end = &mut vram.next;
            }
            // What was put there meanwhile.
            *end = VRAM.take();
            match VRAM.put(list) {
                Ok(()) => return,
                Err(back) => list = back,
            }
        }
    }

    /// Removes the VRAM of `lender` from the list.
    fn remove(lender: &Arc<Lender>) {
        let mut at = VRAM.take();

        while let Some(mut vram) = at {
            at = vram.next.take();
            if !Arc::ptr_eq(&vram.lender, lender) {
                Self::put(vram);
            }
        }
    }

    /// Takes a window of the first VRAM that isn't in use.
    ///
    /// # Errors
    ///
    /// [`EPROBE_DEFER`] if there is none. The driver core tries again when another function has been
    /// bound.
    fn window() -> Result<Window> {
        let list = VRAM.take().ok_or(EPROBE_DEFER)?;
        let mut at = Some(&list);
        let window = loop {
            let Some(vram) = at else {
                break Err(EPROBE_DEFER);
            };
            match vram.lender.window() {
                Err(e) if e == EBUSY || e == ENODEV => (),
                result => break result,
            }
            at = vram.next.as_ref();
        };

        Self::put(list);
        window
    }
}

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
    /// The VRAM, if it is that.
    vram: Option<Arc<Lender>>,
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
        if let Some(lender) = &this.vram {
            Vram::remove(lender);
        }
    }
}

impl Gpu {
    fn new(dev: &pci::Device<Core<'_>>, function: Option<&Function>) -> Result<Self> {
        dev.enable_device_mem()?;
        let vram = match function.ok_or(ENODEV)? {
            Function::Vram => Some(offer(dev)?),
            Function::Engine => {
                register(dev)?;
                None
            }
        };

        Ok(Self { vram })
    }
}

/// Offers VRAM to engines.
fn offer(dev: &pci::Device<Core<'_>>) -> Result<Arc<Lender>> {
    // The BAR with the memory.
    const BAR: u32 = 2;

    let lender = Lender::from_bar(dev, BAR, c"vttm-vram", Caching::WriteCombined)?;
    let lender = Arc::new(lender, GFP_KERNEL)?;
    let vram = Vram {
        lender: lender.clone(),
        next: None,
    };

    Vram::put(KBox::new(vram, GFP_KERNEL)?);
    Ok(lender)
}

/// Registers the GPU whose engine is `dev`.
fn register(dev: &pci::Device<Core<'_>>) -> Result {
    // The engine copies at most the size of VRAM, divided by this, out of pages at a time.
    const COPIES: usize = 4;

    let mask = DmaMask::try_new(module_parameters::dma_bits.value())?;
    let gtt = usize::try_from(module_parameters::gtt_mb.value())? * SZ_1M;
    let mut window = Vram::window()?;
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
