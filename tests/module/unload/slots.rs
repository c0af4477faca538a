// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A manager of the driver's own.

use kernel::{
    drm::ttm::{
        ManagerOps,
        Request, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Gives out slots of eight pages, of which there are 32. A bit says that one is taken.
pub(crate) struct Slots(Atomic<u32>);

const PAGES: u32 = 8;

impl Slots {
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }
}

impl ManagerOps for Slots {
    type Space = u32;

    fn alloc(&self, request: &Request<'_>) -> Result<u32> {
        if request.pages() > PAGES as usize {
            return Err(EINVAL);
        }
        loop {
            let taken = self.0.load(Relaxed);
            let slot = taken.trailing_ones();
            let bit = 1_u32.checked_shl(slot).ok_or(ENOSPC)?;

            if self.0.cmpxchg(taken, taken | bit, Relaxed).is_ok() {
                return Ok(slot);
            }
        }
    }

    fn start(&self, slot: &u32) -> u64 {
        (slot * PAGES).into()
    }

    fn free(&self, slot: u32) {
        let mut taken = self.0.load(Relaxed);

        while let Err(now) = self.0.cmpxchg(taken, taken & !(1 << slot), Relaxed) {
            taken = now;
        }
    }
}
