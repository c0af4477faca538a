// SPDX-License-Identifier: GPL-2.0 OR MIT

//! P5: an evictable buffer is on the list of its manager, and any other on no manager's list.

use super::*;
use core::pin::pin;

#[kunit_tests(rust_ttm_p5_in_place)]
mod cases {
    use super::*;

    #[test]
    fn pinned_ones_are_not_there() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b* c")?;

        w.pin('a')?;
        w.pin('b')?;
        assert!(w.order().is("c"));
        w.touch('a')?;
        w.touch_bulk('*')?;
        assert!(w.order().is("c"));
        w.unpin('a')?;
        assert!(w.order().is("ca"));
        Ok(())
    }

    #[test]
    fn pinned_twice() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a b")?;
        let other = w.object('a')?.reserve().pin()?;

        w.pin('a')?;
        w.unpin('a')?;
        assert!(w.order().is("b"));
        drop(other);
        assert!(w.order().is("ba"));
        Ok(())
    }

    // Linux 7.3 loses the buffer from the list.
    #[test]
    fn first_of_a_range_is_pinned_and_unpinned() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b")?;

        w.pin('a')?;
        w.unpin('a')?;
        assert!(w.order().is("ba"));
        assert!(w.ranges().is(".*"));
        w.make("c*")?;
        assert!(w.order().is("bac"));
        Ok(())
    }

    #[test]
    fn evicted_ones_are_elsewhere() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b* c*")?;

        w.evict('b')?;
        assert!(w.order().is("ac"));
        assert!(w.order_of(MemType::SYSTEM).is("b"));
        w.evict('a')?;
        assert!(w.order_of(MemType::SYSTEM).is("ba"));
        w.bring_back('b')?;
        assert!(w.order().is("cb"));
        assert!(w.ranges().is("**"));
        Ok(())
    }

    #[test]
    fn swapped_out_ones_are_not_there() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b")?;
        let mut ctx = OperationCtx::new();

        w.evict('a')?;
        w.evict('b')?;
        dev.swap_out_all(&mut ctx)?;
        assert!(w.order_of(MemType::SYSTEM).is(""));
        w.object('b')?.reserve().populate(&mut ctx)?;
        assert!(w.order_of(MemType::SYSTEM).is("b"));
        Ok(())
    }

    #[test]
    fn priorities_are_kept() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "b | a d | | c*")?;

        assert!(w.order().is("badc"));
        w.touch('a')?;
        w.touch_bulk('*')?;
        w.pin('b')?;
        w.unpin('b')?;
        w.evict('d')?;
        w.bring_back('d')?;
        assert!(w.order().is("badc"));
        Ok(())
    }

    #[test]
    fn resources_tell_where_they_are() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a | | b*")?;
        let mut cursor = pin!(w.cursor());
        let bulk = w.bulk('*')?.id();
        let mut seen = [None; 2];

        let mut walk = cursor.as_mut().lock();
        for place in &mut seen {
            *place = walk
                .next()
                .map(|res| (res.mem_type(), res.priority(), res.bulk_id(), res.size()));
        }
        drop(walk);

        assert_eq!(seen[0], Some((MemType::VRAM, 0, None, World::SIZE)));
        assert_eq!(seen[1], Some((MemType::VRAM, 2, Some(bulk), World::SIZE)));
        Ok(())
    }

    #[test]
    fn hitches_are_on_their_managers_lists() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a b c")?;
        let system = dev.manager(MemType::SYSTEM).ok_or(ENODEV)?;
        let mut of_vram = pin!(w.cursor());
        let mut of_system = pin!(system.cursor());

        w.evict('c')?;
        w.steps(of_vram.as_mut(), 1);
        w.steps(of_system.as_mut(), 1);
        assert!(w.picture().is("aHb"));
        assert!(w.picture_of(MemType::SYSTEM).is("cH"));
        assert!(w.rest(of_vram.as_mut()).is("b"));
        assert!(w.picture().is("ab"));
        Ok(())
    }
}
