// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Open files.

use crate::{
    count::Count,
    driver::{
        VttmDevice,
        VttmDriver, //
    },
    gem::Object,
    gpu::Hardware,
    vm::{
        Vm,
        Vms, //
    },
};
use kernel::{
    drm::{
        self,
        ttm::MemType,
        Registered, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
    uapi, //
};

#[pin_data]
pub(crate) struct File {
    #[pin]
    pub(crate) vms: Mutex<Vms>,
    /// Nanoseconds that the engine has worked for it.
    pub(crate) busy: Arc<Count>,
}

impl drm::file::DriverFile for File {
    type Driver = VttmDriver;

    fn open(_dev: &VttmDevice) -> Result<Pin<KBox<Self>>> {
        let busy = Arc::new(Count::default(), GFP_KERNEL)?;
        let file = pin_init!(Self {
            vms <- new_mutex!(Vms::new()),
            busy,
        });

        KBox::pin_init(file, GFP_KERNEL)
    }
}

impl File {
    /// The VM with the number `id` of the program; [`None`] for 0.
    pub(crate) fn vm(file: &drm::File<Self>, id: u32) -> Result<Option<Arc<Vm>>> {
        match id {
            0 => Ok(None),
            id => file.inner().vms.lock().get(id).map(Some),
        }
    }

    pub(crate) fn get_param(
        dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_get_param,
        _file: &drm::File<Self>,
    ) -> Result<u32> {
        let counts = &dev.counts;
        let used = |mem_type| dev.manager(mem_type).map_or(0, |man| man.usage());

        args.value = match u32::try_from(args.param).map_err(|_| EINVAL)? {
            uapi::VTTM_PARAM_VRAM_SIZE => dev.vram as u64,
            uapi::VTTM_PARAM_GTT_SIZE => dev.gtt as u64,
            uapi::VTTM_PARAM_VRAM_USED => used(MemType::VRAM),
            uapi::VTTM_PARAM_GTT_USED => used(MemType::TT),
            uapi::VTTM_PARAM_PRIORITIES => Object::PRIORITIES.into(),
            uapi::VTTM_PARAM_COPY_DELAY_US => dev.engine.delay_us(),
            uapi::VTTM_PARAM_BUFFERS => counts.buffers.get(),
            uapi::VTTM_PARAM_MOVES => counts.moves.get(),
            uapi::VTTM_PARAM_BYTES_MOVED => counts.bytes_moved.get(),
            uapi::VTTM_PARAM_EVICTIONS => counts.evictions.get(),
            uapi::VTTM_PARAM_SWAP_OUTS => counts.swap_outs.get(),
            uapi::VTTM_PARAM_PURGES => counts.purges.get(),
            uapi::VTTM_PARAM_SUBMITS => counts.submits.get(),
            _ => return Err(EINVAL),
        };
        Ok(0)
    }
}
