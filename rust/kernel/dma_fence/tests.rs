// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Tests of fences, contexts, timelines, callbacks and wakers.

use super::{
    context::{
        Memory,
        Name, //
    },
    *,
};
use crate::{
    bindings,
    ffi::c_char,
    kthread, new_spinlock, new_spinlock_irq,
    prelude::*,
    str::CString,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu,
        Arc,
        SpinLockIrq, //
    },
    sync_file::SyncFile,
    task::Task,
    time::{
        delay::{
            fsleep,
            udelay, //
        },
        Delta, //
    },
};
use core::{
    mem,
    ptr, //
};

#[kunit_tests(rust_dma_fence)]
mod cases {
    use super::*;

    fn signaled(fences: &[ARef<Fence>]) -> usize {
        fences.iter().filter(|fence| fence.is_signaled()).count()
    }

    // The last one is done first: none is signaled before those before it.
    #[test]
    fn in_order_though_ended_out_of_order() -> Result {
        let timeline = Timeline::new(c"test", c"reverse")?;
        let (a, b, c) = (timeline.fence()?, timeline.fence()?, timeline.fence()?);
        let fences = [a.fence(), b.fence(), c.fence()];

        c.signal(Ok(()));
        assert_eq!(signaled(&fences), 0);
        b.signal(Err(EIO));
        assert_eq!(signaled(&fences), 0);
        a.signal(Ok(()));
        let status = fences.each_ref().map(|fence| fence.status());
        assert_eq!(status, [Some(Ok(())), Some(Err(EIO)), Some(Ok(()))]);
        Ok(())
    }

    #[test]
    fn one_in_the_middle() -> Result {
        let timeline = Timeline::new(c"test", c"middle")?;
        let (a, b, c) = (timeline.fence()?, timeline.fence()?, timeline.fence()?);
        let fences = [a.fence(), b.fence(), c.fence()];

        drop(b);
        a.signal(Ok(()));
        assert_eq!(signaled(&fences), 2);
        assert_eq!(fences[1].status(), Some(Err(ECANCELED)));
        // There is nothing before it.
        c.signal(Ok(()));
        assert_eq!(signaled(&fences), 3);
        // The timeline also works after its queue was empty.
        let d = timeline.fence()?;
        let fence = d.fence();
        assert!(!fence.is_signaled());
        d.signal(Ok(()));
        assert!(fence.is_signaled());
        Ok(())
    }

    /// Whether a name is shown as the beginning of `name`, and how long that is.
    ///
    /// # Safety
    ///
    /// `shown` must be a string as long as RCU is locked for reading.
    unsafe fn shows(shown: impl FnOnce() -> *const c_char, name: &str) -> usize {
        let _guard = rcu::read_lock();

        // SAFETY: It is a string as long as RCU is locked, by the function's requirements, and so
        // until the end of this function.
        let shown = unsafe { CStr::from_char_ptr(shown()) }.to_bytes();
        if name.as_bytes().starts_with(shown) {
            shown.len()
        } else {
            0
        }
    }

    // The memory of the names may be gone by the time that they are shown.
    #[test]
    fn names_are_copied() -> Result {
        let (short, long) = ("ring", "a ring whose name is longer than a program sees");
        let names = [
            CString::try_from_fmt(fmt!("{short}"))?,
            CString::try_from_fmt(fmt!("{long}"))?,
        ];
        let pending = Timeline::new(&names[0], &names[1])?.fence()?;
        let driver_fence = DriverFence::new(&names[0], &names[1])?;

        drop(names);
        for fence in [pending.fence(), driver_fence.fence()] {
            // SAFETY: The fence is valid; so are its names, as RCU is locked.
            let shown = unsafe {
                (
                    shows(|| bindings::dma_fence_driver_name(fence.as_raw()), short),
                    shows(|| bindings::dma_fence_timeline_name(fence.as_raw()), long),
                )
            };

            assert_eq!(shown, (short.len(), Name::SIZE - 1));
        }
        Ok(())
    }

