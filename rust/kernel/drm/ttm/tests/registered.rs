// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L1: the data of a registration, which borrows from the parent.

use super::*;
use crate::{
    device::{
        self,
        Bound,
        DeviceContext, //
    },
    drm::{
        self,
        gem,
        ttm::{
            self,
            late, //
            test_device::{
                owner,
                Client, //
            },
        },
        Registered, //
    },
    faux,
    new_mutex,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Mutex, //
    },
    uapi::drm_nova_getparam, //
};

/// A driver that borrows its parent.
struct Borrower;

struct BorrowerBuffer;

struct BorrowerFile;

/// Its data, which borrows the parent.
#[pin_data]
struct Hardware<'bound> {
    parent: Parent<'bound>,
    #[pin]
    uses: Mutex<u64>,
}

/// On drop, reports whether the parent was still bound.
struct Parent<'bound> {
    dev: &'bound device::Device<Bound>,
    end: Arc<Atomic<u32>>,
    /// On drop, also registers another device, and reports that this was refused.
    refused: Option<Arc<Atomic<bool>>>,
}

const THERE: u32 = 0;
const GONE_IN_TIME: u32 = 1;
const GONE_LATE: u32 = 2;

impl Drop for Parent<'_> {
    fn drop(&mut self) {
        // SAFETY: The device is valid.
        let in_time = unsafe { bindings::device_is_bound(self.dev.as_raw()) };

        self.end
            .store(if in_time { GONE_IN_TIME } else { GONE_LATE }, Relaxed);
        if let Some(refused) = &self.refused {
            // SAFETY: The parent of the driver's devices is a faux device.
            let parent: &faux::Device<Bound> =
                unsafe { device::AsBusDevice::from_device(self.dev) };
            let dev = ttm::Device::<Borrower>::new(parent, Ok(()), |_| Ok(()));
            let ret = dev.and_then(|dev| Borrower::register_data(self.dev, dev, &self.end, None));

            refused.store(ret.err() == Some(ENODEV), Relaxed);
        }
    }
}

impl Borrower {
    /// Returns how often it was called.
    fn uses(
        _dev: &drm::Device<Self, Registered>,
        hardware: &Hardware<'_>,
        args: &mut drm_nova_getparam,
        _file: &drm::File<BorrowerFile>,
    ) -> Result<u32> {
        assert_eq!(hardware.parent.end.load(Relaxed), THERE);
        let mut uses = hardware.uses.lock();

        *uses += 1;
        args.value = *uses;
        Ok(0)
    }

    fn unregistered(parent: &faux::Registration) -> Result<drm::UnregisteredDevice<Self>> {
        ttm::Device::<Self>::new(parent.as_ref(), Ok(()), |_| Ok(()))
    }

    /// Makes a device whose data reports its drop in `end`.
    fn register(
        parent: &faux::Registration,
        end: &Arc<Atomic<u32>>,
    ) -> Result<ARef<drm::Device<Self>>> {
        Self::register_data(
            parent.as_ref().as_ref(),
            Self::unregistered(parent)?,
            end,
            None,
        )
    }

    fn register_data(
        parent: &device::Device<Bound>,
        dev: drm::UnregisteredDevice<Self>,
        end: &Arc<Atomic<u32>>,
        refused: Option<&Arc<Atomic<bool>>>,
    ) -> Result<ARef<drm::Device<Self>>> {
        ttm::register(parent, dev, |dev| {
            KBox::pin_init(
                pin_init!(Hardware {
                    parent: Parent {
                        dev: dev.as_ref(),
                        end: end.clone(),
                        refused: refused.cloned(),
                    },
                    uses <- new_mutex!(0),
                }),
                GFP_KERNEL,
            )
        })
    }
}

// The macro is for other crates, where this isn't looked at.
#[allow(
    unused_variables,
    unsafe_op_in_unsafe_fn,
    clippy::missing_safety_doc,
    clippy::unnecessary_safety_comment
)]
#[vtable]
impl drm::Driver for Borrower {
    type OwnerModule = owner::Module;
    type Data = ttm::Device<Self>;
    type Object = ttm::Object<BorrowerBuffer>;
    type RegistrationData<'a> = Hardware<'a>;
    type File = BorrowerFile;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"ttm-bound",
        desc: c"Borrows its parent",
    };

    crate::declare_drm_ioctls! {
        (NOVA_GETPARAM, drm_nova_getparam, drm::ioctl::RENDER_ALLOW, Borrower::uses),
    }
}

