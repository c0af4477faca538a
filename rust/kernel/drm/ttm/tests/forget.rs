// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L1: forgotten guards.
//!
//! Safe code may forget anything that it owns. A forgotten hitch stays in the list, so its memory
//! must stay, too: a cursor that is forgotten on the heap is never freed, and one that is pinned to
//! the stack is dropped all the same. The device takes such hitches off its lists before the lists
//! go.

use super::*;
use core::pin::pin;

use crate::{
    drm::ttm::{
        late, //
        test_device,
    },
    sync::lock::Guard, //
};
use core::mem::{
    self,
    ManuallyDrop,
    MaybeUninit, //
};

/// A box that was forgotten.
///
/// Only its memory can be freed, so that kmemleak doesn't report it. The lists point to the hitch
/// as long as the device exists, so free the memory after the device.
pub(super) struct Forgotten {
    memory: *mut c_void,
    give_back: unsafe fn(*mut c_void) -> bool,
}

impl Forgotten {
    pub(super) fn new<T: Hitch>(forgotten: Pin<KBox<T>>) -> Self {
        // SAFETY: It is moved nowhere.
        let memory = KBox::into_raw(unsafe { Pin::into_inner_unchecked(forgotten) });

        Self {
            memory: memory.cast(),
            give_back: Self::give_back_as::<T>,
        }
    }

    /// Frees the memory. Returns whether the hitch was off all lists.
    pub(super) fn give_back(self) -> bool {
        // The last buffer may still be on its way to be freed, and the device with it.
        late::flush();
        // SAFETY: `memory` came out of a box that was forgotten. The device is gone, and with it
        // the lists that had the hitch.
        unsafe { (self.give_back)(self.memory) }
    }

    /// # Safety
    ///
    /// `memory` must come out of a [`KBox<T>`], and there must be no other pointer to it.
    unsafe fn give_back_as<T: Hitch>(memory: *mut c_void) -> bool {
        // SAFETY: `memory` came out of a `KBox<T>`, and wasn't dropped, so it is a valid `T`, by
        // the function's requirements.
        let is_off = unsafe { T::hitch(memory.cast()) }.is_none_or(|hitch| {
            // SAFETY: It is in that memory.
            unsafe { (*hitch).link.next.cast_const() == &raw const (*hitch).link }
        });

        // SAFETY: `memory` came out of a `KBox<T>`, and there is no other pointer to it, by the
        // function's requirements. A `MaybeUninit<T>` has its layout.
        drop(unsafe { KBox::from_raw(memory.cast::<MaybeUninit<T>>()) });
        is_off
    }
}

/// Operations on the buffers around a forgotten hitch.
fn goes_on(w: &mut World<'_>) -> Result<bool> {
    let mut cursor = pin!(w.cursor());
    let all = w.rest(cursor.as_mut()).is("xabcyz");

    w.touch_bulk('*')?;
    w.free('b')?;
    w.leave('a')?;
    w.evict('y')?;
    w.touch('c')?;
    w.make("d*")?;
    w.free('x')?;
    cursor.as_mut().lock().restart();
    Ok(all & w.rest(cursor.as_mut()).is("acdz"))
}

#[kunit_tests(rust_ttm_forget)]
mod cases {
    use super::*;

    #[test]
    fn cursor_before_its_first_step() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let mut w = World::new(&dev, "x a* b* c* y | z")?;
        let forgotten = Forgotten::new(KBox::pin(w.cursor(), GFP_KERNEL)?);

