// SPDX-License-Identifier: GPL-2.0 OR MIT

//! GPUs: one is registered when both of its PCI devices are bound, and unregistered when either is
//! unbound.

use crate::{
    driver::{
        DeviceData,
        VttmDevice,
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
        Suspended,
        Window, //
    },
    new_mutex,
    pci,
    prelude::*,
    sizes::SZ_1M,
    sync::{
        aref::ARef,
        Arc,
        Mutex,
        Slot, //
    },
    time::{
        delay::fsleep,
        hrtimer::ArcHrTimerHandle,
        Delta, //
    }, //
};

/// The device that a GPU belongs to: its engine.
pub(crate) type Parent<Ctx> = pci::Device<Ctx>;

/// What a GPU has while it is registered. The watchdog must end before the work does: fields are
/// dropped in their order.
#[pin_data]
pub(crate) struct Hardware {
    _watchdog: ArcHrTimerHandle<Watchdog>,
    _work: Work,
    /// Shows what the hardware did.
    #[pin]
    _counts: File<Arc<Edu>>,
}

impl Hardware {
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
///
/// A thread takes the list out, and puts it back. A static `Mutex` would need `unsafe` code.
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
        let mut is_removed = false;

        while !is_removed {
            let mut at = VRAM.take();

            while let Some(mut vram) = at {
                at = vram.next.take();
                if Arc::ptr_eq(&vram.lender, lender) {
                    is_removed = true;
                } else {
                    Self::put(vram);
                }
            }
            if !is_removed {
                // Another thread has the list.
                fsleep(Delta::from_millis(1));
            }
        }
    }

    /// Takes a window of the first VRAM that isn't in use.
    ///
    /// # Errors
    ///
    /// [`EPROBE_DEFER`] if there is none. The driver core tries again when another device has been
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

/// The PCI devices of a GPU.
pub(crate) enum Kind {
    /// An `edu`.
    Engine,
    /// An `ivshmem-plain`.
    Vram,
}

kernel::pci_device_table!(
    DEVICES,
    <Gpu as pci::Driver>::IdInfo,
    [
        (
            pci::DeviceId::from_id(pci::Vendor::QEMU, 0x11e8),
            Kind::Engine
        ),
        (
            pci::DeviceId::from_id(pci::Vendor::REDHAT_QUMRANET, 0x1110),
            Kind::Vram
        ),
    ]
);

/// The driver's data of a bound PCI device.
#[pin_data]
pub(crate) struct Gpu {
    part: Part,
    /// What is kept while the system sleeps.
    #[pin]
    saved: Mutex<Option<Suspended>>,
}

enum Part {
    Engine {
        edu: Arc<Edu>,
        drm: ARef<VttmDevice>,
    },
    Vram(Arc<Lender>),
}

impl pci::Driver for Gpu {
    type IdInfo = Kind;
    type Data<'bound> = Self;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &DEVICES;
    const SLEEPS: bool = true;

    fn probe<'bound>(
        dev: &'bound pci::Device<Core<'_>>,
        kind: Option<&'bound Kind>,
    ) -> impl PinInit<Self, Error> + 'bound {
        // When one of the devices is unbound, the GPU is unplugged. It is freed with the last open
        // file.
        try_pin_init!(Self {
            part: Part::new(dev, kind)?,
            saved <- new_mutex!(None),
        })
    }

    fn unbind<'bound>(_dev: &'bound pci::Device<Core<'_>>, this: Pin<&Self>) {
        if let Part::Vram(lender) = &this.part {
            Vram::remove(lender);
        }
    }

    fn suspend<'bound>(_dev: &'bound pci::Device<Core<'_>>, this: Pin<&Self>) -> Result {
        // The engine's suspend empties VRAM. No device loses power before all were suspended.
        let Part::Engine { edu, drm } = &this.part else {
            return Ok(());
        };
        if !edu.is_at_work()? {
            return Ok(());
        }

        // Work of programs comes first. The CPU is faster than this engine, and doesn't fail.
        edu.wait_until_idle(cpu_reaches_all())?;
        let saved = drm
            .suspend(&[MemType::VRAM])
            .and_then(|saved| edu.wait_until_idle(true).map(|()| saved))
            .inspect_err(|_| edu.resume())?;
        *this.saved.lock() = Some(saved);
        Ok(())
    }

    fn resume<'bound>(_dev: &'bound pci::Device<Core<'_>>, this: Pin<&Self>) -> Result {
        // Before jobs go on.
        let restored = this.saved.lock().take().map_or(Ok(()), Suspended::resume);

        if let Part::Engine { edu, .. } = &this.part {
            edu.resume();
        }
        restored
    }
}

/// Whether the CPU reaches all of VRAM.
fn cpu_reaches_all() -> bool {
    module_parameters::visible_mb.value() == 0
}

impl Part {
    fn new(dev: &pci::Device<Core<'_>>, kind: Option<&Kind>) -> Result<Self> {
        dev.enable_device_mem()?;
        match kind.ok_or(ENODEV)? {
            Kind::Vram => Ok(Self::Vram(offer(dev)?)),
            Kind::Engine => {
                let edu = Edu::new(dev)?;
                let drm = register(dev, edu.clone())?;

                Ok(Self::Engine { edu, drm })
            }
        }
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
fn register(dev: &pci::Device<Core<'_>>, edu: Arc<Edu>) -> Result<ARef<VttmDevice>> {
    // The engine copies at most the size of VRAM, divided by this, out of pages at a time.
    const COPIES: usize = 4;

    let mask = DmaMask::try_new(module_parameters::dma_bits.value())?;
    let gtt = usize::try_from(module_parameters::gtt_mb.value())? * SZ_1M;
    let mut window = Vram::window()?;
    let vram = window.size();

    let dir = debugfs::Dir::new(dev.as_ref().name());
    let engine = Engine::new(edu.clone(), vram / COPIES);
    let data = DeviceData::new(vram, gtt, engine);
    let drm = ttm::Device::<VttmDriver>::new(dev, data, |setup| {
        setup.dma(Dma::mapped(mask))?;
        edu.set_memory(dev, window.map_for(dev.as_ref())?)?;
        if !cpu_reaches_all() {
            let visible = usize::try_from(module_parameters::visible_mb.value())? * SZ_1M;

            window.limit(visible).inspect_err(|_| {
                dev_err!(dev, "visible_mb is more than the VRAM that there is\n");
            })?;
        }
        setup.manager(
            MemType::VRAM,
            vram,
            Backing::Io(window),
            BuddyManager::new(vram)?.in_pieces(),
        )?;
        setup.range_manager(MemType::TT, gtt, Backing::Pages)?;
        setup.shrinker()?;
        setup.debugfs(&dir, c"managers")
    })?;

    ttm::register(dev.as_ref(), drm, |_| {
        KBox::pin_init(Hardware::new(edu.clone(), &dir), GFP_KERNEL)
    })
}
