// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Walks over the lists of several managers, one after the other.

use super::*;
use core::pin::pin;

/// The device has no memory of the second type.
const TYPES: [MemType; 3] = [MemType::VRAM, MemType::PRIV, MemType::SYSTEM];

/// `a*`, `b*` and `c` in VRAM, the last one with a higher priority, and `d` and `e` in system
/// memory.
fn world(dev: &Device) -> Result<World<'_>> {
    let w = World::new(dev, "a* b* d! e! | c!")?;

    w.evict('d')?;
    w.evict('e')?;
    Ok(w)
}

/// Whether the lists are these, with the hitches.
fn are(w: &World<'_>, vram: &str, system: &str) -> bool {
    w.picture().is(vram) & w.picture_of(MemType::SYSTEM).is(system)
}

#[kunit_tests(rust_ttm_several_managers)]
mod cases {
    use super::*;

    #[test]
    fn the_hitch_is_where_the_walk_is() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;
        let mut cursor = pin!(dev.cursor(&TYPES)?);

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        assert!(are(&w, "abHc", "de"));
        assert!(w.steps(cursor.as_mut(), 2).is("cd"));
        assert!(are(&w, "abc", "dHe"));
        assert!(w.rest(cursor.as_mut()).is("e"));
        assert!(are(&w, "abc", "de"));
        assert!(w.rest(cursor.as_mut()).is(""));
        Ok(())
    }

    #[test]
    fn restarted_at_any_step() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;

        for n in 0..=6 {
            let mut cursor = pin!(dev.cursor(&TYPES)?);

            w.steps(cursor.as_mut(), n);
            cursor.as_mut().lock().restart();
            assert!(are(&w, "Habc", "de"));
            assert!(w.rest(cursor.as_mut()).is("abcde"));
        }
        Ok(())
    }

    #[test]
    fn restarted_in_a_hold() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;

        for n in 0..=6 {
            let mut cursor = pin!(dev.cursor(&TYPES)?);
            let mut walk = cursor.as_mut().lock();

            for _ in 0..n {
                w.step(&mut walk);
            }
            walk.restart();
            let buffer = walk.with_buffer(|_| ());
            drop(walk);
            assert_eq!(buffer, None);
            assert!(are(&w, "Habc", "de"));
            assert!(w.rest(cursor.as_mut()).is("abcde"));
        }
        Ok(())
    }

    #[test]
    fn dropped_at_any_step() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;

        for n in 0..=6 {
            w.steps(pin!(dev.cursor(&TYPES)?), n);
            assert!(are(&w, "abc", "de"));
        }
        Ok(())
    }

    #[test]
    fn a_buffer_that_goes_ahead_is_met_again() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;
        let mut cursor = pin!(dev.cursor(&TYPES)?);

        assert!(w.steps(cursor.as_mut(), 1).is("a"));
        w.evict('a')?;
        w.bring_back('e')?;
        // `e` has gone behind `b`, which is still ahead.
        assert!(w.rest(cursor.as_mut()).is("becda"));
        Ok(())
    }

    #[test]
    fn bounded_in_each_of_them() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;
        let mut cursor = pin!(dev.cursor(&TYPES)?.bounded());
        let mut met = Text::new();

        while met.len < Text::MAX {
            let step = w.step(&mut cursor.as_mut().lock());
            let Some(letter) = step else {
                break;
            };
            met.push(letter);
            w.touch(letter)?;
        }
        assert!(met.is("abcde"));
        Ok(())
    }

    #[test]
    fn a_type_that_is_named_twice() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;
        let types = [MemType::SYSTEM, MemType::SYSTEM];

        assert!(w.rest(pin!(dev.cursor(&types)?)).is("dede"));
        assert!(w
            .rest_reserved(pin!(dev.walk(&types, &OperationCtx::new())?))?
            .is("dede"));
        Ok(())
    }

    #[test]
    fn no_type_that_the_device_has() -> Result {
        let dev = Device::new()?;

        for types in [&TYPES[1..2], &[]] {
            assert_eq!(dev.cursor(types).err(), Some(ENODEV));
            assert_eq!(dev.walk(types, &OperationCtx::new()).err(), Some(ENODEV));
        }
        Ok(())
    }

    #[test]
    fn left_out_of_all_of_them() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;
        // Lockdep does not expect a thread to wait for two reservations without a transaction.
        let used = [w.object('c')?.try_reserve(), w.object('d')?.try_reserve()];
        assert!(used.iter().all(Option::is_some));
        let mut walk = pin!(dev.walk(&TYPES, &OperationCtx::new())?);

        assert!(w.rest_reserved(walk.as_mut())?.is("abe"));
        assert_eq!(walk.left_out().busy, 2);
        // Further steps don't count them again.
        assert!(w.rest_reserved(walk.as_mut())?.is(""));
        assert_eq!(walk.left_out().busy, 2);
        drop(used);
        Ok(())
    }

    #[test]
    fn reserved_walk_is_dropped_at_any_step() -> Result {
        let dev = Device::new()?;
        let w = world(&dev)?;

        for n in 0..=6 {
            let mut walk = pin!(dev.walk(&TYPES, &OperationCtx::new())?);

            for _ in 0..n {
                drop(walk.as_mut().next().transpose()?);
            }
        }
        assert!(are(&w, "abc", "de"));
        Ok(())
    }
}