        assert!(w.picture().is("xabcyz"));
        assert!(goes_on(&mut w)?);
        drop(w);
        drop(dev);
        assert!(forgotten.give_back());
        assert_eq!(complaints(), before);
        Ok(())
    }

    #[test]
    fn cursor_that_was_locked_once() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let mut w = World::new(&dev, "x a* b* c* y | z")?;
        let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;

        drop(cursor.as_mut().lock());
        let forgotten = Forgotten::new(cursor);
        assert!(w.picture().is("Hxabcyz"));
        assert!(goes_on(&mut w)?);
        drop(w);
        drop(dev);
        assert!(forgotten.give_back());
        assert_eq!(complaints(), before);
        Ok(())
    }

    // These places include the inside of a range, both sides of it, and the end.
    #[test]
    fn cursor_at_any_step() -> Result {
        let before = complaints();

        for n in 1..=7 {
            let dev = Device::new()?;
            let mut w = World::new(&dev, "x a* b* c* y | z")?;
            let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;

            w.steps(cursor.as_mut(), n);
            let forgotten = Forgotten::new(cursor);
            assert!(goes_on(&mut w)?);
            drop(w);
            drop(dev);
            assert!(forgotten.give_back());
        }
        assert_eq!(complaints(), before);
        Ok(())
    }

    #[test]
    fn cursors_on_all_lists() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let w = World::new(&dev, "a | b | c* d* | e")?;
        let system = dev.manager(MemType::SYSTEM).ok_or(ENODEV)?;
        let mut forgotten = KVec::new();

        w.evict('e')?;
        for n in 1..=4 {
            let mut cursor = KBox::pin(w.cursor().bounded(), GFP_KERNEL)?;
            w.steps(cursor.as_mut(), n);
            forgotten.push(Forgotten::new(cursor), GFP_KERNEL)?;
        }
        let mut cursor = KBox::pin(system.cursor(), GFP_KERNEL)?;
        w.steps(cursor.as_mut(), 1);
        forgotten.push(Forgotten::new(cursor), GFP_KERNEL)?;

        assert!(w.picture().is("aHbHcHdH"));
        assert!(w.picture_of(MemType::SYSTEM).is("eH"));
        drop(w);
        drop(dev);
        for forgotten in forgotten {
            assert!(forgotten.give_back());
        }
        assert_eq!(complaints(), before);
        Ok(())
    }

    // The last of them is dropped after the device.
    #[test]
    fn device_stays_for_an_object() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let w = World::new(&dev, "a b")?;
        let kept = w.object('b')?.clone();
        let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;

        w.steps(cursor.as_mut(), 1);
        let forgotten = Forgotten::new(cursor);
        drop(w);
        drop(dev);
        assert_eq!(kept.reserve().mem_type(), Some(MemType::VRAM));
        kept.reserve().move_to_lru_tail();
        drop(kept);
        assert!(forgotten.give_back());
        assert_eq!(complaints(), before);
        Ok(())
    }

    #[test]
    fn bulk_ends_around_the_cursor() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c")?;
        let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;

        w.steps(cursor.as_mut(), 1);
        let forgotten = Forgotten::new(cursor);
        // The hitch was registered with the bulk, whose memory is freed.
        w.free('b')?;
        w.free('a')?;
        let bulk = BulkMove::new(&dev, w.resv.clone())?;
        drop(mem::replace(&mut w.bulks[0], bulk));
        w.make("d* e*")?;
        w.touch_bulk('*')?;
        assert!(w.picture().is("Hcde"));
        drop(w);
        drop(dev);
        assert!(forgotten.give_back());
        assert_eq!(complaints(), before);
        Ok(())
    }

    #[test]
    fn the_pin_of_a_cursor_on_the_stack() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c")?;

        {
            let mut cursor = pin!(w.cursor());
            w.steps(cursor.as_mut(), 1);
            assert!(w.picture().is("aHbc"));
            // This forgets the pin only; the cursor is dropped with its scope.
            #[expect(clippy::forget_non_drop)]
            mem::forget(cursor);
        }
        assert!(w.picture().is("abc"));
        w.touch_bulk('*')?;
        assert!(w.picture().is("cab"));
        Ok(())
    }

    // The lock would never be dropped. The test drops it, so that it can go on.
    #[test]
    fn walk() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b")?;
        let mut cursor = pin!(w.cursor());

        w.steps(cursor.as_mut(), 1);
        mem::forget(cursor.as_mut().lock());
        let locked = dev.lru_lock().try_lock().is_none();
        // SAFETY: This thread holds the lock, and its guard was forgotten.
        drop(unsafe { Guard::new(dev.lru_lock(), ()) });
        assert!(locked);
        assert!(w.picture().is("aHb"));
        assert!(w.rest(cursor.as_mut()).is("b"));
        Ok(())
    }

    #[test]
    fn lru() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b")?;
        let mut cursor = pin!(w.cursor());

        mem::forget(dev.lru());
        let locked = dev.lru_lock().try_lock().is_none();
        // SAFETY: This thread holds the lock, and its guard was forgotten.
        drop(unsafe { Guard::new(dev.lru_lock(), ()) });
        assert!(locked);

        // If a walk has lent the lock, the walk drops it.
        let mut walk = cursor.as_mut().lock();
        mem::forget(walk.lru());
        let locked = dev.lru_lock().try_lock().is_none();
        drop(walk);
        assert!(locked);
        assert!(dev.lru_lock().try_lock().is_some());
        assert!(w.rest(cursor.as_mut()).is("ab"));
        Ok(())
    }

    #[test]
    fn reserved_walk_at_any_step() -> Result {
        let before = complaints();

        for n in 0..=7 {
            let dev = Device::new()?;
            let mut w = World::new(&dev, "x! a* b* c* y! | z!")?;
            let mut walk = KBox::pin(w.vram.walk(&OperationCtx::new()), GFP_KERNEL)?;

            for _ in 0..n {
                let _ = walk.as_mut().next();
            }
            let forgotten = Forgotten::new(walk);
            assert!(w.object('x')?.try_reserve().is_some());
            assert!(goes_on(&mut w)?);
            drop(w);
            drop(dev);
            assert!(forgotten.give_back());
        }
        assert_eq!(complaints(), before);
        Ok(())
    }

    // The buffer that it has handed out is independent of the walk.
    #[test]
    fn reserved_walk_but_not_its_buffer() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut walk = KBox::pin(w.vram.walk(&OperationCtx::new()), GFP_KERNEL)?;
        let mut bo = walk.as_mut().next().ok_or(ENOENT)??;
        let forgotten = Forgotten::new(walk);

        bo.evict(&mut OperationCtx::new())?;
        drop(bo);
        assert!(w.object('a')?.try_reserve().is_some());
        w.free('a')?;
        assert!(w.picture().is("Hb"));
        drop(w);
        drop(dev);
        assert!(forgotten.give_back());
        assert_eq!(complaints(), before);
        Ok(())
    }

    // Other walks skip it for ever. The buffer stays, and so does its memory.
    #[test]
    fn reserved_buffer() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let bo = ManuallyDrop::new(walk.as_mut().next().ok_or(ENOENT)??);

        w.free('a')?;
        assert!(w.order().is("~b"));
        let mut other = pin!(w.vram.walk(&OperationCtx::new()));
        assert!(w.rest_reserved(other.as_mut())?.is("b"));
        assert_eq!(other.left_out().busy, 1);
        let mut cursor = pin!(w.cursor());
        assert!(w.rest(cursor.as_mut()).is("~b"));

        // The test keeps a pointer to it, so that the device can go.
        drop(ManuallyDrop::into_inner(bo));
        assert!(w.order().is("b"));
        Ok(())
    }

    #[test]
    fn reservation() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c!")?;
        let reserved = ManuallyDrop::new(w.object('a')?.reserve());
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));

        assert!(w.object('b')?.try_reserve().is_none());
        assert!(w.rest_reserved(walk.as_mut())?.is("c"));
        let mut cursor = pin!(w.cursor());
        assert!(w.rest(cursor.as_mut()).is("abc"));

        drop(ManuallyDrop::into_inner(reserved));
        assert!(w.object('b')?.try_reserve().is_some());
        Ok(())
    }

    #[test]
    fn reservation_in_the_middle_of_a_walk() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut cursor = pin!(w.cursor());

        let mut walk = cursor.as_mut().lock();
        let _ = walk.next();
        let _ = walk.with_buffer(|bo| mem::forget(bo.reserve()));
        let next = w.step(&mut walk);
        drop(walk);

        assert_eq!(next, Some('b'));
        let obj = w.object('a')?.clone();
        assert!(obj.try_reserve().is_none());
        // SAFETY: This thread holds the lock, and its guard was forgotten.
        drop(unsafe { Reserved::assume_locked(obj.buffer()) });
        drop(obj);
        w.free('a')?;
        assert!(w.picture().is("bH"));
        Ok(())
    }

    // It stays pinned and alive, and walks don't return it.
    #[test]
    fn pinned() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c")?;
        let mut cursor = pin!(w.cursor());
        let pin = ManuallyDrop::new(w.object('b')?.reserve().pin()?);

        w.steps(cursor.as_mut(), 1);
        w.free('b')?;
        w.touch_bulk('*')?;
        assert!(w.picture().is("Hca") || w.picture().is("aHc"));
        assert_eq!(w.vram.usage(), 3 * World::SIZE as u64);
        assert!(pin.reserve().is_pinned());

        drop(ManuallyDrop::into_inner(pin));
        assert_eq!(w.vram.usage(), 2 * World::SIZE as u64);
        Ok(())
    }

    #[test]
    fn object() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b*")?;
        let kept = ManuallyDrop::new(w.object('a')?.clone());

        w.free('a')?;
        let mut cursor = pin!(w.cursor());
        assert!(w.rest(cursor.as_mut()).is("~b"));
        assert_eq!(kept.reserve().evict(&mut OperationCtx::new()), Ok(()));
        assert!(w.order().is("b"));

        drop(ManuallyDrop::into_inner(kept));
        assert!(w.order_of(MemType::SYSTEM).is(""));
        Ok(())
    }

    // Its memory stays, and the lists don't point to it.
    #[test]
    fn bulk() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let w = World::new(&dev, "x")?;
        let bulk = BulkMove::new(&dev, Resv::new()?)?;
        let a = dev.member(0x1000, &bulk)?;
        let b = dev.member(0x1000, &bulk)?;

        {
            let mut cursor = pin!(w.cursor());
            w.steps(cursor.as_mut(), 2);
            test_device::remember(&*bulk.inner());
            mem::forget(bulk);
            drop(a);
            assert!(w.picture().is("xH~"));
            drop(b);
            assert!(w.rest(cursor.as_mut()).is(""));
        }
        drop(w);
        drop(dev);
        assert_eq!(complaints(), before);
        Ok(())
    }
}
