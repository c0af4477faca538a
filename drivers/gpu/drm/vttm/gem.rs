// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Buffers.

use crate::{
    count::Count,
    domain::Domains,
    driver::{
        DeviceData,
        VttmDevice,
        VttmDriver, //
    },
    file::File,
    gpu::Hardware,
    usage::Usage,
    vm::Vm, //
};
use core::ptr;
use kernel::{
    dma_fence::Fence,
    drm::{
        self,
        gem::{
            self,
            BaseObject, //
        },
        ttm::{
            self,
            FenceUsage,
            MemType,
            ObjectConfig,
            OperationCtx,
            Reserved,
            Resv,
            Stop,
            Transaction, //
        },
        Ioctl,
        Registered, //
    },
    new_spinlock,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        SpinLock, //
    },
    time::{
        msecs_to_jiffies,
        Delta,
        Instant,
        Monotonic, //
    },
    uapi, //
};

pub(crate) type Object = ttm::Object<Buffer>;

/// The driver's part of a buffer.
pub(crate) struct Buffer {
    /// A number that no other buffer of the GPU has.
    pub(crate) id: u64,
    /// The domains that it may be in.
    pub(crate) domains: Domains,
    /// The VM that it belongs to.
    pub(crate) vm: Option<Arc<Vm>>,
    is_imported: bool,
    dev: ARef<VttmDevice>,
    moves: Count,
    evictions: Count,
    swap_outs: Count,
    /// Whether the program doesn't need the content any more.
    dont_need: Atomic<bool>,
    /// Whether the content was lost.
    purged: Atomic<bool>,
    /// Whether it must stay in place as long as the reservation is held.
    in_use: Atomic<bool>,
    late: Arc<Late>,
    pub(crate) usage: Usage,
}

/// The late work on buffers with this reservation: work that waits for a fence which isn't the
/// engine's.
#[pin_data]
pub(crate) struct Late {
    #[pin]
    last: SpinLock<Option<ARef<Fence>>>,
}

impl Late {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                last <- new_spinlock!(None),
            }),
            GFP_KERNEL,
        )
    }

    fn begins(&self, fence: ARef<Fence>) {
        // Dropped when the lock isn't held.
        let _before = self.last.lock().replace(fence);
    }

    fn is_pending(&self) -> bool {
        let last = self.last.lock();

        last.as_ref().is_some_and(|fence| !fence.is_signaled())
    }
}

/// The arguments of a buffer.
pub(crate) struct BufferArgs {
    domains: Domains,
    vm: Option<Arc<Vm>>,
    is_imported: bool,
    late: Arc<Late>,
}

impl BufferArgs {
    /// An imported buffer.
    pub(crate) fn imported() -> Result<Self> {
        Ok(Self {
            domains: Domains::PAGES,
            vm: None,
            is_imported: true,
            late: Late::new()?,
        })
    }
}

impl gem::DriverObject for Buffer {
    type Driver = VttmDriver;
    type Args = BufferArgs;

    fn new(dev: &VttmDevice, _size: usize, args: BufferArgs) -> impl PinInit<Self, Error> {
        let data: &DeviceData = dev.driver_data();

        data.counts.buffers.add(1);
        Ok(Self {
            id: data.next_id(),
            domains: args.domains,
            vm: args.vm,
            is_imported: args.is_imported,
            dev: dev.into(),
            moves: Count::default(),
            evictions: Count::default(),
            swap_outs: Count::default(),
            dont_need: Atomic::new(false),
            purged: Atomic::new(false),
            in_use: Atomic::new(false),
            late: args.late,
            usage: Usage::new(),
        })
    }
}

impl ttm::DriverObject for Buffer {}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.dev.counts.buffers.take_one();
    }
}

impl Buffer {
    pub(crate) fn count_move(&self, is_eviction: bool) {
        self.moves.add(1);
        self.dev.counts.moves.add(1);
        if is_eviction {
            self.evictions.add(1);
            self.dev.counts.evictions.add(1);
        }
    }

    pub(crate) fn count_swap_out(&self) {
        self.swap_outs.add(1);
        self.dev.counts.swap_outs.add(1);
    }

    /// Notes that its content was lost, as the system was short of memory.
    pub(crate) fn lost(&self) {
        self.purged.store(true, Relaxed);
        self.dev.counts.purges.add(1);
    }

    /// Whether it may be used by work in `vm`, or in none.
    pub(crate) fn is_for(&self, vm: Option<&Vm>) -> bool {
        self.vm
            .as_deref()
            .is_none_or(|own| vm.is_some_and(|vm| ptr::eq(own, vm)))
    }

    pub(crate) fn is_not_needed(&self) -> bool {
        self.dont_need.load(Relaxed)
    }

    /// Whether it must stay in place. A client must not wait for another client's work, which may
    /// never begin.
    pub(crate) fn must_stay(&self) -> bool {
        self.in_use.load(Relaxed) || self.late.is_pending()
    }

