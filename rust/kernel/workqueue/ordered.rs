// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Work queues of one's own.

use super::RawWorkItem;
use crate::{
    bindings,
    container_of,
    prelude::*,
    types::Opaque, //
};
#[cfg(CONFIG_MODULES)]
use crate::{
    ffi::c_ulong,
    sync::rcu, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// A work queue whose items run one after the other, in the order in which they were enqueued.
///
/// Dropping it waits until all have run; so must not be done by one of them. It also runs when the
/// system is short of memory.
///
/// The module with the code of an item is kept until that has run, even if the queue is forgotten. Only
/// what a module enqueues in its exit must be waited for there.
///
/// # Examples
///
/// ```
/// use kernel::{
///     new_mutex,
///     sync::{Arc, Mutex},
///     workqueue::{impl_has_work, new_work, OrderedQueue, Work, WorkItem},
/// };
///
/// #[pin_data]
/// struct Item {
///     n: u32,
///     log: Arc<Mutex<KVec<u32>>>,
///     #[pin]
///     work: Work<Item>,
/// }
///
/// impl_has_work! {
///     impl HasWork<Self> for Item { self.work }
/// }
///
/// impl WorkItem for Item {
///     type Pointer = Pin<KBox<Self>>;
///
///     fn run(this: Pin<KBox<Self>>) {
///         let _ = this.log.lock().push_within_capacity(this.n);
///     }
/// }
///
/// let log = Arc::pin_init(new_mutex!(KVec::with_capacity(2, GFP_KERNEL)?), GFP_KERNEL)?;
/// let queue = OrderedQueue::new(c"example")?;
/// for n in [7, 5] {
///     let log = log.clone();
///     let init = pin_init!(Item { n, log, work <- new_work!("Item") });
///     queue.enqueue(KBox::pin_init(init, GFP_KERNEL)?);
/// }
///
/// drop(queue);
/// assert_eq!(**log.lock(), [7, 5]);
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `self.0` is a valid work queue that nobody else destroys, nor enqueues delayed items to.
pub struct OrderedQueue(NonNull<bindings::workqueue_struct>);

// SAFETY: Work queues may be used and destroyed from any thread.
unsafe impl Send for OrderedQueue {}

// SAFETY: Work queues have locks of their own.
unsafe impl Sync for OrderedQueue {}

impl OrderedQueue {
    /// Makes a queue.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(name: &CStr) -> Result<Self> {
        // SAFETY: The name is a string, which is copied.
        let queue = unsafe { bindings::alloc_ordered_workqueue(name.as_char_ptr()) };

        // INVARIANT: It was just made.
        NonNull::new(queue).map(Self).ok_or(ENOMEM)
    }

    /// Enqueues an item. See [`Queue::enqueue`](super::Queue::enqueue).
    // There is no `enqueue_delayed`: dropping the queue wouldn't wait for the delay.
    pub fn enqueue<W, const ID: u64>(&self, item: W) -> W::EnqueueOutput
    where
        W: RawWorkItem<ID> + Send + 'static,
    {
        let queue = self.0.as_ptr();

        // SAFETY: `enqueue` returns false only if the item is in a queue already; the item has no
        // lifetimes, and is `Send`. By the type invariant the queue is valid as long as `self`.
        unsafe { item.__enqueue(|work| enqueue(queue, work)) }
    }
}

/// Keeps a module until all that was enqueued before has run.
///
/// # Invariants
///
/// `work` is initialized. Once it is enqueued, a reference to `module` belongs to it, and so does this.
struct Release {
    work: Opaque<bindings::work_struct>,
    module: *mut bindings::module,
}

/// Enqueues `work`, and keeps the module of its function until that has run.
///
/// # Safety
///
/// `queue` must be a valid ordered queue, and `work` a valid item.
#[inline(never)]
unsafe fn enqueue(
    queue: *mut bindings::workqueue_struct,
    work: *mut bindings::work_struct,
) -> bool {
    // Not generic, nor for others to inline: this and what it calls are part of the kernel image.
    // It may be enqueued where nothing may sleep.
    let release = KBox::new(
        Release {
            work: Opaque::uninit(),
            module: ptr::null_mut(),
        },
        GFP_ATOMIC,
    );
    // SAFETY: `work` is a valid item, by the function's requirements. The module is there, as its code
    // has called this; it can't be had if it is just going.
    let module = unsafe { module_of((*work).func) };
    // SAFETY: As above.
    let is_held = !module.is_null() && unsafe { bindings::try_module_get(module) };

    // SAFETY: Both are valid, by the function's requirements.
    if !unsafe { queue_work(queue, work) } {
        if is_held {
            // SAFETY: The reference was just taken.
            unsafe { bindings::module_put(module) };
        }
        return false;
    }
    // Without memory the module stays for good.
    if let (true, Ok(mut release)) = (is_held, release) {
        release.module = module;
        let release = KBox::into_raw(release);
        // INVARIANT: The item of `Release` is initialized, and gets the reference and itself.
        // SAFETY: It is valid, and nobody else's; the queue is valid, by the function's requirements.
        unsafe {
            let work = Opaque::cast_into(&raw const (*release).work);
            init_work(work);
            queue_work(queue, work);
        }
    }
    true
}

/// # Safety
///
/// `queue` must be a valid queue, and `work` a valid item.
unsafe fn queue_work(
    queue: *mut bindings::workqueue_struct,
    work: *mut bindings::work_struct,
) -> bool {
    // SAFETY: Both are valid, by the function's requirements.
    unsafe {
        bindings::queue_work_on(
            bindings::wq_misc_consts_WORK_CPU_UNBOUND as ffi::c_int,
            queue,
            work,
        )
    }
}

/// The module that a function is in, or null.
fn module_of(func: bindings::work_func_t) -> *mut bindings::module {
    #[cfg(CONFIG_MODULES)]
    if let Some(func) = func {
        let _guard = rcu::read_lock();

        // CAST: The address of a function.
        // SAFETY: RCU is locked for reading; any address will do.
        return unsafe { bindings::__module_text_address(func as usize as c_ulong) };
    }
    let _ = func;
    ptr::null_mut()
}

/// # Safety
///
/// `work` must be memory for a `work_struct`, and not move.
#[inline(never)]
unsafe fn init_work(work: *mut bindings::work_struct) {
    // SAFETY: It is memory for an item, by the function's requirements. The name and the key are static.
    unsafe {
        bindings::init_work_with_key(
            work,
            Some(release_callback),
            false,
            c"OrderedQueue".as_char_ptr(),
            crate::static_lock_class!().as_ptr(),
        );
    }
}

/// # Safety
///
/// `work` must be that of a [`Release`] which was enqueued.
unsafe extern "C" fn release_callback(work: *mut bindings::work_struct) {
    // SAFETY: By the function's requirements and the type invariants of `Release`, it came out of a box,
    // and is nobody else's any more.
    let release =
        unsafe { KBox::from_raw(container_of!(Opaque::cast_from(work), Release, work).cast_mut()) };

    // SAFETY: By the type invariants of `Release` the reference belongs to it.
    unsafe { bindings::module_put(release.module) };
}

impl Drop for OrderedQueue {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Nobody enqueues anything any more, but for what is still to
        // run, which this waits for.
        unsafe { bindings::destroy_workqueue(self.0.as_ptr()) };
    }
}
