// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Buffers that two devices share.

use super::*;
use crate::{
    dma_fence::DriverFence,
    drm::{
        self,
        ttm::{
            test_device::{
                self,
                flush,
                DmaBuf, //
            },
            FauxRegistration,
            FenceUsage,
            Place, //
        }, //
    },
    io::Io,
    kthread,
    sync::Completion,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use core::pin::pin;

const SIZE: usize = 0x3000;

/// A buffer in the VRAM of one device, and the buffer that another device has imported from it.
struct Shared {
    imported: ARef<Object>,
    exported: ARef<Object>,
    importer: Device,
    exporter: Device,
}

impl Shared {
    fn new() -> Result<Self> {
        Self::with(Device::new()?, Device::new()?)
    }

    fn with(exporter: Device, importer: Device) -> Result<Self> {
        let exported = exporter.vram(SIZE)?;
        exported.reserve().write(SIZE - 4, b"tail")?;

        Ok(Self {
            imported: DmaBuf::export(&exported)?.import(&importer)?,
            exported,
            importer,
            exporter,
        })
    }
}

/// A buffer in the VRAM of a device that can be unplugged, and its DMA-buf.
struct Exported {
    export: DmaBuf,
    obj: ARef<Object>,
    registration: FauxRegistration<Driver>,
}

impl Exported {
    fn new() -> Result<Self> {
        let registration = FauxRegistration::new(c"ttm-exporter", Device::unregistered)?;
        let config = ObjectConfig {
            placement: Placement::VRAM,
            ..ObjectConfig::default()
        };
        let (mut ctx, dev) = (OperationCtx::new(), registration.device());
        let obj = Object::new(dev, SIZE, &config, &mut ctx, Kind::Kept)?;

        obj.reserve().write(0, b"live")?;
        Ok(Self {
            export: DmaBuf::export(&obj)?,
            obj,
            registration,
        })
    }
}

/// Whether the buffer ends with these bytes.
fn ends_with(obj: &Object, wanted: &[u8; 4]) -> Result<bool> {
    let mut bytes = [0; 4];

    obj.reserve().read(obj.buffer().size() - 4, &mut bytes)?;
    Ok(bytes == *wanted)
}

/// The first object in system memory, if it is alive.
fn first_object(dev: &Device) -> Option<ARef<Object>> {
    let mut cursor = pin!(dev.manager(MemType::SYSTEM)?.cursor());
    let mut walk = cursor.as_mut().lock();

    walk.next()?;
    let mut obj = None;
    walk.with_buffer(|bo| obj = bo.object());
    obj
}

/// Unregisters a device when it is dropped.
struct Leaves(ARef<drm::Device<Driver>>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.raw().leave();
    }
}

#[kunit_tests(rust_ttm_prime)]
mod cases {
    use super::*;

    #[test]
    fn each_reads_the_writes_of_the_other() -> Result {
        let s = Shared::new()?;

        assert_eq!(s.imported.buffer().size(), SIZE);
        assert!(s.imported.buffer().is_imported());
        assert!(!s.exported.buffer().is_imported());
        assert!(ends_with(&s.imported, b"tail")?);
        s.imported.reserve().write(SIZE - 4, b"back")?;
        assert!(ends_with(&s.exported, b"back")?);
        Ok(())
    }

    #[test]
    fn they_share_a_reservation() -> Result {
        let s = Shared::new()?;
        let reserved = s.imported.reserve();

        assert!(s.exported.try_reserve().is_none());
        drop(reserved);
        assert!(s.exported.try_reserve().is_some());
        Ok(())
    }

