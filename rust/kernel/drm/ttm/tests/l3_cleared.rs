// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L3: a buffer is clear in its first place, with every backing.

#[cfg(CONFIG_INDIRECT_IOMEM)]
use super::io_memory::{
    IoMemory,
    OTHERS, //
};
use super::*;
#[cfg(CONFIG_INDIRECT_IOMEM)]
use crate::drm::ttm::{
    Backing,
    Place, //
};

const PAGE: usize = 0x1000;

/// Data that another buffer has left behind.
#[cfg(not(CONFIG_INDIRECT_IOMEM))]
const OTHERS: u8 = 0x55;

/// Whether a buffer contains no data of others.
fn is_clear(obj: &Object) -> Result<bool> {
    let mut bytes = KVec::from_elem(1_u8, obj.buffer().size(), GFP_KERNEL)?;

    obj.reserve().read(0, &mut bytes)?;
    Ok(bytes.iter().all(|&byte| byte == 0))
}

/// Fills all VRAM with data that other buffers must not contain.
fn leave_behind(dev: &Device) -> Result {
    let obj = dev.vram(Device::SIZE)?;
    let bytes = KVec::from_elem(OTHERS, Device::SIZE, GFP_KERNEL)?;

    obj.reserve().write(0, &bytes)?;
    Ok(())
}

#[kunit_tests(rust_ttm_l3_cleared)]
mod cases {
    use super::*;

    #[test]
    fn emulated_memory_is_cleared() -> Result {
        let dev = Device::new()?;
        leave_behind(&dev)?;

        assert!(is_clear(&*dev.vram(4 * PAGE)?)?);
        let obj = dev.system(4 * PAGE)?;
        obj.reserve()
            .validate(Placement::VRAM, &mut OperationCtx::new())?;
        assert!(is_clear(&obj)?);
        Ok(())
    }

    // The driver says that the content isn't needed. The buffer must not get data of others
    // instead.
    #[test]
    fn a_move_without_content_is_cleared() -> Result {
        let dev = Device::new_that_forgets()?;
        let mut ctx = OperationCtx::new();
        leave_behind(&dev)?;

        let obj = dev.system(4 * PAGE)?;
        obj.reserve().populate(&mut ctx)?;
        obj.reserve().write(PAGE, b"mine")?;
        obj.reserve().validate(Placement::VRAM, &mut ctx)?;
        assert!(is_clear(&obj)?);
        Ok(())
    }

    // Its first pages were filled from VRAM, so TTM doesn't clear those that come next.
    #[test]
    fn pages_of_a_purged_buffer_are_cleared() -> Result {
        let dev = Device::new_shrinkable()?;
        let bytes = KVec::from_elem(OTHERS, Device::SIZE, GFP_KERNEL)?;
        let mut ctx = OperationCtx::new();
        let obj = dev.vram(Device::SIZE)?;
        obj.reserve().write(0, &bytes)?;
        obj.reserve().evict(&mut ctx)?;

        assert_eq!(
            obj.reserve().shrink(true, &mut ctx),
            Ok(Device::SIZE / PAGE)
        );
        obj.reserve().populate(&mut ctx)?;
        assert!(is_clear(&obj)?);
        Ok(())
    }

    #[cfg(CONFIG_INDIRECT_IOMEM)]
    #[test]
    fn a_window_is_cleared() -> Result {
        const SIZE: usize = 16 * PAGE;
        let memory = IoMemory::new()?;
        let backing = Backing::Io(memory.window()?);
        let dev = Device::with(|setup| setup.range_manager(MemType::PRIV, SIZE, backing))?;
        let private = [Place::new(MemType::PRIV)];
        let mut ctx = OperationCtx::new();
        let found = |n: usize| memory.byte(n * PAGE + 8);

        // One buffer is made there, and one comes without content.
        let first = dev.private(3 * PAGE)?;
        let second = dev.system(2 * PAGE)?;
        second
            .reserve()
            .validate(Placement::new(&private)?, &mut ctx)?;
        assert!(is_clear(&first)? && is_clear(&second)?);
        for n in 0..SIZE / PAGE {
            assert_eq!(found(n), if n < 5 { 0 } else { OTHERS });
        }

        // The kernel doesn't map it, as the window goes when the device is unplugged.
        assert_eq!(first.reserve().vmap::<0>().err(), Some(ENOTSUPP));
        assert!(!first.reserve().is_pinned());

        // Again, for another client.
        first.reserve().write(8, &[OTHERS; 16])?;
        assert_eq!(found(0), OTHERS);
        drop(first);
        assert!(is_clear(&*dev.private(3 * PAGE)?)?);
        Ok(())
    }
}
