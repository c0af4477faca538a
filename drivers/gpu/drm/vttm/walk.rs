// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Shows the LRU lists to programs.

use crate::{
    domain::Domains,
    driver::{
        VttmDevice,
        VttmDriver, //
    },
    file::File,
    gpu::Hardware, //
};
use core::{
    mem,
    pin::pin, //
};
use kernel::{
    drm::{
        self,
        ttm::Walk,
        Registered, //
    },
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceWriter, //
    },
    uapi, //
};

/// The limit of entries that are taken in one hold of the lock (P9).
const CHUNK: usize = 32;

/// A [`uapi::drm_vttm_lru_entry`] on its way to a program.
#[derive(Clone, Copy, Default)]
struct Entry {
    id: u64,
    size: u64,
    bulk: u64,
    priority: u32,
    state: u32,
}

const _: () = {
    type There = uapi::drm_vttm_lru_entry;

    assert!(mem::size_of::<There>() == Entry::SIZE);
    assert!(mem::offset_of!(There, size) == 8 && mem::offset_of!(There, bulk) == 16);
    assert!(mem::offset_of!(There, priority) == 24 && mem::offset_of!(There, state) == 28);
};

impl Entry {
    /// Bytes.
    const SIZE: usize = 32;

    /// The entry of the next resource; [`None`] when the walk has ended.
    fn next(walk: &mut Walk<'_, '_, VttmDriver>) -> Option<Self> {
        let res = walk.next()?;
        let in_bulk = res.bulk_id().is_some();
        let mut entry = Self {
            size: res.size() as u64,
            priority: res.priority(),
            ..Self::default()
        };

        if let Some(buffer) = walk.data() {
            entry.id = buffer.id;
            entry.state = buffer.state();
            if in_bulk {
                entry.bulk = buffer.vm.as_ref().map_or(0, |vm| vm.id);
            }
        }
        Some(entry)
    }

    fn write(&self, to: &mut UserSliceWriter) -> Result {
        to.write(&[self.id, self.size, self.bulk])?;
        to.write(&[self.priority, self.state])
    }
}

impl File {
    pub(crate) fn lru_walk(
        dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_lru_walk,
        _file: &drm::File<Self>,
    ) -> Result<u32> {
        let chunk = match usize::try_from(args.chunk)? {
            0 => CHUNK,
            n @ 1..=CHUNK => n,
            _ => return Err(EINVAL),
        };
        if args.flags & !uapi::VTTM_LRU_WALK_BOUNDED != 0 {
            return Err(EINVAL);
        }
        let man = dev
            .manager(Domains::new(args.domain)?.single()?)
            .ok_or(ENODEV)?;
        let capacity = usize::try_from(args.capacity)?;
        let bytes = capacity.checked_mul(Entry::SIZE).ok_or(EINVAL)?;
        let mut out =
            UserSlice::new(UserPtr::from_addr(usize::try_from(args.entries)?), bytes).writer();

        let cursor = if args.flags & uapi::VTTM_LRU_WALK_BOUNDED != 0 {
            man.cursor().bounded()
        } else {
            man.cursor()
        };
        let mut cursor = pin!(cursor);
        let mut walk = cursor.as_mut().lock();

        args.count = 0;
        args.lock_drops = 0;
        loop {
            let mut entries = [Entry::default(); CHUNK];
            let mut taken = 0;

            for entry in &mut entries[..chunk] {
                let Some(next) = Entry::next(&mut walk) else {
                    break;
                };
                *entry = next;
                taken += 1;
            }
            if taken == 0 {
                return Ok(0);
            }

            // Copying may sleep.
            walk.unlocked(|| {
                let room = out.len() / Entry::SIZE;

                entries[..taken.min(room)]
                    .iter()
                    .try_for_each(|entry| entry.write(&mut out))
            })?;
            args.count += taken as u64;
            args.lock_drops = args.lock_drops.saturating_add(1);
        }
    }
}