    #[test]
    fn it_is_pinned_as_long_as_it_is_imported() -> Result {
        let s = Shared::new()?;
        let mut ctx = OperationCtx::new();

        assert_eq!(s.exported.reserve().mem_type(), Some(MemType::TT));
        assert!(s.exported.reserve().is_pinned());
        assert_eq!(s.exported.reserve().evict(&mut ctx), Err(EBUSY));

        drop(s.imported);
        flush(&s.importer);
        assert!(!s.exported.reserve().is_pinned());
        s.exported.reserve().validate(Placement::VRAM, &mut ctx)?;
        assert!(ends_with(&s.exported, b"tail")?);
        Ok(())
    }

    #[test]
    fn an_export_alone_is_not_pinned() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(SIZE)?;
        let _dma_buf = DmaBuf::export(&obj)?;

        assert!(!obj.reserve().is_pinned());
        assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
        Ok(())
    }

    #[test]
    fn two_importers() -> Result {
        let s = Shared::new()?;
        let third = Device::new()?;
        let again = DmaBuf::export(&s.exported)?.import(&third)?;

        again.reserve().write(SIZE - 4, b"3rd.")?;
        assert!(ends_with(&s.imported, b"3rd.")?);
        drop(again);
        flush(&third);
        assert!(s.exported.reserve().is_pinned());
        Ok(())
    }

    #[test]
    fn the_exporter_goes_first() -> Result {
        let s = Shared::new()?;

        drop(s.exported);
        drop(s.exporter);
        assert!(ends_with(&s.imported, b"tail")?);
        drop(s.imported);
        flush(&s.importer);
        assert_eq!(s.importer.driver_data().deletions(), 1);
        Ok(())
    }

    #[test]
    fn the_importer_goes_first() -> Result {
        let s = Shared::new()?;

        drop(s.imported);
        flush(&s.importer);
        drop(s.importer);
        // Wait for the work that the importer's end has deferred.
        flush(&s.exporter);
        assert!(ends_with(&s.exported, b"tail")?);
        assert!(!s.exported.reserve().is_pinned());
        drop(s.exported);
        assert_eq!(s.exporter.driver_data().deletions(), 1);
        Ok(())
    }

    // References to the device and its buffers may remain.
    #[test]
    fn the_importer_is_unregistered() -> Result {
        let s = Shared::new()?;
        let (export, mut ctx) = (DmaBuf::export(&s.exported)?, OperationCtx::new());
        let later = export.import(&s.importer)?;
        let is_mapped = |obj: &Object| {
            let _reserved = obj.reserve();

            // SAFETY: It is a valid buffer, and the reservation is held.
            !unsafe { (*obj.buffer().as_raw()).sg }.is_null()
        };

        later.reserve().populate(&mut ctx)?;
        let map = s.imported.reserve().vmap::<SIZE>()?;
        assert!(is_mapped(&s.imported) && is_mapped(&later));
        s.importer.raw().leave();
        assert!(!is_mapped(&s.imported) && !is_mapped(&later));

        // Mapping for the CPU isn't mapping for the device.
        assert_eq!((&map).read32(SIZE - 4), u32::from_le_bytes(*b"tail"));
        drop(map);
        assert!(ends_with(&later, b"tail")?);
        assert_eq!(export.import(&s.importer).err(), Some(ENODEV));
        drop(later);
        s.importer.raw().leave();
        flush(&s.importer);
        assert!(ends_with(&s.exported, b"tail")?);
        Ok(())
    }

    #[test]
    fn no_device_attaches_to_an_unplugged_export() -> Result {
        let (e, other) = (Exported::new()?, Device::new()?);

        drop(e.registration);
        assert_eq!(e.export.import(&other).err(), Some(ENODEV));
        assert!(!e.obj.reserve().is_pinned());
        assert_eq!(e.obj.reserve().mem_type(), Some(MemType::VRAM));
        Ok(())
    }

    // The importer's CPU reads the pages without the exporter.
    #[test]
    fn an_attached_device_reads_an_unplugged_export() -> Result {
        let (e, importer) = (Exported::new()?, Device::new()?);
        let imported = e.export.import(&importer)?;
        let mut bytes = [0; 4];

        drop(e.registration);
        imported.reserve().read(0, &mut bytes)?;
        assert_eq!(&bytes, b"live");
        Ok(())
    }

    #[test]
    fn an_unplugged_device_is_not_mapped_for_the_kernel() -> Result {
        let e = Exported::new()?;

        assert_eq!(e.export.vmap(), Ok(()));
        drop(e.registration);
        assert_eq!(e.export.vmap(), Err(ENODEV));
        assert!(!e.obj.reserve().is_pinned());
        Ok(())
    }

    #[test]
    fn an_unplugged_device_is_not_mapped_by_programs() -> Result {
        let e = Exported::new()?;

        assert!(e.export.map().is_ok());
        drop(e.registration);
        assert_eq!(e.export.map().err(), Some(ENODEV));
        Ok(())
    }

    // They don't get a dummy page either, as they would take it for the buffer.
    #[test]
    fn an_unplugged_device_is_not_seen_by_other_programs() -> Result {
        let e = Exported::new()?;
        let maps = [e.export.map()?, e.export.map()?];
        let mut bytes = [0; 4];
        maps[0].read(0, &mut bytes)?;
        assert_eq!(&bytes, b"live");

        drop(e.registration);
        for map in &maps {
            assert_eq!(map.read(0, &mut bytes), Err(EFAULT));
            assert_eq!(map.write(0, b"dead"), Err(EFAULT));
        }
        e.obj.reserve().read(0, &mut bytes)?;
        assert_eq!(&bytes, b"live");
        Ok(())
    }

    // The driver ends another device's registration when it makes its part of the buffer.
    #[test]
    fn a_registration_ends_in_an_import() -> Result {
        let (exporter, importer) = (Device::new()?, Device::new()?);
        let export = DmaBuf::export(&*exporter.vram(SIZE)?)?;
        let other = FauxRegistration::new(c"ttm-prime", Device::unregistered)?;

        importer
            .driver_data()
            .drop_with_next(KBox::new(other, GFP_KERNEL)?);
        let imported = export.import(&importer)?;
        assert!(imported.buffer().is_imported());
        Ok(())
    }

    // The same with the device that imports it.
    #[test]
    fn the_importer_is_unregistered_in_an_import() -> Result {
        let (exporter, importer) = (Device::new()?, Device::new()?);
        let exported = exporter.vram(SIZE)?;
        let export = DmaBuf::export(&exported)?;
        let leaves = Leaves(importer.drm().clone());

        importer
            .driver_data()
            .drop_with_next(KBox::new(leaves, GFP_KERNEL)?);
        assert_eq!(export.import(&importer).err(), Some(ENODEV));
        flush(&importer);
        assert!(!exported.reserve().is_pinned());
        Ok(())
    }

    // A walk meets the object before the import fails, and keeps it.
    #[test]
    fn a_failed_import_gets_no_pages() -> Result {
        let (exporter, importer) = (Device::new()?, &Device::new()?);
        let export = DmaBuf::export(&*exporter.vram(SIZE)?)?;
        let is_locked = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
        let (mut result, mut kept) = (Ok(()), None);
        let met = &mut kept;

        kthread::scope(|scope| {
            scope.spawn(c"ttm_walk", move || {
                let mut imports = importer.raw().imports().lock();
                is_locked.complete_all();
                for _ in 0..1000 {
                    *met = first_object(importer);
                    if met.is_some() {
                        break;
                    }
                    fsleep(Delta::from_millis(1));
                }
                imports.end();
            })?;
            is_locked.wait_for_completion();
            result = export.import(importer).map(|_| ());
            Ok(())
        })?;
        assert_eq!(result, Err(ENODEV));
        let obj = kept.ok_or(ENOENT)?;
        let populated = obj.reserve().populate(&mut OperationCtx::new());
        assert_eq!(populated, Err(ENODEV));
        Ok(())
    }

    // The DMA-buf is the only one to have the object.
    #[test]
    fn the_last_importer_frees_the_export() -> Result {
        let s = Shared::new()?;

        drop(s.exported);
        flush(&s.exporter);
        assert_eq!(s.exporter.driver_data().deletions(), 0);
        drop(s.imported);
        flush(&s.importer);
        flush(&s.exporter);
        assert_eq!(s.exporter.driver_data().deletions(), 1);
        Ok(())
    }

    // The importer's GPU still uses it: then the exporter's pages must stay, too.
    #[test]
    fn a_zombie_keeps_the_pages() -> Result {
        let s = Shared::new()?;
        let work = DriverFence::new(c"example", c"ring 0")?;
        let mut reserved = s.imported.reserve();
        reserved.populate(&mut OperationCtx::new())?;
        reserved
            .fence_slot()?
            .add(&work.fence(), FenceUsage::Write)?;
        drop(reserved);

        drop(s.imported);
        assert!(s.exported.reserve().is_pinned());
        work.signal(Ok(()));
        flush(&s.importer);
        assert!(!s.exported.reserve().is_pinned());
        Ok(())
    }

    #[test]
    fn one_of_its_own_comes_back() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(SIZE)?;
        let same = DmaBuf::export(&obj)?.import(&dev)?;

        assert_eq!(same.buffer().id(), obj.buffer().id());
        assert!(!same.buffer().is_imported());
        assert!(!same.reserve().is_pinned());
        Ok(())
    }

    #[test]
    fn some_are_not_exported() -> Result {
        let dev = Device::new()?;
        let resv = Resv::new()?;
        let bulk = BulkMove::new(&dev, resv.clone())?;

        assert_eq!(DmaBuf::export(&*dev.precious(SIZE)?).err(), Some(EPERM));
        assert_eq!(
            DmaBuf::export(&*dev.shared(SIZE, &resv)?).err(),
            Some(EPERM)
        );
        assert_eq!(
            DmaBuf::export(&*dev.member(SIZE, &bulk)?).err(),
            Some(EPERM)
        );
        Ok(())
    }

    // Its driver asks for an export from VRAM.
    #[test]
    fn memory_not_made_of_pages_is_not_shared() -> Result {
        let (dev, other) = (Device::new()?, Device::new()?);
        let obj = dev.out_of_reach(SIZE)?;
        let export = DmaBuf::export(&obj)?;

        assert_eq!(export.import(&other).err(), Some(EINVAL));
        assert_eq!(export.vmap(), Err(EINVAL));
        assert!(!obj.reserve().is_pinned());
        Ok(())
    }

    #[test]
    fn one_that_cannot_move_is_not_attached_to() -> Result {
        let (dev, other) = (Device::new()?, Device::new()?);
        let obj = dev.vram(SIZE)?;
        let dma_buf = DmaBuf::export(&obj)?;
        let pinned = obj.reserve().pin()?;

        assert_eq!(dma_buf.import(&other).err(), Some(EINVAL));
        drop(pinned);
        assert!(!obj.reserve().is_pinned());
        assert!(dma_buf.import(&other).is_ok());
        Ok(())
    }

    #[test]
    fn there_is_no_room_for_it_in_pages() -> Result {
        let (dev, other) = (Device::new()?, Device::new()?);
        let all = dev.vram(Device::SIZE)?;
        all.reserve()
            .validate(Placement::new(&[Place::TT])?, &mut OperationCtx::new())?;
        let pinned = all.reserve().pin()?;
        let obj = dev.vram(SIZE)?;
        let dma_buf = DmaBuf::export(&obj)?;

        assert_eq!(dma_buf.import(&other).err(), Some(ENOSPC));
        assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
        drop(pinned);
        assert!(dma_buf.import(&other).is_ok());
        Ok(())
    }

    #[test]
    fn an_imported_one_goes_where_there_are_pages() -> Result {
        let s = Shared::new()?;
        let mut ctx = OperationCtx::new();
        let tt = [Place::TT];
        let vram_or_tt = [Place::VRAM, Place::TT];

        assert_eq!(s.imported.reserve().mem_type(), Some(MemType::SYSTEM));
        s.imported
            .reserve()
            .validate(Placement::new(&tt)?, &mut ctx)?;
        assert_eq!(s.imported.reserve().mem_type(), Some(MemType::TT));
        for places in [&vram_or_tt[..1], &vram_or_tt] {
            let placement = Placement::new(places)?;
            assert_eq!(
                s.imported.reserve().validate(placement, &mut ctx),
                Err(EINVAL)
            );
        }
        s.imported.reserve().evict(&mut ctx)?;
        assert_eq!(s.imported.reserve().mem_type(), Some(MemType::SYSTEM));
        assert!(ends_with(&s.imported, b"tail")?);
        Ok(())
    }

    // The importer's driver moves buffers from pages to system memory by way of VRAM.
    #[test]
    fn an_imported_one_does_not_hop_to_vram() -> Result {
        let s = Shared::with(Device::new()?, Device::new_that_hops()?)?;
        let mut reserved = s.imported.reserve();
        let mut ctx = OperationCtx::new();

        reserved.validate(Placement::TT, &mut ctx)?;
        let before = ctx.bytes_moved();
        assert_eq!(reserved.evict(&mut ctx), Err(EINVAL));
        assert_eq!(reserved.mem_type(), Some(MemType::TT));
        assert_eq!(ctx.bytes_moved(), before);
        drop(reserved);
        assert!(ends_with(&s.imported, b"tail")?);
        Ok(())
    }

    #[test]
    fn an_imported_one_loses_nothing() -> Result {
        let s = Shared::with(Device::new()?, Device::new_shrinkable()?)?;
        let mut ctx = OperationCtx::new();
        s.imported.reserve().populate(&mut ctx)?;

        assert_eq!(s.imported.reserve().swap_out(&mut ctx), Err(EBUSY));
        assert_eq!(s.imported.reserve().shrink(true, &mut ctx), Err(EBUSY));
        assert_eq!(s.imported.reserve().purge(&mut ctx), Err(EINVAL));
        s.importer.swap_out_all(&mut ctx)?;
        test_device::press_for_memory();
        assert!(s.imported.reserve().is_populated());
        assert!(ends_with(&s.imported, b"tail")?);
        Ok(())
    }

    #[test]
    fn it_is_not_swapped_out_at_the_exporter() -> Result {
        let s = Shared::with(Device::new_shrinkable()?, Device::new()?)?;

        s.exporter.swap_out_all(&mut OperationCtx::new())?;
        test_device::press_for_memory();
        assert!(s.exported.reserve().is_populated());
        assert!(ends_with(&s.imported, b"tail")?);
        Ok(())
    }

    // It is swapped in for that.
    #[test]
    fn one_that_is_swapped_out_is_imported() -> Result {
        let (dev, other) = (Device::new()?, Device::new()?);
        let obj = dev.system(SIZE)?;
        let mut ctx = OperationCtx::new();
        obj.reserve().populate(&mut ctx)?;
        obj.reserve().write(SIZE - 4, b"disk")?;
        obj.reserve().swap_out(&mut ctx)?;

        let imported = DmaBuf::export(&obj)?.import(&other)?;
        assert!(ends_with(&imported, b"disk")?);
        Ok(())
    }

    #[test]
    fn an_imported_one_is_mapped_for_the_kernel() -> Result {
        let s = Shared::new()?;
        let map = s.imported.reserve().vmap::<SIZE>()?;

        (&map).write32(u32::from_le_bytes(*b"edge"), SIZE - 4);
        assert!(ends_with(&s.exported, b"edge")?);
        drop(map);
        assert!(!s.imported.reserve().is_pinned());
        Ok(())
    }
}
