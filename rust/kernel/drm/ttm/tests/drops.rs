// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L2: drops while the thread holds a lock that the destructor needs.

use super::{
    super::{
        test_device::DmaBuf,
        transaction, //
    },
    *, //
};
use crate::{
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
use core::pin::pin;

/// Waits for the work items.
fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        fsleep(Delta::from_millis(1));
    }
}

fn is_free_and_unpinned(obj: &Object) -> bool {
    obj.try_reserve().is_some_and(|held| !held.is_pinned())
}

/// The number of its pins.
fn pins(obj: &Object) -> u32 {
    let _reserved = obj.reserve();

    // SAFETY: The buffer is valid; the count is protected by its reservation, which is held.
    unsafe { (*obj.buffer().as_raw()).pin_count }
}

/// Sets the number of its pins.
fn set_pins(obj: &Object, pins: u32) {
    let _reserved = obj.reserve();

    // SAFETY: The buffer is valid; the count is protected by its reservation, which is held.
    unsafe { (*obj.buffer().as_raw()).pin_count = pins };
}

/// The number of buffers of a device that are being freed, or have a work item to run.
fn pending(dev: &Device) -> i32 {
    // SAFETY: The device is initialized; the count is only accessed as an atomic.
    unsafe { bindings::atomic_read(&raw const (*dev.raw().owner()).pending) }
}

/// The obvious way to write it: locals are dropped in the reverse order.
fn pin_and_fail(obj: &Object) -> Result {
    let mut reserved = obj.reserve();
    let _pinned = reserved.pin()?;

    Err(EIO)
}

fn map_and_read(obj: &Object) -> Result<u32> {
    use crate::io::Io;

    let mut reserved = obj.reserve();
    let map = reserved.vmap::<0x1000>()?;

    Ok((&map).read32(0))
}

#[kunit_tests(rust_ttm_drops)]
mod cases {
    use super::*;

    #[test]
    fn a_pin_before_the_guard() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b*")?;

