// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P1: a walk returns each buffer that stays on the list from its first step to its end.

use super::*;
use core::pin::pin;

#[kunit_tests(rust_ttm_p1_complete)]
mod cases {
    use super::*;

    #[test]
    fn all_in_order() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a c* e* f | d | b")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.rest(cursor.as_mut()).is("acefdb"));
        Ok(())
    }

    #[test]
    fn neighbours_are_freed() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b c d e")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.free('b')?;
        w.free('c')?;
        assert!(w.picture().is("aHde"));
        assert!(w.rest(cursor.as_mut()).is("de"));
        Ok(())
    }

    #[test]
    fn each_is_evicted_as_it_is_met() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b* c d* | e")?;
        let mut cursor = pin!(w.cursor());
        let mut evicted = 0;

        let mut walk = cursor.as_mut().lock();
        while walk.next().is_some() {
            let done = walk.with_buffer(|bo| bo.reserve().evict(&mut OperationCtx::new()));
            evicted += usize::from(done == Some(Ok(())));
        }
        drop(walk);

        assert_eq!(evicted, 5);
        assert!(w.order().is(""));
        Ok(())
    }

    #[test]
    fn evicted_and_brought_back() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c d")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.evict('b')?;
        w.evict('c')?;
        w.bring_back('c')?;
        assert!(w.rest(cursor.as_mut()).is("dc"));
        Ok(())
    }

    #[test]
    fn neighbours_are_pinned() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b* c* d* e")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.pin('b')?;
        w.pin('c')?;
        assert!(w.picture().is("aHde"));
        w.unpin('b')?;
        assert!(w.rest(cursor.as_mut()).is("dbe"));
        Ok(())
    }

    #[test]
    fn used_ones_are_still_owed() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c d")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.touch('b')?;
        w.touch('d')?;
        assert!(w.rest(cursor.as_mut()).is("cbd"));
        Ok(())
    }

    #[test]
    fn member_is_used_around_the_cursor() -> Result {
        let dev = Device::new()?;

        for n in 1..=3 {
            let w = World::new(&dev, "a* b* c* d")?;
            let mut cursor = pin!(w.cursor());
            let mut met = w.steps(cursor.as_mut(), n);

            w.touch('a')?;
            w.touch('b')?;
            w.rest(cursor.as_mut())
                .letters()
                .for_each(|letter| met.push(letter));
            assert!(met.is(["", "acabd", "abcabd", "abcd"][n]));
        }
        Ok(())
    }

    #[test]
    fn joining_carries_no_buffer_back() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b c d e")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.join('d', '*')?;
        // The buffer is behind the hitch, which is in the range now.
        assert!(w.picture().is("aHdbce"));
        w.touch_bulk('*')?;
        assert!(w.rest(cursor.as_mut()).is("bcead"));
        Ok(())
    }

    #[test]
    fn leaving_from_all_places() -> Result {
        let dev = Device::new()?;

        for letter in ['a', 'b', 'c', 'd'] {
            for n in 1..=4 {
                let w = World::new(&dev, "a* b* c* d* e")?;
                let mut cursor = pin!(w.cursor());
                let mut met = w.steps(cursor.as_mut(), n);

                w.leave(letter)?;
                w.touch_bulk('*')?;
                w.rest(cursor.as_mut())
                    .letters()
                    .for_each(|letter| met.push(letter));
                let missed = "abcde"
                    .chars()
                    .any(|letter| !met.letters().any(|l| l == letter));
                assert!(!missed);
            }
        }
        Ok(())
    }

    #[test]
    fn bulk_moves_with_the_cursor_in_all_places() -> Result {
        let dev = Device::new()?;
        let rests = ["yzabc", "yzabc", "yzabc", "yzabc", "zabc", "abc"];

        for (n, wanted) in (1..).zip(rests) {
            let w = World::new(&dev, "x a* b* c* y z")?;
            let mut cursor = pin!(w.cursor());

            assert_eq!(w.steps(cursor.as_mut(), n).len, n);
            w.touch_bulk('*')?;
            assert!(w.rest(cursor.as_mut()).is(wanted));
        }
        Ok(())
    }

    #[test]
    fn bulk_moves_in_the_middle_of_a_hold() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c* d e")?;
        let mut cursor = pin!(w.cursor());
        let mut met = Text::new();
        let bulk = w.bulk('*')?;
        let reserved = bulk.reserve();

        let mut walk = cursor.as_mut().lock();
        let first = w.step(&mut walk);
        let moved = bulk.move_to_tail(&reserved, &mut walk.lru());
        while let Some(letter) = w.step(&mut walk) {
            met.push(letter);
        }
        drop(walk);

        assert_eq!(moved, Ok(()));
        assert_eq!(first, Some('a'));
        assert!(met.is("deabc"));
        Ok(())
    }

    #[test]
    fn bulk_moves_while_the_lock_is_lent() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c* d")?;
        let mut cursor = pin!(w.cursor());
        let mut met = Text::new();
        let mut moved = Ok(());

        let mut walk = cursor.as_mut().lock();
        let _ = w.step(&mut walk);
        let _ = w.step(&mut walk);
        walk.unlocked(|| moved = w.touch_bulk('*'));
        while let Some(letter) = w.step(&mut walk) {
            met.push(letter);
        }
        drop(walk);

        assert_eq!(moved, Ok(()));
        assert!(met.is("dabc"));
        Ok(())
    }

    // In Linux 7.3 the registration of the hitch outlives the range.
    #[test]
    fn first_member_leaves_and_the_bulk_moves() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.leave('a')?;
        w.make("c*")?;
        w.touch_bulk('*')?;
        assert!(w.rest(cursor.as_mut()).is("bc"));
        Ok(())
    }

    #[test]
    fn lists_empty_and_fill_below_and_above() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a | b | c")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.free('a')?;
        w.free('b')?;
        w.make("d | e | f | g")?;
        assert!(w.rest(cursor.as_mut()).is("ecfg"));
        Ok(())
    }
}
