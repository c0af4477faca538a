// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Buffers whose place has several pieces: each byte is found in every way.

#[cfg(CONFIG_INDIRECT_IOMEM)]
use super::io_memory::IoMemory;
use super::*;
use crate::{
    drm::{
        gem::BaseObject,
        ttm::{
            late::flush,
            test_device::{
                Client,
                Works, //
            },
            Backing,
            BuddyManager,
            ManagerOps,
            PageList,
            Place,
            Request, //
        }, //
    },
    io::Io, //
};

const PAGE: usize = 0x1000;

/// The memory has 16 pages, of which every other one has a buffer of its own.
const PAGES: usize = 16;
const SIZE: usize = PAGES / 2 * PAGE;

/// A device with such a memory behind `backing`.
fn device(works: Works, backing: Backing) -> Result<Device> {
    Device::with_engine(works, |setup| {
        let buddy = BuddyManager::new(PAGES * PAGE)?.in_pieces();

        setup.manager(MemType::PRIV, PAGES * PAGE, backing, buddy)
    })
}

fn full_of(byte: u8) -> Result<KVec<u8>> {
    Ok(KVec::from_elem(byte, PAGE, GFP_KERNEL)?)
}

/// Makes single pages, and frees every other one.
fn neighbours(dev: &Device) -> Result<KVec<ARef<Object>>> {
    let mut all = KVec::new();
    let mut kept = KVec::new();

    for n in 0..PAGES {
        let obj = dev.private(PAGE)?;
        // CAST: There are few.
        obj.reserve().write(0, &full_of(n as u8 + 1)?)?;
        all.push(obj, GFP_KERNEL)?;
    }
    for (n, obj) in all.into_iter().enumerate() {
        if n % 2 == 0 {
            kept.push(obj, GFP_KERNEL)?;
        }
    }
    flush();
    Ok(kept)
}

