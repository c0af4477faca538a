// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Jobs, moves that are queued behind them, and users that wait for both.

use super::*;
use crate::{
    dma_fence::{
        DriverFence,
        Timeline, //
    },
    drm::ttm::{
        transaction,
        FenceUsage,
        Job,
        JobBuilder,
        JobMemory, //
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
use FenceUsage::{
    Bookkeep,
    Read,
    Write, //
};

fn ctx() -> OperationCtx {
    OperationCtx::new()
}

fn busy() -> OperationCtx {
    OperationCtx::new().no_wait_gpu()
}

fn timeline() -> Result<Timeline> {
    Timeline::new(c"test", c"ring")
}

/// A job that uses one object.
fn job(timeline: &Timeline, obj: &Object, usage: FenceUsage) -> Result<Job> {
    let mut reserved = obj.reserve();
    let mut job = JobBuilder::new(timeline, 1)?;

    reserved.populate(&mut ctx())?;
    job.add(&mut reserved, usage)?;
    job.publish()
}

/// Fills an object with `value`, `value + step` and so on.
fn fill(obj: &Object, value: u64, step: u64) -> Result {
    let size = obj.buffer().size();

    job(&timeline()?, obj, Write)?.run(|memory| memory.fill(0, 0, size, value, step))
}

/// Whether an object has this content. Waits for moves only.
fn shows(obj: &Object, value: u64, step: u64) -> Result<bool> {
    let mut page = KVec::from_elem(0, World::SIZE, GFP_KERNEL)?;
    let mut reserved = obj.reserve();
    let mut value = value;

    for at in (0..obj.buffer().size()).step_by(page.len()) {
        reserved.read(at, &mut page)?;
        for word in page.chunks_exact(8) {
            if word != value.to_le_bytes() {
                return Ok(false);
            }
            value = value.wrapping_add(step);
        }
    }
    Ok(true)
}

/// Evicts an object that a job will fill, as another one needs all of VRAM.
fn changing_places(dev: &Device) -> Result<(ARef<Object>, ARef<Object>, Job)> {
    let (old, new) = (dev.vram(Device::SIZE)?, dev.system(Device::SIZE)?);
    fill(&new, 7, 1)?;
    let job = job(&timeline()?, &old, Write)?;

    new.reserve().validate(Placement::VRAM, &mut ctx())?;
    Ok((old, new, job))
}

/// Long enough for other threads to get ahead if they don't wait.
fn give_them_time() {
    fsleep(Delta::from_millis(20));
}

/// Adds 1 to the first word of a buffer.
fn count(memory: &JobMemory<'_>, index: usize) -> Result {
    let mut word = [0; 8];

    memory.read(index, 0, &mut word)?;
    // Another thread may count meanwhile, if it doesn't wait.
    fsleep(Delta::from_micros(20));
    memory.write(index, 0, &(u64::from_le_bytes(word) + 1).to_le_bytes())
}

#[kunit_tests(rust_ttm_jobs)]
mod cases {
    use super::*;

    #[test]
    fn a_writer_waits_for_readers() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;

        let readers = [
            job(&timeline()?, &obj, Read)?,
            job(&timeline()?, &obj, Read)?,
        ];
        let writer = job(&timeline()?, &obj, Write)?;
        let reader = job(&timeline()?, &obj, Read)?;
        let other = job(&timeline()?, &obj, Bookkeep)?;
        assert!(readers.iter().all(|job| job.is_ready()));
        assert!(!writer.is_ready() && !reader.is_ready() && other.is_ready());

        drop(readers);
        assert!(writer.is_ready() && !reader.is_ready());
        writer.run(|_| Ok(()))?;
        assert!(reader.is_ready());
        Ok(())
    }

    #[test]
    fn a_job_waits_for_a_given_fence() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;
        let first = DriverFence::new(c"test", c"first")?;
        let mut reserved = obj.reserve();
        let mut job = JobBuilder::new(&timeline()?, 0)?;

        job.wait_for(first.fence())?;
        job.add(&mut reserved, Write)?;
        let job = job.publish()?;
        assert!(!job.is_ready());
        // The result doesn't matter.
        first.signal(Err(EIO));
        assert!(job.is_ready());
        job.run(|memory| memory.write(0, 0, b"done"))
    }

    #[test]
    fn one_that_fails() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;

        let failing = job(&timeline()?, &obj, Write)?;
        let fence = failing.fence();
        assert_eq!(failing.run(|_| Err(EIO)), Err(EIO));
        assert_eq!(fence.status(), Some(Err(EIO)));

        let dropped = job(&timeline()?, &obj, Write)?;
        let fence = dropped.fence();
        assert_eq!(obj.reserve().evict(&mut busy()), Err(EBUSY));
        drop(dropped);
        assert_eq!(fence.status(), Some(Err(ECANCELED)));
        obj.reserve().evict(&mut busy())?;
        Ok(())
    }

    // Its fence isn't published, and has no number yet that another fence would wait for.
    #[test]
    fn one_that_is_given_up() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.system(0x1000)?];
        let timeline = timeline()?;
        let given_up = transaction(&ctx(), |tx| {
            let mut vram = tx.reserve(&objects[0])?;
            let mut system = tx.reserve(&objects[1])?;
            let mut job = JobBuilder::new(&timeline, 2)?;
            job.add(&mut vram, Write)?;
            // It has no pages.
            job.add(&mut system, Write)?;
            Ok(job.publish()?)
        });
        assert_eq!(given_up.err(), Some(ENXIO));

        let next = job(&timeline, &objects[0], Write)?;
        assert!(next.is_ready());
        let fence = next.fence();
        next.run(|_| Ok(()))?;
        assert!(fence.is_signaled());
        Ok(())
    }

    #[test]
    fn within_bounds() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x2000)?;
        let end = 0x2000;
        let large = usize::MAX - 7;

        job(&timeline()?, &obj, Write)?.run(|memory| {
            let mut byte = [0];
            assert_eq!(memory.size(0), Ok(end));
            assert_eq!(memory.size(1), Err(EINVAL));
            assert_eq!(memory.read(0, end, &mut byte), Err(EINVAL));
            assert_eq!(memory.read(0, end - 1, &mut byte), Ok(()));
            assert_eq!(memory.read(0, end, &mut []), Ok(()));
            assert_eq!(memory.write(1, 0, &byte), Err(EINVAL));
            assert_eq!(memory.write(0, usize::MAX, &byte), Err(EINVAL));
            assert_eq!(memory.fill(0, end - 8, 16, 0, 0), Err(EINVAL));
            assert_eq!(memory.fill(0, 8, large, 0, 0), Err(EINVAL));
            assert_eq!(memory.fill(0, 4, 8, 0, 0), Err(EINVAL));
            assert_eq!(memory.fill(0, 8, 4, 0, 0), Err(EINVAL));
            assert_eq!(memory.copy(0, 0, 0, end - 8, 16), Err(EINVAL));
            assert_eq!(memory.copy(0, end - 8, 0, 0, 16), Err(EINVAL));
            assert_eq!(memory.copy(0, 0, 0, 8, 16), Err(EINVAL));
            assert_eq!(memory.copy(0, 0, 0, 8, large), Err(EINVAL));
            memory.copy(0, 0, 0, 16, 16)
        })?;

        job(&timeline()?, &obj, Read)?.run(|memory| {
            assert_eq!(memory.write(0, 0, b"no"), Err(EINVAL));
            assert_eq!(memory.fill(0, 0, 8, 0, 0), Err(EINVAL));
            assert_eq!(memory.copy(0, 0, 0, 16, 16), Err(EINVAL));
            Ok(())
        })
    }

    // The ranges are in memory in one piece and in pages, and neither end is the end of a page.
    #[test]
    fn across_pages() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x4000)?, dev.system(0x4000)?];
        let (len, from_offset, to_offset) = (0x2345, 0x7fd, 0x1123);
        let mut wrote = KVec::with_capacity(len, GFP_KERNEL)?;
        for n in 0..len {
            // CAST: The lower bits.
            wrote.push_within_capacity((n * 7 % 251) as u8)?;
        }
        let mut got = KVec::from_elem(0, len, GFP_KERNEL)?;

        for order in [[0, 1], [1, 0]] {
            let [from, to] = order.map(|n: usize| &objects[n]);
            let job = transaction(&ctx(), |tx| {
                let (mut from, mut to) = (tx.reserve(from)?, tx.reserve(to)?);
                from.populate(&mut ctx())?;
                to.populate(&mut ctx())?;

                let mut job = JobBuilder::new(&timeline()?, 2)?;
                job.add(&mut from, Write)?;
                job.add(&mut to, Write)?;
                Ok(job.publish()?)
            })?;
            job.run(|memory| {
                memory.fill(1, 0, 0x4000, u64::MAX, 0)?;
                memory.write(0, from_offset, &wrote)?;
                memory.copy(1, to_offset, 0, from_offset, len)?;
                memory.read(1, to_offset, &mut got)
            })?;
            assert!(got[..] == wrote[..]);

            let mut edge = [0; 2];
            to.reserve().read(to_offset - 1, &mut edge)?;
            assert_eq!(edge, [0xff, wrote[0]]);
            to.reserve().read(to_offset + len - 1, &mut edge)?;
            assert_eq!(edge, [wrote[len - 1], 0xff]);
        }
        Ok(())
    }

    #[test]
    fn pages_stay() -> Result {
        let dev = Device::new()?;
        let obj = dev.system(0x3000)?;
        let job = job(&timeline()?, &obj, Write)?;
        assert_eq!(obj.reserve().swap_out(&mut busy()), Err(EBUSY));
        assert_eq!(
            obj.reserve().validate(Placement::VRAM, &mut busy()),
            Err(EBUSY)
        );

        job.run(|memory| memory.fill(0, 0, 0x3000, 1, 1))?;
        obj.reserve().swap_out(&mut busy())?;
        obj.reserve().populate(&mut ctx())?;
        assert!(shows(&obj, 1, 1)?);
        Ok(())
    }

    // The buffer loses its place at once; the job still has it.
    #[test]
    fn purged_memory_stays_for_the_job() -> Result {
        let dev = Device::new()?;
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let obj = dev.vram(Device::SIZE)?;
        let job = job(&timeline()?, &obj, Write)?;

        obj.reserve().purge(&mut ctx())?;
        assert_eq!(vram.usage(), Device::SIZE as u64);
        // A buffer that doesn't wait doesn't get the place either.
        assert_eq!(
            obj.reserve().validate(Placement::VRAM, &mut busy()),
            Err(ENOSPC)
        );
        job.run(|memory| memory.fill(0, 0, Device::SIZE, 1, 1))?;
        obj.reserve().validate(Placement::VRAM, &mut ctx())?;
        assert!(shows(&obj, 0, 0)?);
        Ok(())
    }

    // The device says that it has moved the buffer. That is no reason to free the old place.
    #[test]
    fn a_device_that_does_not_wait() -> Result {
        let dev = Device::new_with_bad_engine()?;
        let obj = &dev.vram(0x1000)?;
        let job = job(&timeline()?, obj, Write)?;
        let has_moved = &Atomic::new(false);

        let early = kthread::scope(|scope| {
            scope.spawn(c"ttm_mover", || {
                let _ = obj.reserve().validate(Placement::SYSTEM, &mut ctx());
                has_moved.store(true, Relaxed);
            })?;
            give_them_time();
            let early = has_moved.load(Relaxed);
            job.run(|memory| memory.fill(0, 0, 0x1000, 1, 1))?;
            Ok(early)
        })?;
        assert!(!early);
        assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        Ok(())
    }

    // The threads reserve the same two buffers in different orders, and count in both.
    #[test]
    fn against_each_other() -> Result {
        const ROUNDS: u64 = 100;

        let dev = Device::new()?;
        let objects = &[dev.vram(0x1000)?, dev.system(0x1000)?];
        let timeline = &timeline()?;
        let failures = &Atomic::new(0);
        fill(&objects[1], 0, 0)?;

        let round = |order: [usize; 2]| {
            let job = transaction(&ctx(), |tx| {
                let mut first = tx.reserve(&objects[order[0]])?;
                let mut second = tx.reserve(&objects[order[1]])?;

                let mut job = JobBuilder::new(timeline, 2)?;
                job.add(&mut first, Write)?;
                job.add(&mut second, Write)?;
                Ok(job.publish()?)
            })?;
            job.run(|memory| (0..2).try_for_each(|n| count(memory, n)))
        };
        let rounds = |order| {
            for _ in 0..ROUNDS {
                if round(order).is_err() {
                    failures.fetch_add(1, Relaxed);
                }
            }
        };
        let rounds = &rounds;
        kthread::scope(|scope| {
            scope.spawn(c"ttm_job_up", || rounds([0, 1]))?;
            scope.spawn(c"ttm_job_down", || rounds([1, 0]))?;
            scope.spawn(c"ttm_job_up", || rounds([0, 1]))
        })?;

        assert_eq!(failures.load(Relaxed), 0);
        for obj in objects {
            let mut word = [0; 8];
            assert!(obj.is_idle_for(Bookkeep));
            obj.reserve().read(0, &mut word)?;
            assert_eq!(u64::from_le_bytes(word), 3 * ROUNDS);
        }
        Ok(())
    }

    // All buffers of a VM share a reservation, with all usages. Other fences use up the room in it.
    #[test]
    fn with_one_reservation() -> Result {
        let dev = Device::new()?;

        for n in 0..32 {
            // Use a new reservation, as an old one keeps its room.
            let resv = Resv::new()?;
            let mut objects = KVec::new();
            for _ in 0..6 {
                objects.push(dev.shared(0x1000, &resv)?, GFP_KERNEL)?;
            }
            let mut others = KVec::with_capacity(n, GFP_KERNEL)?;
            let job = use_all(&objects, &mut others)?;

            assert_eq!(job.is_ready(), others.is_empty());
            drop(others);
            assert!(job.is_ready());
            let waits = |usage| !objects[5].is_idle_for(usage);
            assert!(waits(Read) && waits(Write) && waits(Bookkeep));
            job.run(|memory| memory.fill(0, 0, 0x1000, n as u64, 1))?;
            assert!(!waits(Bookkeep));
            assert!(shows(&objects[0], n as u64, 1)?);
        }
        Ok(())
    }

    // The first use waits for moves only, the second one for readers as well.
    #[test]
    fn with_one_reservation_and_two_usages() -> Result {
        let dev = Device::new()?;
        let resv = Resv::new()?;
        let objects = [dev.shared(0x1000, &resv)?, dev.shared(0x1000, &resv)?];
        let reader = job(&timeline()?, &objects[0], Read)?;
        let timeline = timeline()?;

        let writer = transaction(&ctx(), |tx| {
            let mut reserved = (tx.reserve(&objects[0])?, tx.reserve(&objects[1])?);
            let mut job = JobBuilder::new(&timeline, 2)?;
            job.add(&mut reserved.0, Bookkeep)?;
            job.add(&mut reserved.1, Write)?;
            Ok(job.publish()?)
        })?;
        assert!(!writer.is_ready());
        drop(reader);
        assert!(writer.is_ready());
        Ok(())
    }

    /// Makes a job that uses all objects. After they were added, and before the job is published,
    /// other users add fences to one of them until the capacity is used up.
    fn use_all(objects: &[ARef<Object>], others: &mut KVec<DriverFence>) -> Result<Job> {
        let timeline = timeline()?;

        transaction(&ctx(), |tx| {
            let mut reserved =
                KVec::with_capacity(objects.len(), GFP_KERNEL).map_err(Error::from)?;
            for obj in objects {
                let _ = reserved.push_within_capacity(tx.reserve(obj)?);
            }
            let mut job = JobBuilder::new(&timeline, objects.len())?;
            let usages = [Write, Read, Bookkeep, Read].into_iter().cycle();
            for (reserved, usage) in reserved.iter_mut().zip(usages) {
                job.add(reserved, usage)?;
            }

            while others.len() < others.capacity() {
                let work = DriverFence::new(c"test", c"other")?;
                let mut again = tx.reserve(&objects[0])?;
                again.fence_slot()?.add(&work.fence(), Read)?;
                let _ = others.push_within_capacity(work);
            }
            Ok(job.publish()?)
        })
    }
}

