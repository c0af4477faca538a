// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Places, sizes and offsets at the limits of their types; and how they are printed.

use super::{
    super::{
        Backing,
        BuddyManager,
        ManagerOps,
        Place,
        Request,
        Setup, //
    },
    *, //
};
use crate::{
    dma_fence::is_owner,
    drm::gem::IntoGEMObject,
    str::CString, //
};
use core::{
    ops::Range,
    ptr, //
};

const PAGE: usize = 0x1000;
const PAGES: u64 = 16;

/// A device with `pages` pages of its own, managed by the buddy allocator or the range manager.
fn device(buddy: bool) -> Result<Device> {
    // CAST: Few.
    let size = PAGES as usize * PAGE;

    Device::with(|setup: &mut Setup<'_>| {
        if buddy {
            setup.manager(
                MemType::PRIV,
                size,
                Backing::Emulated,
                BuddyManager::new(size)?,
            )
        } else {
            setup.range_manager(MemType::PRIV, size, Backing::Emulated)
        }
    })
}

/// The first page of a new buffer.
fn page_of(dev: &Device, size: usize, pages: Range<u64>, alignment: u32) -> Result<Option<usize>> {
    let places = [Place::new(MemType::PRIV).within(pages)?];
    let config = ObjectConfig {
        placement: Placement::new(&places)?,
        alignment,
        ..ObjectConfig::default()
    };
    let mut ctx = OperationCtx::new();
    let obj = Object::new(dev.drm(), size, &config, &mut ctx, Kind::Kept)?;

    let page = obj.reserve().start();
    Ok(page)
}

/// A manager that allocates beyond its memory.
struct Beyond(u64);

impl ManagerOps for Beyond {
    type Space = u64;

    fn alloc(&self, _request: &Request<'_>) -> Result<u64> {
        Ok(self.0)
    }

    fn start(&self, space: &u64) -> u64 {
        *space
    }
}

/// The text that DRM prints about an object.
fn info(obj: &Object) -> Result<KVec<u8>> {
    let mut text = KVec::from_elem(0_u8, 64, GFP_KERNEL)?;
    let mut place = bindings::drm_print_iterator {
        data: text.as_mut_ptr().cast(),
        start: 0,
        // CAST: Few.
        remain: text.len() as isize,
        offset: 0,
    };
    let mut printer = bindings::drm_printer {
        printfn: Some(bindings::__drm_printfn_coredump),
        puts: Some(bindings::__drm_puts_coredump),
        arg: (&raw mut place).cast(),
        ..Default::default()
    };

    // SAFETY: The object is alive, and its type has the function. The printer writes no more to
    // `text` than fits.
    unsafe {
        let gem = obj.as_raw();
        let print = (*(*gem).funcs).print_info.ok_or(ENOSYS)?;
        print(&mut printer, 1, gem);
    }
    let len = text.iter().position(|&byte| byte == 0);
    text.truncate(len.unwrap_or(text.len()));
    Ok(text)
}

#[kunit_tests(rust_ttm_limits)]
mod cases {
    use super::*;

    #[test]
    fn places_beyond_the_memory() -> Result {
        for buddy in [true, false] {
            let dev = device(buddy)?;
            let page = |pages| page_of(&dev, PAGE, pages, 0);

            // Converted to bytes, all of these would be within the memory if bits got lost.
            for start in [1 << 52, 1 << 53, (1 << 63) + 3, u64::MAX - 16, PAGES] {
                assert_eq!(page(start..start + 16).err(), Some(ENOSPC));
                assert_eq!(page(start..u64::MAX).err(), Some(ENOSPC));
            }
            assert_eq!(page(PAGES - 1..PAGES)?, Some(15));
            assert_eq!(page(PAGES - 1..PAGES + 1)?, Some(15));
            assert_eq!(page(PAGES - 1..1 << 52)?, Some(15));
            assert_eq!(page(PAGES - 1..u64::MAX)?, Some(15));
            assert!(page(0..1 << 52)?.is_some() && page(0..u64::MAX)?.is_some());
        }
        Ok(())
    }

