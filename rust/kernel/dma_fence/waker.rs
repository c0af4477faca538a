// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Wakers: callbacks that the fence owns.

use super::{
    hook::Hook,
    Fence, //
};
use crate::{
    bindings,
    prelude::*, //
};
use core::{
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};

impl Fence {
    /// Gives `waker` to the fence, which calls it when it is signaled. Neither sleeps nor allocates.
    ///
    /// # Errors
    ///
    /// Gives `waker` back, without calling it, if the fence is signaled already, or if the exit of
    /// the module that contains the waker has begun.
    ///
    /// # Examples
    ///
    /// See [`Wake`].
    pub fn wake<T: Wake>(&self, waker: KBox<Waker<T>>) -> Result<(), KBox<Waker<T>>> {
        let code = Waker::<T>::call as *const ();
        let waker = KBox::into_raw(waker);

        // CAST: A waker begins with its head, and that with its hook.
        // SAFETY: The waker comes out of a box, so it is valid and not null, and no other code has
        // a pointer to it. It belongs to the fence until `wake_callback` is called, which gives the
        // reference to the module back. `T` is this module's, so its code is running.
        let is_added = unsafe {
            Hook::add(
                NonNull::new_unchecked(waker).cast(),
                self,
                code,
                wake_callback,
            )
        };
        if is_added {
            return Ok(());
        }

        // SAFETY: No fence has it; it comes out of a box.
        Err(unsafe { KBox::from_raw(waker) })
    }
}

/// A continuation: code that runs when a fence is signaled, instead of a thread that waits.
///
/// The fence owns the waker until it is signaled, and then gives it to [`Self::wake`]. So a waker
/// may own the work to continue, such as a work item. A [`FenceCb`](super::FenceCb) is owned by the
/// driver, which can remove it.
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
pub trait Wake: Send + Sized + 'static {
    /// The fence is signaled.
    ///
    /// Called once, with the fence's lock held and interrupts off, maybe in an interrupt. The
    /// restrictions of [`FenceCb`](super::FenceCb) apply here as well. The waker may be used again,
    /// for another fence.
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
/// While a fence has it, `call` may be called with it.
#[repr(C)]
struct Head {
    // Comes first: C has a pointer to it.
    hook: Hook,
    call: unsafe fn(NonNull<Head>),
}

// SAFETY: While no fence has it, no other thread accesses the memory that it points to. Fences may
// be used from any thread.
unsafe impl<T: Send> Send for Waker<T> {}

impl<T: Wake> Waker<T> {
    /// Makes a waker.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(data: T) -> Result<KBox<Self>> {
        // INVARIANT: No fence has it.
        let head = Head {
            hook: Hook::new(),
            call: Self::call,
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

/// Neither generic nor inlined elsewhere: it drops a reference to a module, and must not be part of
/// it.
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

    // SAFETY: By the function's requirements it is valid, and a fence has it. So by the type
    // invariants of `Head`, `call` may be called with it. The hook's reference to the module is
    // given back here; `head` isn't used after the call.
    unsafe {
        let module = (*head).hook.module();
        let call = (*head).call;

        call(NonNull::new_unchecked(head));
        bindings::module_put(module);
    }
}