#[kunit_tests(rust_ttm_pipeline)]
mod pipeline {
    use super::*;

    // The order is: a job, the eviction of its buffer, and the user of the next buffer in the
    // place.
    #[test]
    fn a_new_buffer_waits_for_its_place() -> Result {
        let dev = &Device::new_with_pipeline()?;
        let old = dev.vram(Device::SIZE)?;
        let job = job(&timeline()?, &old, Write)?;
        let (has_place, has_moved) = (&Atomic::new(false), &Atomic::new(false));
        let is_zero = &Atomic::new(false);

        let early = kthread::scope(|scope| {
            scope.spawn(c"ttm_new_buffer", || {
                let new = dev.vram(Device::SIZE);
                has_place.store(true, Relaxed);
                let zero = new.and_then(|new| shows(&new, 0, 0)) == Ok(true);
                is_zero.store(zero, Relaxed);
            })?;
            while dev.queued() == 0 {
                fsleep(Delta::from_millis(1));
            }
            scope.spawn(c"ttm_engine", || {
                dev.run_jobs();
                has_moved.store(true, Relaxed);
            })?;
            give_them_time();
            let early = has_place.load(Relaxed) || has_moved.load(Relaxed);
            job.run(|memory| memory.fill(0, 0, Device::SIZE, 1, 3))?;
            Ok(early)
        })?;

        assert!(!early);
        assert!(is_zero.load(Relaxed));
        assert_eq!(old.reserve().mem_type(), Some(MemType::SYSTEM));
        assert!(shows(&old, 1, 3)?);
        Ok(())
    }

