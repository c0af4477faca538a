// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L2: guards that are dropped at any step of a walk, or by an early return.

use super::*;
use crate::io::IoBase;
use core::pin::pin;

/// Whether the LRU lock is held.
fn is_locked(dev: &Device) -> bool {
    dev.lru_lock().try_lock().is_none()
}

#[kunit_tests(rust_ttm_guards)]
mod cases {
    use super::*;

    #[test]
    fn cursor_is_dropped_at_any_step() -> Result {
        let before = complaints();
        let dev = Device::new()?;

        for n in 0..=7 {
            let mut w = World::new(&dev, "x a* b* c* y | z")?;
            let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;

            w.steps(cursor.as_mut(), n);
            drop(cursor);
            assert!(w.picture().is("xabcyz"));
            // Its memory is gone: it must be neither moved with the range nor found in the list.
            w.touch_bulk('*')?;
            w.free('y')?;
            assert!(w.picture().is("xabcz"));
        }
        assert_eq!(complaints(), before);
        Ok(())
    }

    #[test]
    fn cursor_is_dropped_without_a_step() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b*")?;

        drop(w.cursor());
        let cursor = pin!(w.cursor());
        let _ = cursor;
        let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;
        drop(cursor.as_mut().lock());
        assert!(w.picture().is("Hab"));
        drop(cursor);
        assert!(w.picture().is("ab"));
        Ok(())
    }

    #[test]
    fn cursor_is_dropped_after_the_bulk_moved() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c* d")?;
        let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;

        w.steps(cursor.as_mut(), 2);
        w.touch_bulk('*')?;
        assert!(w.picture().is("Hdabc"));
        for letter in ['a', 'b', 'c'] {
            w.free(letter)?;
        }
        drop(cursor);
        w.make("e*")?;
        w.touch_bulk('*')?;
        assert!(w.picture().is("de"));
        assert_eq!(complaints(), before);
        Ok(())
    }

    #[test]
    fn walk_is_dropped_at_any_step() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b* c* | d")?;
        let mut pictures = KVec::new();

        for n in 0..=5 {
            let mut cursor = pin!(w.cursor());
            let mut walk = cursor.as_mut().lock();

            for _ in 0..n {
                let _ = walk.next();
            }
            let locked = is_locked(&dev);
            drop(walk);
            pictures.push((locked && !is_locked(&dev), w.picture()), GFP_KERNEL)?;
        }
        let wanted = ["Habcd", "aHbcd", "abHcd", "abcHd", "abcdH", "abcd"];
        for ((locked, picture), wanted) in pictures.iter().zip(wanted) {
            assert!(*locked);
            assert!(picture.is(wanted));
        }
        Ok(())
    }

    /// Fails at the `n`th buffer, with the lock held.
    fn fails_at(w: &World<'_>, n: usize) -> Result<usize> {
        let mut cursor = pin!(w.cursor());
        let mut walk = cursor.as_mut().lock();
        let mut left = n;

        while walk.next().is_some() {
            left = left.checked_sub(1).ok_or(E2BIG)?;
        }
        Ok(left)
    }

    #[test]
    fn early_return_with_the_lock() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c")?;

        for n in 0..3 {
            assert_eq!(fails_at(&w, n), Err(E2BIG));
            assert!(!is_locked(&dev));
            assert!(w.picture().is("abc"));
        }
        assert_eq!(fails_at(&w, 3), Ok(0));
        w.touch_bulk('*')?;
        assert!(w.picture().is("cab"));
        Ok(())
    }

    /// Fails with the buffer called `letter`.
    fn fails_with(w: &World<'_>, letter: char) -> Result {
        let mut cursor = pin!(w.cursor());
        let mut walk = cursor.as_mut().lock();

        while walk.next().is_some() {
            walk.with_buffer(|bo| {
                let mut bo = bo.reserve();

                bo.evict(&mut OperationCtx::new())?;
                if w.letter(bo.id()) == letter {
                    return Err(EIO);
                }
                Ok(())
            })
            .unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    #[test]
    fn early_return_after_an_eviction() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c d")?;

        assert_eq!(fails_with(&w, 'b'), Err(EIO));
        assert!(!is_locked(&dev));
        assert!(w.picture().is("cd"));
        assert_eq!(fails_with(&w, 'x'), Ok(()));
        assert!(w.picture().is(""));
        // References and reservations were given back.
        assert!(w.object('b')?.try_reserve().is_some());
        Ok(())
    }

    /// Fails at the `n`th buffer, which is reserved.
    fn fails_reserved(w: &World<'_>, n: usize) -> Result {
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let mut left = n;

        for bo in walk.as_mut() {
            let bo = bo?;

            left = left.checked_sub(1).ok_or(E2BIG)?;
            drop(bo);
        }
        Ok(())
    }

    #[test]
    fn early_return_with_a_reservation() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b* c* d!")?;

        for n in 0..4 {
            assert_eq!(fails_reserved(&w, n), Err(E2BIG));
            assert!(w.picture().is("abcd"));
        }
        for letter in ['a', 'b', 'c', 'd'] {
            assert!(w.object(letter)?.try_reserve().is_some());
            w.free(letter)?;
        }
        assert_eq!(w.vram.usage(), 0);
        Ok(())
    }

    #[test]
    fn reserved_walk_is_dropped_at_any_step() -> Result {
        let dev = Device::new()?;

        for n in 0..=5 {
            let w = World::new(&dev, "a* b* c* d!")?;
            let mut walk = KBox::pin(w.vram.walk(&OperationCtx::new()), GFP_KERNEL)?;

            for _ in 0..n {
                let _ = walk.as_mut().next();
            }
            drop(walk);
            assert!(w.picture().is("abcd"));
            w.touch_bulk('*')?;
            assert!(w.picture().is("dabc"));
        }
        Ok(())
    }

    #[test]
    fn reserved_walk_is_dropped_before_its_buffer() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut walk = KBox::pin(w.vram.walk(&OperationCtx::new()), GFP_KERNEL)?;
        let mut bo = walk.as_mut().next().ok_or(ENOENT)??;

        drop(walk);
        assert!(w.picture().is("ab"));
        assert!(w.object('a')?.try_reserve().is_none());
        w.free('a')?;
        assert_eq!(bo.evict(&mut OperationCtx::new()), Ok(()));
        drop(bo);
        assert_eq!(w.vram.usage(), World::SIZE as u64);
        Ok(())
    }

    #[test]
    fn lock_is_lent_and_comes_back() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a")?;
        let mut cursor = pin!(w.cursor());

        let mut walk = cursor.as_mut().lock();
        drop(walk.lru());
        let lent = is_locked(&dev);
        let dropped = walk.unlocked(|| !is_locked(&dev));
        let _ = walk.next();
        let within = walk.with_buffer(|_| !is_locked(&dev));
        let again = is_locked(&dev);
        drop(walk);

        assert!(lent && dropped && again);
        assert_eq!(within, Some(true));
        let lru = dev.lru();
        let held = is_locked(&dev);
        drop(lru);
        assert!(held && !is_locked(&dev));
        Ok(())
    }

    #[test]
    fn pins_are_given_back() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b!")?;
        let pin = w.object('a')?.reserve().pin()?;

        // With the reservation of another buffer, the pin stays.
        let mut reserved = w.object('b')?.reserve();
        let pin = pin.unpin(&mut reserved).err().ok_or(EINVAL)?;
        drop(reserved);
        assert!(w.object('a')?.reserve().is_pinned());
        assert!(w.picture().is("b"));
        drop(pin);
        assert!(!w.object('a')?.reserve().is_pinned());
        assert!(w.picture().is("ba"));
        Ok(())
    }

    // Other buffers get its pages later, and the kernel must not have them mapped then.
    #[test]
    fn a_mapping_is_undone() -> Result {
        let dev = Device::new()?;
        let obj = dev.system(2 * World::SIZE)?;
        let mut ctx = OperationCtx::new();
        obj.reserve().populate(&mut ctx)?;

        let map = obj.reserve().vmap::<0>()?;
        let address = (&map).as_view().as_ptr();
        // SAFETY: It may be called for any address.
        let is_mapped = || !unsafe { bindings::vmalloc_to_page(address.cast()) }.is_null();
        assert!(is_mapped());
        drop(map);
        assert!(!is_mapped());
        assert!(!obj.reserve().is_pinned());
        Ok(())
    }

    #[test]
    fn a_pin_keeps_the_object() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a")?;
        let pin = w.object('a')?.reserve().pin()?;

        w.free('a')?;
        assert_eq!(w.vram.usage(), World::SIZE as u64);
        assert!(pin.reserve().is_pinned());
        drop(pin);
        assert_eq!(w.vram.usage(), 0);
        Ok(())
    }
}