    // The fences keep the part of the context that they need.
    #[test]
    fn the_timeline_goes_first() -> Result {
        let timeline = Timeline::new(c"test", c"gone")?;
        let (a, b) = (timeline.fence()?, timeline.fence()?);
        let fence = b.fence();

        drop(timeline);
        drop(b);
        assert!(!fence.is_signaled());
        drop(a);
        assert!(fence.is_signaled());
        Ok(())
    }

    // A thread that sees a fence signaled also sees all earlier fences of the timeline signaled.
    #[test]
    fn by_several_threads() -> Result {
        let timeline = Timeline::new(c"test", c"threads")?;

        for _ in 0..50 {
            let mut fences = KVec::new();
            let mut evens = KVec::new();
            let mut odds = KVec::new();
            for n in 0..32 {
                let pending = timeline.fence()?;
                fences.push(pending.fence(), GFP_KERNEL)?;
                let half = if n % 2 == 0 { &mut evens } else { &mut odds };
                half.push(pending, GFP_KERNEL)?;
            }

            kthread::scope(|scope| {
                scope.spawn(c"evens", move || drop(evens))?;
                // This one from the back.
                scope.spawn(c"odds", move || {
                    while let Some(pending) = odds.pop() {
                        pending.signal(Ok(()));
                    }
                })?;
                while !fences[31].is_signaled() {
                    let seen = fences.iter().rposition(|fence| fence.is_signaled());
                    let before = &fences[..seen.map_or(0, |n| n + 1)];
                    assert_eq!(signaled(before), before.len());
                    // This one sleeps, so that they run.
                    fsleep(Delta::from_micros(50));
                }
                Ok(())
            })?;
            assert_eq!(signaled(&fences), 32);
        }
        Ok(())
    }

    fn driver_fence() -> Result<DriverFence> {
        DriverFence::new(c"test", c"work")
    }

    // As when a program ends, and the last of its files is released: it has none by then.
    #[test]
    fn a_program_that_has_ended_has_no_fences() {
        let task = Task::current_raw();

        // SAFETY: It is this task, which alone changes which files it has. It gets them back.
        let result = unsafe {
            let files = mem::replace(&mut (*task).files, ptr::null_mut());
            let result = SyncFile::fence_of(0);

            (*task).files = files;
            result
        };
        assert_eq!(result.err(), Some(EINVAL));
    }

    // Numbers are those of the order in which fences are made, not of that of their memory.
    #[test]
    fn a_context_counts_up() -> Result {
        let (ring, other) = (
            FenceCtx::new(c"test", c"ring"),
            FenceCtx::new(c"test", c"ring"),
        );
        let (a, b) = (
            DriverFenceAllocation::new('a')?,
            DriverFenceAllocation::new('b')?,
        );
        let (b, a) = (ring.new_fence(b), ring.new_fence(a));
        // SAFETY: Fences are initialized, and their numbers are constant.
        let seqno = |fence: ARef<Fence>| unsafe { (*fence.as_raw()).seqno };

        assert_eq!((*a, *b), ('a', 'b'));
        assert_eq!((seqno(b.fence()), seqno(a.fence())), (1, 2));
        assert!(ring.has(&a.fence()) && !other.has(&a.fence()));
        Ok(())
    }

    // A wait needs neither the driver's part nor the context.
    #[test]
    fn the_driver_goes_first() -> Result {
        let allocation = DriverFenceAllocation::new(7)?;
        let work = FenceCtx::new(c"test", c"gone").new_fence(allocation);
        let fence = work.fence();

        drop(work);
        assert_eq!(fence.wait(), Err(ECANCELED));
        assert_eq!(fence.status(), Some(Err(ECANCELED)));
        Ok(())
    }

    // Past the point of no failure nothing sleeps: with a spinlock held, the kernel would say so.
    // That nothing fails is in the types.
    #[test]
    fn allocated_memory_is_enough() -> Result {
        let lock = KBox::pin_init(new_spinlock!(()), GFP_KERNEL)?;
        let ring = FenceCtx::new(c"test", c"ring");
        let timeline = Timeline::new(c"test", c"timeline")?;
        let called = Arc::new(Atomic::new(0), GFP_KERNEL)?;

        let allocation = DriverFenceAllocation::new([7; 32])?;
        let prepared = timeline.prepare()?;
        let callbacks = [counter(&called)?, counter(&called)?];

        let guard = lock.lock();
        let (work, pending) = (ring.new_fence(allocation), prepared.start());
        let registrations = match callbacks {
            [a, b] => [
                work.fence().add_callback(a),
                pending.fence().add_callback(b),
            ],
        };
        work.signal(Ok(()));
        pending.signal(Ok(()));
        drop(registrations);
        drop(guard);
        assert_eq!(called.load(Relaxed), 2);
        Ok(())
    }

