// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Answers of `Driver::move_buffer`, and their results.

use super::{
    moves::container,
    *, //
};
use crate::{
    dma_fence::DriverFence,
    drm::ttm::{
        FenceUsage,
        MoveBy,
        Place, //
    },
    kthread,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

const SIZE: usize = 0x1000;

fn ctx() -> OperationCtx {
    OperationCtx::new()
}

fn busy() -> OperationCtx {
    OperationCtx::new().no_wait_gpu()
}

fn driver_fence() -> Result<DriverFence> {
    DriverFence::new(c"test", c"ring")
}

/// A buffer in VRAM with a content.
fn kept(dev: &Device, size: usize) -> Result<ARef<Object>> {
    let obj = dev.vram(size)?;

    obj.reserve().write(0, b"kept")?;
    Ok(obj)
}

fn is_kept(obj: &Object) -> Result<bool> {
    let mut bytes = [0; 4];

    obj.reserve().read(0, &mut bytes)?;
    Ok(&bytes == b"kept")
}

/// Moves a buffer to system memory in another thread, and calls `then` after a pause. Returns
/// whether the move ended before `then` was called, and its result.
fn moved(obj: &Object, ctx: fn() -> OperationCtx, then: impl FnOnce()) -> Result<(bool, Result)> {
    let is_over = &Atomic::new(false);
    let mut result = Err(ENODATA);
    let moved = &mut result;

    let early = kthread::scope(|scope| {
        scope.spawn(c"ttm_mover", move || {
            *moved = obj.reserve().validate(Placement::SYSTEM, &mut ctx());
            is_over.store(true, Relaxed);
        })?;
        fsleep(Delta::from_millis(20));
        let early = is_over.load(Relaxed);
        then();
        Ok(early)
    })?;
    Ok((early, result))
}

#[kunit_tests(rust_ttm_answers)]
mod cases {
    use super::*;

    // A reservation can't have such a fence, so the move itself waits for it.
    #[test]
    fn a_fence_that_stands_for_several() -> Result {
        let dev = Device::new()?;
        let obj = kept(&dev, SIZE)?;
        let work = driver_fence()?;
        let several = container(&work)?;
        dev.driver_data()
            .answer_with(move |_, _| Ok(MoveBy::Fence(several.clone())))?;

        let (early, result) = moved(&obj, ctx, || work.signal(Ok(())))?;
        assert!(!early);
        assert_eq!(result, Ok(()));
        assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        Ok(())
    }

    // The device writes to the new place until the fence is signaled.
    #[test]
    fn a_fence_of_a_move_that_fails() -> Result {
        let dev = Device::new()?;
        let obj = kept(&dev, SIZE)?;
        let (user, work) = (driver_fence()?, driver_fence()?);
        let fence = work.fence();
        obj.reserve()
            .fence_slot()?
            .add(&user.fence(), FenceUsage::Write)?;
        dev.driver_data()
            .answer_with(move |_, _| Ok(MoveBy::Fence(fence.clone())))?;

        let (early, result) = moved(&obj, busy, || work.signal(Ok(())))?;
        assert!(!early);
        assert_eq!(result, Err(EBUSY));
        assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
        user.signal(Ok(()));
        assert!(is_kept(&obj)?);
        Ok(())
    }

    // A job writes to the new place, too.
    #[test]
    fn a_job_of_a_move_that_fails() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = kept(&dev, SIZE)?;
        dev.driver_data().answer_with(|engine, mv| {
            engine.copy(mv)?;
            Err(EIO)
        })?;

        let (early, result) = moved(&obj, ctx, || {
            dev.run_jobs();
        })?;
        assert!(!early);
        assert_eq!(result, Err(EIO));
        assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
        assert!(is_kept(&obj)?);
        Ok(())
    }

    // The move would not wait for the first one.
    #[test]
    fn a_second_job() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = kept(&dev, SIZE)?;
        dev.driver_data().answer_with(|engine, mv| {
            engine.copy(mv)?;
            let _ = engine.copy(mv);
            Ok(MoveBy::Memcpy)
        })?;

        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;
        assert_eq!(dev.run_jobs(), 1);
        assert!(is_kept(&obj)?);
        Ok(())
    }

    // TTM would take this error for a hop, and there is no place to hop to.
    #[test]
    fn an_error_that_asks_for_a_hop() -> Result {
        let dev = Device::new()?;
        let obj = kept(&dev, SIZE)?;
        dev.driver_data().answer_with(|_, _| Err(EMULTIHOP))?;

        let moved = obj.reserve().validate(Placement::SYSTEM, &mut ctx());
        assert_eq!(moved, Err(EINVAL));
        assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
        assert!(is_kept(&obj)?);
        Ok(())
    }

    #[test]
    fn a_hop_on_the_way_to_a_hop() -> Result {
        let dev = Device::new()?;
        let obj = kept(&dev, SIZE)?;
        dev.driver_data()
            .answer_with(|_, _| Ok(MoveBy::Hop(Place::TT)))?;

        let moved = obj.reserve().validate(Placement::SYSTEM, &mut ctx());
        assert_eq!(moved, Err(EINVAL));
        assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
        assert!(is_kept(&obj)?);
        Ok(())
    }

    // There may be as many hops as there are memory types, and no more.
    #[test]
    fn more_hops_than_memory_types() -> Result {
        let most = bindings::TTM_NUM_MEM_TYPES;

        for (hops, wanted) in [(most, Ok(())), (most + 1, Err(EINVAL))] {
            let dev = Device::new()?;
            let obj = kept(&dev, SIZE)?;
            let mut left = hops;
            dev.driver_data().answer_with(move |_, mv| {
                if mv.to().mem_type != MemType::SYSTEM || left == 0 {
                    return Ok(MoveBy::Memcpy);
                }
                left -= 1;
                Ok(MoveBy::Hop(match mv.from().mem_type {
                    MemType::VRAM => Place::TT,
                    _ => Place::VRAM,
                }))
            })?;

            let moved = obj.reserve().validate(Placement::SYSTEM, &mut ctx());
            assert_eq!(moved, wanted);
            assert!(is_kept(&obj)?);
        }
        Ok(())
    }

    // Two are evicted side by side. The job of the second one is made last, and TTM is told of it
    // first.
    #[test]
    fn the_last_eviction_is_waited_for() -> Result {
        const HALF: usize = Device::SIZE / 2;
        const PAGES: u64 = HALF as u64 >> 12;

        let dev = Device::new_with_pipeline()?;
        let (first, second) = (kept(&dev, HALF)?, kept(&dev, HALF)?);
        let place = |obj: &Object| {
            let start = obj.reserve().start().ok_or(ENXIO)? as u64;
            Ok::<_, Error>([Place::VRAM.within(start..start + PAGES)?])
        };
        let places = [place(&first)?, place(&second)?];
        let [into_first, into_second] = [dev.system(HALF)?, dev.system(HALF)?];

        let mut evicts = Some(into_second.clone());
        dev.driver_data().answer_with(move |engine, mv| {
            engine.copy(mv)?;
            if let Some(obj) = evicts.take() {
                let mut reserved = obj.try_reserve().ok_or(EDEADLK)?;
                // It gets no place yet.
                let _ = reserved.validate(Placement::new(&places[1])?, &mut busy());
            }
            Ok(MoveBy::Memcpy)
        })?;
        let placement = Placement::new(&places[0])?;
        let refused = into_first.reserve().validate(placement, &mut busy());
        assert!(refused.is_err());
        assert_eq!(dev.queued(), 2);

        // The first one is done; the other one still has to be copied.
        let mut jobs = dev.driver_data().take_jobs();
        let last = jobs.pop();
        drop(jobs);
        let placement = Placement::new(&places[1])?;
        let placed = into_second.reserve().validate(placement, &mut busy());
        drop(last);
        assert!(placed.is_err());
        assert!(is_kept(&first)? && is_kept(&second)?);
        into_second.reserve().validate(placement, &mut busy())?;
        Ok(())
    }
}
