// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Work for the GPU.

use crate::{
    count::Count,
    domain::Domains,
    driver::VttmDevice,
    engine::Engine,
    file::File,
    gem::{
        ioctl_ctx,
        place,
        transaction,
        Object, //
    },
    gpu::Hardware,
    usage::Usage,
    vm::Vm, //
};
use core::{
    cmp::Reverse,
    mem::{
        self,
        offset_of,
        size_of, //
    }, //
};
use kernel::{
    dma_fence::Fence,
    drm::{
        self,
        gem::BaseObject,
        ttm::{
            FenceUsage,
            OperationCtx,
            Placement,
            Reserved,
            Stop,
            Transaction, //
        },
        Ioctl,
        Registered, //
    },
    fs::file::{
        flags::O_CLOEXEC,
        FileDescriptorReservation, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    sync_file::SyncFile,
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceReader, //
    },
    uapi, //
};

/// A buffer that a submit uses.
struct Use {
    obj: ARef<Object>,
    domains: Domains,
    usage: FenceUsage,
}

const _: () = {
    type There = uapi::drm_vttm_submit_bo;

    assert!(size_of::<There>() == size_of::<[u32; 4]>());
    assert!(offset_of!(There, flags) == 4 && offset_of!(There, domains) == 8);
};

impl Use {
    /// Reads a [`uapi::drm_vttm_submit_bo`].
    fn read(from: &mut UserSliceReader, file: &drm::File<File>, vm: Option<&Vm>) -> Result<Self> {
        let [handle, flags, domains, pad]: [u32; 4] = from.read()?;
        if flags & !uapi::VTTM_BO_WRITE != 0 || pad != 0 {
            return Err(EINVAL);
        }

        let obj = Object::lookup_handle(file, handle)?;
        if !obj.is_for(vm) {
            return Err(EINVAL);
        }
        let domains = match domains {
            0 => obj.domains.of_gpu()?,
            domains if domains & uapi::VTTM_DOMAIN_SYSTEM != 0 => return Err(EINVAL),
            domains => obj.domains.choose(domains)?,
        };
        Ok(Self {
            domains,
            usage: if flags & uapi::VTTM_BO_WRITE != 0 {
                FenceUsage::Write
            } else {
                FenceUsage::Read
            },
            obj,
        })
    }
}

/// An operation of the GPU. It names buffers by their index.
pub(crate) enum Op {
    Fill {
        to: usize,
        to_offset: usize,
        size: usize,
        value: u64,
        step: u64,
    },
    Copy {
        to: usize,
        to_offset: usize,
        from: usize,
        from_offset: usize,
        size: usize,
    },
}

const _: () = {
    type There = uapi::drm_vttm_op;

    assert!(size_of::<There>() == size_of::<[u32; 4]>() + size_of::<[u64; 5]>());
    assert!(offset_of!(There, from) == 12 && offset_of!(There, to_offset) == 16);
    assert!(offset_of!(There, size) == 32 && offset_of!(There, step) == 48);
};

impl Op {
    /// Reads a [`uapi::drm_vttm_op`], and checks it.
    fn read(from: &mut UserSliceReader, uses: &[Use]) -> Result<Self> {
        let [op, flags, to, src]: [u32; 4] = from.read()?;
        let [to_offset, from_offset, size, value, step]: [u64; 5] = from.read()?;
        if flags != 0 {
            return Err(EINVAL);
        }

        let to = Self::range(uses, to, to_offset, size, FenceUsage::Write)?;
        match op {
            uapi::VTTM_OP_FILL if (src, from_offset) == (0, 0) => Ok(Self::Fill {
                to: to.index,
                to_offset: to.offset,
                size: to.size,
                value,
                step,
            }),
            uapi::VTTM_OP_COPY if (value, step) == (0, 0) => {
                let from = Self::range(uses, src, from_offset, size, FenceUsage::Read)?;
                if to.overlaps(&from) {
                    return Err(EINVAL);
                }
                Ok(Self::Copy {
                    to: to.index,
                    to_offset: to.offset,
                    from: from.index,
                    from_offset: from.offset,
                    size: to.size,
                })
            }
            _ => Err(EINVAL),
        }
    }

    fn range(uses: &[Use], index: u32, offset: u64, size: u64, usage: FenceUsage) -> Result<Range> {
        let index = usize::try_from(index)?;
        let used = uses.get(index).ok_or(EINVAL)?;
        let (offset, size) = (usize::try_from(offset)?, usize::try_from(size)?);
        let end = offset.checked_add(size).ok_or(EINVAL)?;

        if (offset | size) % size_of::<u64>() != 0
            || end > used.obj.size()
            || (usage == FenceUsage::Write && used.usage != FenceUsage::Write)
        {
            return Err(EINVAL);
        }
        Ok(Range {
            index,
            offset,
            size,
        })
    }
}

