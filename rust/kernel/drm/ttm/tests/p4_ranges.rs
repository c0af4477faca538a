// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P4: the members of a range are side by side, and a bulk move takes no hitch along.

use super::*;
use core::pin::pin;

#[kunit_tests(rust_ttm_p4_ranges)]
mod cases {
    use super::*;

    #[test]
    fn members_are_side_by_side() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b c+ d e* f+ g*")?;

        assert!(w.order().is("aegbcfd"));
        assert!(w.ranges().is("***.++."));
        w.join('b', '+')?;
        w.leave('e')?;
        w.free('c')?;
        assert!(w.order().is("agefbd"));
        assert!(w.ranges().is("**.++."));
        w.touch('d')?;
        w.touch('f')?;
        assert!(w.order().is("agebfd"));
        assert!(w.ranges().is("**.++."));
        Ok(())
    }

    #[test]
    fn bulk_move_takes_no_hitch_along() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "x a* b* c* y")?;
        let mut cursors = KVec::new();

        for n in 1..=5 {
            let mut cursor = KBox::pin(w.cursor(), GFP_KERNEL)?;
            w.steps(cursor.as_mut(), n);
            cursors.push(cursor, GFP_KERNEL)?;
        }
        assert!(w.picture().is("xHaHbHcHyH"));
        w.touch_bulk('*')?;
        assert!(w.picture().is("xHHHHyHabc"));
        Ok(())
    }

    #[test]
    fn joining_goes_behind_the_hitches_at_the_end() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b c")?;
        let mut first = pin!(w.cursor());
        let mut second = pin!(w.cursor());

        w.steps(first.as_mut(), 1);
        w.steps(second.as_mut(), 1);
        w.join('c', '*')?;
        assert!(w.picture().is("aHHcb"));
        // These hitches are inside the range, which leaves them behind.
        w.touch_bulk('*')?;
        assert!(w.picture().is("HHbac"));
        assert!(w.rest(first.as_mut()).is("bac"));
        assert!(w.rest(second.as_mut()).is("bac"));
        Ok(())
    }

    #[test]
    fn ends_that_leave_let_go_of_the_hitches() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c* d")?;
        let mut first = pin!(w.cursor());
        let mut second = pin!(w.cursor());

        w.steps(first.as_mut(), 1);
        w.steps(second.as_mut(), 2);
        w.free('a')?;
        w.leave('c')?;
        // Both are outside by now, on either side of `b`.
        assert!(w.picture().is("HbHcd"));
        w.touch_bulk('*')?;
        assert!(w.picture().is("HHcdb"));
        Ok(())
    }

    #[test]
    fn all_members_go_and_new_ones_come() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c* d e")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 2).is("ab"));
        w.free('a')?;
        w.evict('b')?;
        w.pin('c')?;
        assert!(w.picture().is("Hde"));
        w.make("f*")?;
        w.join('e', '*')?;
        w.touch_bulk('*')?;
        assert!(w.rest(cursor.as_mut()).is("dfe"));
        Ok(())
    }

    #[test]
    fn bulk_ends_while_a_cursor_is_inside() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "")?;
        let bulk = BulkMove::new(&dev, Resv::new()?)?;
        let a = dev.member(0x1000, &bulk)?;
        let b = dev.member(0x1000, &bulk)?;
        let loose = dev.vram(0x1000)?;
        let mut cursor = pin!(w.cursor());

        assert_eq!(w.steps(cursor.as_mut(), 1).len, 1);
        // The members keep TTM's part of the bulk until the last of them is gone.
        let id = bulk.id();
        drop(bulk);
        assert_eq!(b.reserve().bulk_id(), Some(id));
        drop(a);
        assert_eq!(b.reserve().bulk_id(), Some(id));
        drop(b);
        assert_eq!(dev.order()?, [loose.buffer().id()]);
        assert_eq!(w.steps(cursor.as_mut(), 2).len, 1);
        Ok(())
    }

    #[test]
    fn each_priority_has_a_range() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b | c* d e*")?;
        let mut cursor = pin!(w.cursor());

        assert!(w.steps(cursor.as_mut(), 3).is("abc"));
        w.touch_bulk('*')?;
        assert!(w.picture().is("baHdce"));
        assert!(w.ranges().is(".*.**"));
        assert!(w.rest(cursor.as_mut()).is("dce"));
        Ok(())
    }
}
