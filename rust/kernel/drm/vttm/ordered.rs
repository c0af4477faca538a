// SPDX-License-Identifier: GPL-2.0 OR MIT

//! An ordered work queue.

use crate::{
    bindings, container_of,
    dma_fence::get_owner_of,
    prelude::*,
    types::Opaque,
    workqueue::{
        RawWorkItem,
        WorkItemPointer, //
    },
};
use core::ptr::NonNull;

/// A work queue whose items run one after the other, in the order in which they were enqueued.
///
/// Dropping it waits until all have run, so none of them may do that. It also runs when the system
/// is short of memory, which the kernel's own queues don't promise.
///
/// The module with the code of an item is kept until that has run, even if the queue is forgotten.
/// Once the exit of that module has begun nothing keeps it any more; so from then on
/// [`Self::enqueue`] drops items.
///
/// # Examples
///
/// ```
/// use kernel::{
///     drm::vttm::OrderedQueue,
///     new_mutex,
///     sync::{Arc, Mutex},
///     workqueue::{impl_has_work, new_work, Work, WorkItem},
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
/// `self.0` is a valid ordered work queue. Only this destroys it, and no delayed items are enqueued
/// to it.
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

    /// Enqueues an item, or drops it if the exit of its module has begun. Doesn't sleep.
    // There is no `enqueue_delayed`: dropping the queue wouldn't wait for the delay.
    pub fn enqueue<W, const ID: u64>(&self, item: W)
    where
        W: WorkItemPointer<ID> + RawWorkItem<ID, EnqueueOutput = ()> + Send + 'static,
    {
        let code = <W as WorkItemPointer<ID>>::run as *const ();
        let Ok(hold) = Hold::new(code) else {
            return;
        };
        let queue = self.0.as_ptr();

        // SAFETY: `queue_work` returns false only if the item is in a queue already. The item has
        // no lifetimes, and is `Send`. By the type invariant the queue is valid, and `__enqueue`
        // lends a valid item.
        unsafe { item.__enqueue(|work| queue_work(queue, work)) };
        // SAFETY: By the type invariant the queue is valid and ordered.
        unsafe { hold.release_behind(queue) };
    }
}

impl Drop for OrderedQueue {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the queue is valid, and only this destroys it. No item is
        // enqueued any more, and this waits for those that are still to run.
        unsafe { bindings::destroy_workqueue(self.0.as_ptr()) };
    }
}

// The functions below are neither generic nor inlined elsewhere: they drop a reference to a module,
// and must not be part of it.

/// A reference to a module, to be dropped when all that was enqueued before has run.
///
/// Without memory for that, or if the code is built in, there is nothing to drop.
struct Hold(Option<KBox<Release>>);

/// # Invariants
///
/// Once `work` is enqueued, a reference to `module` belongs to it, and so does this.
struct Release {
    work: Opaque<bindings::work_struct>,
    module: *mut bindings::module,
}

impl Hold {
    /// Keeps the module that the function at `code` is part of.
    #[inline(never)]
    fn new(code: *const ()) -> Result<Self> {
        let module = get_owner_of(code)?;
        let release = Release {
            work: Opaque::uninit(),
            module,
        };
        // Items may be enqueued where nothing may sleep. Without memory the module stays for good.
        let release = if module.is_null() {
            None
        } else {
            KBox::new(release, GFP_ATOMIC).ok()
        };

        Ok(Self(release))
    }

    /// Drops the reference when all that `queue` has by now has run.
    ///
    /// # Safety
    ///
    /// `queue` must be a valid ordered queue.
    #[inline(never)]
    unsafe fn release_behind(self, queue: *mut bindings::workqueue_struct) {
        let Some(release) = self.0 else {
            return;
        };
        let release = KBox::into_raw(release);

        // INVARIANT: The item of `Release` owns the reference from now on.
        // SAFETY: `release` comes out of a box, so it is valid and no other code has a pointer to
        // it. The name and the key are static. The queue is valid, by the function's requirements.
        unsafe {
            let work = Opaque::cast_into(&raw const (*release).work);

            bindings::init_work_with_key(
                work,
                Some(release_callback),
                false,
                c"OrderedQueue".as_char_ptr(),
                crate::static_lock_class!().as_ptr(),
            );
            queue_work(queue, work);
        }
    }
}

/// # Safety
///
/// `queue` must be a valid queue, and `work` a valid item.
unsafe fn queue_work(
    queue: *mut bindings::workqueue_struct,
    work: *mut bindings::work_struct,
) -> bool {
    let any = bindings::wq_misc_consts_WORK_CPU_UNBOUND as ffi::c_int;

    // SAFETY: Both are valid, by the function's requirements.
    unsafe { bindings::queue_work_on(any, queue, work) }
}

/// # Safety
///
/// `work` must be that of a [`Release`] which was enqueued.
unsafe extern "C" fn release_callback(work: *mut bindings::work_struct) {
    // SAFETY: By the function's requirements it is part of a `Release`, which came out of a box,
    // and no other code has a pointer to it any more.
    let release =
        unsafe { KBox::from_raw(container_of!(Opaque::cast_from(work), Release, work).cast_mut()) };

    // SAFETY: By the type invariants of `Release` the reference belongs to it.
    unsafe { bindings::module_put(release.module) };
}