    // So does a buffer that had a place, but has no content yet. It waits for nothing else.
    #[test]
    fn an_empty_buffer_waits_for_its_place_only() -> Result {
        let dev = &Device::new_with_pipeline()?;
        let resv = Resv::new()?;
        let config = ObjectConfig {
            resv: Some(&resv),
            ..ObjectConfig::default()
        };
        let in_system = |size| Object::new(dev.drm(), size, &config, &mut ctx(), Kind::Kept);
        let (busy, new) = (in_system(0x1000)?, &in_system(Device::SIZE)?);
        let old = dev.vram(Device::SIZE)?;
        let has_place = &Atomic::new(false);
        fill(&old, 7, 1)?;
        let job = job(&timeline()?, &busy, Write)?;

        let early = kthread::scope(|scope| {
            scope.spawn(c"ttm_new_buffer", || {
                let placed = new.reserve().validate(Placement::VRAM, &mut ctx());
                has_place.store(placed.is_ok(), Relaxed);
            })?;
            while dev.queued() == 0 {
                fsleep(Delta::from_millis(1));
            }
            give_them_time();
            let early = has_place.load(Relaxed);
            dev.run_jobs();
            Ok(early)
        })?;

        assert!(!early);
        assert!(has_place.load(Relaxed));
        assert!(shows(&old, 7, 1)?);
        assert!(shows(new, 0, 0)?);
        assert!(!busy.is_idle_for(Read));
        drop(job);
        Ok(())
    }

