// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Platform devices that the virtual GPU makes for itself.

use crate::{
    bindings,
    error::from_err_ptr,
    prelude::*, //
};
use core::ptr::NonNull;

/// A registered platform device that no firmware describes. Dropping this unregisters it.
///
/// Other virtual devices are faux devices. But a faux device can't be unbound through sysfs, as the
/// faux bus has a single driver with `suppress_bind_attrs`, and versions of libdrm that are in use
/// don't find a GPU on that bus. With vttm, tests unplug a GPU while programs use it, and run
/// programs of other projects on it.
///
/// # Examples
///
/// ```
/// use kernel::drm::vttm::RegisteredDevice;
///
/// let device = RegisteredDevice::new(c"registered-device", 0, 64)?;
/// // There is no driver of that name.
/// assert!(!device.is_bound());
/// // There is one already.
/// assert!(RegisteredDevice::new(c"registered-device", 0, 64).is_err());
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `self.0` is a registered platform device, which only this unregisters.
#[must_use = "the device goes immediately when this is unused"]
pub struct RegisteredDevice(NonNull<bindings::platform_device>);

// SAFETY: Devices may be used and unregistered from any thread.
unsafe impl Send for RegisteredDevice {}

// SAFETY: Devices have locks of their own.
unsafe impl Sync for RegisteredDevice {}

impl RegisteredDevice {
    /// Makes the device `name.id`. The driver with that name, if there is one, is bound to it.
    ///
    /// It reaches memory whose address has up to `dma_bits` bits, at most 64.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there are no such addresses or `id` is too large, [`EEXIST`] if there is such
    /// a device, [`ENOMEM`]. It is no error if the driver can't be bound: see [`Self::is_bound`].
    pub fn new(name: &CStr, id: u32, dma_bits: u32) -> Result<Self> {
        if !(1..=u64::BITS).contains(&dma_bits) {
            return Err(EINVAL);
        }
        let info = bindings::platform_device_info {
            name: name.as_char_ptr(),
            id: id.try_into()?,
            dma_mask: u64::MAX >> (u64::BITS - dma_bits),
            ..Default::default()
        };

        // SAFETY: `info` is valid, and says nothing but that; the name is copied.
        let device = from_err_ptr(unsafe { bindings::platform_device_register_full(&info) })?;
        // INVARIANT: It was just registered.
        NonNull::new(device).map(Self).ok_or(ENOMEM)
    }

    /// Whether a driver is bound to it, just now.
    pub fn is_bound(&self) -> bool {
        // SAFETY: It is registered, by the type invariant, so its device is initialized.
        unsafe { bindings::device_is_bound(&raw mut (*self.0.as_ptr()).dev) }
    }
}

impl Drop for RegisteredDevice {
    fn drop(&mut self) {
        // SAFETY: It is registered, and the registration is ours, by the type invariant. It isn't
        // used any more.
        unsafe { bindings::platform_device_unregister(self.0.as_ptr()) };
    }
}
