// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Work queues of one's own.

use super::{
    Queue,
    RawWorkItem, //
};
use crate::{
    bindings,
    prelude::*, //
};
use core::ptr::NonNull;

/// A work queue whose items run one after the other, in the order in which they were enqueued.
///
/// Dropping it waits until all have run; so must not be done by one of them. It also runs when the
/// system is short of memory.
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

    /// Enqueues an item. See [`Queue::enqueue`].
    // There is no `enqueue_delayed`: dropping the queue wouldn't wait for the delay.
    pub fn enqueue<W, const ID: u64>(&self, item: W) -> W::EnqueueOutput
    where
        W: RawWorkItem<ID> + Send + 'static,
    {
        // SAFETY: By the type invariant it is valid as long as `self`.
        unsafe { Queue::from_raw(self.0.as_ptr()) }.enqueue(item)
    }
}

impl Drop for OrderedQueue {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Nobody enqueues anything any more, but for what is still to
        // run, which this waits for.
        unsafe { bindings::destroy_workqueue(self.0.as_ptr()) };
    }
}
