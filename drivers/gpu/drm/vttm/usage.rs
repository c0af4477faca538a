// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Statistics of use, which decide which buffers get VRAM.

use crate::{
    domain::Domains,
    driver::VttmDevice,
    gem::Object, //
};
use core::pin::pin;
use kernel::{
    drm::{
        gem::BaseObject,
        ttm::MemType, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The use of a buffer. Time is counted in jobs of the GPU.
pub(crate) struct Usage {
    last: Atomic<u64>,
    /// The longest time between two uses so far.
    longest_pause: Atomic<u64>,
    /// Uses in GTT since it was in VRAM, or since it last looked for room there.
    in_gtt: Atomic<u32>,
    /// The number of uses in GTT before it looks for room in VRAM.
    patience: Atomic<u32>,
    /// Whether it found the next buffers to be evicted from VRAM idle, and will displace them.
    insists: Atomic<bool>,
}

impl Usage {
    /// The patience of a new buffer.
    const PATIENCE: u32 = 16;
    /// A buffer is idle after this many times its longest pause.
    const PAUSES: u64 = 4;

    pub(crate) fn new() -> Self {
        Self {
            last: Atomic::new(0),
            longest_pause: Atomic::new(0),
            in_gtt: Atomic::new(0),
            patience: Atomic::new(Self::PATIENCE),
            insists: Atomic::new(false),
        }
    }

    /// Whether it may displace other buffers from VRAM.
    pub(crate) fn insists_on_vram(&self) -> bool {
        self.insists.load(Relaxed)
    }

    /// Notes that the job `now` uses `obj`, whose reservation the caller holds. The next time,
    /// `obj` may displace buffers from VRAM, if it was used in GTT for a while, and if those
    /// buffers are idle.
    ///
    /// Each time that `obj` may displace other buffers, its patience doubles. So buffers that
    /// displace each other in turn soon stay in place.
    pub(crate) fn was_used(obj: &Object, at: Option<MemType>, now: u64) {
        let usage = &obj.usage;

        usage.note_time(now);
        usage.insists.store(false, Relaxed);
        if at != Some(MemType::TT) || !obj.domains.contains(Domains::VRAM) {
            usage.in_gtt.store(0, Relaxed);
            return;
        }

        let in_gtt = usage.in_gtt.load(Relaxed).saturating_add(1);
        let patience = usage.patience.load(Relaxed);
        if in_gtt < patience {
            usage.in_gtt.store(in_gtt, Relaxed);
            return;
        }
        usage.in_gtt.store(0, Relaxed);
        if idle_vram(obj.dev(), now, obj.size()) {
            usage.insists.store(true, Relaxed);
            usage.patience.store(patience.saturating_mul(2), Relaxed);
        }
    }

    fn note_time(&self, now: u64) {
        let last = self.last.load(Relaxed);

        if last != 0 {
            let pause = now.saturating_sub(last);
            self.longest_pause
                .store(self.longest_pause.load(Relaxed).max(pause), Relaxed);
        }
        self.last.store(now, Relaxed);
    }

    /// Whether it has been unused for much longer than ever before.
    fn is_idle(&self, now: u64) -> bool {
        let pause = now.saturating_sub(self.last.load(Relaxed));
        let usual = self.longest_pause.load(Relaxed).max(1);

        pause > usual.saturating_mul(Self::PAUSES)
    }
}

/// Whether the first `size` bytes to be evicted from VRAM are idle.
fn idle_vram(dev: &VttmDevice, now: u64, size: usize) -> bool {
    let Some(vram) = dev.manager(MemType::VRAM) else {
        return false;
    };
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();
    let mut idle = 0;

    while idle < size {
        let Some(res) = walk.next() else {
            return false;
        };
        idle += res.size();
        // The space of a ghost is on its way to be free.
        if walk.data().is_some_and(|bo| !bo.usage.is_idle(now)) {
            return false;
        }
    }
    true
}
