// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Interrupts that last until the device is unbound.
//!
//! C header: [`include/linux/interrupt.h`](srctree/include/linux/interrupt.h)

use super::{
    Device,
    IrqTypes, //
};
use crate::{
    bindings,
    device::{
        self,
        Bound, //
    },
    error::to_result,
    irq::{
        Handler,
        IrqRequest, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};
use core::{
    ffi::c_void,
    ptr, //
};

impl Device<Bound> {
    /// Requests an interrupt of the device's own, of one of `types`, until the device is unbound.
    ///
    /// `handler` may be called at once. When the device is unbound, the interrupt is freed before
    /// all resources that are older. So a handler finds what the driver acquired before.
    ///
    /// An [`irq::Registration`] would have to be dropped in time, so to make one is unsafe. This one
    /// belongs to the device.
    ///
    /// # Errors
    ///
    /// [`ENOSPC`] if the device has no interrupt of `types`; [`EBUSY`] if the driver has allocated
    /// interrupts already; [`ENODEV`] if the device is being unbound; [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     device::Bound,
    ///     irq::{Handler, IrqReturn},
    ///     pci::{self, IrqType, IrqTypes},
    ///     prelude::*,
    ///     sync::{Arc, Completion}, //
    /// };
    ///
    /// #[pin_data]
    /// struct Engine {
    ///     #[pin]
    ///     done: Completion,
    /// }
    ///
    /// impl Handler for Engine {
    ///     fn handle(&self) -> IrqReturn {
    ///         // A driver acknowledges the interrupt, too.
    ///         self.done.complete_all();
    ///         IrqReturn::Handled
    ///     }
    /// }
    ///
    /// fn probe(dev: &pci::Device<Bound>, engine: Arc<Engine>) -> Result {
    ///     dev.request_interrupt(IrqTypes::default().with(IrqType::Msi), c"engine", engine)
    /// }
    /// ```
    ///
    /// [`irq::Registration`]: crate::irq::Registration
    pub fn request_interrupt<H: Handler + Send + 'static>(
        &self,
        types: IrqTypes,
        name: &'static CStr,
        handler: Arc<H>,
    ) -> Result {
        let vectors = self.alloc_irq_vectors(1, 1, types)?;
        let irq = IrqRequest::from(vectors.index(0)?).irq();
        // `Vector` frees it from here on.
        core::mem::forget(vectors);
        // INVARIANT: The vector was just allocated, and is freed by `drop` only.
        let vector = Vector(self.into());
        let cookie: *mut c_void = ptr::from_ref(&*handler).cast_mut().cast();

        // SAFETY: `irq` is a vector of the device's, which has no handler yet. The function takes a
        // pointer to an `H`, which `handler` keeps until `Interrupt` has freed the interrupt. The
        // name is static.
        to_result(unsafe {
            bindings::request_irq(irq, Some(handle::<H>), 0, name.as_char_ptr(), cookie)
        })?;
        // INVARIANT: It was just requested, with this cookie.
        let interrupt = Interrupt {
            irq,
            handler,
            _vector: vector,
        };
        let dev: &device::Device<Bound> = self.as_ref();
        let interrupt = KBox::into_raw(KBox::new(interrupt, GFP_KERNEL)?).cast();
        let free: unsafe extern "C" fn(*mut c_void) = free::<H>;
        // SAFETY: The device is valid. `free` gets the box that is given away here, once: when the
        // device is unbound, or at once on failure.
        to_result(unsafe {
            bindings::devm_add_action_or_reset(dev.as_raw(), Some(free), interrupt)
        })?;
        // The release of the device's resources may have begun, and may have missed this one.
        if !dev.keeps_resources() {
            // SAFETY: If the action is still one of the device's resources, this removes it, and it
            // is not called any more: so the box is freed here only.
            unsafe {
                if bindings::devm_remove_action_nowarn(dev.as_raw(), Some(free), interrupt) == 0 {
                    free(interrupt);
                }
            }
            return Err(ENODEV);
        }
        Ok(())
    }
}

/// Frees an interrupt.
///
/// # Safety
///
/// `interrupt` must be a box of an `Interrupt<H>`, which is given away.
unsafe extern "C" fn free<H>(interrupt: *mut c_void) {
    // SAFETY: It is such a box, by the function's requirements.
    drop(unsafe { KBox::<Interrupt<H>>::from_raw(interrupt.cast()) });
}

/// The thread that has it is the only one that allocates vectors, for a device that has none but its
/// INTx.
///
/// A second allocation may succeed with a vector of the first one, and frees that when it is dropped.
pub(super) struct OnlyAllocation(());

/// Whether there is an [`OnlyAllocation`].
static ALLOCATES: Atomic<bool> = Atomic::new(false);

impl OnlyAllocation {
    /// Waits for other threads.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if the device has MSI or MSI-X vectors.
    pub(super) fn new(dev: &Device<Bound>) -> Result<Self> {
        while ALLOCATES.xchg(true, Acquire) {
            fsleep(Delta::from_millis(1));
        }
        let this = Self(());

        // SAFETY: The device is valid. No other thread allocates vectors.
        if unsafe { bindings::pci_dev_msi_enabled(dev.as_raw()) } {
            return Err(EBUSY);
        }
        Ok(this)
    }
}

impl Drop for OnlyAllocation {
    fn drop(&mut self) {
        ALLOCATES.store(false, Release);
    }
}

/// The device's allocated vector.
///
/// # Invariants
///
/// The device has an allocation of vectors, which belongs to this.
struct Vector(ARef<Device>);

impl Drop for Vector {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the device has an allocation. All handlers were freed: an
        // `Interrupt` frees its own before it drops this.
        unsafe { bindings::pci_free_irq_vectors(self.0.as_raw()) };
    }
}

/// An interrupt with its handler.
///
/// # Invariants
///
/// `irq`, which is that of `_vector`, was requested with a pointer to the content of `handler`.
struct Interrupt<H> {
    irq: u32,
    handler: Arc<H>,
    _vector: Vector,
}

impl<H> Drop for Interrupt<H> {
    fn drop(&mut self) {
        let cookie: *mut c_void = ptr::from_ref(&*self.handler).cast_mut().cast();

        // SAFETY: By the type invariants it was requested with this cookie. This waits for the
        // handler, which doesn't run any more afterwards.
        unsafe { bindings::free_irq(self.irq, cookie) };
    }
}

/// # Safety
///
/// `cookie` must point to an `H` that is valid during the call.
unsafe extern "C" fn handle<H: Handler>(_irq: i32, cookie: *mut c_void) -> bindings::irqreturn_t {
    // SAFETY: It is valid during the call, by the function's requirements.
    let handler = unsafe { &*cookie.cast_const().cast::<H>() };

    // CAST: The values are those of C.
    bindings::irqreturn_t(handler.handle() as c_uint)
}