    /// Notes that late work on it begins.
    pub(crate) fn is_used_late(&self, fence: ARef<Fence>) {
        self.late.begins(fence);
    }

    /// Keeps the buffer in place until the returned value is dropped, which must be before the
    /// reservation is given back.
    pub(crate) fn keep(&self) -> Kept<'_> {
        self.in_use.store(true, Relaxed);
        Kept(self)
    }

    /// The state of the buffer that programs can query without its reservation.
    pub(crate) fn state(&self) -> u32 {
        let mut state = 0;

        if self.is_not_needed() {
            state |= uapi::VTTM_STATE_DONT_NEED;
        }
        if self.purged.load(Relaxed) {
            state |= uapi::VTTM_STATE_PURGED;
        }
        if self.is_imported {
            state |= uapi::VTTM_STATE_IMPORTED;
        }
        state
    }
}

/// The context of a program's ioctl: a signal interrupts its waits, and it fails if memory is
/// short, so that no process is killed for buffers.
pub(crate) fn ioctl_ctx() -> OperationCtx {
    OperationCtx::new().interruptible().gfp_retry_mayfail()
}

/// As [`ttm::transaction`], for an ioctl.
///
/// If there is no room because work on other clients' buffers is late, this waits for that work,
/// with nothing reserved. It doesn't wait for long, as the work may never begin. If the engine is
/// only slow, this waits for a minute or two.
pub(crate) fn transaction<'env, R>(
    dev: &VttmDevice,
    mut f: impl FnMut(&Transaction<'env>) -> Result<R, Stop>,
) -> Result<R> {
    const PATIENCE_MS: u32 = 1000;
    const WAITED: Delta = Delta::from_secs(5);
    let load = &dev.engine.load;
    let mut patience = msecs_to_jiffies(PATIENCE_MS);
    let mut tries = 4;

    loop {
        let (was_late, late_jobs) = (load.is_late(), load.late_jobs());
        let begun = Instant::<Monotonic>::now();
        let result = ttm::transaction(&ioctl_ctx(), |tx| {
            load.wait_for_copies(|| dev.is_unplugged())?;
            f(tx)
        });

        // TTM takes a GPU that has worked for 15 s on a buffer for one that hangs.
        let is_slow = matches!(result, Err(e) if e == EBUSY) && begun.elapsed() >= WAITED;

        if is_slow && tries > 0 && !dev.is_unplugged() {
            tries -= 1;
            continue;
        }
        if patience == 0 || !matches!(result, Err(e) if e == ENOSPC) {
            return result;
        }
        match load.wait_for_late(patience)? {
            Some(left) => patience = left,
            // Late work was done during the attempt: try again. Each time costs a jiffy, so this ends.
            None if !load.is_late() && (was_late || load.late_jobs() != late_jobs) => patience -= 1,
            None => return result,
        }
    }
}

/// A buffer that stays in place as long as this exists, even if its reservation is lent.
pub(crate) struct Kept<'a>(&'a Buffer);

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.0.in_use.store(false, Relaxed);
    }
}

/// Brings a buffer to one of `domains`, and populates it if that is made of pages.
///
/// Evicts other buffers to make room, see [`Transaction::validate`]. A buffer that another device
/// is attached to stays in place; if its domain isn't in `domains`, this fails with [`EBUSY`].
pub(crate) fn place(
    tx: &Transaction<'_>,
    reserved: &mut Reserved<'_, Object>,
    domains: Domains,
    lent: Option<&Resv>,
    ctx: &mut OperationCtx,
) -> Result<(), Stop> {
    if !reserved.is_pinned() {
        tx.validate(reserved, domains.placement(), lent, ctx)?;
    } else if !domains.include(reserved.mem_type()) {
        return Err(EBUSY.into());
    }
    if reserved.mem_type() != Some(MemType::VRAM) {
        reserved.populate(ctx)?;
    }
    Ok(())
}

/// Whether the GPU can have room for a buffer of that size.
fn fits(data: &DeviceData, size: usize, domains: Domains) -> bool {
    let gtt = domains.contains(Domains::GTT) && size <= data.gtt;
    let vram = domains.contains(Domains::VRAM) && size <= data.vram;
    // The GPU doesn't reach system memory, but the size needs a limit there as well.
    let system = domains.contains(Domains::SYSTEM) && size <= data.gtt.max(data.vram);

    gtt || vram || system
}

impl File {
    pub(crate) fn gem_create(
        dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_gem_create,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.flags != 0 || args.pad != 0 {
            return Err(EINVAL);
        }
        let domains = Domains::new(args.domains)?;
        let vm = Self::vm(file, args.vm_id)?;
        let size = usize::try_from(args.size)?;
        if !fits(dev.driver_data(), size, domains) {
            return Err(ENOSPC);
        }

        // The buffer begins in system memory, without pages, and moves to its domain when it is
        // first used.
        let config = ObjectConfig {
            priority: args.priority,
            bulk: vm.as_ref().map(|vm| &vm.bulk),
            ..ObjectConfig::default()
        };
        let obj = Object::new(
            dev,
            size,
            &config,
            &mut ioctl_ctx(),
            BufferArgs {
                domains,
                late: match &vm {
                    Some(vm) => vm.late.clone(),
                    None => Late::new()?,
                },
                vm: vm.clone(),
                is_imported: false,
            },
        )?;

        args.size = obj.size() as u64;
        args.handle = obj.create_handle(file)?;
        Ok(0)
    }

