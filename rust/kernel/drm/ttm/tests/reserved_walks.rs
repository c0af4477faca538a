// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P9 and P10: walks that hand out reserved buffers.

use super::*;
use crate::{
    ffi::c_int,
    kthread,
    sync::Completion,
    time::{
        delay::fsleep,
        Delta, //
    },
};
use core::{
    mem,
    pin::pin, //
};

/// Calls `f` while the current thread, one of the kernel's, has a signal pending.
fn with_signal<R>(f: impl FnOnce() -> R) -> R {
    // CAST: It is a small number.
    const SIGNAL: c_int = bindings::SIGINT as c_int;
    // The values of `SIG_IGN` and `SIG_KTHREAD`.
    const IGNORE: usize = 1;
    const ALLOW: usize = 2;

    let handle = |how: usize| {
        // SAFETY: These values stand for a way to handle a signal, and are never called.
        unsafe {
            let how = mem::transmute::<usize, bindings::__sighandler_t>(how);

            bindings::kernel_sigaction(SIGNAL, how);
        }
    };

    handle(ALLOW);
    // SAFETY: The current task is valid.
    unsafe { bindings::send_sig(SIGNAL, bindings::get_current(), 1) };
    let result = f();

    // SAFETY: The current task is valid.
    unsafe { bindings::flush_signals(bindings::get_current()) };
    handle(IGNORE);
    result
}

#[kunit_tests(rust_ttm_reserved_walks)]
mod cases {
    use super::*;

    #[test]
    fn each_is_reserved() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b! | c!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let mut met = Text::new();

