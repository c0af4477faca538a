// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The view of programs: ioctls, `fdinfo`, and mapped buffers.

use super::*;
use crate::{
    dma_fence::DriverFence,
    drm::{
        self,
        gem::BaseObject,
        ttm::{
            test_device::{
                flush,
                Client,
                DmaBuf,
                UserMap, //
            },
            FauxRegistration,
            FenceUsage, //
        }, //
    },
    uapi,
};

const SIZE: usize = 0x3000;

/// A device that programs could open, a client of it, and a buffer in VRAM that it has a handle of.
struct Registered {
    client: Client,
    obj: ARef<Object>,
    dev: ARef<drm::Device<Driver>>,
    registration: FauxRegistration<Driver>,
}

impl Registered {
    fn new() -> Result<Self> {
        let registration = FauxRegistration::new(c"ttm-clients", Device::unregistered)?;
        let dev = ARef::from(registration.device());
        let config = ObjectConfig {
            placement: Placement::VRAM,
            ..ObjectConfig::default()
        };
        let obj = Object::new(&dev, SIZE, &config, &mut OperationCtx::new(), Kind::Kept)?;
        let client = Client::new(&dev)?;
        obj.create_handle(client.file())?;

        Ok(Self {
            client,
            obj,
            dev,
            registration,
        })
    }
}

/// Whether the mapping begins with these bytes.
fn shows(map: &UserMap, wanted: &[u8; 4]) -> Result<bool> {
    let mut bytes = [1; 4];

    map.read(0, &mut bytes)?;
    Ok(bytes == *wanted)
}

/// A client with a handle of the buffer that `make` makes on its device.
fn client_with(
    make: impl FnOnce(&Device) -> Result<ARef<Object>>,
) -> Result<(Device, Client, ARef<Object>)> {
    let dev = Device::new()?;
    let client = Client::new(dev.drm())?;
    let obj = make(&dev)?;

    obj.create_handle(client.file())?;
    Ok((dev, client, obj))
}

#[kunit_tests(rust_ttm_clients)]
mod cases {
    use super::*;

    #[test]
    fn handlers_of_an_unplugged_device() -> Result {
        let r = Registered::new()?;
        let mut one = uapi::drm_nova_getparam::default();
        let mut two = uapi::drm_nova_gem_create::default();

        assert_eq!(r.client.ioctl(0, &mut one), Ok(1));
        assert_eq!(r.client.ioctl(1, &mut two), Ok(2));
        assert_eq!((one.value, two.size), (1, 1));

        drop(r.registration);
        one.value = 0;
        assert_eq!(r.client.ioctl(0, &mut one), Err(ENODEV));
        assert_eq!(r.client.ioctl(1, &mut two), Ok(2));
        assert_eq!((one.value, two.size), (0, 0));
        Ok(())
    }

    #[test]
    fn regions_of_a_client() -> Result {
        let dev = Device::new()?;
        let client = Client::new(dev.drm())?;
        let objects = [dev.vram(0x1000)?, dev.vram(0x4000)?, dev.system(0x2000)?];
        let _not_its_own = dev.vram(0x8000)?;

        let mut handles = [0; 3];
        for (obj, handle) in objects.iter().zip(&mut handles) {
            *handle = obj.create_handle(client.file())?;
        }
        // An evicted buffer still belongs to VRAM. It has pages, as it had content.
        objects[1].reserve().evict(&mut OperationCtx::new())?;

        let text = client.fdinfo()?;
        assert!(text.has_line("drm-total-vram:\t20 KiB"));
        assert!(text.has_line("drm-resident-vram:\t4 KiB"));
        assert!(text.has_line("drm-total-system:\t8 KiB"));
        assert!(text.has_line("drm-resident-system:\t16 KiB"));
        assert!(text.has_line("drm-total-gtt:\t0"));
        assert!(text.has_line("drm-shared-vram:\t0"));
        Ok(())
    }

    #[test]
    fn swapped_out_is_not_resident() -> Result {
        let (_dev, client, obj) = client_with(|dev| dev.system(SIZE))?;
        let mut ctx = OperationCtx::new();

        obj.reserve().populate(&mut ctx)?;
        assert!(client.fdinfo()?.has_line("drm-resident-system:\t12 KiB"));
        obj.reserve().swap_out(&mut ctx)?;
        assert!(client.fdinfo()?.has_line("drm-resident-system:\t0"));
        assert!(client.fdinfo()?.has_line("drm-total-system:\t12 KiB"));
        Ok(())
    }

    #[test]
    fn nowhere_is_not_resident() -> Result {
        let (_dev, client, obj) = client_with(|dev| dev.disposable(SIZE))?;

        obj.reserve().evict(&mut OperationCtx::new())?;
        let text = client.fdinfo()?;
        assert!(text.has_line("drm-total-vram:\t12 KiB"));
        assert!(text.has_line("drm-resident-vram:\t0"));
        Ok(())
    }