    // A reader under RCU, as of a reservation, may find a fence whose last reference is just
    // dropped.
    #[test]
    fn memory_stays_for_readers_under_rcu() -> Result {
        for is_signaled in [true, false] {
            let work = FenceCtx::new(c"test", c"rcu").new_fence(DriverFenceAllocation::new(7)?);
            let raw = work.fence().as_raw();
            let guard = rcu::read_lock();

            if is_signaled {
                work.signal(Ok(()));
            } else {
                drop(work);
            }
            // SAFETY: Its memory stays as long as RCU is locked.
            let found = unsafe { bindings::dma_fence_get_rcu(raw) };
            assert!(found.is_null());
            // SAFETY: As before; it is the first part of a `Memory`, whose data never changes.
            assert_eq!(unsafe { (*raw.cast::<Memory<i32>>()).data }, 7);
            drop(guard);
        }
        // The memory of neither is left.
        rcu::rcu_barrier();
        Ok(())
    }

    /// Counts how often it is called.
    fn counter(called: &Arc<Atomic<u32>>) -> Result<FenceCallback<impl FenceCb>> {
        let called = called.clone();

        FenceCallback::new(move || {
            called.fetch_add(1, Relaxed);
        })
    }

    #[test]
    fn a_callback_is_called_once() -> Result {
        let called = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let work = driver_fence()?;
        let fence = work.fence();
        let registration = fence.add_callback(counter(&called)?).map_err(|_| EBUSY)?;

        assert_eq!(called.load(Relaxed), 0);
        work.signal(Ok(()));
        assert_eq!(called.load(Relaxed), 1);
        // It is there until the registration goes.
        drop(fence);
        let data = called.clone();
        drop(registration);
        assert_eq!(data.load(Relaxed), 1);
        Ok(())
    }

    // Even in the thread that has signaled the fence.
    #[test]
    fn a_callback_goes_with_its_registration() -> Result {
        let called = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let work = driver_fence()?;
        let registration = work
            .fence()
            .add_callback(counter(&called)?)
            .map_err(|_| EBUSY)?;

        work.signal(Ok(()));
        drop(registration);
        assert!(Arc::into_unique_or_drop(called).is_some());
        Ok(())
    }

    // The driver may keep it for long.
    #[test]
    fn a_callback_that_comes_back_keeps_no_fence() -> Result {
        let (called, work) = (Arc::new(Atomic::new(0), GFP_KERNEL)?, driver_fence()?);
        let fence = work.fence();
        work.signal(Ok(()));
        // SAFETY: The fence is valid, and only this test has it.
        let count = || unsafe { (*fence.as_raw()).refcount.refcount.refs.counter };

        let before = count();
        let callback = fence.add_callback(counter(&called)?);
        assert!(callback.is_err());
        assert_eq!(count(), before);
        Ok(())
    }

    #[test]
    fn a_callback_that_was_removed_isnt_called() -> Result {
        let called = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let work = driver_fence()?;
        let add = || {
            work.fence()
                .add_callback(counter(&called)?)
                .map_err(|_| EBUSY)
        };

        // Out of the middle.
        let (a, b, c) = (add()?, add()?, add()?);
        drop(b);
        work.signal(Ok(()));
        assert_eq!(called.load(Relaxed), 2);
        drop((a, c));
        assert_eq!(called.load(Relaxed), 2);
        Ok(())
    }

    #[test]
    fn a_callback_comes_back_too_late() -> Result {
        let called = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let (work, later) = (driver_fence()?, driver_fence()?);
        let fence = work.fence();

        work.signal(Err(EIO));
        let Err(callback) = fence.add_callback(counter(&called)?) else {
            return Err(EINVAL);
        };
        assert_eq!(called.load(Relaxed), 0);
        // It is as good as new.
        let registration = later.fence().add_callback(callback).map_err(|_| EBUSY)?;
        later.signal(Ok(()));
        assert_eq!(called.load(Relaxed), 1);
        drop(registration);
        Ok(())
    }

