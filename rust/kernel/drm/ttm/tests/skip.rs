// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P8: skipping the range of a bulk in one step.

use super::*;
use core::pin::pin;

#[kunit_tests(rust_ttm_skip)]
mod cases {
    use super::*;

    /// The rest of a walk that makes `n` steps in one hold, and then skips.
    fn skipped(w: &World<'_>, n: usize) -> Text {
        let mut cursor = pin!(w.cursor());
        let mut walk = cursor.as_mut().lock();
        let mut met = Text::new();

        for _ in 0..n {
            let _ = w.step(&mut walk);
        }
        walk.skip_bulk();
        while let Some(letter) = w.step(&mut walk) {
            met.push(letter);
        }
        met
    }

    #[test]
    fn from_every_member() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "x a* b* c* y")?;

        for n in 2..=4 {
            assert!(skipped(&w, n).is("y"));
        }
        Ok(())
    }

    #[test]
    fn from_elsewhere_it_does_nothing() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "x a* b* c* y")?;

        assert!(skipped(&w, 0).is("xabcy"));
        assert!(skipped(&w, 1).is("abcy"));
        assert!(skipped(&w, 5).is(""));
        assert!(skipped(&w, 6).is(""));
        Ok(())
    }

    #[test]
    fn one_bulk_at_a_time() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c+ d+ g | e* f*")?;

        assert!(skipped(&w, 1).is("cdgef"));
        assert!(skipped(&w, 3).is("gef"));
        assert!(skipped(&w, 6).is(""));
        Ok(())
    }

    #[test]
    fn when_the_lock_was_dropped_inside() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c* d")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        cursor.as_mut().lock().skip_bulk();
        assert!(w.picture().is("abcHd"));
        assert!(w.rest(cursor.as_mut()).is("d"));
        Ok(())
    }

    #[test]
    fn when_the_bulk_has_moved_away() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c* d e")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.touch_bulk('*')?;
        // The walk isn't inside the range any more.
        cursor.as_mut().lock().skip_bulk();
        assert!(w.rest(cursor.as_mut()).is("deabc"));
        Ok(())
    }

    #[test]
    fn after_a_look_at_the_buffer() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c* d")?;
        let mut cursor = pin!(w.cursor());
        let used = w.resv.reserve();

        let mut walk = cursor.as_mut().lock();
        let _ = w.step(&mut walk);
        let busy = walk.with_buffer(|bo| bo.try_reserve().is_none());
        walk.skip_bulk();
        let next = w.step(&mut walk);
        drop(walk);
        drop(used);

        assert_eq!(busy, Some(true));
        assert_eq!(next, Some('d'));
        Ok(())
    }

    #[test]
    fn bounded_walks_skip_as_well() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c d")?;
        let mut cursor = pin!(w.cursor().bounded());

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        cursor.as_mut().lock().skip_bulk();
        w.touch('c')?;
        assert!(w.rest(cursor.as_mut()).is("d"));
        Ok(())
    }
}
