// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Moves that are done later, and users that wait for them.

use super::*;
use crate::{
    dma_fence::{
        DriverFence,
        Fence, //
    },
    drm::ttm::{
        transaction,
        FenceUsage,
        Place, //
    },
    io::Io,
    kthread,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Completion, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};
use core::{
    pin::pin,
    ptr::NonNull, //
};

/// The content of a page.
fn content(n: usize) -> [u8; 4] {
    // CAST: Of a few pages.
    [n as u8 + 1; 4]
}

fn fill(reserved: &mut Reserved<'_, Object>, pages: usize) -> Result {
    (0..pages).try_for_each(|n| reserved.write(n * World::SIZE + 8, &content(n)))
}

fn is_filled(reserved: &mut Reserved<'_, Object>, pages: usize) -> Result<bool> {
    for n in 0..pages {
        let mut bytes = [0; 4];
        reserved.read(n * World::SIZE + 8, &mut bytes)?;
        if bytes != content(n) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn ctx() -> OperationCtx {
    OperationCtx::new()
}

fn busy() -> OperationCtx {
    OperationCtx::new().no_wait_gpu()
}

/// Reads in another thread, and runs the jobs after a pause. The content must be right, and must
/// not be read before the jobs.
fn reads_later(dev: &Device, read: impl Fn() -> bool + Sync) -> Result<bool> {
    let begun = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
    let (has_read, is_right) = (&Atomic::new(false), &Atomic::new(false));

    let early = kthread::scope(|scope| {
        scope.spawn(c"ttm_reader", || {
            begun.complete_all();
            is_right.store(read(), Relaxed);
            has_read.store(true, Relaxed);
        })?;
        begun.wait_for_completion();
        fsleep(Delta::from_millis(20));
        let early = has_read.load(Relaxed);
        dev.run_jobs();
        Ok(early)
    })?;
    Ok(!early && is_right.load(Relaxed))
}

/// A container of fences, as a sync file may have; this one has a single fence.
pub(super) fn container(one: &DriverFence) -> Result<ARef<Fence>> {
    let parts = KBox::new([ARef::into_raw(one.fence()).as_ptr()], GFP_KERNEL)?;

    // CAST: `Fence` is transparent.
    // SAFETY: Its array, and the reference in it, are given away, and so is the reference to it.
    unsafe {
        let array = bindings::dma_fence_array_create(1, KBox::into_raw(parts).cast(), 0, 1);

        Ok(ARef::from_raw(NonNull::new(array).ok_or(ENOMEM)?.cast()))
    }
}

/// The result of an eviction, and the memory type of the buffer after it.
type Evicted = (Result, Option<MemType>);

/// Evicts a buffer while a fence keeps it busy, and again when the fence is signaled.
fn evict_around_a_fence(dev: &Device) -> Result<[Evicted; 2]> {
    let obj = dev.vram(0x1000)?;
    let work = DriverFence::new(c"test", c"ring")?;
    let mut reserved = obj.reserve();
    reserved
        .fence_slot()?
        .add(&work.fence(), FenceUsage::Write)?;

    let busy_result = reserved.evict(&mut busy());
    let kept = (busy_result, reserved.mem_type());
    work.signal(Ok(()));
    let result = reserved.evict(&mut busy());
    Ok([kept, (result, reserved.mem_type())])
}

const KEPT_THEN_EVICTED: [Evicted; 2] = [
    (Err(EBUSY), Some(MemType::VRAM)),
    (Ok(()), Some(MemType::SYSTEM)),
];

#[kunit_tests(rust_ttm_moves)]
mod cases {
    use super::*;

    #[test]
    fn away_by_a_job() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.vram(0x3000)?;
        let mut reserved = obj.reserve();
        fill(&mut reserved, 3)?;

        reserved.validate(Placement::SYSTEM, &mut ctx())?;
        assert_eq!(reserved.mem_type(), Some(MemType::SYSTEM));
        assert_eq!(reserved.wait(&busy()), Err(EBUSY));
        // A ghost has the old place, until the job is done.
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        assert_eq!(vram.usage(), 0x3000);
        assert_eq!(dev.run_jobs(), 1);
        assert!(is_filled(&mut reserved, 3)?);
        Ok(())
    }

    // The buffer has its place, but not its content yet. A reader waits for that.
    #[test]
    fn a_reader_waits() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.vram(0x2000)?;
        fill(&mut obj.reserve(), 2)?;
        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;

        let is_right = reads_later(&dev, || is_filled(&mut obj.reserve(), 2) == Ok(true))?;
        assert!(is_right);
        Ok(())
    }

    #[test]
    fn a_mapping_waits() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.vram(0x1000)?;
        obj.reserve().write(0, b"kept")?;
        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;

        let is_right = reads_later(&dev, || {
            let map = obj.reserve().vmap::<4>();
            map.is_ok_and(|map| (&map).read32(0) == u32::from_le_bytes(*b"kept"))
        })?;
        assert!(is_right);
        Ok(())
    }

    // So does a debugger that reads a program's mapping, as there may be data of other buffers
    // until then.
    #[test]
    fn a_debugger_waits() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = &dev.vram(0x1000)?;
        obj.reserve().write(0, b"kept")?;
        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;

        let is_right = reads_later(&dev, || {
            let mut bytes = [0u8; 4];
            let bo = obj.buffer().as_raw();
            // SAFETY: The buffer is valid, and as large as that. This thread doesn't hold its
            // reservation.
            let read = unsafe { bindings::ttm_bo_access(bo, 0, bytes.as_mut_ptr().cast(), 4, 0) };
            read == 4 && &bytes == b"kept"
        })?;
        assert!(is_right);
        Ok(())
    }

    #[test]
    fn to_and_fro() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.vram(0x2000)?;
        let mut reserved = obj.reserve();
        fill(&mut reserved, 2)?;

        for _ in 0..3 {
            reserved.validate(Placement::TT, &mut ctx())?;
            assert_eq!(dev.run_jobs(), 1);
            // Both are made of the same pages.
            reserved.validate(Placement::SYSTEM, &mut ctx())?;
            assert_eq!(dev.run_jobs(), 0);
            reserved.validate(Placement::VRAM, &mut ctx())?;
            assert_eq!(dev.run_jobs(), 1);
        }
        assert!(is_filled(&mut reserved, 2)?);
        Ok(())
    }

    #[test]
    fn inside_of_vram() -> Result {
        let dev = Device::new_with_engine()?;
        let low = [Place::VRAM.within(0..16)?];
        let high = [Place::VRAM.within(16..32)?];
        let obj = dev.vram(0x4000)?;
        let mut reserved = obj.reserve();
        fill(&mut reserved, 4)?;

        reserved.validate(Placement::new(&high)?, &mut ctx())?;
        assert_eq!(dev.run_jobs(), 1);
        assert!(reserved
            .start()
            .is_some_and(|page| (16..32).contains(&page)));
        assert!(is_filled(&mut reserved, 4)?);
        reserved.validate(Placement::new(&low)?, &mut ctx())?;
        assert_eq!(dev.run_jobs(), 1);
        assert!(is_filled(&mut reserved, 4)?);
        Ok(())
    }

    // The ghost is on the list, is no object, and its reservation is free. Only its fence is not
    // signaled.
    #[test]
    fn a_walk_meets_the_ghost() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.vram(0x1000)?;
        obj.reserve().write(0, b"kept")?;
        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;

        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let mut cursor = pin!(vram.cursor());
        let mut walk = cursor.as_mut().lock();
        let met = walk.next().is_some();
        let ghost = walk.with_buffer(|bo| {
            (
                bo.is_ghost(),
                bo.object().is_none(),
                bo.id() == obj.buffer().id(),
                bo.reserve().evict(&mut ctx()),
            )
        });
        drop(walk);
        assert!(met);
        assert_eq!(ghost, Some((true, true, false, Err(EBUSY))));

        let mut walk = pin!(vram.walk(&busy()));
        let bo = walk.as_mut().next().ok_or(ENOENT)??;
        assert!(bo.is_ghost() && !bo.is_idle());
        drop(bo);

        assert_eq!(dev.run_jobs(), 1);
        let mut bytes = [0; 4];
        obj.reserve().read(0, &mut bytes)?;
        assert_eq!(&bytes, b"kept");
        Ok(())
    }

    // The last reference is dropped before the copy is made. The copy isn't needed any more, but it
    // must be waited for.
    #[test]
    fn freed_while_it_moves() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.vram(0x2000)?;
        obj.reserve().write(0, b"kept")?;
        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;

        drop(obj);
        assert_eq!(dev.run_jobs(), 1);
        drop(dev);
        Ok(())
    }

    // Only the second job waits for the first one.
    #[test]
    fn moved_again_at_once() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.vram(0x1000)?;
        let mut reserved = obj.reserve();
        fill(&mut reserved, 1)?;

        reserved.validate(Placement::SYSTEM, &mut busy())?;
        reserved.validate(Placement::VRAM, &mut busy())?;
        assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
        assert_eq!(dev.run_jobs(), 2);
        assert!(is_filled(&mut reserved, 1)?);
        Ok(())
    }

    #[test]
    fn an_unwritten_buffer_needs_no_job() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.system(0x2000)?;
        let mut reserved = obj.reserve();

        reserved.validate(Placement::VRAM, &mut ctx())?;
        assert_eq!(dev.run_jobs(), 0);
        let mut bytes = [1; 4];
        reserved.read(0x1000, &mut bytes)?;
        assert_eq!(bytes, [0; 4]);
        Ok(())
    }

    #[test]
    fn a_job_gets_swapped_out_content() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.system(0x2000)?;
        let mut reserved = obj.reserve();

        reserved.populate(&mut ctx())?;
        fill(&mut reserved, 2)?;
        reserved.swap_out(&mut ctx())?;
        reserved.validate(Placement::VRAM, &mut ctx())?;
        assert_eq!(dev.run_jobs(), 1);
        assert!(is_filled(&mut reserved, 2)?);
        Ok(())
    }

    // A buffer that the GPU uses isn't moved without waiting.
    #[test]
    fn a_fence_keeps_it() -> Result {
        let evicted = evict_around_a_fence(&Device::new()?)?;

        assert_eq!(evicted, KEPT_THEN_EVICTED);
        Ok(())
    }

    // The content isn't copied, but another buffer gets the old place.
    #[test]
    fn a_fence_keeps_a_buffer_that_moves_without_content() -> Result {
        let evicted = evict_around_a_fence(&Device::new_that_forgets()?)?;

        assert_eq!(evicted, KEPT_THEN_EVICTED);
        Ok(())
    }

    // The same thread may do the fence's work next, so it must not wait.
    #[test]
    fn a_fence_that_cannot_be_added_is_not_waited_for() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;
        let work = DriverFence::new(c"test", c"ring")?;
        let several = container(&work)?;

        let mut reserved = obj.reserve();
        let slot = reserved.fence_slot()?;
        assert_eq!(slot.add(&several, FenceUsage::Write), Err(EINVAL));
        assert!(reserved.is_idle());
        drop(reserved);

        transaction(&ctx(), |tx| {
            let mut reserved = tx.reserve(&obj)?;
            let slot = reserved.fence_slot()?;
            assert_eq!(slot.add(&several, FenceUsage::Write), Err(EINVAL));
            Ok(())
        })?;
        work.signal(Ok(()));
        Ok(())
    }

    #[test]
    fn by_way_of_another_place() -> Result {
        let dev = Device::new_that_hops()?;
        let obj = dev.system(0x2000)?;
        let mut reserved = obj.reserve();
        let mut ctx = ctx();
        reserved.populate(&mut ctx)?;
        fill(&mut reserved, 2)?;

        reserved.validate(Placement::VRAM, &mut ctx)?;
        assert_eq!(reserved.mem_type(), Some(MemType::VRAM));
        assert_eq!(ctx.bytes_moved(), 2 * 0x2000);
        assert!(is_filled(&mut reserved, 2)?);
        Ok(())
    }

    // A driver that sends the buffer to and fro leaves it where it was last.
    #[test]
    fn not_by_way_of_others_for_ever() -> Result {
        let dev = Device::new_that_hops()?;
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let obj = dev.vram(0x2000)?;
        fill(&mut obj.reserve(), 2)?;

        for _ in 0..2 {
            let mut reserved = obj.reserve();
            let moved = reserved.validate(Placement::SYSTEM, &mut ctx());
            assert_eq!(moved, Err(EINVAL));
            assert!(is_filled(&mut reserved, 2)?);
        }
        obj.reserve().validate(Placement::VRAM, &mut ctx())?;
        assert_eq!(vram.evict_all(), Err(EINVAL));
        assert!(is_filled(&mut obj.reserve(), 2)?);
        Ok(())
    }

    // Each of them is waited for.
    #[test]
    fn many_fences() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;
        let mut reserved = obj.reserve();
        let mut work = KVec::new();

        for usage in [FenceUsage::Read, FenceUsage::Write, FenceUsage::Bookkeep] {
            for _ in 0..8 {
                let pending = DriverFence::new(c"test", c"ring")?;
                reserved.fence_slot()?.add(&pending.fence(), usage)?;
                work.push(pending, GFP_KERNEL)?;
            }
        }
        while let Some(pending) = work.pop() {
            assert!(!reserved.is_idle());
            pending.signal(Ok(()));
        }
        assert!(reserved.is_idle());
        Ok(())
    }

    // The GPU still uses it after its last reference was dropped: it is a zombie until the GPU is
    // done.
    #[test]
    fn a_zombie_waits_for_the_gpu() -> Result {
        let dev = Device::new()?;
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let obj = dev.vram(0x1000)?;
        let work = DriverFence::new(c"test", c"ring")?;
        obj.reserve()
            .fence_slot()?
            .add(&work.fence(), FenceUsage::Read)?;

        drop(obj);
        assert_eq!(vram.usage(), 0x1000);
        let mut walk = pin!(vram.walk(&busy()));
        let bo = walk.as_mut().next().ok_or(ENOENT)??;
        assert!(!bo.is_ghost() && bo.object().is_none());
        drop(bo);
        // The device's teardown waits for it.
        work.signal(Ok(()));
        Ok(())
    }
}
