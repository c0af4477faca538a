// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Whether a device still takes resources.
//!
//! C header: [`include/linux/device.h`](srctree/include/linux/device.h)

use super::Device;
use crate::bindings;

impl Device {
    /// Whether the release of the device's resources hasn't begun yet.
    ///
    /// Safe code may have a bound device until the release has ended: in the drop of a resource, or
    /// in an ioctl that the release waits for. A resource that is added meanwhile would not be
    /// released. So code that adds one has to look here afterwards, and to take it back.
    pub(crate) fn keeps_resources(&self) -> bool {
        // SAFETY: The device is valid. The driver core may write the status meanwhile. It does so
        // before it takes the lock of the resources to release them. So a thread that adds one too
        // late sees it.
        let status = unsafe { (&raw const (*self.as_raw()).links.status).read_volatile() };

        matches!(
            status,
            bindings::dl_dev_state_DL_DEV_PROBING | bindings::dl_dev_state_DL_DEV_DRIVER_BOUND
        )
    }
}
