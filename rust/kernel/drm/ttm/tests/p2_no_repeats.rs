// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P2: a walk returns a buffer again only if it was moved since.

use super::*;
use core::pin::pin;

#[kunit_tests(rust_ttm_p2_no_repeats)]
mod cases {
    use super::*;

    #[test]
    fn each_once_with_holds_of_any_length() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c d* | e")?;

        for n in 1..=6 {
            let mut cursor = pin!(w.cursor());
            let mut met = Text::new();

            loop {
                let some = w.steps(cursor.as_mut(), n);
                some.letters().for_each(|letter| met.push(letter));
                if some.len < n {
                    break;
                }
            }
            assert!(met.is("abdce"));
        }
        Ok(())
    }

    #[test]
    fn a_member_that_left_stays_behind() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.leave('b')?;
        w.touch_bulk('*')?;
        assert!(w.picture().is("bHca"));
        assert!(w.rest(cursor.as_mut()).is("ca"));
        Ok(())
    }

    #[test]
    fn the_last_of_a_range_is_used() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.touch('b')?;
        assert!(w.rest(cursor.as_mut()).is("c"));
        Ok(())
    }

    #[test]
    fn others_go_and_pull_no_hitch_back() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b c d e")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 3).is("abc"));
        w.free('c')?;
        w.evict('b')?;
        w.touch('d')?;
        w.pin('e')?;
        assert!(w.picture().is("aHd"));
        assert!(w.rest(cursor.as_mut()).is("d"));
        Ok(())
    }

    #[test]
    fn a_moved_buffer_is_returned_again() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b* c*")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 3).is("abc"));
        w.touch('a')?;
        w.touch_bulk('*')?;
        assert!(w.rest(cursor.as_mut()).is("abc"));
        Ok(())
    }

    #[test]
    fn an_empty_bulk_is_joined_in_place() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.join('a', '*')?;
        w.join('b', '+')?;
        assert!(w.picture().is("abHc"));
        assert!(w.rest(cursor.as_mut()).is("c"));
        Ok(())
    }

    #[test]
    fn steps_without_an_unlock_and_with() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c d e f")?;
        let mut cursor = pin!(w.cursor());
        let mut met = Text::new();

        let mut walk = cursor.as_mut().lock();
        for n in 0.. {
            let Some(letter) = w.step(&mut walk) else {
                break;
            };
            met.push(letter);
            match n % 4 {
                0 => walk.unlocked(|| ()),
                1 => drop(walk.lru()),
                2 => drop(walk.with_buffer(|_| ())),
                _ => (),
            }
        }
        drop(walk);

        assert!(met.is("abcdef"));
        Ok(())
    }
}
