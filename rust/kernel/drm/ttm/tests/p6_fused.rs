// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P6: a walk that has ended stays so until it is restarted, and leaves no hitch.

use super::*;
use core::pin::pin;

#[kunit_tests(rust_ttm_p6_fused)]
mod cases {
    use super::*;

    #[test]
    fn nothing_to_walk() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.rest(cursor.as_mut()).is(""));
        assert!(w.picture().is(""));
        assert!(w.rest(cursor.as_mut()).is(""));
        Ok(())
    }

    #[test]
    fn end_after_end() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a | | | b")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.rest(cursor.as_mut()).is("ab"));
        assert!(w.picture().is("ab"));
        for _ in 0..3 {
            assert!(w.rest(cursor.as_mut()).is(""));
        }
        // It doesn't return buffers that enter later either.
        w.make("c | | | d")?;
        assert!(w.rest(cursor.as_mut()).is(""));
        assert!(w.picture().is("acbd"));
        Ok(())
    }

    #[test]
    fn ends_in_one_hold() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a")?;
        let mut cursor = pin!(w.cursor());
        let mut met = [None; 4];

        let mut walk = cursor.as_mut().lock();
        for place in &mut met {
            *place = w.step(&mut walk);
        }
        let buffer = walk.with_buffer(|_| ());
        walk.skip_bulk();
        let skipped = w.step(&mut walk);
        drop(walk);

        assert_eq!(met, [Some('a'), None, None, None]);
        assert_eq!(buffer, None);
        assert_eq!(skipped, None);
        Ok(())
    }

    #[test]
    fn restarted_from_any_place() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c | d")?;

        for n in 0..=5 {
            let mut cursor = pin!(w.cursor());

            w.steps(cursor.as_mut(), n);
            cursor.as_mut().lock().restart();
            assert!(w.picture().is("Habcd"));
            assert!(w.rest(cursor.as_mut()).is("abcd"));
        }
        Ok(())
    }

    #[test]
    fn restarted_in_a_hold() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b")?;
        let mut cursor = pin!(w.cursor());

        let mut walk = cursor.as_mut().lock();
        let first = w.step(&mut walk);
        walk.restart();
        // There was no step since.
        let buffer = walk.with_buffer(|_| ());
        let again = w.step(&mut walk);
        walk.restart();
        walk.restart();
        let once_more = w.step(&mut walk);
        drop(walk);

        assert_eq!(first, Some('a'));
        assert_eq!(buffer, None);
        assert_eq!(again, Some('a'));
        assert_eq!(once_more, Some('a'));
        assert!(w.rest(cursor.as_mut()).is("b"));
        Ok(())
    }

    #[test]
    fn lock_without_a_step() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b")?;
        let mut cursor = pin!(w.cursor());

        drop(cursor.as_mut().lock());
        assert!(w.picture().is("Hab"));
        drop(cursor.as_mut().lock());
        w.free('a')?;
        w.make("c")?;
        assert!(w.rest(cursor.as_mut()).is("bc"));
        Ok(())
    }

    #[test]
    fn reserved_walk_goes_on_being_at_its_end() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a! b!")?;
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()).unbounded());

        assert!(w.rest_reserved(walk.as_mut())?.is("ab"));
        assert!(w.picture().is("ab"));
        w.make("c!")?;
        assert!(w.rest_reserved(walk.as_mut())?.is(""));
        Ok(())
    }
}