/// A part of a buffer: bytes from `offset` on, within the buffer.
struct Range {
    index: usize,
    offset: usize,
    size: usize,
}

impl Range {
    fn overlaps(&self, other: &Self) -> bool {
        self.index == other.index
            && self.offset < other.offset + other.size
            && other.offset < self.offset + self.size
    }
}

/// Reads an array of a program.
fn read_all<T>(
    addr: u64,
    count: u32,
    max: u32,
    size: usize,
    mut read: impl FnMut(&mut UserSliceReader) -> Result<T>,
) -> Result<KVec<T>> {
    if count > max {
        return Err(EINVAL);
    }
    let count = usize::try_from(count)?;
    let mut from =
        UserSlice::new(UserPtr::from_addr(usize::try_from(addr)?), count * size).reader();
    let mut all = KVec::with_capacity(count, GFP_KERNEL)?;

    for _ in 0..count {
        all.push(read(&mut from)?, GFP_KERNEL)?;
    }
    Ok(all)
}

/// Refuses a buffer that is listed twice, as it would have two usages.
fn check_that_none_is_there_twice(uses: &[Use]) -> Result {
    let mut ids = KVec::with_capacity(uses.len(), GFP_KERNEL)?;

    for used in uses {
        ids.push(used.obj.id, GFP_KERNEL)?;
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(EINVAL);
    }
    Ok(())
}

/// A job in the engine.
pub(crate) struct Submitted {
    /// Signaled when it is done.
    pub(crate) fence: ARef<Fence>,
    /// Its number in the order of jobs.
    pub(crate) serial: u64,
    /// Whether it waits for another client's fence, and so is on a timeline of its own.
    pub(crate) is_late: bool,
}

/// The work that a program submits to the GPU.
struct Submit<'a> {
    vm: Option<&'a Vm>,
    uses: &'a [Use],
    after: Option<ARef<Fence>>,
    busy: Arc<Count>,
}

impl<'a> Submit<'a> {
    /// Takes all reservations, brings the buffers to their places, and gives the work to the
    /// engine.
    ///
    /// `ops` are taken only after the last step that can fail, as contention makes a transaction
    /// call this again.
    fn run(
        &self,
        tx: &Transaction<'a>,
        engine: &Engine,
        ops: &mut KVec<Op>,
    ) -> Result<Submitted, Stop> {
        let mut all = KVec::with_capacity(self.uses.len(), GFP_KERNEL).map_err(Error::from)?;
        for used in self.uses {
            all.push(tx.reserve(&*used.obj)?, GFP_KERNEL)
                .map_err(Error::from)?;
        }

        self.place(tx, &mut all)?;
        let mut job = engine.job(all.len())?;
        for (reserved, used) in all.iter_mut().zip(self.uses) {
            job.add(reserved, used.usage)?;
        }
        if let Some(fence) = &self.after {
            job.wait_for(fence.clone())?;
        }
        let submitted = engine.submit(job, mem::take(ops), self.busy.clone())?;
        if submitted.is_late {
            for used in self.uses {
                used.obj.is_used_late(submitted.fence.clone());
            }
        }

        self.mark_as_used(&mut all, submitted.serial)?;
        Ok(submitted)
    }

