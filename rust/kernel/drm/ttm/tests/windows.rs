// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L1: windows, which the device that lends the memory may take back.

use super::{
    io_memory::{
        IoMemory,
        OTHERS,
        SIZE, //
    },
    *, //
};
use crate::{
    device::{
        self,
        Bound, //
    },
    drm::{
        self,
        gem::BaseObject,
        ttm::{
            self,
            late::flush,
            test_device::Client,
            Backing,
            FauxRegistration,
            Window, //
        }, //
    },
    faux,
    uapi, //
};

const PAGE: usize = 0x1000;

type Unregistered = drm::UnregisteredDevice<Driver>;

/// A device with VRAM of its own, and the window as `PRIV`.
fn unregistered(parent: &faux::Device<Bound>, window: Window) -> Result<Unregistered> {
    Device::unregistered_with_more(parent, |setup| {
        setup.range_manager(MemType::PRIV, SIZE, Backing::Io(window))
    })
}

fn registered(window: Window) -> Result<FauxRegistration<Driver>> {
    FauxRegistration::new(c"ttm-windows", |parent| unregistered(parent, window))
}

/// A buffer in the window.
fn buffer(dev: &drm::Device<Driver>, size: usize) -> Result<ARef<Object>> {
    let private = [ttm::Place::new(MemType::PRIV)];
    let config = ObjectConfig {
        placement: Placement::new(&private)?,
        ..ObjectConfig::default()
    };

    Object::new(dev, size, &config, &mut OperationCtx::new(), Kind::Kept)
}

/// Whether the memory can be requested, so that no one else has it.
fn is_free(memory: &IoMemory) -> bool {
    memory.window().is_ok()
}

#[kunit_tests(rust_ttm_windows)]
mod cases {
    use super::*;

