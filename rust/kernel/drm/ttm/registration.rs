// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Registration: makes a device visible to user space.
//!
//! C header: [`include/drm/drm_drv.h`](srctree/include/drm/drm_drv.h)

use super::{
    raw_device::RawDevice,
    Device,
    Driver, //
};
use crate::{
    bindings,
    device,
    dma_fence::Kept,
    drm,
    error::to_result,
    faux,
    prelude::*,
    sync::{
        aref::ARef,
        Completion, //
    }, //
};
use core::{
    ffi::c_void,
    ptr, //
};

/// Registers a device until its parent is unbound, or the driver's module goes (L1).
///
/// After that no program can reach the device, its shrinker has ended, and its folder in debugfs is
/// removed. Open files and references keep the device, and the memory of its buffers.
///
/// `data` makes the registration's data, which lives as long as the device is registered. `data`
/// gets the parent for `'bound`, the time for which the parent is bound, so the registration's data
/// can have mapped registers and other resources of a bound device. It can borrow nothing else, as
/// `data` must work for any `'bound`. Handlers of ioctls get the data, see
/// [`registration_data_with`]. When the parent is unbound, the registration waits for the current
/// users of the data, and then drops it, before the parent's resources that are older than the
/// registration.
///
/// # Errors
///
/// [`EINVAL`] if `parent` isn't the device's parent; [`ENODEV`] if the parent's resources are being
/// released, or if the module's exit has begun; [`ENOMEM`] and other errors if DRM can't register
/// the device; errors of `data`.
///
/// # Examples
///
/// A driver without such data:
///
/// ```
/// use kernel::{drm::ttm::{self, test_device}, faux, prelude::*};
///
/// // A driver gets this in its `probe`.
/// let parent = faux::Registration::new(c"ttm-registered", None)?;
///
/// let dev = test_device::Device::unregistered(parent.as_ref())?;
/// let none = |_: &_| KBox::pin_init((), GFP_KERNEL);
/// let dev = ttm::register(parent.as_ref().as_ref(), dev, none)?;
///
/// // It stays until the parent goes, or longer, as there is a reference.
/// drop(parent);
/// assert!(dev.manager(ttm::MemType::VRAM).is_some());
/// # Ok::<(), Error>(())
/// ```
///
/// Data that uses the parent, and has a lock. A driver of real hardware would also have registers,
/// from `parent.io_request_by_index(0)`:
///
/// ```
/// use kernel::{
///     device::{Bound, Device},
///     drm::{self, ttm},
///     faux, new_mutex,
///     prelude::*,
///     sync::Mutex, //
/// };
///
/// #[pin_data]
/// struct Hardware<'bound> {
///     parent: &'bound Device<Bound>,
///     #[pin]
///     resets: Mutex<u32>,
/// }
///
/// fn register<T>(
///     parent: &faux::Device<Bound>,
///     dev: drm::UnregisteredDevice<T>,
/// ) -> Result
/// where
///     T: ttm::Driver
///         + for<'a> drm::Driver<
///             RegistrationData<'a> = Hardware<'a>,
///             ParentDevice<Bound> = faux::Device<Bound>,
///         >,
/// {
///     ttm::register(parent.as_ref(), dev, |parent| {
///         KBox::pin_init(
///             pin_init!(Hardware {
///                 parent: parent.as_ref(),
///                 resets <- new_mutex!(0),
///             }),
///             GFP_KERNEL,
///         )
///     })?;
///     Ok(())
/// }
/// ```
///
/// [`registration_data_with`]: drm::Device::registration_data_with
pub fn register<T: Driver>(
    parent: &device::Device<device::Bound>,
    dev: drm::UnregisteredDevice<T>,
    data: impl for<'bound> FnOnce(
        &'bound T::ParentDevice<device::Bound>,
    ) -> Result<Pin<KBox<T::RegistrationData<'bound>>>>,
) -> Result<ARef<drm::Device<T>>> {
    // Nothing would end a registration that is made after the module's exit.
    let _kept = Kept::new(Registered::end::<T> as *const ())?;
    let drm: ARef<drm::Device<T>> = (&*dev).into();
    let tdev: &Device<T> = &drm;
    let raw = tdev.raw();

    // SAFETY: The device is valid, and its parent doesn't change.
    if !ptr::eq(unsafe { (*drm.as_raw()).dev }, parent.as_raw()) {
        return Err(EINVAL);
    }
    // SAFETY: The pointer is that of the parent of a device of this driver, so it is embedded in a
    // device of the driver's bus type. The parent is bound until its resources are released; the
    // data is one of them, or is dropped here. No code can distinguish the lifetime from the one
    // that ends then.
    let bound: &'static T::ParentDevice<device::Bound> =
        unsafe { device::AsBusDevice::from_device(&*ptr::from_ref(parent)) };
    let data = data(bound)?;
    // Allocate before programs can find the device: later failures must end the registration.
    let room = KBox::new_uninit(GFP_KERNEL)?;

    let refused = raw.refused().lock();
    if *refused {
        // A window of the device is gone. The data may end another one, so drop the lock first.
        drop(refused);
        return Err(ENODEV);
    }
    // SAFETY: The parent's resources are released before it is unbound, and the registration
    // becomes one of them below; or it is dropped at once, if that can't be made.
    let registration = match unsafe { drm::Registration::with_data(dev, data, 0) } {
        Ok(registration) => registration,
        Err((e, data)) => {
            drop(refused);
            drop(data);
            return Err(e);
        }
    };
    raw.set_registration(Registered::new(room.write(registration)));
    drop(refused);

    // SAFETY: The device is valid. The reference is for `end_callback`.
    unsafe { bindings::drm_dev_get(drm.as_raw()) };
    // SAFETY: The parent is bound. `end_callback` gets the token of a device that was registered,
    // and a reference to it.
    let added = to_result(unsafe {
        bindings::devm_add_action(parent.as_raw(), Some(end_callback), token(raw))
    });
    if added.is_err() {
        // SAFETY: The parent doesn't call it. The reference is from above.
        unsafe { end_callback(token(raw)) };
        return Err(ENOMEM);
    }
    // The release of the parent's resources may have begun, and may have missed the registration.
    // Or a window has gone meanwhile, and has ended the registration.
    if !parent.keeps_resources() || *raw.refused().lock() {
        end(raw);
        return Err(ENODEV);
    }
    Ok(drm)
}

