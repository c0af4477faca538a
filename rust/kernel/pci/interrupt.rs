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
    device::Bound,
    devres,
    error::to_result,
    irq::{
        Handler,
        IrqRequest, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
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
    /// interrupts already; [`ENOMEM`].
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
        devres::register(self.as_ref(), interrupt, GFP_KERNEL)
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