    pub(crate) fn gem_info(
        _dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_gem_info,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.flags != 0 {
            return Err(EINVAL);
        }
        let obj = Object::lookup_handle(file, args.handle)?;
        let reserved = obj.reserve_interruptible()?;

        args.id = obj.id;
        args.size = obj.size() as u64;
        args.domains = obj.domains.bits();
        args.priority = reserved.priority();
        args.moves = obj.moves.get();
        args.evictions = obj.evictions.get();
        args.swap_outs = obj.swap_outs.get();
        args.domain = reserved.mem_type().map_or(0, Domains::of);
        args.start = match reserved.mem_type() {
            Some(MemType::SYSTEM) | None => 0,
            Some(_) => reserved
                .start()
                .map_or(0, |page| (page as u64) << PAGE_SHIFT),
        };
        args.state = obj.state();
        if !reserved.is_idle() {
            args.state |= uapi::VTTM_STATE_BUSY;
        }
        if reserved.is_populated() {
            args.state |= uapi::VTTM_STATE_PAGES;
        }
        Ok(0)
    }

    pub(crate) fn gem_mmap_offset(
        _dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_gem_mmap_offset,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.flags != 0 {
            return Err(EINVAL);
        }
        args.offset = Object::lookup_handle(file, args.handle)?.create_mmap_offset()?;
        Ok(0)
    }

    pub(crate) fn gem_prefetch(
        dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_gem_prefetch,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.flags != 0 || args.pad != 0 {
            return Err(EINVAL);
        }
        let obj = Object::lookup_handle(file, args.handle)?;
        let domains = obj.domains.choose(args.domains)?;

        transaction(dev, |tx| {
            let mut ctx = ioctl_ctx();
            let mut reserved = tx.reserve(&obj)?;

            place(tx, &mut reserved, domains, None, &mut ctx)?;
            reserved.move_to_lru_tail();
            Ok(0)
        })
    }

    /// Unguarded: the device may go while a program waits.
    pub(crate) fn gem_evict(
        dev: &VttmDevice<Ioctl>,
        args: &mut uapi::drm_vttm_gem_evict,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.flags & !uapi::VTTM_EVICT_SWAP_OUT != 0 {
            return Err(EINVAL);
        }
        let obj = Object::lookup_handle(file, args.handle)?;
        let swap_out = args.flags & uapi::VTTM_EVICT_SWAP_OUT != 0;

        loop {
            let result = {
                let _guard = dev.registration_guard().ok_or(ENODEV)?;

                evict(&obj, swap_out)
            };

            // TTM gives up on an engine that is busy for long. Wait for it with nothing reserved.
            if result != Err(EBUSY) || obj.is_idle_for(FenceUsage::Bookkeep) {
                return result.map(|()| 0);
            }
            obj.wait_idle_timeout(FenceUsage::Bookkeep, drm::time_until(i64::MAX))?;
        }
    }

    pub(crate) fn gem_madvise(
        _dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_gem_madvise,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.pad != 0 {
            return Err(EINVAL);
        }
        let dont_need = match args.advice {
            uapi::VTTM_MADV_WILL_NEED => false,
            uapi::VTTM_MADV_DONT_NEED => true,
            _ => return Err(EINVAL),
        };
        let obj = Object::lookup_handle(file, args.handle)?;
        let mut reserved = obj.reserve_interruptible()?;

        reserved.set_purgeable(dont_need);
        obj.dont_need.store(dont_need, Relaxed);
        args.retained = (!obj.purged.load(Relaxed)).into();
        if !dont_need {
            // The program is told that the content was lost, and finds the buffer zeroed.
            obj.purged.store(false, Relaxed);
        }
        Ok(0)
    }
}

/// Evicts a buffer, and maybe swaps its pages out as well.
fn evict(obj: &Object, and_swap_out: bool) -> Result {
    let mut ctx = ioctl_ctx();
    let mut reserved = obj.reserve_interruptible()?;

    reserved.evict(&mut ctx)?;
    if and_swap_out {
        swap_out(&mut reserved, &mut ctx)?;
    }
    Ok(())
}

/// Swaps a buffer's pages out: with a shrinker by backing them up, otherwise by TTM's swap-out.
fn swap_out(reserved: &mut Reserved<'_, Object>, ctx: &mut OperationCtx) -> Result {
    if !reserved.is_populated() {
        return Ok(());
    }
    if reserved.buffer().device().is_shrinkable() {
        reserved.shrink(false, ctx).map(|_| ())
    } else {
        reserved.swap_out(ctx)
    }
}