/// A registration, without its type.
///
/// # Invariants
///
/// `registration` is a valid argument for `end`, which is called with it once.
pub(super) struct Registered {
    registration: *mut c_void,
    end: unsafe fn(*mut c_void, &Completion),
}

// SAFETY: Registrations can be ended from any thread.
unsafe impl Send for Registered {}

impl Registered {
    fn new<T: Driver>(registration: KBox<drm::Registration<'static, T>>) -> Self {
        // INVARIANT: It is a box of that type.
        Self {
            registration: KBox::into_raw(registration).cast(),
            end: Self::end::<T>,
        }
    }

    /// # Safety
    ///
    /// `registration` must be a boxed registration of this driver, and is given away.
    unsafe fn end<T: Driver>(registration: *mut c_void, unplugged: &Completion) {
        // SAFETY: `registration` is a box of that type, which is given away, by the function's
        // requirements.
        let mut registration =
            unsafe { KBox::<drm::Registration<'static, T>>::from_raw(registration.cast()) };

        // The drop of the data may wait for others that wait for this.
        registration.unplug();
        unplugged.complete_all();
        drop(registration);
    }
}

/// The argument by which the parent's resources identify a registration.
fn token(raw: &RawDevice) -> *mut c_void {
    ptr::from_ref(raw).cast_mut().cast()
}

/// Ends a registration, unless another thread does so: then waits for that.
///
/// It isn't generic, so it is part of the kernel image, as it must be: it may drop the last
/// reference to a device, and after that nothing may keep the module.
///
/// # Safety
///
/// `token` must be that of a device that was registered, with a reference to the device. The
/// reference is given away.
#[inline(never)]
unsafe extern "C" fn end_callback(token: *mut c_void) {
    // SAFETY: `token` is the `RawDevice` of a device, and there is a reference to that, by the
    // function's requirements.
    let raw = unsafe { &*token.cast::<RawDevice>() };
    let drm = raw.drm();

    take_and_end(raw);
    // The data may have borrowed from the parent.
    raw.ended().wait_for_completion();
    // SAFETY: The reference was given away by the caller.
    unsafe { bindings::drm_dev_put(drm) };
}

/// Ends the registration of a device, unless there is none, or another thread does so. Returns
/// whether it did.
fn take_and_end(raw: &RawDevice) -> bool {
    let Some(Registered { registration, end }) = raw.take_registration() else {
        return false;
    };

    raw.set_ending();
    // SAFETY: By the type invariants of `Registered`, `registration` is a boxed registration of the
    // driver that `end` is for. It was taken out, so `end` gets it only once.
    unsafe { end(registration, raw.unplugged()) };
    raw.leave();
    raw.end_windows();
    raw.ended().complete_all();
    true
}

/// Lets the parent forget the registration of a device, which must have ended.
fn forget(raw: &RawDevice) {
    let end: unsafe extern "C" fn(*mut c_void) = end_callback;
    let drm = raw.drm();

    // SAFETY: The device is valid, and with it its parent. If the registration still was one of the
    // parent's resources, the reference that is for the callback is dropped here only. It isn't the
    // last one, as the device is borrowed.
    unsafe {
        if bindings::devm_remove_action_nowarn((*drm).dev, Some(end), token(raw)) == 0 {
            bindings::drm_dev_put(drm);
        }
    }
}

/// Ends the registration of a device, if there is one. If another thread is already ending it,
/// waits for that. The caller must have a reference to the device.
pub(super) fn end(raw: &RawDevice) {
    take_and_end(raw);
    if raw.was_registered() {
        raw.ended().wait_for_completion();
        forget(raw);
    }
}

/// Refuses to register a device from now on, as one of its windows goes. If it is registered, ends
/// that; if another thread is already doing so, waits for it. The caller must have a reference to
/// the device.
pub(super) fn refuse(raw: &RawDevice) {
    *raw.refused().lock() = true;
    if take_and_end(raw) {
        forget(raw);
    } else if raw.is_ending() {
        // The registration's data is being dropped, which ends the window. The device is unplugged.
        raw.unplugged().wait_for_completion();
    } else if raw.was_registered() {
        // The data may stop what the device does in the window.
        raw.ended().wait_for_completion();
    }
}

/// Gives a virtual device a DMA mask of all memory, so that buffers of other devices can be mapped
/// for it.
///
/// Call it right after the device was made, before other code can use it.
pub(super) fn enable_dma(parent: &faux::Registration) {
    let dev: &device::Device<device::Bound> = parent.as_ref().as_ref();

    // Nothing refuses this mask.
    // SAFETY: The device is valid, and has no DMA mapping yet.
    let _ = unsafe { bindings::dma_coerce_mask_and_coherent(dev.as_raw(), u64::MAX) };
}

/// A virtual device with a parent of its own, registered until this is dropped.
///
/// Buffers of other devices can be imported.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, FauxRegistration, MemType};
///
/// let registration = FauxRegistration::new(c"ttm-virtual", test_device::Device::unregistered)?;
/// assert!(registration.device().manager(MemType::VRAM).is_some());
/// # Ok::<(), Error>(())
/// ```
///
/// If this is forgotten, the device stays registered until the driver's module goes.
#[must_use = "the device is unregistered immediately when this is unused"]
pub struct FauxRegistration<T: Driver> {
    dev: ARef<drm::Device<T>>,
}

impl<T: Driver + for<'a> drm::Driver<RegistrationData<'a> = ()>> FauxRegistration<T> {
    /// Makes a parent, and registers the device that `make` returns.
    ///
    /// # Errors
    ///
    /// Errors of `make`, and as [`register`].
    pub fn new(
        name: &CStr,
        make: impl FnOnce(&faux::Device<device::Bound>) -> Result<drm::UnregisteredDevice<T>>,
    ) -> Result<Self> {
        let parent = faux::Registration::new(name, None)?;
        enable_dma(&parent);
        let dev = make(parent.as_ref())?;
        let dev = register(parent.as_ref().as_ref(), dev, |_| {
            KBox::pin_init((), GFP_KERNEL)
        })?;

        let this = Self { dev };
        this.raw().set_parent(parent);
        Ok(this)
    }

    /// The device.
    pub fn device(&self) -> &drm::Device<T> {
        &self.dev
    }
}

impl<T: Driver> FauxRegistration<T> {
    fn raw(&self) -> &RawDevice {
        let dev: &Device<T> = &self.dev;

        dev.raw()
    }
}

impl<T: Driver> Drop for FauxRegistration<T> {
    fn drop(&mut self) {
        // This also ends the registration, which is one of the parent's resources.
        drop(self.raw().take_parent());
    }
}
