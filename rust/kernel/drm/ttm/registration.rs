// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Showing a device to programs.
//!
//! C header: [`include/drm/drm_drv.h`](srctree/include/drm/drm_drv.h)

use super::Driver;
use crate::{
    bindings,
    device,
    devres,
    drm,
    faux,
    prelude::*,
    sync::aref::ARef, //
};

/// Registers a device, until its parent is unbound or its driver goes.
///
/// # Errors
///
/// [`EINVAL`] if `parent` isn't the device's parent; [`ENOMEM`] and others if DRM can't register it;
/// what `data` returns.
///
/// # Examples
///
/// ```
/// use kernel::{drm::ttm::{self, fixture}, faux};
///
/// // A driver gets this in its `probe`.
/// let parent = faux::Registration::new(c"ttm-registered", None)?;
///
/// let dev = fixture::Device::unregistered(parent.as_ref())?;
/// let dev = ttm::register(parent.as_ref().as_ref(), dev, Ok(()))?;
///
/// // It stays until the parent goes, or longer, as there is a reference.
/// drop(parent);
/// assert!(dev.manager(ttm::MemType::VRAM).is_some());
/// # Ok::<(), Error>(())
/// ```
pub fn register<T: Driver>(
    parent: &device::Device<device::Bound>,
    dev: drm::UnregisteredDevice<T>,
    data: impl PinInit<T::RegistrationData<'static>, Error>,
) -> Result<ARef<drm::Device<T>>>
where
    T::RegistrationData<'static>: 'static,
{
    let drm: ARef<drm::Device<T>> = (&*dev).into();

    // SAFETY: The parent's resources are released before it is unbound, and `Unforgotten` is one of
    // them: so the parent is there as long as the registration, and that is dropped.
    let parent_for_long = unsafe { &*core::ptr::from_ref(parent) };
    // SAFETY: As above, it is dropped in time; or at once, if the resource can't be made. Its data
    // borrows nothing that could go.
    let registration = unsafe { drm::Registration::new(parent_for_long, dev, data, 0) }?;
    devres::register::<Unforgotten<T>, Error>(parent, Ok(Unforgotten(registration)), GFP_KERNEL)?;
    Ok(drm)
}

/// What is given to the parent's resources.
struct Unforgotten<T: Driver>(#[expect(dead_code)] drm::Registration<'static, T>)
where
    T::RegistrationData<'static>: 'static;

/// Says that a virtual device reaches all memory, so that others' buffers can be mapped for it.
///
/// To be called when it was just made, before anyone else can use it.
pub(super) fn enable_dma(parent: &faux::Registration) {
    let dev: &device::Device<device::Bound> = parent.as_ref().as_ref();

    // There is nothing that could refuse it.
    // SAFETY: The device is valid, and nobody uses it for DMA yet.
    let _ = unsafe { bindings::dma_coerce_mask_and_coherent(dev.as_raw(), u64::MAX) };
}

/// A virtual device with a parent of its own, registered until this is dropped.
///
/// Buffers of other devices can be imported.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{fixture, FauxRegistration, MemType};
///
/// let registration = FauxRegistration::new(c"ttm-virtual", fixture::Device::unregistered)?;
/// assert!(registration.device().manager(MemType::VRAM).is_some());
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `_parent` is the parent of `dev`.
#[must_use = "the device is unregistered immediately when this is unused"]
pub struct FauxRegistration<T: Driver> {
    dev: ARef<drm::Device<T>>,
    // With it goes the registration, which is one of its resources.
    _parent: faux::Registration,
}

impl<T: Driver + drm::Driver<RegistrationData<'static> = ()>> FauxRegistration<T> {
    /// Makes a parent, and calls `make` for the device.
    ///
    /// # Errors
    ///
    /// What `make` returns, and as [`register`].
    pub fn new(
        name: &CStr,
        make: impl FnOnce(&faux::Device<device::Bound>) -> Result<drm::UnregisteredDevice<T>>,
    ) -> Result<Self> {
        let parent = faux::Registration::new(name, None)?;
        enable_dma(&parent);
        let dev = make(parent.as_ref())?;
        let dev = register(parent.as_ref().as_ref(), dev, Ok(()))?;

        // INVARIANT: `register` has checked that.
        Ok(Self {
            dev,
            _parent: parent,
        })
    }

    /// The device.
    pub fn device(&self) -> &drm::Device<T> {
        &self.dev
    }
}