        while let Some(bo) = walk.as_mut().next() {
            let bo = bo?;
            let letter = w.letter(bo.id());

            assert!(w.object(letter)?.try_reserve().is_none());
            drop(bo);
            assert!(w.object(letter)?.try_reserve().is_some());
            met.push(letter);
        }
        assert!(met.is("abc"));
        Ok(())
    }

    #[test]
    fn busy_ones_are_counted() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b! c! d!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let b = w.object('b')?.reserve();

        assert_eq!(walk.left_out().busy, 0);
        assert!(w.rest_reserved(walk.as_mut())?.is("acd"));
        assert_eq!(walk.left_out().busy, 1);
        drop(b);

        // Another walk holds all reservations.
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        assert!(w.rest_reserved(walk.as_mut())?.is("abcd"));
        assert_eq!(walk.left_out().busy, 0);
        Ok(())
    }

    #[test]
    fn busy_bulk_is_skipped_in_one_step() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b* c* d* e! f+ g+")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let used = w.resv.reserve();

        assert!(w.rest_reserved(walk.as_mut())?.is("ae"));
        assert_eq!(walk.left_out().busy, 2);
        drop(used);
        Ok(())
    }

    #[test]
    fn members_are_returned_when_free() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c! d*")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));

        assert!(w.rest_reserved(walk.as_mut())?.is("abdc"));
        assert_eq!(walk.left_out().busy, 0);
        Ok(())
    }

    #[test]
    fn a_waiting_walk_skips_nothing() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b* c*")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()).waiting());

        assert!(w.rest_reserved(walk.as_mut())?.is("abc"));
        assert_eq!(walk.left_out().busy, 0);
        Ok(())
    }

    #[test]
    fn another_thread_is_waited_for() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b! c!")?;
        let taken = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let mut met = Text::new();
        let mut skipped = 0;

        kthread::scope(|scope| {
            let (w, taken_there) = (&w, taken.clone());

            scope.spawn(c"user", move || {
                let used = w.object('b').map(|obj| obj.reserve());
                taken_there.complete_all();
                fsleep(Delta::from_millis(20));
                drop(used);
            })?;
            taken.wait_for_completion();
            let mut walk = pin!(w.vram.walk(&OperationCtx::new()).waiting());
            met = w.rest_reserved(walk.as_mut())?;
            skipped = walk.left_out().busy;
            Ok(())
        })?;
        assert!(met.is("abc"));
        assert_eq!(skipped, 0);
        Ok(())
    }

    #[test]
    fn a_signal_ends_the_walk_in_all_managers() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.system(0x1000)?];
        let (taken, over) = (
            Arc::pin_init(Completion::new(), GFP_KERNEL)?,
            Arc::pin_init(Completion::new(), GFP_KERNEL)?,
        );
        let (mut error, mut goes_on) = (None, true);

        kthread::scope(|scope| {
            let (used, taken_there, over_here) = (&objects[0], taken.clone(), over.clone());

            scope.spawn(c"user", move || {
                let reserved = used.reserve();
                taken_there.complete_all();
                over_here.wait_for_completion();
                drop(reserved);
            })?;
            taken.wait_for_completion();
            let result = with_signal(|| {
                let types = [MemType::VRAM, MemType::SYSTEM];
                let ctx = OperationCtx::new().interruptible();
                let mut walk = pin!(dev.walk(&types, &ctx)?.waiting());

                error = walk.as_mut().next().and_then(Result::err);
                goes_on = walk.as_mut().next().is_some();
                Ok(())
            });
            over.complete_all();
            result
        })?;
        assert_eq!(error, Some(ERESTARTSYS));
        assert!(!goes_on);
        Ok(())
    }

    #[test]
    fn a_walk_that_must_not_wait_does_not_wait() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b!")?;
        let ctx = OperationCtx::new().no_wait_gpu();
        let mut walk = pin!(w.vram.walk(&ctx).waiting());
        let used = w.object('a')?.reserve();

        assert!(w.rest_reserved(walk.as_mut())?.is("b"));
        assert_eq!(walk.left_out().busy, 1);
        drop(used);
        Ok(())
    }

    #[test]
    fn many_are_kept_while_it_goes_on() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b! c!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let mut kept = KVec::new();

        for bo in walk.as_mut() {
            kept.push(bo?, GFP_KERNEL)?;
        }
        assert_eq!(kept.len(), 3);
        for letter in ['a', 'b', 'c'] {
            assert!(w.object(letter)?.try_reserve().is_none());
        }
        for bo in &mut kept {
            bo.evict(&mut OperationCtx::new())?;
        }
        kept.clear();
        assert!(w.order().is(""));
        assert!(w.object('b')?.try_reserve().is_some());
        Ok(())
    }

    #[test]
    fn each_is_evicted() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b* c* e! | d!")?;
        let mut ctx = OperationCtx::new();
        let mut walk = pin!(w.vram.walk(&ctx));

        for bo in walk.as_mut() {
            bo?.evict(&mut ctx)?;
        }
        assert_eq!(walk.left_out().busy, 0);
        assert!(w.order().is(""));
        assert_eq!(ctx.bytes_moved(), 5 * World::SIZE as u64);
        Ok(())
    }

    #[test]
    fn others_come_and_go_between_two_steps() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b* c* d* e!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()).unbounded());

        for wanted in ['a', 'b'] {
            let bo = walk.as_mut().next().ok_or(ENOENT)??;
            assert_eq!(w.letter(bo.id()), wanted);
        }
        assert!(w.picture().is("abHcde"));
        w.free('c')?;
        w.touch_bulk('*')?;
        w.make("f!")?;
        assert!(w.picture().is("aHebdf"));
        assert!(w.rest_reserved(walk.as_mut())?.is("ebdf"));
        Ok(())
    }

    #[test]
    fn long_runs_of_busy_ones() -> Result {
        let dev = Device::new()?;
        let resv = Resv::new()?;
        let mut busy = KVec::new();

        // More buffers than one hold of the lock covers (P9).
        for _ in 0..40 {
            busy.push(dev.shared(0x1000, &resv)?, GFP_KERNEL)?;
        }
        let loose = dev.vram(0x1000)?;
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let mut walk = pin!(vram.walk(&OperationCtx::new()));

        let used = resv.reserve();
        let first = walk.as_mut().next().ok_or(ENOENT)??.id();
        assert_eq!(first, loose.buffer().id());
        assert!(walk.as_mut().next().is_none());
        assert_eq!(walk.left_out().busy, 40);
        drop(used);
        Ok(())
    }
}
