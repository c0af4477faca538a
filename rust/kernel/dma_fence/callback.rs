// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Callbacks, which a fence calls when it is signaled.

use super::{
    hook::Hook,
    Fence, //
};
use crate::{
    bindings,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    task::Task, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// A callback, which a fence calls when it is signaled. A closure can be one.
///
/// # Deadlocks
///
/// A callback is called once, with the fence's lock held and interrupts off, maybe in an interrupt.
/// So it must not sleep, and must not take the lock of this fence or of any other. It must not
/// signal a fence, start one of a [`Timeline`](super::Timeline), add or remove callbacks (except
/// its own, see [`FenceCbRegistration`]), or call [`Fence::status`]. For a fence of a
/// [`FenceCtx`](super::FenceCtx) it may call [`Fence::is_signaled`], and drop references. It must
/// do neither for a fence of a driver in C, which may take a lock that it shares with this fence.
/// For anything more, enqueue a work item.
pub trait FenceCb: Send + 'static {
    /// The fence is signaled.
    ///
    /// `self` isn't dropped here, but with the [`FenceCbRegistration`].
    fn called(&mut self);
}

impl<F: FnMut() + Send + 'static> FenceCb for F {
    fn called(&mut self) {
        self();
    }
}

/// A callback that was not added to a fence yet.
///
/// All memory is allocated by then, so [`Fence::add_callback`] does not allocate.
pub struct FenceCallback<T: FenceCb>(KBox<Inner<T>>);

impl<T: FenceCb> FenceCallback<T> {
    /// Allocates a callback.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(callback: T) -> Result<Self> {
        // INVARIANT: No fence has it.
        let head = Head {
            hook: Hook::new(),
            call: Inner::<T>::call,
            free: Inner::<T>::free,
            runs_in: Atomic::new(ptr::null_mut()),
            is_dropped: false,
        };

        Ok(Self(KBox::new(Inner { head, callback }, GFP_KERNEL)?))
    }
}

impl Fence {
    /// Calls `callback` when the fence is signaled, unless the registration is dropped before.
    /// Neither sleeps nor allocates.
    ///
    /// # Errors
    ///
    /// Gives the callback back, without calling it, if the fence is signaled already, or if the exit
    /// of the module that contains the callback has begun.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::{DriverFence, FenceCallback},
    ///     sync::{atomic::{Atomic, Relaxed}, Arc}, //
    /// };
    ///
    /// let count = Arc::new(Atomic::new(0), GFP_KERNEL)?;
    /// let counter = count.clone();
    /// let callback = FenceCallback::new(move || {
    ///     counter.fetch_add(1, Relaxed);
    /// })?;
    ///
    /// let work = DriverFence::new(c"my-driver", c"copies")?;
    /// let fence = work.fence();
    /// let registration = fence.add_callback(callback).map_err(|_| EBUSY)?;
    /// assert_eq!(count.load(Relaxed), 0);
    /// work.signal(Ok(()));
    /// assert_eq!(count.load(Relaxed), 1);
    ///
    /// // From here on it is certain that the callback doesn't run.
    /// drop(registration);
    ///
    /// // It is too late.
    /// assert!(fence.add_callback(FenceCallback::new(|| ())?).is_err());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn add_callback<T: FenceCb>(
        &self,
        callback: FenceCallback<T>,
    ) -> Result<FenceCbRegistration<T>, FenceCallback<T>> {
        let inner = KBox::into_raw(callback.0);

        // SAFETY: It comes out of a box, so it isn't null.
        let inner = unsafe { NonNull::new_unchecked(inner) };
        // CAST: The head comes first.
        // SAFETY: It comes out of a `FenceCallback`, so it is valid, and neither a fence nor other
        // code has a pointer to it.
        if unsafe { add(inner.cast(), self) } {
            // INVARIANT: It was just added.
            Ok(FenceCbRegistration(inner))
        } else {
            // SAFETY: No fence has it; it comes out of a box.
            Err(FenceCallback(unsafe { KBox::from_raw(inner.as_ptr()) }))
        }
    }
}

/// A callback that was added to a fence.
///
/// Dropping this removes the callback, and waits for it if it is running on another CPU. So when
/// the drop returns, the callback does not run any more, and is dropped. A callback may drop its
/// own registration. It is then dropped as soon as it returns, still with the fence's lock held, so
/// the restrictions of [`FenceCb`] apply to its drop as well. A callback must not drop another
/// registration of the same fence: that deadlocks.
///
/// The module that contains the callback is kept until the callback was called or removed. So a
/// module that drops this only in its exit can't be unloaded until the fence is signaled.
///
/// # Invariants
///
/// `self.0` came out of a box, `add` has added its head to a fence, and only this frees it.
#[must_use = "the callback is removed immediately when this is unused"]
pub struct FenceCbRegistration<T: FenceCb>(NonNull<Inner<T>>);

// SAFETY: Callbacks may be removed and dropped by any thread; `T` is `Send`.
unsafe impl<T: FenceCb> Send for FenceCbRegistration<T> {}

// SAFETY: A shared reference gives access to nothing.
unsafe impl<T: FenceCb> Sync for FenceCbRegistration<T> {}

