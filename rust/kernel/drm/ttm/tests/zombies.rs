// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Zombies: buffers whose last reference is dropped while a walk has them.

use super::*;
use crate::{
    dma_fence::DriverFence,
    drm::ttm::FenceUsage,
    kthread,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use core::pin::pin;

/// Whether the first buffer in VRAM but `old` is alive, if there is one.
fn is_other_alive(dev: &Device, old: BufferId) -> Result<Option<bool>> {
    let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    while walk.next().is_some() {
        let is_alive = walk.with_buffer(|bo| (bo.id() != old).then(|| bo.object().is_some()));

        if let Some(is_alive) = is_alive.flatten() {
            return Ok(Some(is_alive));
        }
    }
    Ok(None)
}

#[kunit_tests(rust_ttm_zombies)]
mod cases {
    use super::*;

    #[test]
    fn freed_while_the_walk_looks_at_it() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b c")?;
        let mut cursor = pin!(w.cursor());
        let mut freed = Ok(());

        let mut walk = cursor.as_mut().lock();
        let _ = w.step(&mut walk);
        let size = walk.with_buffer(|bo| {
            freed = w.free('a');
            // Only the walk has it now.
            (bo.object().is_some(), bo.size())
        });
        let next = w.step(&mut walk);
        drop(walk);

        assert_eq!(freed, Ok(()));
        assert_eq!(size, Some((false, World::SIZE)));
        assert_eq!(next, Some('b'));
        assert!(w.picture().is("bHc"));
        Ok(())
    }

    // The buffer of a step may be gone as soon as the lock is dropped.
    #[test]
    fn after_the_lock_was_dropped_there_is_no_buffer() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b c d")?;
        let mut cursor = pin!(w.cursor());
        let mut freed = Ok(());

        let mut walk = cursor.as_mut().lock();
        let _ = w.step(&mut walk);
        walk.unlocked(|| freed = w.free('a'));
        let unlocked = walk.with_buffer(|_| ());
        let _ = w.step(&mut walk);
        let met = walk.with_buffer(|_| ());
        let again = walk.with_buffer(|_| ());
        let _ = w.step(&mut walk);
        drop(walk.lru());
        let lent = walk.with_buffer(|_| ());
        drop(walk);

        assert_eq!(freed, Ok(()));
        assert_eq!(unlocked, None);
        assert_eq!((met, again), (Some(()), None));
        assert_eq!(lent, None);
        assert!(w.rest(cursor.as_mut()).is("d"));
        Ok(())
    }

    // It waits for its place, and may fail, so it gives out no reference yet.
    #[test]
    fn a_buffer_that_is_being_made_is_not_alive() -> Result {
        let dev = &Device::new_with_pipeline()?;
        let old = dev.vram(Device::SIZE)?;
        old.reserve().write(0, b"kept")?;
        let mut was_alive = None;

        kthread::scope(|scope| {
            scope.spawn(c"ttm_new_buffer", || drop(dev.vram(Device::SIZE)))?;
            while dev.queued() == 0 || was_alive.is_none() {
                fsleep(Delta::from_millis(1));
                // The eviction of the old one is queued before it has left.
                if dev.queued() != 0 {
                    was_alive = is_other_alive(dev, old.buffer().id())?;
                }
            }
            dev.run_jobs();
            Ok(())
        })?;
        assert_eq!(was_alive, Some(false));
        Ok(())
    }

    #[test]
    fn a_zombie_is_evicted() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b*")?;
        let mut cursor = pin!(w.cursor());
        let mut freed = Ok(());

        let mut walk = cursor.as_mut().lock();
        let _ = w.step(&mut walk);
        let evicted = walk.with_buffer(|bo| {
            freed = w.free('a');
            bo.reserve().evict(&mut OperationCtx::new())
        });
        drop(walk);

        assert_eq!(freed, Ok(()));
        assert_eq!(evicted, Some(Ok(())));
        assert!(w.picture().is("Hb"));
        assert!(w.order_of(MemType::SYSTEM).is(""));
        Ok(())
    }

    // TTM has begun to delete it, and only waits for the GPU.
    #[test]
    fn a_deleted_buffer_is_not_evicted() -> Result {
        let dev = Device::new()?;
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let obj = dev.vram(0x1000)?;
        let work = DriverFence::new(c"ttm-test-device", c"ring 0")?;

        obj.reserve()
            .fence_slot()?
            .add(&work.fence(), FenceUsage::Bookkeep)?;
        drop(obj);
        let mut walk = pin!(vram.walk(&OperationCtx::new()));
        let mut bo = walk.as_mut().next().ok_or(ENOENT)??;
        work.signal(Ok(()));
        let evicted = bo.evict(&mut OperationCtx::new());
        drop(bo);

        assert_eq!(evicted, Err(EBUSY));
        Ok(())
    }

    #[test]
    fn another_walk_meets_a_zombie() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut first = pin!(w.cursor());
        let mut seen = Text::new();
        let mut alive = None;

        let mut walk = first.as_mut().lock();
        let _ = w.step(&mut walk);
        let _ = walk.with_buffer(|_| {
            let _ = w.free('a');
            let mut second = pin!(w.cursor());
            let mut walk = second.as_mut().lock();

            // The buffer has no letter any more.
            seen.push(w.step(&mut walk).unwrap_or('.'));
            alive = walk.with_buffer(|bo| bo.object().is_some());
            seen.push(w.step(&mut walk).unwrap_or('.'));
        });
        drop(walk);

        assert!(seen.is("~b"));
        assert_eq!(alive, Some(false));
        assert!(w.picture().is("Hb"));
        Ok(())
    }

    #[test]
    fn a_zombie_has_left_its_bulk() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c* d")?;
        let mut cursor = pin!(w.cursor());
        let mut ranges = Text::new();
        let mut moved = Ok(());

        let mut walk = cursor.as_mut().lock();
        let _ = w.step(&mut walk);
        let _ = w.step(&mut walk);
        let _ = walk.with_buffer(|_| {
            let _ = w.free('b');
            ranges = w.ranges();
            moved = w.touch_bulk('*');
        });
        drop(walk);

        assert!(ranges.is("**.."));
        assert_eq!(moved, Ok(()));
        assert!(w.rest(cursor.as_mut()).is("dac"));
        Ok(())
    }

    #[test]
    fn the_handed_out_outlives_its_object() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let mut bo = walk.as_mut().next().ok_or(ENOENT)??;

        w.free('a')?;
        assert!(bo.object().is_none());
        assert_eq!(bo.size(), World::SIZE);
        assert_eq!(bo.evict(&mut OperationCtx::new()), Ok(()));
        assert_eq!(bo.mem_type(), Some(MemType::SYSTEM));
        drop(bo);
        assert!(w.order_of(MemType::SYSTEM).is(""));
        assert!(w.rest_reserved(walk.as_mut())?.is("b"));
        Ok(())
    }

    #[test]
    fn a_zombie_is_not_revived() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let bo = walk.as_mut().next().ok_or(ENOENT)??;
        let kept = bo.object().ok_or(ENOENT)?;

        // As long as there is a reference, it is alive.
        w.free('a')?;
        assert!(bo.object().is_some());
        drop(kept);
        assert!(bo.object().is_none());
        // A walk that begins now has only the other one.
        let mut other = pin!(w.vram.walk(&OperationCtx::new()));
        assert!(w.rest_reserved(other.as_mut())?.is("b"));
        assert_eq!(other.left_out().busy, 1);
        drop(bo);
        assert!(w.order().is("b"));
        Ok(())
    }

    #[test]
    fn only_zombies_are_left() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b! c!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let mut kept = KVec::new();

        for bo in walk.as_mut() {
            kept.push(bo?, GFP_KERNEL)?;
        }
        for letter in ['a', 'b', 'c'] {
            w.free(letter)?;
        }
        assert_eq!(w.vram.usage(), 3 * World::SIZE as u64);
        drop(kept);
        assert_eq!(w.vram.usage(), 0);
        Ok(())
    }
}