        for letter in ['a', 'b'] {
            let obj = w.object(letter)?;
            assert_eq!(pin_and_fail(obj), Err(EIO));
            until(|| is_free_and_unpinned(obj));
        }
        assert!(w.order().is("ab"));
        assert!(w.ranges().is(".*"));
        Ok(())
    }

    #[test]
    fn a_mapping_before_the_guard() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.system(0x1000)?];

        for obj in objects {
            obj.reserve().populate(&mut OperationCtx::new())?;
            obj.reserve().write(0, &0xcafe_u32.to_le_bytes())?;
            assert_eq!(map_and_read(&obj)?, 0xcafe);
            until(|| is_free_and_unpinned(&obj));
            obj.reserve().evict(&mut OperationCtx::new())?;
        }
        Ok(())
    }

    // Each pin is given back once, by any number of work items.
    #[test]
    fn many_pins_under_one_guard() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;

        for _ in 0..20 {
            let mut reserved = obj.reserve();
            let pins = [reserved.pin()?, reserved.pin()?, reserved.pin()?];
            let kept = reserved.pin()?;

            drop(pins);
            drop(reserved);
            until(|| super::pins(&obj) == 1);
            drop(kept);
            until(|| is_free_and_unpinned(&obj));
        }
        Ok(())
    }

    // The module's exit waits for that.
    #[test]
    fn a_pin_that_is_still_to_be_given_back() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;

        let mut reserved = obj.reserve();
        let pins = [reserved.pin()?, reserved.pin()?];
        let before = pending(&dev);
        drop(pins);
        let meanwhile = pending(&dev);
        drop(reserved);
        until(|| is_free_and_unpinned(&obj) && pending(&dev) <= 0);
        assert_eq!((before, meanwhile, pending(&dev)), (0, 1, 0));
        Ok(())
    }

    #[test]
    fn a_pin_that_is_the_last_reference() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b*")?;

        for letter in ['a', 'b'] {
            let pinned = w.object(letter)?.reserve().pin()?;
            w.free(letter)?;

            // They share a reservation.
            let reserved = w.resv.reserve();
            drop(pinned);
            assert!(w.vram.usage() > 0);
            drop(reserved);
        }
        until(|| w.vram.usage() == 0);
        Ok(())
    }

    #[test]
    fn a_pin_in_a_transaction() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b*")?;
        let objects = [w.object('a')?, w.object('b')?];

        transaction(&OperationCtx::new(), |tx| {
            for obj in objects {
                drop(tx.reserve(obj)?.pin()?);
            }
            Ok(())
        })?;
        until(|| objects.iter().all(|obj| is_free_and_unpinned(obj)));
        Ok(())
    }

    // A program closes its handle while a walk looks at the buffer.
    #[test]
    fn the_last_reference_to_a_member_in_a_walk() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c")?;
        // It waits for the work item, which holds the shared reservation.
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()).waiting());
        let mut met = Text::new();

        while let Some(bo) = walk.as_mut().next() {
            let bo = bo?;
            let obj = bo.object().ok_or(ENOENT)?;

            assert_eq!(obj.data().home(), MemType::SYSTEM);
            met.push(w.letter(bo.id()));
            w.free(w.letter(bo.id()))?;
        }
        assert!(met.is("abc"));
        until(|| w.vram.usage() == 0);
        Ok(())
    }

    #[test]
    fn the_last_reference_to_a_member_under_its_reservation() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c*")?;
        let resv = w.resv.clone();

        let reserved = resv.reserve();
        w.free('b')?;
        assert!(w.ranges().is("***"));
        drop(reserved);
        until(|| w.order().as_bytes() == b"ac");
        assert!(w.ranges().is("**"));
        Ok(())
    }

    // One thread holds the reservation, others drop pins and members.
    #[test]
    fn pins_and_members_of_many_threads() -> Result {
        let dev = Device::new()?;
        let resv = Resv::new()?;
        let bulk = BulkMove::new(&dev, resv.clone())?;
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let done = Atomic::new(false);

        kthread::scope(|scope| {
            scope.spawn(c"holder", || {
                while !done.load(Relaxed) {
                    let _reserved = resv.reserve();
                    fsleep(Delta::from_micros(50));
                }
            })?;
            let result = (0..200).try_for_each(|_| {
                let obj = dev.member(0x1000, &bulk)?;
                let first = obj.reserve().pin()?;
                let second = obj.reserve().pin()?;

                drop(obj);
                drop((first, second));
                Ok(())
            });
            done.store(true, Relaxed);
            result
        })?;
        until(|| vram.usage() == 0);
        Ok(())
    }

    // The job that the others wait for is dropped last.
    #[test]
    fn jobs_in_the_reverse_order() -> Result {
        let dev = Device::new_with_engine()?;
        let obj = dev.system(0x2000)?;
        let mut ctx = OperationCtx::new();
        let mut bytes = [0; 4];

        obj.reserve().populate(&mut ctx)?;
        obj.reserve().write(0x1000, b"kept")?;
        obj.reserve().validate(Placement::VRAM, &mut ctx)?;
        obj.reserve().validate(Placement::TT, &mut ctx)?;

        let mut jobs = dev.take_jobs();
        assert_eq!(jobs.len(), 2);
        while let Some(job) = jobs.pop() {
            drop(job);
        }
        obj.reserve().read(0x1000, &mut bytes)?;
        assert_eq!(&bytes, b"kept");
        Ok(())
    }

    // A buffer whose pins were forgotten stays pinned: the count can't wrap.
    #[test]
    fn pins_do_not_wrap() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;

        let first = obj.reserve().pin()?;
        set_pins(&obj, u32::MAX - 1);
        let last = obj.reserve().pin()?;
        assert_eq!(obj.reserve().pin().err(), Some(EOVERFLOW));
        assert_eq!(obj.reserve().vmap::<0>().err(), Some(EOVERFLOW));
        assert!(obj.reserve().is_pinned());
        drop(last);
        set_pins(&obj, 1);
        drop(first);
        assert!(!obj.reserve().is_pinned());

        obj.reserve()
            .validate(Placement::TT, &mut OperationCtx::new())?;
        let first = obj.reserve().pin()?;
        set_pins(&obj, u32::MAX);
        let other = Device::new()?;
        assert_eq!(DmaBuf::export(&obj)?.import(&other).err(), Some(EOVERFLOW));
        set_pins(&obj, 1);
        drop(first);
        Ok(())
    }
}