impl<T: FenceCb> Drop for FenceCbRegistration<T> {
    fn drop(&mut self) {
        // CAST: The head comes first.
        // SAFETY: By the type invariants it was added, and isn't used any more.
        unsafe { remove(self.0.cast()) };
    }
}

#[repr(C)]
struct Inner<T> {
    // Comes first: C has a pointer to it.
    head: Head,
    callback: T,
}

/// The part of a callback that does not depend on its type.
///
/// # Invariants
///
/// - `call` and `free` may be called with this, as they say.
/// - `runs_in` is the task in which `call` runs, with the fence's lock held; else null.
#[repr(C)]
struct Head {
    // Comes first: C has a pointer to it.
    hook: Hook,
    call: unsafe fn(NonNull<Head>),
    free: unsafe fn(NonNull<Head>),
    runs_in: Atomic<*mut bindings::task_struct>,
    /// Its own call has dropped the registration. Accessed by that task only.
    is_dropped: bool,
}

// SAFETY: In a `FenceCallback` no fence has the head, so no other thread accesses the `Inner`.
// Fences may be used from any thread, and `T` is `Send`.
unsafe impl<T: Send> Send for Inner<T> {}

impl<T: FenceCb> Inner<T> {
    /// # Safety
    ///
    /// `head` must be that of a valid `Self`, and no other code access the callback.
    unsafe fn call(head: NonNull<Head>) {
        let this: *mut Self = head.as_ptr().cast();

        // SAFETY: `this` is valid, as the head comes first, and no other code accesses the
        // callback, by the function's requirements.
        unsafe { &mut (*this).callback }.called();
    }

    /// # Safety
    ///
    /// `head` must be that of a boxed `Self`, which is given away.
    unsafe fn free(head: NonNull<Head>) {
        // CAST: The head comes first.
        // SAFETY: It is that of a box, which is given away, by the function's requirements.
        drop(unsafe { KBox::from_raw(head.as_ptr().cast::<Self>()) });
    }
}

// The functions below are neither generic nor inlined elsewhere: they drop a reference to a module,
// and must not be part of it.

/// Adds a callback. Returns false if it is too late for that; the callback isn't called then.
///
/// # Safety
///
/// `head` must be valid, and no other code use it, until `remove` if this returns true.
#[inline(never)]
unsafe fn add(head: NonNull<Head>, fence: &Fence) -> bool {
    // SAFETY: `head` is valid, by the function's requirements.
    let code = unsafe { (*head.as_ptr()).call } as *const ();

    // CAST: The hook comes first.
    // SAFETY: `head` is valid and no other code uses it until `remove`, by the function's
    // requirements. The caller runs code of the callback's module. The hook takes a reference to
    // that module, which `callback` or `remove` gives back.
    unsafe { Hook::add(head.cast(), fence, code, callback) }
}

/// The fence is signaled.
///
/// # Safety
///
/// `cb` must be that of a [`Head`] that `add` has added, and `remove` hasn't removed.
unsafe extern "C" fn callback(_fence: *mut bindings::dma_fence, cb: *mut bindings::dma_fence_cb) {
    let this: *mut Head = cb.cast();

    // SAFETY: `cb` is the first field of a valid head, by the function's requirements. So it is
    // until the fence's lock is given back, which `remove` takes, but if that is called in `call`:
    // then it leaves the rest to this. The hook's reference to the module is given back here.
    unsafe {
        let module = (*this).hook.module();
        let head = NonNull::new_unchecked(this);

        // INVARIANT: `runs_in` of `Head` is set with the fence's lock held, and null again before
        // that is given back.
        (*this).runs_in.store(Task::current_raw(), Relaxed);
        ((*this).call)(head);
        (*this).runs_in.store(ptr::null_mut(), Relaxed);
        if (*this).is_dropped {
            ((*this).free)(head);
        }
        bindings::module_put(module);
    }
}

/// Removes a callback, and frees it.
///
/// # Safety
///
/// `add` must have added `head`, and no other code may use it. The caller must not use it
/// afterwards.
#[inline(never)]
unsafe fn remove(head: NonNull<Head>) {
    let this = head.as_ptr();

    // SAFETY: `head` is valid, by the function's requirements.
    let runs_in = unsafe { (*this).runs_in.load(Relaxed) };

    if ptr::eq(runs_in, Task::current_raw()) {
        // By the type invariants of `Head` this task runs the call, and has the fence's lock.
        // SAFETY: `head` is valid, by the function's requirements, and `callback`, which reads
        // this, waits for the call.
        unsafe { (*this).is_dropped = true };
        return;
    }

    // SAFETY: `head` is valid, and has been added to its fence, by the function's requirements.
    // When `Hook::remove` returns, the callback doesn't run any more, so `head` is ours. If it was
    // removed before the call, the hook's reference to the module is ours as well; `free` is code
    // of that module.
    unsafe {
        let module = (*this).hook.module();
        let is_removed = Hook::remove(head.cast());

        ((*this).free)(head);
        if is_removed {
            bindings::module_put(module);
        }
    }
}
