// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P7: a bounded walk ends, and returns each buffer that hasn't moved since its start once.

use super::*;
use core::pin::pin;

#[kunit_tests(rust_ttm_p7_bounded)]
mod cases {
    use super::*;

    #[test]
    fn buffers_that_stay_are_returned() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b* c* e f | d")?;
        let mut cursor = pin!(w.cursor().bounded());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.free('e')?;
        assert!(w.rest(cursor.as_mut()).is("bcfd"));
        assert!(w.picture().is("abcfd"));
        Ok(())
    }

    #[test]
    fn it_does_not_chase_its_own_tail() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c")?;
        let mut cursor = pin!(w.cursor().bounded());
        let mut met = Text::new();

        let mut walk = cursor.as_mut().lock();
        while let Some(letter) = w.step(&mut walk) {
            met.push(letter);
            if met.len == Text::MAX {
                break;
            }
            // Each buffer that it returns is moved at once.
            let _ = walk.with_buffer(|bo| bo.object().map(|obj| obj.reserve().move_to_lru_tail()));
        }
        drop(walk);

        assert!(met.is("abc"));
        Ok(())
    }

    #[test]
    fn moved_and_new_ones_are_not_returned() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b c d* e* f")?;
        let mut cursor = pin!(w.cursor().bounded());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.touch('b')?;
        w.make("g | h")?;
        w.pin('c')?;
        w.unpin('c')?;
        w.touch('d')?;
        assert!(w.rest(cursor.as_mut()).is("ef"));
        Ok(())
    }

    #[test]
    fn a_moved_bulk_is_not_returned() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c d+ e+ | f")?;
        let mut cursor = pin!(w.cursor().bounded());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.touch_bulk('*')?;
        w.touch_bulk('+')?;
        assert!(w.rest(cursor.as_mut()).is("cf"));
        Ok(())
    }

    #[test]
    fn moves_before_the_start_do_not_count() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b* c*")?;
        let mut cursor = pin!(w.cursor().bounded());

        w.touch('a')?;
        w.touch_bulk('*')?;
        assert!(w.rest(cursor.as_mut()).is("abc"));
        Ok(())
    }

    #[test]
    fn restart_is_a_new_start() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c")?;
        let mut cursor = pin!(w.cursor().bounded());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.touch('b')?;
        cursor.as_mut().lock().restart();
        assert!(w.rest(cursor.as_mut()).is("acb"));
        Ok(())
    }

    #[test]
    fn bounded_and_plain_side_by_side() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c")?;
        let mut bounded = pin!(w.cursor().bounded());
        let mut plain = pin!(w.cursor());

        assert!(w.steps(bounded.as_mut(), 1).is("a"));
        assert!(w.steps(plain.as_mut(), 1).is("a"));
        w.touch('a')?;
        w.touch('b')?;
        let mut later = pin!(w.cursor().bounded());
        assert!(w.rest(later.as_mut()).is("cab"));
        assert!(w.rest(bounded.as_mut()).is("c"));
        assert!(w.rest(plain.as_mut()).is("cab"));
        Ok(())
    }

    #[test]
    fn reserved_walk_is_bounded() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b! c! d!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
        let mut met = Text::new();

        while let Some(bo) = walk.as_mut().next() {
            let bo = bo?;
            let letter = w.letter(bo.id());
            drop(bo);

            met.push(letter);
            w.touch(letter)?;
            if met.len == Text::MAX {
                break;
            }
            if met.len == 2 {
                w.touch('d')?;
                w.make("e!")?;
            }
        }
        assert!(met.is("abc"));
        Ok(())
    }

    #[test]
    fn unbounded_reserved_walk_returns_moved_buffers() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b! c!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()).unbounded());

        let first = walk.as_mut().next().ok_or(ENOENT)??;
        assert_eq!(w.letter(first.id()), 'a');
        drop(first);
        w.touch('a')?;
        w.touch('b')?;
        w.make("d!")?;
        assert!(w.rest_reserved(walk.as_mut())?.is("cabd"));
        Ok(())
    }

    #[test]
    fn walk_begins_with_its_first_step() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));

        // Moves before the start don't count.
        w.touch('a')?;
        w.make("c!")?;
        assert!(w.rest_reserved(walk.as_mut())?.is("bac"));
        Ok(())
    }
}