    #[test]
    fn shared_buffers_are_counted() -> Result {
        let dev = Device::new()?;
        let (one, other) = (Client::new(dev.drm())?, Client::new(dev.drm())?);
        let objects = [dev.vram(0x1000)?, dev.vram(0x2000)?];

        for obj in &objects {
            obj.create_handle(one.file())?;
        }
        objects[1].create_handle(other.file())?;
        assert!(one.fdinfo()?.has_line("drm-shared-vram:\t8 KiB"));
        assert!(one.fdinfo()?.has_line("drm-total-vram:\t12 KiB"));
        assert!(other.fdinfo()?.has_line("drm-total-vram:\t8 KiB"));
        drop(other);
        assert!(one.fdinfo()?.has_line("drm-shared-vram:\t0"));
        Ok(())
    }

    #[test]
    fn active_is_not_purgeable() -> Result {
        let (_dev, client, obj) = client_with(|dev| dev.purgeable(SIZE))?;
        assert!(client.fdinfo()?.has_line("drm-purgeable-system:\t0"));

        obj.reserve().populate(&mut OperationCtx::new())?;
        assert!(client.fdinfo()?.has_line("drm-purgeable-system:\t12 KiB"));
        assert!(client.fdinfo()?.has_line("drm-active-system:\t0"));

        let work = DriverFence::new(c"example", c"ring 0")?;
        obj.reserve()
            .fence_slot()?
            .add(&work.fence(), FenceUsage::Read)?;
        let text = client.fdinfo()?;
        work.signal(Ok(()));
        assert!(text.has_line("drm-active-system:\t12 KiB"));
        assert!(text.has_line("drm-purgeable-system:\t0"));
        Ok(())
    }

    #[test]
    fn a_mapping_shows_the_content_wherever_it_is() -> Result {
        let (_dev, client, obj) = client_with(|dev| dev.vram(SIZE))?;
        let mut ctx = OperationCtx::new();
        let map = client.map(&obj)?;

        map.write(0, b"vram")?;
        obj.reserve().evict(&mut ctx)?;
        assert!(shows(&map, b"vram")?);
        map.write(0, b"page")?;
        obj.reserve().swap_out(&mut ctx)?;
        assert!(shows(&map, b"page")?);
        obj.reserve().validate(Placement::VRAM, &mut ctx)?;
        assert!(shows(&map, b"page")?);
        Ok(())
    }

    #[test]
    fn a_mapping_of_a_purged_buffer() -> Result {
        let (_dev, client, obj) = client_with(|dev| dev.vram(SIZE))?;
        let mut ctx = OperationCtx::new();
        let map = client.map(&obj)?;
        map.write(0, b"gone")?;

        obj.reserve().purge(&mut ctx)?;
        assert_eq!(map.write(0, b"lost"), Err(EFAULT));
        obj.reserve().validate(Placement::VRAM, &mut ctx)?;
        assert!(shows(&map, &[0; 4])?);
        Ok(())
    }

    // The pages of this one are freed at once, or its VRAM given to the next one.
    #[test]
    fn a_purged_buffer_is_not_mapped_any_more() -> Result {
        let dev = Device::new()?;
        let client = Client::new(dev.drm())?;
        let objects = [dev.disposable(Device::SIZE)?, dev.system(SIZE)?];
        let mut ctx = OperationCtx::new();
        for obj in &objects {
            obj.create_handle(client.file())?;
        }
        let maps = [client.map(&objects[0])?, client.map(&objects[1])?];
        for map in &maps {
            map.write(0, b"mine")?;
        }

        // This evicts the first one.
        let other = dev.vram(Device::SIZE)?;
        objects[1].reserve().purge(&mut ctx)?;
        other.reserve().write(0, b"not!")?;
        for map in &maps {
            assert_eq!(map.read(0, &mut [0; 4]), Err(EFAULT));
            assert_eq!(map.write(0, b"mine"), Err(EFAULT));
        }
        Ok(())
    }

    #[test]
    fn a_mapping_of_an_imported_one_is_the_exporters() -> Result {
        let (dev, other) = (Device::new()?, Device::new()?);
        let client = Client::new(other.drm())?;
        let obj = dev.vram(SIZE)?;
        let imported = DmaBuf::export(&obj)?.import(&other)?;
        imported.create_handle(client.file())?;

        let map = client.map(&imported)?;
        map.write(0, b"from")?;
        let mut bytes = [0; 4];
        obj.reserve().read(0, &mut bytes)?;
        assert_eq!(&bytes, b"from");

        // The mapping stays when the importer has dropped the buffer, in every memory type.
        drop((imported, client));
        flush(&other);
        obj.reserve()
            .validate(Placement::VRAM, &mut OperationCtx::new())?;
        assert!(shows(&map, b"from")?);
        Ok(())
    }

    #[test]
    fn a_mapping_of_an_unplugged_device() -> Result {
        let r = Registered::new()?;
        let map = r.client.map(&r.obj)?;
        map.write(0, b"live")?;

        drop(r.registration);
        // A dummy page.
        assert!(shows(&map, &[0; 4])?);
        map.write(0, b"dead")?;
        assert!(shows(&map, b"dead")?);
        let mut bytes = [0; 4];
        r.obj.reserve().read(0, &mut bytes)?;
        assert_eq!(&bytes, b"live");

        assert_eq!(r.client.map(&r.obj).err(), Some(ENODEV));
        assert!(r.client.fdinfo()?.is_empty());
        drop(r.obj);
        assert_eq!(r.dev.driver_data().deletions(), 0);
        drop((map, r.client));
        flush(&r.dev);
        assert_eq!(r.dev.driver_data().deletions(), 1);
        Ok(())
    }
}
