// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A window that is smaller than its memory type. Only the device reaches the rest.

use super::{
    io_memory::{
        IoMemory,
        OTHERS,
        SIZE, //
    },
    *, //
};
use crate::drm::{
    gem::BaseObject,
    ttm::{
        test_device::{
            Client,
            Works, //
        },
        Backing,
        Place, //
    }, //
};

const PAGE: usize = 0x1000;
/// The pages in reach.
const REACH: u64 = (SIZE / PAGE) as u64;

/// A device with twice as much memory as the window shows. Its engine copies nothing.
fn device(memory: &IoMemory) -> Result<Device> {
    let window = memory.window()?;

    Device::with_engine(Works::Badly, |setup| {
        setup.range_manager(MemType::PRIV, 2 * SIZE, Backing::Io(window))
    })
}

fn beyond() -> Result<[Place; 1]> {
    Ok([Place::new(MemType::PRIV).within(REACH..2 * REACH)?])
}

/// A buffer that the CPU doesn't reach.
fn out_of_reach(dev: &Device, size: usize) -> Result<ARef<Object>> {
    out_of_reach_of(dev, size, Kind::Kept)
}

fn out_of_reach_of(dev: &Device, size: usize, kind: Kind) -> Result<ARef<Object>> {
    let mut ctx = OperationCtx::new();
    let obj = Object::new(dev.drm(), size, &ObjectConfig::default(), &mut ctx, kind)?;

    obj.reserve().populate(&mut ctx)?;
    obj.reserve()
        .validate(Placement::new(&beyond()?)?, &mut ctx)?;
    Ok(obj)
}

#[kunit_tests(rust_ttm_small_window)]
mod cases {
    use super::*;

    #[test]
    fn beyond_the_window() -> Result {
        let memory = IoMemory::new()?;
        let dev = device(&memory)?;
        let obj = out_of_reach(&dev, 2 * PAGE)?;
        let mut byte = [0];

        assert!(obj.reserve().start() >= Some(SIZE / PAGE));
        assert_eq!(obj.reserve().read(0, &mut byte), Err(ENXIO));
        assert_eq!(obj.reserve().write(0, &byte), Err(ENXIO));
        assert!(obj.reserve().vmap::<0>().is_err());
        // The CPU can't clear it.
        let beyond = beyond()?;
        let config = ObjectConfig {
            placement: Placement::new(&beyond)?,
            ..ObjectConfig::default()
        };
        let mut ctx = OperationCtx::new();
        let new = Object::new(dev.drm(), PAGE, &config, &mut ctx, Kind::Kept);
        assert_eq!(new.err(), Some(ENXIO));
        assert_eq!(dev.reachable(MemType::PRIV).pages(), 0..REACH);
        assert_eq!(dev.reachable(MemType::VRAM).pages(), Place::VRAM.pages());
        Ok(())
    }

    // The first part is in reach, and the CPU moves what is.
    #[test]
    fn at_the_border() -> Result {
        let memory = IoMemory::new()?;
        let window = memory.window()?;
        let dev = Device::with(|setup| {
            setup.range_manager(MemType::PRIV, 2 * SIZE, Backing::Io(window))
        })?;
        let place = [Place::new(MemType::PRIV).within(REACH - 2..REACH + 2)?];
        let inside = [Place::new(MemType::PRIV).within(REACH - 2..REACH)?];
        let obj = dev.system(4 * PAGE)?;
        let small = dev.system(2 * PAGE)?;
        let mut ctx = OperationCtx::new();

        obj.reserve().populate(&mut ctx)?;
        let moved = obj.reserve().validate(Placement::new(&place)?, &mut ctx);
        assert_eq!(moved, Err(ENXIO));
        obj.reserve().write(0, b"kept")?;

        small.reserve().populate(&mut ctx)?;
        small.reserve().write(PAGE, b"in reach")?;
        small
            .reserve()
            .validate(Placement::new(&inside)?, &mut ctx)?;
        assert_eq!(memory.byte(SIZE - PAGE), b'i');
        assert_eq!(small.reserve().start(), Some(SIZE / PAGE - 2));
        Ok(())
    }