    // They change places without a wait, as one thread does it all.
    #[test]
    fn a_move_there_does_not_wait() -> Result {
        let dev = Device::new_with_pipeline()?;
        let (old, new, job) = changing_places(&dev)?;

        assert_eq!(new.reserve().mem_type(), Some(MemType::VRAM));
        assert_eq!(old.reserve().mem_type(), Some(MemType::SYSTEM));
        assert!(!old.is_idle_for(Read) && !new.is_idle_for(Read));

        job.run(|memory| memory.fill(0, 0, Device::SIZE, 1, 3))?;
        // Their content is still on its way, and a reader waits for it.
        assert!(!old.is_idle_for(Read) && !new.is_idle_for(Read));
        assert_eq!(dev.run_jobs(), 2);
        assert!(shows(&old, 1, 3)?);
        assert!(shows(&new, 7, 1)?);
        Ok(())
    }

    // The job that fills the place is run first, and waits for the job that empties it.
    #[test]
    fn in_the_order_of_their_fences() -> Result {
        let dev = Device::new_with_pipeline()?;
        let old = dev.vram(Device::SIZE)?;
        let new = dev.system(Device::SIZE)?;
        fill(&old, 1, 3)?;
        fill(&new, 7, 1)?;
        new.reserve().validate(Placement::VRAM, &mut ctx())?;

        let has_moved = &Atomic::new(false);
        let mut jobs = dev.take_jobs();
        let (second, first) = (jobs.pop(), jobs.pop());
        let early = kthread::scope(|scope| {
            scope.spawn(c"ttm_engine", move || {
                if let Some(second) = second {
                    second.run();
                }
                has_moved.store(true, Relaxed);
            })?;
            give_them_time();
            let early = has_moved.load(Relaxed);
            drop(first);
            Ok(early)
        })?;

        assert!(!early);
        assert!(shows(&old, 1, 3)?);
        assert!(shows(&new, 7, 1)?);
        Ok(())
    }

