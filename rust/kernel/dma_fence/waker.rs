// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Wakers: callbacks that the fence owns.

use super::{
    owner::is_owner,
    Fence, //
};
use crate::{
    bindings,
    module::this_module,
    prelude::*,
    sync::aref::ARef,
    types::Opaque, //
};
use core::{
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::{
        self,
        NonNull, //
    },
};

impl Fence {
    /// Calls `waker` when the fence is signaled. Returns `waker` if the fence is signaled already, or if
    /// the exit of the waker's module has begun.
    ///
    /// # Examples
    ///
    /// See [`Wake`].
    pub fn wake<T: Wake>(&self, mut waker: KBox<Waker<T>>) -> Result<(), KBox<Waker<T>>> {
        let module = this_module::<T::OwnerModule>().as_ptr();

        waker.head.module = module;
        waker.head.fence = Some(self.into());
        // SAFETY: It is this module, if any, whose code is running.
        if !unsafe { bindings::try_module_get(module) } {
            return Err(waker);
        }

        let waker = KBox::into_raw(waker);
        // CAST: `Waker` begins with a `Head`, and that with a `dma_fence_cb`.
        // SAFETY: By the type invariant, and as `waker` comes out of a box, both are valid. The waker
        // belongs to the fence until the callback is called, which takes it over; and keeps the fence.
        let ret = unsafe {
            bindings::dma_fence_add_callback(self.as_raw(), waker.cast(), Some(wake_callback))
        };
        if ret == 0 {
            return Ok(());
        }

        // SAFETY: The reference was taken above. The callback isn't called, so that the waker is still
        // ours: it comes out of a box.
        unsafe {
            bindings::module_put(module);
            Err(KBox::from_raw(waker))
        }
    }
}

/// A continuation: code that runs when a fence is signaled, instead of a thread that waits.
///
/// The fence owns the waker until it is signaled, and then gives it to [`Self::wake`]. So a waker may own
/// the work to continue, such as a work item. A [`FenceCb`](super::FenceCb) is owned by the driver, which
/// can remove it.
///
/// # Examples
///
/// ```
/// use kernel::{
///     dma_fence::{DriverFence, Wake, Waker},
///     sync::{atomic::{Atomic, Relaxed}, Arc}, //
/// };
///
/// struct Count(Arc<Atomic<u32>>);
///
/// #[vtable]
/// impl Wake for Count {
///     fn wake(waker: KBox<Waker<Self>>) {
///         waker.0.fetch_add(1, Relaxed);
///     }
/// }
///
/// let count = Arc::new(Atomic::new(0), GFP_KERNEL)?;
/// let work = DriverFence::new(c"my-driver", c"copies")?;
/// let fence = work.fence();
///
/// assert!(fence.wake(Waker::new(Count(count.clone()))?).is_ok());
/// assert_eq!(count.load(Relaxed), 0);
/// work.signal(Ok(()));
/// assert_eq!(count.load(Relaxed), 1);
///
/// // It is too late.
/// assert!(fence.wake(Waker::new(Count(count.clone()))?).is_err());
/// assert_eq!(count.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[vtable]
pub trait Wake: Send + Sized + 'static {
    /// The fence is signaled.
    ///
    /// Called once, with the fence's lock held and interrupts off, maybe in an interrupt. The
    /// restrictions of [`FenceCb`](super::FenceCb) apply here as well. The waker may be used again, for
    /// another fence.
    fn wake(waker: KBox<Waker<Self>>);
}

/// Memory for one [`Wake`], so that [`Fence::wake`] does not allocate.
#[repr(C)]
pub struct Waker<T> {
    // Comes first: C has a pointer to it.
    head: Head,
    data: T,
}

/// The part of a [`Waker`] that does not depend on its type.
///
/// # Invariants
///
/// While a fence has it, `fence` is that fence, a reference to `module` belongs to this unless `module` is
/// null, and `call` may be called with it.
#[repr(C)]
struct Head {
    // Comes first: C has a pointer to it.
    cb: Opaque<bindings::dma_fence_cb>,
    call: unsafe fn(NonNull<Head>),
    module: *mut bindings::module,
    fence: Option<ARef<Fence>>,
}

// SAFETY: While no fence has it, nobody uses what it points to; fences may be used from any thread.
unsafe impl<T: Send> Send for Waker<T> {}

impl<T: Wake> Waker<T> {
    /// Makes a waker.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if `T::OwnerModule` isn't the module that contains the code of `T`; [`ENOMEM`].
    pub fn new(data: T) -> Result<KBox<Self>> {
        if !is_owner(
            this_module::<T::OwnerModule>().as_ptr(),
            Self::call as *const (),
        ) {
            return Err(EINVAL);
        }
        // INVARIANT: No fence has it.
        let head = Head {
            cb: Opaque::uninit(),
            call: Self::call,
            module: ptr::null_mut(),
            fence: None,
        };

        Ok(KBox::new(Self { head, data }, GFP_KERNEL)?)
    }

    /// # Safety
    ///
    /// `head` must be that of a boxed `Self`, which is given away.
    unsafe fn call(head: NonNull<Head>) {
        // CAST: The head comes first.
        // SAFETY: It is that of a box, which is given away, by the function's requirements.
        T::wake(unsafe { KBox::from_raw(head.as_ptr().cast()) });
    }
}

impl<T> Deref for Waker<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> DerefMut for Waker<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Neither generic nor inlined elsewhere: it drops a reference to a module, and must not be part of it.
///
/// # Safety
///
/// `cb` must be that of a [`Head`] that a fence has, and gives away.
#[inline(never)]
unsafe extern "C" fn wake_callback(
    _fence: *mut bindings::dma_fence,
    cb: *mut bindings::dma_fence_cb,
) {
    let head: *mut Head = cb.cast();

    // SAFETY: By the function's requirements it is valid, and a fence has it. So by the type invariants
    // of `Head`, `call` may be called with it, and one of the module's references is ours. `head` isn't
    // used after the call.
    unsafe {
        let module = (*head).module;
        let call = (*head).call;

        call(NonNull::new_unchecked(head));
        bindings::module_put(module);
    }
}