    /// Brings all buffers to their places, so that none of them evicts another one of them.
    ///
    /// If one of them blocks the place of another one, all of them are evicted and placed anew.
    fn place(&self, tx: &Transaction<'a>, all: &mut [Reserved<'_, Object>]) -> Result<(), Stop> {
        let mut ctx = ioctl_ctx();
        let mut kept = KVec::with_capacity(all.len(), GFP_KERNEL).map_err(Error::from)?;

        for used in self.uses {
            kept.push(used.obj.keep(), GFP_KERNEL)
                .map_err(Error::from)?;
        }
        match self.place_largest_first(tx, all, &mut ctx) {
            Err(stop) if stop == ENOSPC.into() => {
                for reserved in all.iter_mut().filter(|reserved| !reserved.is_pinned()) {
                    tx.validate(reserved, Placement::SYSTEM, None, &mut ctx)?;
                }
                self.place_largest_first(tx, all, &mut ctx)
            }
            result => result,
        }
    }

    /// Brings each buffer to its place, the largest ones first, as these need more room in one
    /// piece.
    fn place_largest_first(
        &self,
        tx: &Transaction<'a>,
        all: &mut [Reserved<'_, Object>],
        ctx: &mut OperationCtx,
    ) -> Result<(), Stop> {
        // Other buffers of the VM may be evicted to make room.
        let has_members = self.uses.iter().any(|used| used.obj.vm.is_some());
        let lent = self.vm.filter(|_| has_members).map(|vm| &**vm.bulk.resv());
        let mut order = KVec::with_capacity(all.len(), GFP_KERNEL).map_err(Error::from)?;

        for n in 0..all.len() {
            order.push(n, GFP_KERNEL).map_err(Error::from)?;
        }
        order.sort_unstable_by_key(|&n| (Reverse(self.uses[n].obj.size()), n));
        for n in order {
            place(tx, &mut all[n], self.uses[n].domains, lent, ctx)?;
        }
        Ok(())
    }

    /// Moves the VM's buffers, and the buffers without a VM, to the tails of their LRU lists.
    fn mark_as_used(&self, all: &mut [Reserved<'_, Object>], now: u64) -> Result {
        let mut of_vm = None;

        for (reserved, used) in all.iter_mut().zip(self.uses) {
            Usage::was_used(&used.obj, reserved.mem_type(), now);
            if used.obj.vm.is_none() {
                reserved.move_to_lru_tail();
            } else {
                of_vm = Some(reserved);
            }
        }
        if let (Some(vm), Some(reserved)) = (self.vm, of_vm) {
            let bulk = &vm.bulk;
            bulk.move_to_tail(reserved, &mut bulk.device().lru())?;
        }
        Ok(())
    }
}

impl File {
    pub(crate) fn submit(
        dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_submit,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        let known = uapi::VTTM_SUBMIT_FENCE_IN | uapi::VTTM_SUBMIT_FENCE_OUT;
        if args.flags & !known != 0 || args.pad != 0 {
            return Err(EINVAL);
        }
        let vm = Self::vm(file, args.vm_id)?;
        let uses = read_all(
            args.bos,
            args.bo_count,
            uapi::VTTM_SUBMIT_MAX_BOS,
            size_of::<uapi::drm_vttm_submit_bo>(),
            |from| Use::read(from, file, vm.as_deref()),
        )?;
        check_that_none_is_there_twice(&uses)?;
        let mut ops = read_all(
            args.ops,
            args.op_count,
            uapi::VTTM_SUBMIT_MAX_OPS,
            size_of::<uapi::drm_vttm_op>(),
            |from| Op::read(from, &uses),
        )?;
        let after = if args.flags & uapi::VTTM_SUBMIT_FENCE_IN != 0 {
            Some(SyncFile::fence_of(args.fence_fd)?)
        } else {
            None
        };
        // Reserve the descriptor before the work begins, as that may fail.
        let fd = if args.flags & uapi::VTTM_SUBMIT_FENCE_OUT != 0 {
            Some(FileDescriptorReservation::get_unused_fd_flags(O_CLOEXEC)?)
        } else if args.flags == 0 && args.fence_fd != 0 {
            return Err(EINVAL);
        } else {
            None
        };

        let work = Submit {
            vm: vm.as_deref(),
            uses: &uses,
            after,
            busy: file.inner().busy.clone(),
        };
        let engine = &dev.engine;
        let mut attempts = 0;
        let submitted = transaction(dev, |tx| {
            attempts += 1;
            work.run(tx, engine, &mut ops)
        });
        args.restarts = u64::saturating_sub(attempts, 1);
        let Submitted { fence, serial, .. } = submitted?;
        args.serial = serial;
        dev.counts.submits.add(1);

        if let Some(fd) = fd {
            let sync_file = SyncFile::new(&fence)?;
            args.fence_fd = fd.reserved_fd() as i32;
            sync_file.install(fd);
        }
        Ok(0)
    }

    /// Unguarded: the device may go while a program waits.
    pub(crate) fn wait(
        _dev: &VttmDevice<Ioctl>,
        args: &mut uapi::drm_vttm_wait,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.flags & !uapi::VTTM_WAIT_WRITES != 0 {
            return Err(EINVAL);
        }
        let obj = Object::lookup_handle(file, args.handle)?;
        let usage = if args.flags & uapi::VTTM_WAIT_WRITES != 0 {
            FenceUsage::Read
        } else {
            FenceUsage::Bookkeep
        };

        if obj.wait_idle_timeout(usage, drm::time_until(args.timeout_ns))? {
            Ok(0)
        } else {
            Err(ETIME)
        }
    }
}
