// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Several walks at once.

use super::*;
use core::pin::pin;

use crate::{
    kthread,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

#[kunit_tests(rust_ttm_many_walks)]
mod cases {
    use super::*;

    #[test]
    fn in_one_place() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c d")?;
        let mut first = pin!(w.cursor());
        let mut second = pin!(w.cursor());
        let mut third = pin!(w.cursor());

        w.steps(first.as_mut(), 2);
        w.steps(second.as_mut(), 2);
        w.steps(third.as_mut(), 1);
        assert!(w.picture().is("aHbHHcd"));
        // P3: a walk steps over the hitches of other walks.
        assert!(w.rest(third.as_mut()).is("bcd"));
        assert!(w.rest(first.as_mut()).is("cd"));
        assert!(w.rest(second.as_mut()).is("cd"));
        assert!(w.picture().is("abcd"));
        Ok(())
    }

    #[test]
    fn all_inside_a_range_that_moves() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c* d* e")?;
        let mut first = pin!(w.cursor());
        let mut second = pin!(w.cursor());
        let mut third = pin!(w.cursor());

        w.steps(first.as_mut(), 1);
        w.steps(second.as_mut(), 2);
        w.steps(third.as_mut(), 3);
        w.touch_bulk('*')?;
        assert!(w.picture().is("HHHeabcd"));
        for mut cursor in [first, second, third] {
            assert!(w.rest(cursor.as_mut()).is("eabcd"));
        }
        Ok(())
    }

    #[test]
    fn one_goes_and_the_others_stay() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b* c* d")?;
        let mut left = pin!(w.cursor());
        let mut middle = KBox::pin(w.cursor(), GFP_KERNEL)?;
        let mut right = pin!(w.cursor());

        w.steps(left.as_mut(), 1);
        w.steps(middle.as_mut(), 1);
        w.steps(right.as_mut(), 2);
        drop(middle);
        assert!(w.picture().is("aHbHcd"));
        w.touch_bulk('*')?;
        assert!(w.rest(left.as_mut()).is("dabc"));
        assert!(w.rest(right.as_mut()).is("dabc"));
        Ok(())
    }

    #[test]
    fn a_walk_in_a_walk() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c")?;
        let mut outer = pin!(w.cursor());
        let mut met = Text::new();

        let mut walk = outer.as_mut().lock();
        while let Some(letter) = w.step(&mut walk) {
            met.push(letter);
            walk.unlocked(|| {
                let mut inner = pin!(w.cursor());
                w.rest(inner.as_mut())
                    .letters()
                    .for_each(|letter| met.push(letter));
            });
        }
        drop(walk);

        assert!(met.is("aabc babc cabc"));
        Ok(())
    }

    #[test]
    fn a_reserved_walk_among_them() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a! b! c!")?;
        let mut plain = pin!(w.cursor());
        let mut walk = pin!(w.vram.walk(&OperationCtx::new()));

        w.steps(plain.as_mut(), 1);
        walk.as_mut()
            .next()
            .ok_or(ENOENT)??
            .evict(&mut OperationCtx::new())?;
        assert!(w.picture().is("HHbc"));
        assert!(w.rest(plain.as_mut()).is("bc"));
        assert!(w.rest_reserved(walk.as_mut())?.is("bc"));
        Ok(())
    }

    #[test]
    fn another_thread_goes_on_with_the_cursor() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b* c* d")?;
        let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;
        let mut rest = Text::new();

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.touch_bulk('*')?;
        kthread::scope(|scope| {
            let (w, rest, mut cursor) = (&w, &mut rest, cursor);

            scope.spawn(c"walker", move || *rest = w.rest(cursor.as_mut()))
        })?;
        assert!(rest.is("dbc"));
        assert!(w.picture().is("adbc"));
        Ok(())
    }

    // P1, P2: threads move other buffers, and each walk returns the three that stay, once.
    #[test]
    fn while_threads_move_buffers() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b! c+ d* e! g! h* i+ j! | f+")?;
        let stop = Atomic::new(0);
        let mut wrong = 0;

        kthread::scope(|scope| {
            let (w, stop) = (&w, &stop);

            scope.spawn(c"mover", move || {
                while stop.load(Relaxed) == 0 {
                    let _ = w.touch('g');
                    let _ = w.touch_bulk('*');
                    let _ = w.touch('d');
                }
            })?;
            scope.spawn(c"evictor", move || {
                while stop.load(Relaxed) == 0 {
                    let _ = w.evict('j');
                    let _ = w.bring_back('j');
                    let _ = w.leave('i');
                    let _ = w.join('i', '*');
                }
            })?;

            for n in 0..200 {
                let mut cursor = pin!(w.cursor().bounded());
                let met = w.rest(cursor.as_mut());
                let times = |letter| met.letters().filter(|&l| l == letter).count();

                // A walk that never ends fills the text.
                wrong += usize::from(met.len == Text::MAX);
                for letter in ['b', 'e', 'f'] {
                    wrong += usize::from(times(letter) != 1);
                }
                if n % 2 == 1 {
                    continue;
                }
                let mut walk = pin!(w.vram.walk(&OperationCtx::new()));
                let met = w.rest_reserved(walk.as_mut())?;
                wrong += usize::from(met.letters().filter(|&l| l == 'b' || l == 'e').count() != 2);
            }
            stop.store(1, Relaxed);
            Ok(())
        })
        .inspect_err(|_| stop.store(1, Relaxed))?;

        assert_eq!(wrong, 0);
        assert!(!w.picture().letters().any(|letter| letter == 'H'));
        Ok(())
    }
}