    // The driver doesn't let the CPU use all that the window has.
    #[test]
    fn a_window_with_a_limit() -> Result {
        const LIMIT: usize = 3 * PAGE;

        let memory = IoMemory::new()?;
        let mut window = memory.window()?;
        assert_eq!(window.limit(PAGE - 1), Err(EINVAL));
        assert_eq!(window.limit(SIZE + PAGE), Err(EINVAL));
        window.limit(LIMIT + 1)?;
        assert_eq!(window.size(), SIZE);
        let dev = Device::with_engine(Works::Badly, |setup| {
            setup.range_manager(MemType::PRIV, SIZE, Backing::Io(window))
        })?;
        assert_eq!(dev.reachable(MemType::PRIV).pages(), 0..3);

        let client = Client::new(dev.drm())?;
        let obj = dev.system(2 * PAGE)?;
        let across = [Place::new(MemType::PRIV).within(2..4)?];
        let mut ctx = OperationCtx::new();
        obj.reserve().populate(&mut ctx)?;
        obj.reserve().validate(Placement::new(&across)?, &mut ctx)?;
        assert_eq!(obj.reserve().write(PAGE, b"late"), Err(ENXIO));

        obj.create_handle(client.file())?;
        let map = client.map(&obj)?;
        map.write(PAGE, b"here")?;
        assert!(obj.reserve().start() < Some(2));
        assert_eq!(map.poke(PAGE, b"here"), 4);
        assert!((LIMIT..SIZE).all(|at| memory.byte(at) == OTHERS));
        Ok(())
    }

    // A program accesses its mapping.
    #[test]
    fn a_fault_brings_it_into_reach() -> Result {
        let memory = IoMemory::new()?;
        let dev = device(&memory)?;
        let client = Client::new(dev.drm())?;
        let obj = out_of_reach(&dev, 4 * PAGE)?;
        let mut bytes = [0; 4];

        obj.create_handle(client.file())?;
        let map = client.map(&obj)?;
        map.write(2 * PAGE, b"here")?;
        {
            let mut reserved = obj.reserve();
            assert_eq!(reserved.mem_type(), Some(MemType::PRIV));
            assert!(reserved.start() < Some(SIZE / PAGE));
            reserved.read(2 * PAGE, &mut bytes)?;
        }
        assert_eq!(&bytes, b"here");
        Ok(())
    }

    #[test]
    fn a_debugger_brings_it_into_reach() -> Result {
        let memory = IoMemory::new()?;
        let dev = device(&memory)?;
        let client = Client::new(dev.drm())?;
        let obj = out_of_reach(&dev, 4 * PAGE)?;
        let mut bytes = [0; 4];

        obj.create_handle(client.file())?;
        let map = client.map(&obj)?;
        assert_eq!(map.poke(PAGE - 2, b"here"), 4);
        assert!(obj.reserve().start() < Some(SIZE / PAGE));
        obj.reserve().read(PAGE - 2, &mut bytes)?;
        assert_eq!(&bytes, b"here");
        Ok(())
    }

    // All that is in reach is pinned, so the buffer goes to system memory. If it is pinned itself,
    // the program gets a signal, and can try again later.
    #[test]
    fn no_room_in_reach() -> Result {
        let memory = IoMemory::new()?;
        let dev = device(&memory)?;
        let client = Client::new(dev.drm())?;
        let obj = out_of_reach(&dev, 4 * PAGE)?;
        let inside = [dev.reachable(MemType::PRIV)];
        let config = ObjectConfig {
            placement: Placement::new(&inside)?,
            ..ObjectConfig::default()
        };
        let mut ctx = OperationCtx::new();
        let all = Object::new(dev.drm(), SIZE, &config, &mut ctx, Kind::Kept)?;
        let all_pinned = all.reserve().pin()?;
        let mut bytes = [0; 4];

        obj.create_handle(client.file())?;
        let map = client.map(&obj)?;
        let pinned = obj.reserve().pin()?;
        assert_eq!(map.write(0, b"here"), Err(EFAULT));
        assert_eq!(map.peek(0, &mut bytes), 0);
        assert!(obj.reserve().start() >= Some(SIZE / PAGE));

        drop(pinned);
        map.write(0, b"here")?;
        assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        obj.reserve().read(0, &mut bytes)?;
        assert_eq!(&bytes, b"here");
        drop(all_pinned);
        Ok(())
    }

    // The buffers in reach make room only if the driver says so.
    #[test]
    fn others_make_room_in_reach() -> Result {
        for (kind, there, other) in [
            (Kind::Kept, MemType::SYSTEM, MemType::PRIV),
            (Kind::Precious, MemType::PRIV, MemType::SYSTEM),
        ] {
            let memory = IoMemory::new()?;
            let dev = device(&memory)?;
            let client = Client::new(dev.drm())?;
            let inside = [dev.reachable(MemType::PRIV)];
            let config = ObjectConfig {
                placement: Placement::new(&inside)?,
                ..ObjectConfig::default()
            };
            let mut ctx = OperationCtx::new();
            let all = Object::new(dev.drm(), SIZE, &config, &mut ctx, Kind::Kept)?;
            let obj = out_of_reach_of(&dev, 4 * PAGE, kind)?;

            obj.create_handle(client.file())?;
            let map = client.map(&obj)?;
            map.write(0, b"here")?;
            assert_eq!(obj.reserve().mem_type(), Some(there));
            assert_eq!(all.reserve().mem_type(), Some(other));
        }
        Ok(())
    }
}