    #[test]
    fn one_owner() -> Result {
        let memory = IoMemory::new()?;
        let window = memory.window()?;

        assert_eq!(window.size(), SIZE);
        assert_eq!(memory.window().err(), Some(EBUSY));
        drop(window);
        // Also if it was given to a device that can't be made, or that is freed.
        let window = memory.window()?;
        let too_small = |setup: &mut ttm::Setup<'_>| {
            setup.range_manager(MemType::PRIV, PAGE - 1, Backing::Io(window))
        };
        assert_eq!(Device::with(too_small).err(), Some(EINVAL));
        flush();
        assert!(is_free(&memory));
        let window = memory.window()?;
        let dev = Device::with(|s| s.range_manager(MemType::PRIV, SIZE, Backing::Io(window)))?;
        assert_eq!(memory.window().err(), Some(EBUSY));
        drop(dev);
        assert!(is_free(&memory));
        Ok(())
    }

    // Files and buffers stay, but not the window: the device may be bound again.
    #[test]
    fn given_back_with_the_registration() -> Result {
        let memory = IoMemory::new()?;
        let registration = registered(memory.window()?)?;
        let dev = ARef::from(registration.device());
        let obj = buffer(&dev, PAGE)?;

        obj.reserve().write(0, b"here")?;
        assert_eq!(memory.window().err(), Some(EBUSY));
        drop(registration);
        assert!(is_free(&memory));
        assert_eq!(obj.reserve().write(0, b"here"), Err(ENODEV));
        Ok(())
    }

    // The lender isn't the parent. A program still has the buffer mapped.
    #[test]
    fn the_lender_goes_first() -> Result {
        let memory = IoMemory::new()?;
        let registration = registered(memory.window()?)?;
        let client = Client::new(registration.device())?;
        let obj = buffer(registration.device(), 2 * PAGE)?;
        let mut args = uapi::drm_nova_getparam::default();
        let mut ctx = OperationCtx::new();
        let mut bytes = [0; 4];

        obj.create_handle(client.file())?;
        let map = client.map(&obj)?;
        map.write(PAGE, b"mine")?;
        obj.reserve().read(PAGE, &mut bytes)?;
        assert_eq!(&bytes, b"mine");
        assert_eq!(memory.byte(PAGE), b'm');
        assert_eq!(client.ioctl(0, &mut args), Ok(1));

        let at = memory.address(PAGE);
        memory.unbind();
        // The mapping doesn't lead to the memory any more.
        let _ = map.write(PAGE, b"late");
        // SAFETY: It is within the memory, which is never freed.
        assert_eq!(unsafe { at.read() }, b'm');
        assert_eq!(client.ioctl(0, &mut args), Err(ENODEV));
        assert_eq!(obj.reserve().read(PAGE, &mut bytes), Err(ENODEV));
        assert_eq!(obj.reserve().evict(&mut ctx), Err(ENODEV));
        assert_eq!(buffer(registration.device(), PAGE).err(), Some(ENODEV));
        // The parent is still there.
        drop(registration);
        assert!(is_free(&IoMemory::new()?));
        Ok(())
    }

    // The kernel has it meanwhile.
    #[test]
    fn a_device_that_is_not_registered() -> Result {
        let memory = IoMemory::new()?;
        let parent = faux::Registration::new(c"ttm-windows", None)?;
        let dev = unregistered(parent.as_ref(), memory.window()?)?;
        let obj = buffer(&dev, PAGE)?;

        obj.reserve().write(0, b"here")?;
        memory.unbind();
        assert_eq!(obj.reserve().write(0, b"here"), Err(ENODEV));
        drop(obj);
        let none = |_: &_| KBox::pin_init((), GFP_KERNEL);
        let failed = ttm::register(parent.as_ref().as_ref(), dev, none);
        assert_eq!(failed.err(), Some(ENODEV));
        flush();
        assert!(is_free(&IoMemory::new()?));
        Ok(())
    }

    #[test]
    fn a_window_that_is_gone() -> Result {
        let memory = IoMemory::new()?;
        let mut window = memory.window()?;
        let parent = faux::Registration::new(c"ttm-windows", None)?;

        memory.unbind();
        assert!(is_free(&IoMemory::new()?));
        assert_eq!(window.map_for(parent.as_ref().as_ref()), Err(ENODEV));
        let dev = unregistered(parent.as_ref(), window)?;
        assert_eq!(buffer(&dev, PAGE).err(), Some(ENODEV));
        let none = |_: &_| KBox::pin_init((), GFP_KERNEL);
        let failed = ttm::register(parent.as_ref().as_ref(), dev, none);
        assert_eq!(failed.err(), Some(ENODEV));
        Ok(())
    }

    // The parent lends the memory itself, as most do.
    #[test]
    fn the_parent_is_the_lender() -> Result {
        let memory = IoMemory::new()?;
        let dev = unregistered(memory.lender_device(), memory.window()?)?;
        let none = |_: &_| KBox::pin_init((), GFP_KERNEL);
        let dev = ttm::register(memory.lender(), dev, none)?;
        let obj = buffer(&dev, PAGE)?;

        obj.reserve().write(0, b"here")?;
        memory.unbind();
        assert_eq!(obj.reserve().write(0, b"here"), Err(ENODEV));
        assert!(is_free(&IoMemory::new()?));
        Ok(())
    }

    // A resource of the lender that is released takes a window.
    #[test]
    fn nothing_is_lent_by_a_device_that_is_unbound() -> Result {
        struct Late(Option<Error>);

        let memory = IoMemory::new()?;
        let refused = Arc::new(crate::sync::SetOnce::<Late>::new(), GFP_KERNEL)?;
        let there = memory.lender();
        // SAFETY: The device is valid until the resource is dropped.
        let there = unsafe { &*core::ptr::from_ref(there) };
        let resource = memory.resource();
        struct Lends {
            lender: &'static device::Device<Bound>,
            resource: *mut bindings::resource,
            refused: Arc<crate::sync::SetOnce<Late>>,
        }
        // SAFETY: The test has one thread.
        unsafe impl Send for Lends {}
        impl Drop for Lends {
            fn drop(&mut self) {
                let window = IoMemory::window_of(self.lender, self.resource);
                self.refused.populate(Late(window.err()));
            }
        }

        crate::devres::register::<Lends, Error>(
            there,
            Ok(Lends {
                lender: there,
                resource,
                refused: refused.clone(),
            }),
            GFP_KERNEL,
        )?;
        memory.unbind();
        assert_eq!(
            refused.as_ref().as_ref().and_then(|late| late.0),
            Some(ENODEV)
        );
        assert!(is_free(&IoMemory::new()?));
        Ok(())
    }

    // The parent is bound again and again, and the lender stays.
    #[test]
    fn lent_again() -> Result {
        let memory = IoMemory::new()?;
        let lender = memory.lends()?;

        for _ in 0..3 {
            let registration = registered(lender.window()?)?;
            let obj = buffer(registration.device(), PAGE)?;

            assert_eq!(lender.window().err(), Some(EBUSY));
            obj.reserve().write(0, b"here")?;
            drop(registration);
            assert_eq!(obj.reserve().write(0, b"here"), Err(ENODEV));
        }
        let registration = registered(lender.window()?)?;
        memory.unbind();
        assert_eq!(buffer(registration.device(), PAGE).err(), Some(ENODEV));
        assert_eq!(lender.window().err(), Some(ENODEV));
        Ok(())
    }

    #[test]
    fn mapped_for_dma() -> Result {
        let memory = IoMemory::new()?;
        let gpu = faux::Registration::new(c"ttm-windows-gpu", None)?;
        let gpu: &device::Device<Bound> = gpu.as_ref().as_ref();
        let mut window = memory.window()?;

        // It has no mask yet.
        assert_eq!(window.map_for(gpu), Err(EIO));
        let bus = window.map_for(memory.lender())?;
        // Without an IOMMU.
        assert_eq!(bus, memory.start());
        let dev = Device::with(|s| s.range_manager(MemType::PRIV, SIZE, Backing::Io(window)))?;
        assert_eq!(dev.bus_address(MemType::PRIV), Some(bus));
        assert_eq!(dev.bus_address(MemType::VRAM), None);
        drop(dev);
        assert!(is_free(&memory));
        assert_eq!(memory.byte(0), OTHERS);
        Ok(())
    }
}