    /// A callback that drops its own registration, and then writes to itself.
    struct Suicidal {
        own: Arc<Slot>,
        dropped: Arc<Atomic<u32>>,
        calls: u32,
    }

    #[pin_data]
    struct Slot {
        #[pin]
        registration: SpinLockIrq<Option<FenceCbRegistration<Suicidal>>>,
    }

    impl FenceCb for Suicidal {
        fn called(&mut self) {
            let registration = self.own.registration.lock().take();

            drop(registration);
            self.calls += 1;
            assert_eq!(self.dropped.load(Relaxed), 0);
        }
    }

    impl Drop for Suicidal {
        fn drop(&mut self) {
            self.dropped.fetch_add(self.calls, Relaxed);
        }
    }

    #[test]
    fn a_callback_drops_its_registration() -> Result {
        let dropped = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let slot = Arc::pin_init(
            pin_init!(Slot { registration <- new_spinlock_irq!(None) }),
            GFP_KERNEL,
        )?;
        let callback = FenceCallback::new(Suicidal {
            own: slot.clone(),
            dropped: dropped.clone(),
            calls: 0,
        })?;
        let work = driver_fence()?;

        let registration = work.fence().add_callback(callback).map_err(|_| EBUSY)?;
        *slot.registration.lock() = Some(registration);
        work.signal(Ok(()));
        assert!(slot.registration.lock().is_none());
        // Its memory is gone as well, which kmemleak would say.
        assert_eq!(dropped.load(Relaxed), 1);
        Ok(())
    }

    // Signaled or not, and with a callback of its own.
    #[test]
    fn a_callback_drops_another_fence() -> Result {
        let called = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let (work, other) = (driver_fence()?, driver_fence()?);
        let last = other.fence();

        drop(last.add_callback(counter(&called)?));
        other.signal(Ok(()));
        let mut last = Some(last);
        let callback = FenceCallback::new(move || drop(last.take()))?;
        let registration = work.fence().add_callback(callback);
        work.signal(Ok(()));
        assert!(registration.is_ok());
        // Its memory goes after a grace period.
        rcu::rcu_barrier();
        Ok(())
    }

    // A callback that runs elsewhere is waited for.
    #[test]
    fn a_registration_waits_for_its_callback() -> Result {
        const NOT_BEGUN: u32 = 0;
        const BEGUN: u32 = 1;
        const DONE: u32 = 2;

        for _ in 0..10 {
            let state = Arc::new(Atomic::new(NOT_BEGUN), GFP_KERNEL)?;
            let seen = state.clone();
            let callback = FenceCallback::new(move || {
                seen.store(BEGUN, Relaxed);
                udelay(Delta::from_millis(2));
                seen.store(DONE, Relaxed);
            })?;
            let work = driver_fence()?;
            let registration = work.fence().add_callback(callback).map_err(|_| EBUSY)?;

            kthread::scope(|scope| {
                scope.spawn(c"signal", move || work.signal(Ok(())))?;
                // On a CPU of its own, which the callback doesn't block.
                while state.load(Relaxed) == NOT_BEGUN {
                    fsleep(Delta::from_micros(20));
                }
                drop(registration);
                assert_eq!(state.load(Relaxed), DONE);
                Ok(())
            })?;
        }
        Ok(())
    }

    // A forgotten callback is called all the same: it owns everything that it needs.
    #[test]
    fn a_registration_is_forgotten() -> Result {
        let called = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let work = driver_fence()?;

        // It isn't dropped when the fence is signaled; later it is, as kmemleak would find it.
        let registration = KBox::new(
            work.fence()
                .add_callback(counter(&called)?)
                .map_err(|_| EBUSY)?,
            GFP_KERNEL,
        )?;
        let forgotten = KBox::into_raw(registration);
        work.signal(Ok(()));
        assert_eq!(called.load(Relaxed), 1);
        // SAFETY: It comes out of a box.
        drop(unsafe { KBox::from_raw(forgotten) });
        Ok(())
    }
}
