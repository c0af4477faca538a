// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Emptying the memory of a device, and filling it again.

#[cfg(CONFIG_INDIRECT_IOMEM)]
use super::io_memory::IoMemory;
use super::*;
#[cfg(CONFIG_INDIRECT_IOMEM)]
use crate::drm::ttm::Backing;

const PAGE: usize = 0x1000;

fn has(obj: &Object, wanted: &[u8; 4]) -> Result<bool> {
    let mut bytes = [0; 4];

    obj.reserve().read(PAGE, &mut bytes)?;
    Ok(bytes == *wanted)
}

#[kunit_tests(rust_ttm_suspend)]
mod cases {
    use super::*;

    #[test]
    fn all_is_evicted() -> Result {
        let dev = Device::new()?;
        let mut objects = KVec::new();
        for _ in 0..20 {
            let obj = dev.vram(2 * PAGE)?;
            obj.reserve().write(PAGE, b"kept")?;
            objects.push(obj, GFP_KERNEL)?;
        }
        let pinned = objects[7].reserve().pin()?;

        dev.evict_all(MemType::VRAM)?;
        for (n, obj) in objects.iter().enumerate() {
            let there = if n == 7 {
                MemType::VRAM
            } else {
                MemType::SYSTEM
            };
            assert_eq!(obj.reserve().mem_type(), Some(there));
            assert!(has(obj, b"kept")?);
        }
        assert_eq!(dev.evict_all(MemType::PRIV), Err(ENODEV));
        drop(pinned);
        Ok(())
    }

    // More than are looked up in one go.
    #[test]
    fn pinned_content_is_saved() -> Result {
        let dev = Device::new()?;
        let mut pins = KVec::new();
        for n in 0..40 {
            let obj = dev.vram(2 * PAGE)?;
            obj.reserve().write(PAGE, &[n; 4])?;
            let pinned = obj.reserve().pin()?;
            pins.push(pinned, GFP_KERNEL)?;
        }
        // In another memory type.
        let elsewhere = dev.system(2 * PAGE)?;
        elsewhere.reserve().populate(&mut OperationCtx::new())?;
        let _pin = elsewhere.reserve().pin()?;
        elsewhere.reserve().write(PAGE, b"kept")?;

        let suspended = dev.suspend(&[MemType::VRAM, MemType::TT])?;
        for pin in &pins {
            pin.reserve().write(PAGE, b"lost")?;
        }
        elsewhere.reserve().write(PAGE, b"stay")?;
        suspended.resume()?;
        for (n, pin) in (0..).zip(&pins) {
            assert!(has(pin, &[n; 4])?);
        }
        assert!(has(&elsewhere, b"stay")?);
        Ok(())
    }

    // A buffer that isn't where it was any more keeps what it has.
    #[test]
    fn moved_meanwhile() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(2 * PAGE)?;
        obj.reserve().write(PAGE, b"old.")?;
        let pinned = obj.reserve().pin()?;

        let suspended = dev.suspend(&[MemType::VRAM])?;
        drop(pinned);
        obj.reserve().write(PAGE, b"new.")?;
        obj.reserve().evict(&mut OperationCtx::new())?;
        suspended.resume()?;
        assert!(has(&obj, b"new.")?);

        // Dropped instead; the buffer is freed then.
        let pinned = obj.reserve().pin()?;
        let suspended = dev.suspend(&[MemType::VRAM])?;
        drop((pinned, obj));
        drop(suspended);
        Ok(())
    }

    #[cfg(CONFIG_INDIRECT_IOMEM)]
    #[test]
    fn in_a_window() -> Result {
        let memory = IoMemory::new()?;
        let window = memory.window()?;
        let dev = Device::with(|setup| {
            setup.range_manager(MemType::PRIV, 16 * PAGE, Backing::Io(window))
        })?;
        let (obj, ring) = (dev.private(2 * PAGE)?, dev.private(2 * PAGE)?);
        let _pinned = ring.reserve().pin()?;
        obj.reserve().write(PAGE, b"kept")?;
        ring.reserve().write(PAGE, b"ring")?;

        let suspended = dev.suspend(&[MemType::PRIV])?;
        memory.fill();
        assert!(has(&obj, b"kept")?);
        assert!(!has(&ring, b"ring")?);
        suspended.resume()?;
        assert!(has(&ring, b"ring")?);
        let suspended = dev.suspend(&[MemType::PRIV])?;
        memory.unbind();
        assert_eq!(suspended.resume(), Err(ENODEV));
        Ok(())
    }
}