    #[test]
    fn sizes_beyond_the_place() -> Result {
        for buddy in [true, false] {
            let dev = device(buddy)?;

            assert_eq!(page_of(&dev, 16 * PAGE, 0..PAGES, 0)?, Some(0));
            for size in [17 * PAGE, (u32::MAX as usize) << 12] {
                assert_eq!(page_of(&dev, size, 0..PAGES, 0).err(), Some(ENOSPC));
            }
            for size in [
                0,
                (u32::MAX as usize + 1) << 12,
                usize::MAX - PAGE,
                usize::MAX,
            ] {
                assert_eq!(page_of(&dev, size, 0..PAGES, 0).err(), Some(EINVAL));
            }
            for pages in [14..16, 15..PAGES + 1, 15..1 << 52, 15..u64::MAX] {
                assert_eq!(page_of(&dev, 3 * PAGE, pages, 0).err(), Some(ENOSPC));
            }
        }
        Ok(())
    }

    #[test]
    fn alignments_beyond_the_memory() -> Result {
        let dev = device(true)?;

        for alignment in [0, 1, 3, 4, 16] {
            let page = page_of(&dev, PAGE, 0..u64::MAX, alignment)?;
            assert_eq!(page.map(|page| page % alignment.max(1) as usize), Some(0));
        }
        for alignment in [17, 1 << 31, (1 << 31) + 1, u32::MAX] {
            let page = page_of(&dev, PAGE, 0..u64::MAX, alignment);
            assert_eq!(page.err(), Some(ENOSPC));
        }
        Ok(())
    }

    #[test]
    fn managers_that_allocate_beyond_their_memory() -> Result {
        for start in [PAGES, 1 << 52, u64::MAX - 1, u64::MAX] {
            let dev = Device::with(|setup| {
                let size = PAGES as usize * PAGE;

                setup.manager(MemType::PRIV, size, Backing::Emulated, Beyond(start))
            })?;
            assert_eq!(page_of(&dev, PAGE, 0..u64::MAX, 0).err(), Some(EINVAL));
        }
        Ok(())
    }

    #[test]
    fn bytes_beyond_the_end() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(2 * PAGE)?;
        let mut reserved = obj.reserve();
        let mut bytes = [1; 4];

        reserved.write(2 * PAGE - 4, b"last")?;
        reserved.read(2 * PAGE - 4, &mut bytes)?;
        assert_eq!(&bytes, b"last");
        reserved.read(2 * PAGE, &mut [])?;
        for offset in [2 * PAGE - 3, 2 * PAGE, usize::MAX - 3, usize::MAX] {
            assert_eq!(reserved.read(offset, &mut bytes), Err(EINVAL));
            assert_eq!(reserved.write(offset, &bytes), Err(EINVAL));
        }
        assert_eq!(&bytes, b"last");
        Ok(())
    }

    // A driver that names another module as its owner isn't kept by its own.
    #[test]
    fn a_driver_is_owned_by_the_module_of_its_code() -> Result {
        let code = info as *const ();

        assert!(is_owner(ptr::null(), code));
        assert!(!is_owner(ptr::dangling(), code));
        Ok(())
    }

    // The printed text has no kernel address.
    #[test]
    fn ids_are_no_addresses() -> Result {
        let dev = Device::new()?;
        let bulk = BulkMove::new(&dev, Resv::new()?)?;
        let obj = dev.member(PAGE, &bulk)?;
        let shown = [
            CString::try_from_fmt(fmt!("{:?}", obj.buffer().id()))?,
            CString::try_from_fmt(fmt!("{:?}", bulk.id()))?,
        ];
        let addresses = [obj.buffer().as_raw().addr(), bulk.as_raw().addr()];

        for (shown, address) in shown.iter().zip(addresses) {
            let shown = shown.to_str()?;
            for address in [fmt!("{address}"), fmt!("{address:x}")] {
                let address = CString::try_from_fmt(address)?;
                assert!(!shown.contains(address.to_str()?));
            }
        }
        Ok(())
    }

    #[test]
    fn a_buffer_without_a_place_is_printed() -> Result {
        let dev = Device::new()?;
        let obj = dev.disposable(PAGE)?;

        assert_ne!(info(&obj)?[..], *b"\tplacement=none\n");
        let reserved = obj.reserve();
        assert_eq!(info(&obj)?[..], *b"\tplacement=busy\n");
        drop(reserved);

        obj.reserve().evict(&mut OperationCtx::new())?;
        assert_eq!(info(&obj)?[..], *b"\tplacement=none\n");
        Ok(())
    }
}