/// Whether the neighbours have what was written to them.
fn are_untouched(neighbours: &[ARef<Object>]) -> Result<bool> {
    for (n, obj) in neighbours.iter().enumerate() {
        let mut bytes = full_of(0)?;
        obj.reserve().read(0, &mut bytes)?;
        // CAST: There are few.
        if bytes != full_of(2 * n as u8 + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Bytes that differ from page to page.
fn pattern(seed: usize) -> Result<KVec<u8>> {
    let mut bytes = KVec::with_capacity(SIZE, GFP_KERNEL)?;

    for n in 0..SIZE {
        // CAST: Only the low bits.
        bytes.push((n * 7 + n / PAGE * 13 + seed) as u8, GFP_KERNEL)?;
    }
    Ok(bytes)
}

/// Whether the buffer's content is `wanted`. It is read in parts that cross pages.
fn has(obj: &Object, wanted: &[u8]) -> Result<bool> {
    const PART: usize = 0x1800;
    let mut bytes = KVec::from_elem(0xa5_u8, SIZE, GFP_KERNEL)?;

    for at in (0..SIZE).step_by(PART) {
        let end = SIZE.min(at + PART);
        obj.reserve().read(at, &mut bytes[at..end])?;
    }
    Ok(&bytes[..] == wanted)
}

/// Moves the buffer to system memory and back.
fn there_and_back(dev: &Device, obj: &Object) -> Result {
    let mut ctx = OperationCtx::new();
    let private = [Place::new(MemType::PRIV)];

    for placement in [Placement::SYSTEM, Placement::new(&private)?] {
        obj.reserve().validate(placement, &mut ctx)?;
        dev.run_jobs();
    }
    Ok(())
}

/// Fails unless it is so. An assertion may only be made in the case itself.
macro_rules! ensure {
    ($is_so:expr) => {
        if !$is_so {
            pr_err!("    # line {}: it isn't so\n", line!());
            return Err(EBADMSG);
        }
    };
}

/// Tries all ways to the bytes of a buffer in pieces.
fn check(dev: &Device) -> Result {
    let neighbours = neighbours(dev)?;
    // It needs all that is left.
    let obj = dev.private(SIZE)?;

    // It doesn't show what others left there.
    ensure!(has(&obj, &KVec::from_elem(0, SIZE, GFP_KERNEL)?)?);
    ensure!(are_untouched(&neighbours)?);

    let mut wanted = pattern(1)?;
    obj.reserve().write(0, &wanted)?;
    ensure!(has(&obj, &wanted)?);
    there_and_back(dev, &obj)?;
    ensure!(obj.reserve().mem_type() == Some(MemType::PRIV));
    ensure!(has(&obj, &wanted)?);
    ensure!(are_untouched(&neighbours)?);

    // A program, and its debugger.
    let client = Client::new(dev.drm())?;
    obj.create_handle(client.file())?;
    let map = client.map(&obj)?;
    let mut bytes = [0; 8];
    for at in (0..SIZE).step_by(PAGE) {
        map.read(at + 8, &mut bytes)?;
        ensure!(bytes == wanted[at + 8..][..8]);
        ensure!(map.peek(at + 16, &mut bytes) == 8);
        ensure!(bytes == wanted[at + 16..][..8]);
        map.write(at + 24, b"program.")?;
        wanted[at + 24..][..8].copy_from_slice(b"program.");
        ensure!(map.poke(at + 32, b"debugger") == 8);
        wanted[at + 32..][..8].copy_from_slice(b"debugger");
    }
    // Across pages.
    ensure!(map.poke(2 * PAGE - 4, b"debugger") == 8);
    wanted[2 * PAGE - 4..][..8].copy_from_slice(b"debugger");
    ensure!(has(&obj, &wanted)?);
    drop(map);
    ensure!(are_untouched(&neighbours)?);

    // The whole content once more.
    let wanted = pattern(3)?;
    obj.reserve().write(0, &wanted)?;
    there_and_back(dev, &obj)?;
    ensure!(has(&obj, &wanted)?);
    ensure!(are_untouched(&neighbours)?);
    Ok(())
}

/// A manager that lists other pieces than it should.
struct Wrong(&'static [(u64, u64)]);

impl ManagerOps for Wrong {
    type Space = ();

    fn alloc(&self, _request: &Request<'_>) -> Result {
        Ok(())
    }

    fn start(&self, _space: &()) -> u64 {
        0
    }

    fn pieces(&self, _space: &(), _request: &Request<'_>, list: &mut PageList) -> Result {
        self.0
            .iter()
            .try_for_each(|&(start, end)| list.push(start..end))
    }
}

#[kunit_tests(rust_ttm_pieces)]
mod cases {
    use super::*;

    #[test]
    fn emulated_memory() -> Result {
        check(&device(Works::Never, Backing::Emulated)?)
    }

    #[test]
    fn moved_by_jobs() -> Result {
        check(&device(Works::Always, Backing::Emulated)?)
    }

    #[cfg(CONFIG_INDIRECT_IOMEM)]
    #[test]
    fn a_window() -> Result {
        let memory = IoMemory::new()?;
        let dev = device(Works::Never, Backing::Io(memory.window()?))?;

        check(&dev)?;
        // Each page of the buffer was in the memory.
        for at in 0..PAGES / 2 {
            // CAST: Only the low bits.
            let byte = (at * PAGE * 7 + at * 13 + 3) as u8;
            let is_there = (0..PAGES).any(|n| {
                memory.byte(n * PAGE) == byte && memory.byte(n * PAGE + 1) == byte.wrapping_add(7)
            });

            assert!(is_there);
        }
        Ok(())
    }

    // The kernel sees it in one piece.
    #[test]
    fn mapped_for_the_kernel() -> Result {
        let dev = device(Works::Never, Backing::Emulated)?;
        let neighbours = neighbours(&dev)?;
        let obj = dev.private(SIZE)?;
        let wanted = pattern(5)?;

        obj.reserve().write(0, &wanted)?;
        let map = obj.reserve().vmap::<0>()?;
        for at in (0..SIZE).step_by(PAGE / 2) {
            assert_eq!((&map).try_read8(at + 5)?, wanted[at + 5]);
            (&map).try_write8(!wanted[at + 5], at + 5)?;
        }
        drop(map);
        let mut byte = [0];
        obj.reserve().read(3 * PAGE + 5, &mut byte)?;
        assert_eq!(byte[0], !wanted[3 * PAGE + 5]);
        assert!(are_untouched(&neighbours)?);
        Ok(())
    }

    #[test]
    fn in_one_piece_there_is_no_room() -> Result {
        let dev = Device::with(|setup| {
            let buddy = BuddyManager::new(PAGES * PAGE)?;

            setup.manager(MemType::PRIV, PAGES * PAGE, Backing::Emulated, buddy)
        })?;
        let _neighbours = neighbours(&dev)?;

        // All could be evicted, but not the two halves of a page.
        assert!(dev.private(SIZE).is_ok());
        Ok(())
    }

    #[test]
    fn pieces_that_are_wrong() -> Result {
        let lists: [&'static [_]; 6] = [
            &[],
            &[(0, 1)],
            &[(0, 1), (15, 17)],
            &[(3, 2)],
            &[(4, 4)],
            &[(1, 0), (0, 4)],
        ];

        for list in lists {
            let dev = Device::with(|setup| {
                setup.manager(MemType::PRIV, PAGES * PAGE, Backing::Emulated, Wrong(list))
            })?;
            assert_eq!(dev.private(3 * PAGE).err(), Some(EINVAL));
        }
        // More than it needs.
        let dev = Device::with(|setup| {
            let more = Wrong(&[(8, 9), (9, 10), (2, 16), (20, 30)]);

            setup.manager(MemType::PRIV, PAGES * PAGE, Backing::Emulated, more)
        })?;
        assert_eq!(dev.private(3 * PAGE)?.reserve().start(), Some(8));
        Ok(())
    }

    // A buffer stays if all its pieces are within the limits, and makes room if one is.
    #[test]
    fn limits_of_pieces() -> Result {
        let dev = device(Works::Never, Backing::Emulated)?;
        let neighbours = neighbours(&dev)?;
        let obj = dev.private(SIZE / 2)?;
        let mut ctx = OperationCtx::new();
        drop(neighbours);
        flush();

        let start = obj.reserve().start();
        let all = [Place::new(MemType::PRIV).within(0..16)?];
        obj.reserve().validate(Placement::new(&all)?, &mut ctx)?;
        assert_eq!(obj.reserve().start(), start);

        let low = [Place::new(MemType::PRIV).within(0..8)?];
        let high = [Place::new(MemType::PRIV).within(8..16)?];
        obj.reserve().validate(Placement::new(&low)?, &mut ctx)?;
        assert!(obj.reserve().start() < Some(8));
        obj.reserve().validate(Placement::new(&high)?, &mut ctx)?;
        assert!(obj.reserve().start() >= Some(8));

        // There is room enough, but not in the upper half.
        let config = ObjectConfig {
            placement: Placement::new(&high)?,
            ..ObjectConfig::default()
        };
        let _other = Object::new(dev.drm(), SIZE, &config, &mut ctx, Kind::Kept)?;
        assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        Ok(())
    }
}
