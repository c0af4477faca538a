// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Bus mastering that ends before the device is unbound.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use super::Device;
use crate::{
    bindings,
    device::Core,
    devres::Devres,
    prelude::*,
    sync::aref::ARef, //
};

impl Device<Core<'_>> {
    /// Lets the device access memory, until it is unbound at the latest.
    ///
    /// After [`set_master`](Self::set_master) the device may do so even when it has no driver any
    /// more, or when `probe` has failed.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn bus_master(&self) -> Result<Devres<BusMaster>> {
        // INVARIANT: It is one of the device's resources.
        let master = Devres::new(self.as_ref(), BusMaster(self.into()))?;

        self.set_master();
        Ok(master)
    }
}

/// A device that may access memory. Dropping this ends that.
///
/// # Examples
///
/// ```
/// use kernel::{
///     device::Core,
///     devres::Devres,
///     pci::{self, BusMaster},
///     prelude::*, //
/// };
///
/// fn probe(dev: &pci::Device<Core<'_>>) -> Result<Devres<BusMaster>> {
///     dev.enable_device_mem()?;
///     dev.bus_master()
/// }
///
/// /// Before a driver gives up a DMA that doesn't end. Memory may be used anew afterwards.
/// fn give_up(master: &Devres<BusMaster>) {
///     if let Some(master) = master.try_access() {
///         master.stop();
///     }
/// }
/// ```
///
/// # Invariants
///
/// The device is bound: this is one of its resources.
pub struct BusMaster(ARef<Device>);

impl BusMaster {
    /// Lets the device access no more memory. It can't raise a message-signaled interrupt any more,
    /// either. When this returns, the device was told so; DMA that is under way goes nowhere.
    ///
    /// May be called in atomic context. Other code must not write the device's command register at
    /// the same time, or this may be lost.
    pub fn stop(&self) {
        let (dev, at) = (self.0.as_raw(), bindings::PCI_COMMAND as c_int);
        let mut command = 0;

        // `pci_clear_master` also changes a bit field, which isn't atomic.
        // SAFETY: The device is valid, and by the type invariants it is bound. `command` is valid for
        // writes during the call.
        unsafe {
            if bindings::pci_read_config_word(dev, at, &mut command) == 0 {
                // CAST: The bit is one of the 16 of the register.
                let command = command & !(bindings::PCI_COMMAND_MASTER as u16);

                bindings::pci_write_config_word(dev, at, command);
            }
        }
    }
}

impl Drop for BusMaster {
    fn drop(&mut self) {
        // SAFETY: The device is valid, and by the type invariants it is bound.
        unsafe { bindings::pci_clear_master(self.0.as_raw()) };
    }
}