#[vtable]
impl ttm::Driver for Borrower {
    type OwnerModule = owner::Module;
    type BufferData = BorrowerBuffer;
    type DeviceData = ();
}

impl gem::DriverObject for BorrowerBuffer {
    type Driver = Borrower;
    type Args = ();

    fn new(_dev: &drm::Device<Borrower>, _size: usize, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self)
    }
}

impl ttm::DriverObject for BorrowerBuffer {}

impl drm::file::DriverFile for BorrowerFile {
    type Driver = Borrower;

    fn open(_dev: &drm::Device<Borrower>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}

/// The report of the data's drop.
fn end() -> Result<Arc<Atomic<u32>>> {
    Ok(Arc::new(Atomic::new(THERE), GFP_KERNEL)?)
}

fn parent() -> Result<faux::Registration> {
    faux::Registration::new(c"ttm-bound", None)
}

fn call(client: &Client<Borrower>) -> Result<u64> {
    let mut args = drm_nova_getparam::default();

    client.ioctl(0, &mut args)?;
    Ok(args.value)
}

#[kunit_tests(rust_ttm_registered)]
mod cases {
    use super::*;

    // A file stays open meanwhile.
    #[test]
    fn data_goes_when_the_parent_is_unbound() -> Result {
        let (parent, end) = (parent()?, end()?);
        let dev = Borrower::register(&parent, &end)?;
        let client = Client::new(&dev)?;

        assert_eq!((call(&client)?, call(&client)?), (1, 2));
        drop(parent);
        assert_eq!(end.load(Relaxed), GONE_IN_TIME);
        assert_eq!(call(&client), Err(ENODEV));
        assert!(Arc::into_unique_or_drop(end).is_some());
        Ok(())
    }

    // The resources of the parent are being released: a new registration would never end.
    #[test]
    fn nothing_is_registered_when_the_parent_is_unbound() -> Result {
        let (parent, end) = (parent()?, end()?);
        let refused = Arc::new(Atomic::new(false), GFP_KERNEL)?;
        let dev = Borrower::unregistered(&parent)?;
        let dev = Borrower::register_data(parent.as_ref().as_ref(), dev, &end, Some(&refused))?;

        drop(parent);
        assert!(refused.load(Relaxed));
        assert_eq!(end.load(Relaxed), GONE_IN_TIME);
        drop(dev);
        late::flush();
        assert!(Arc::into_unique_or_drop(end).is_some());
        Ok(())
    }

    // This is the exit of a module whose parent stays.
    #[test]
    fn data_goes_with_the_module() -> Result {
        let (parent, end) = (parent()?, end()?);
        let dev = Borrower::register(&parent, &end)?;
        let client = Client::new(&dev)?;

        // SAFETY: It may be called wherever one may sleep. There is no module, and no other test
        // uses devices without one at this time.
        unsafe { bindings::ttm_owner_leave_all(core::ptr::null_mut(), usize::MAX >> 2) };
        assert_eq!(end.load(Relaxed), GONE_IN_TIME);
        assert_eq!(call(&client), Err(ENODEV));
        drop(parent);
        Ok(())
    }

    // It was made before anything failed.
    #[test]
    fn data_of_a_device_that_is_not_registered() -> Result {
        let (parent, end, before) = (parent()?, end()?, complaints());
        let dev = Borrower::unregistered(&parent)?;

        let failed = ttm::register(parent.as_ref().as_ref(), dev, |dev| {
            drop(Parent {
                dev: dev.as_ref(),
                end: end.clone(),
                refused: None,
            });
            Err(EIO)
        });
        assert_eq!(failed.err(), Some(EIO));
        assert_eq!(end.load(Relaxed), GONE_IN_TIME);

        let other = faux::Registration::new(c"ttm-bound-2", None)?;
        let dev = Borrower::unregistered(&other)?;
        let wrong = ttm::register(parent.as_ref().as_ref(), dev, |_| Err(EIO));
        assert_eq!(wrong.err(), Some(EINVAL));
        late::flush();
        assert_eq!(complaints(), before);
        Ok(())
    }
}
