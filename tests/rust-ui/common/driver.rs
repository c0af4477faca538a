// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A driver other than `test_device::Driver`.

/// The owner of the driver. These programs are part of no module.
pub struct Module;

impl kernel::ModuleMetadata for Module {
    const NAME: &'static kernel::str::CStr = c"other";
    const THIS_MODULE: kernel::ThisModule = {
        // SAFETY: These programs are never run, so the pointer isn't used.
        unsafe { kernel::ThisModule::from_ptr(core::ptr::null_mut()) }
    };
}

/// `driver!(NAME[: REGISTERED], BUFFER_DATA, DEVICE_DATA, METHODS...)`
#[allow(unused_macros)]
macro_rules! driver {
    ($driver:ident $(: $registered:ident)?, $buffer:ty, $data:ty $(, $($method:tt)*)?) => {
        drm_driver!(
            $driver,
            kernel::drm::ttm::Device<$driver>,
            kernel::drm::ttm::Object<$buffer>
            $(, $registered)?
        );
        buffer_data!($driver, $buffer);

        impl kernel::drm::ttm::DriverObject for $buffer {}

        #[vtable]
        impl kernel::drm::ttm::Driver for $driver {
            type OwnerModule = crate::driver::Module;
            type BufferData = $buffer;
            type DeviceData = $data;

            $($($method)*)?
        }
    };
}

/// The registration data of the driver: `()`, or a type with a lifetime.
macro_rules! registration_data {
    ($bound:lifetime) => { () };
    ($bound:lifetime $registered:ident) => { $registered<$bound> };
}

/// The part that has nothing to do with TTM: `drm_driver!(NAME, DATA, OBJECT[, REGISTERED])`
macro_rules! drm_driver {
    ($driver:ident, $data:ty, $object:ty $(, $registered:ident)?) => {
        pub struct $driver;
        pub struct File;

        #[vtable]
        impl kernel::drm::Driver for $driver {
            type OwnerModule = crate::driver::Module;
            type Data = $data;
            type Object = $object;
            type RegistrationData<'a> = registration_data!('a $($registered)?);
            type File = File;
            type ParentDevice<Ctx: kernel::device::DeviceContext> = kernel::faux::Device<Ctx>;

            const INFO: kernel::drm::DriverInfo = kernel::drm::DriverInfo {
                major: 0,
                minor: 0,
                patchlevel: 0,
                name: c"other",
                desc: c"Another driver",
            };

            const IOCTLS: &'static [kernel::drm::ioctl::DrmIoctlDescriptor] = &[];
        }

        impl kernel::drm::file::DriverFile for File {
            type Driver = $driver;

            fn open(_dev: &kernel::drm::Device<$driver>) -> Result<Pin<KBox<Self>>> {
                Ok(KBox::new(Self, GFP_KERNEL)?.into())
            }
        }
    };
}

/// `buffer_data!(DRIVER, TYPE)`
macro_rules! buffer_data {
    ($driver:ident, $buffer:ty) => {
        impl kernel::drm::gem::DriverObject for $buffer {
            type Driver = $driver;
            type Args = Self;

            fn new(
                _dev: &kernel::drm::Device<$driver>,
                _size: usize,
                this: Self,
            ) -> impl PinInit<Self, Error> {
                Ok(this)
            }
        }
    };
}