    // A job on a buffer that is still on its way waits for it.
    #[test]
    fn a_job_waits_for_moves() -> Result {
        let dev = Device::new_with_pipeline()?;
        let obj = dev.vram(0x4000)?;
        fill(&obj, 1, 3)?;

        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;
        let job = job(&timeline()?, &obj, Bookkeep)?;
        assert!(!job.is_ready());
        // And back, behind the job.
        obj.reserve().validate(Placement::VRAM, &mut ctx())?;

        let mut jobs = dev.take_jobs();
        let back = jobs.pop();
        drop(jobs);
        assert!(job.is_ready());
        job.run(|memory| {
            memory.fill(0, 0x1000, 8, 5, 0)?;
            count(memory, 0)
        })?;
        drop(back);

        let mut word = [0; 8];
        obj.reserve().read(0, &mut word)?;
        assert_eq!(u64::from_le_bytes(word), 2);
        obj.reserve().read(0x1000, &mut word)?;
        assert_eq!(u64::from_le_bytes(word), 5);
        obj.reserve().read(0x1008, &mut word)?;
        assert_eq!(u64::from_le_bytes(word), 1 + 3 * 0x201);
        Ok(())
    }

    // A manager keeps the fences of this many timelines for the next buffers. With one more, the
    // eviction itself waits.
    #[test]
    fn too_many_timelines() -> Result {
        // CAST: It is small.
        const TIMELINES: usize = bindings::TTM_NUM_MOVE_FENCES as usize;
        const SIZE: usize = Device::SIZE / 16;

        let dev = &Device::new_with_pipeline()?;
        let (mut old, mut new) = (KVec::new(), KVec::new());
        for n in 0..16 {
            old.push(dev.vram(SIZE)?, GFP_KERNEL)?;
            fill(&old[n], n as u64, 1)?;
            new.push(dev.system(SIZE)?, GFP_KERNEL)?;
            fill(&new[n], n as u64, 2)?;
        }
        let enter = |obj: &Object| {
            dev.change_timeline()?;
            obj.reserve().validate(Placement::VRAM, &mut ctx())
        };

        for obj in &new[..TIMELINES] {
            enter(obj)?;
        }
        let last = &*new[TIMELINES];
        let has_place = &Atomic::new(false);
        let early = kthread::scope(|scope| {
            scope.spawn(c"ttm_last", || {
                let _ = enter(last);
                has_place.store(true, Relaxed);
            })?;
            while dev.queued() <= 2 * TIMELINES {
                fsleep(Delta::from_millis(1));
            }
            give_them_time();
            let early = has_place.load(Relaxed);
            dev.run_jobs();
            Ok(early)
        })?;
        assert!(!early);
        assert_eq!(dev.run_jobs(), 1);

        // Signaled fences make room: no job is run meanwhile.
        for obj in &new[TIMELINES + 1..16] {
            enter(obj)?;
        }
        dev.run_jobs();
        for n in 0..16 {
            assert_eq!(old[n].reserve().mem_type(), Some(MemType::SYSTEM));
            assert!(shows(&old[n], n as u64, 1)?);
            assert!(shows(&new[n], n as u64, 2)?);
        }
        Ok(())
    }

    // Freed while it is evicted, behind a job; then the device goes.
    #[test]
    fn freed_under_way() -> Result {
        let dev = Device::new_with_pipeline()?;
        let (old, new, job) = changing_places(&dev)?;

        drop((old, new));
        job.run(|memory| memory.fill(0, 0, Device::SIZE, 1, 3))?;
        assert_eq!(dev.run_jobs(), 2);
        drop(dev);
        Ok(())
    }
}
