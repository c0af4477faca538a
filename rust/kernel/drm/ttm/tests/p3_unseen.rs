// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P3: without its hitches, a list looks as if there were no cursors.

use super::*;

/// Does the same in a world without cursors, and in one with a cursor in each place. Returns
/// whether the lists were the same after each of `steps`.
fn unseen(dev: &Device, buffers: &str, steps: &[fn(&mut World<'_>) -> Result]) -> Result<bool> {
    let mut calm = World::new(dev, buffers)?;
    let mut wanted = KVec::new();

    for step in steps {
        step(&mut calm)?;
        wanted.push((calm.order(), calm.ranges()), GFP_KERNEL)?;
    }
    drop(calm);

    let mut w = World::new(dev, buffers)?;
    let mut cursors = KVec::new();
    for n in 0..=w.order().len {
        let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;
        w.steps(cursor.as_mut(), n);
        cursors.push(cursor, GFP_KERNEL)?;
    }

    let mut same = true;
    for (step, (order, ranges)) in steps.iter().zip(&wanted) {
        step(&mut w)?;
        same &= w.order().as_bytes() == order.as_bytes();
        same &= w.ranges().as_bytes() == ranges.as_bytes();
    }
    Ok(same)
}

#[kunit_tests(rust_ttm_p3_unseen)]
mod cases {
    use super::*;

    #[test]
    fn use_of_one_and_of_a_bulk() -> Result {
        let dev = Device::new()?;

        assert!(unseen(
            &dev,
            "a b* c* d* e+ f+ g",
            &[
                |w| w.touch('c'),
                |w| w.touch_bulk('*'),
                |w| w.touch('a'),
                |w| w.touch('b'),
                |w| w.touch_bulk('+'),
                |w| w.touch_bulk('*'),
            ],
        )?);
        Ok(())
    }

    #[test]
    fn join_leave_and_switch() -> Result {
        let dev = Device::new()?;

        assert!(unseen(
            &dev,
            "a b* c* d* e f+ g",
            &[
                |w| w.join('a', '*'),
                |w| w.join('g', '*'),
                |w| w.leave('c'),
                |w| w.leave('b'),
                |w| w.join('d', '+'),
                |w| w.join('e', '+'),
                |w| w.leave('g'),
                |w| w.touch_bulk('+'),
            ],
        )?);
        Ok(())
    }

    #[test]
    fn pin_and_unpin() -> Result {
        let dev = Device::new()?;

        assert!(unseen(
            &dev,
            "a* b* c* d e",
            &[
                |w| w.pin('b'),
                |w| w.pin('a'),
                |w| w.pin('c'),
                |w| w.unpin('b'),
                |w| w.touch_bulk('*'),
                |w| w.unpin('c'),
                |w| w.pin('d'),
                |w| w.unpin('a'),
            ],
        )?);
        Ok(())
    }

    #[test]
    fn come_and_go() -> Result {
        let dev = Device::new()?;

        assert!(unseen(
            &dev,
            "a b* c* d* f | e",
            &[
                |w| w.evict('c'),
                |w| w.free('b'),
                |w| w.make("g* | h"),
                |w| w.bring_back('c'),
                |w| w.free('a'),
                |w| w.evict('f'),
                |w| w.make("i"),
                |w| w.free('e'),
            ],
        )?);
        Ok(())
    }
}
