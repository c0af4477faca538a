// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A GPU, which can be unplugged.

use crate::driver::{
    DeviceData,
    VttmDriver, //
};
use kernel::{
    debugfs,
    drm::ttm::{
        Backing,
        BuddyManager,
        Device,
        FauxRegistration,
        MemType, //
    },
    new_mutex,
    prelude::*,
    sizes::SZ_1M,
    str::CString,
    sync::Mutex,
    time::Delta,
    uaccess::UserSliceReader, //
};

/// What GPUs are made of.
pub(crate) struct Config {
    /// Bytes, whole pages.
    pub(crate) vram: usize,
    /// Bytes, whole pages.
    pub(crate) gtt: usize,
    /// How long each copy waits. If it is zero, the CPU copies.
    pub(crate) delay: Delta,
    pub(crate) shrinker: bool,
}

impl Config {
    /// Not more than makes sense; a GPU with more wouldn't get its VRAM anyway.
    const MAX_MB: u32 = 1 << 20;

    pub(crate) fn new(vram_mb: u32, gtt_mb: u32, delay_us: u32, shrinker: bool) -> Result<Self> {
        for mb in [vram_mb, gtt_mb] {
            if !(1..=Self::MAX_MB).contains(&mb) {
                pr_err!("{mb} MiB of memory: not 1 to {}\n", Self::MAX_MB);
                return Err(EINVAL);
            }
        }
        Ok(Self {
            vram: vram_mb as usize * SZ_1M,
            gtt: gtt_mb as usize * SZ_1M,
            delay: Delta::from_micros(delay_us.into()),
            shrinker,
        })
    }
}

/// A GPU: what is behind the file `unplug` in debugfs.
///
/// It is what a hot-unplugged device would be: programs keep their files, and get [`ENODEV`].
#[pin_data]
pub(crate) struct Gpu {
    #[pin]
    plugged: Mutex<Option<FauxRegistration<VttmDriver>>>,
}

impl Gpu {
    /// Makes GPU `n`, and shows it in the folder `root`.
    pub(crate) fn new(
        n: u32,
        config: &Config,
        root: &debugfs::Dir,
    ) -> Result<Pin<KBox<debugfs::File<Self>>>> {
        let name = CString::try_from_fmt(fmt!("vttm.{n}"))?;
        let dir = root.subdir(&CString::try_from_fmt(fmt!("{n}"))?);

        let registration = FauxRegistration::new(&name, |parent| {
            Device::<VttmDriver>::new(parent, DeviceData::new(&name, config), |setup| {
                let buddy = BuddyManager::new(config.vram)?;

                setup.manager(MemType::VRAM, config.vram, Backing::Emulated, buddy)?;
                setup.range_manager(MemType::TT, config.gtt, Backing::Pages)?;
                if config.shrinker {
                    setup.shrinker()?;
                }
                setup.debugfs(&dir, c"managers")
            })
        })?;
        let gpu = pin_init!(Self {
            plugged <- new_mutex!(Some(registration)),
        });

        KBox::pin_init(
            dir.write_callback_file(c"unplug", gpu, &Self::unplug),
            GFP_KERNEL,
        )
    }

    /// Somebody wrote to the file: "1" unplugs the GPU.
    fn unplug(&self, text: &mut UserSliceReader) -> Result {
        let mut byte = [0];

        text.read_slice(&mut byte)?;
        if byte != *b"1" {
            return Err(EINVAL);
        }
        // Not dropped with the lock held.
        let registration = self.plugged.lock().take();
        registration.map(drop).ok_or(ENODEV)
    }
}
