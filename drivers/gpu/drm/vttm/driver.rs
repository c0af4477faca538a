// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The driver's functions for DRM and TTM.

use crate::{
    count::Counts,
    domain::Domains,
    engine::Engine,
    file::File,
    gem::{
        Buffer,
        BufferArgs,
        Object, //
    },
    gpu::{
        Hardware, //
        Parent,
    },
};
use kernel::{
    device::DeviceContext,
    drm::{
        self,
        ioctl,
        ttm::{
            self,
            Clear,
            ClearBy,
            MemType,
            Move,
            MoveBy,
            Place, //
        },
        Normal,
        Registered, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

pub(crate) struct VttmDriver;

pub(crate) type VttmDevice<Ctx = Normal> = drm::Device<VttmDriver, Ctx>;

#[vtable]
impl drm::Driver for VttmDriver {
    type Data = ttm::Device<Self>;
    type RegistrationData<'a> = Hardware;
    type File = File;
    type Object = Object;
    type ParentDevice<Ctx: DeviceContext> = Parent<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 1,
        minor: 0,
        patchlevel: 0,
        name: c"vttm",
        desc: c"GPU for tests whose memory TTM manages",
    };
    const FEAT_RENDER: bool = true;

    kernel::declare_drm_ioctls! {
        (VTTM_GET_PARAM, drm_vttm_get_param, ioctl::RENDER_ALLOW, File::get_param),
        (VTTM_VM_CREATE, drm_vttm_vm_create, ioctl::RENDER_ALLOW, File::vm_create),
        (VTTM_VM_DESTROY, drm_vttm_vm_destroy, ioctl::RENDER_ALLOW, File::vm_destroy),
        (VTTM_GEM_CREATE, drm_vttm_gem_create, ioctl::RENDER_ALLOW, File::gem_create),
        (VTTM_GEM_INFO, drm_vttm_gem_info, ioctl::RENDER_ALLOW, File::gem_info),
        (VTTM_GEM_MMAP_OFFSET, drm_vttm_gem_mmap_offset, ioctl::RENDER_ALLOW,
            File::gem_mmap_offset),
        (VTTM_GEM_PREFETCH, drm_vttm_gem_prefetch, ioctl::RENDER_ALLOW, File::gem_prefetch),
        (VTTM_GEM_EVICT, drm_vttm_gem_evict, ioctl::RENDER_ALLOW, unguarded File::gem_evict),
        (VTTM_GEM_MADVISE, drm_vttm_gem_madvise, ioctl::RENDER_ALLOW, File::gem_madvise),
        (VTTM_SUBMIT, drm_vttm_submit, ioctl::RENDER_ALLOW, File::submit),
        (VTTM_WAIT, drm_vttm_wait, ioctl::RENDER_ALLOW, unguarded File::wait),
        (VTTM_LRU_WALK, drm_vttm_lru_walk, ioctl::RENDER_ALLOW, File::lru_walk),
    }

    fn show_fdinfo(
        _dev: &VttmDevice<Registered>,
        file: &drm::File<File>,
        p: &mut drm::Printer<'_>,
    ) {
        let regions = [
            (c"system", MemType::SYSTEM),
            (c"gtt", MemType::TT),
            (c"vram", MemType::VRAM),
        ];

        ttm::show_memory(file, p, &regions, |obj| obj.domains.home());
        writeln!(p, "drm-engine-copy:\t{} ns", file.inner().busy.get());
    }
}

#[vtable]
impl ttm::Driver for VttmDriver {
    type BufferData = Buffer;
    type DeviceData = DeviceData;

    const MAPS_IMPORTS: bool = Engine::IS_CPU;

    fn evict_flags(_bo: &Buffer, from: MemType) -> &'static [Place] {
        const FROM_VRAM: &[Place] = &[Place::TT.desired(), Place::SYSTEM.fallback()];

        if from == MemType::VRAM {
            FROM_VRAM
        } else {
            &[Place::SYSTEM]
        }
    }

    fn eviction_valuable(bo: &Buffer, _place: Option<&Place>) -> bool {
        !bo.must_stay()
    }

    fn insists(bo: &Buffer, at: MemType) -> bool {
        at == MemType::TT && bo.usage.insists_on_vram()
    }

    fn move_buffer(dev: &DeviceData, bo: &Buffer, mv: &mut Move<'_>) -> Result<MoveBy> {
        let made_of_pages = |mem_type| mem_type != MemType::VRAM;

        bo.count_move(mv.is_eviction());
        if made_of_pages(mv.from().mem_type) && made_of_pages(mv.to().mem_type) {
            return Ok(MoveBy::Nothing);
        }
        // Moves in memory reclaim have ended above: from here on memory is allocated.
        dev.counts.bytes_moved.add(mv.size() as u64);
        dev.engine.copy(bo, mv, made_of_pages(mv.from().mem_type))
    }

    fn clear_place(dev: &DeviceData, bo: &Buffer, clear: &mut Clear<'_>) -> Result<ClearBy> {
        dev.engine.clear(bo, clear)
    }

    fn swap_notify(_dev: &DeviceData, bo: &Buffer) {
        bo.count_swap_out();
    }

    fn export_places(bo: &Buffer) -> &'static [Place] {
        // While the buffer is pinned there, its present users must still reach it.
        if bo.domains.contains(Domains::GTT) {
            &[Place::TT]
        } else if bo.domains.contains(Domains::SYSTEM) {
            &[Place::SYSTEM]
        } else {
            &[]
        }
    }

    fn import(_dev: &VttmDevice, _size: usize) -> Result<BufferArgs> {
        BufferArgs::imported()
    }

    fn shrunk(bo: &Buffer, purged: bool) {
        if purged {
            bo.lost();
        } else {
            bo.count_swap_out();
        }
    }
}

/// The driver's part of a GPU.
#[pin_data]
pub(crate) struct DeviceData {
    /// Bytes.
    pub(crate) vram: usize,
    /// Bytes.
    pub(crate) gtt: usize,
    #[pin]
    pub(crate) engine: Engine,
    pub(crate) counts: Counts,
    ids: Atomic<u64>,
}

impl DeviceData {
    /// A GPU with so many bytes of VRAM and GTT.
    pub(crate) fn new<'a>(
        vram: usize,
        gtt: usize,
        engine: impl PinInit<Engine, Error> + 'a,
    ) -> impl PinInit<Self, Error> + 'a {
        try_pin_init!(Self {
            vram,
            gtt,
            engine <- engine,
            counts: Counts::default(),
            ids: Atomic::new(0),
        })
    }

    /// Returns a number that no buffer or VM has had yet; not 0.
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Relaxed) + 1
    }
}
