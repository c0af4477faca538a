// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The places where things are kept.

use crate::{
    attach,
    buffer,
    table::Place,
    Driver,
    Drm, //
};
use core::{
    mem,
    ops::Deref, //
};
use kernel::{
    debugfs,
    dma_fence::{
        Fence,
        Wake,
        Waker, //
    },
    drm::{
        ttm::{
            FauxRegistration,
            Placement, //
        },
        vttm::OrderedQueue, //
    },
    kthread,
    new_mutex,
    prelude::*,
    sync::{
        aref::ARef,
        Arc,
        Completion,
        Mutex,
        SetOnce, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    workqueue::{
        impl_has_work,
        new_work,
        Work,
        WorkItem, //
    }, //
};

/// Anything.
pub(crate) trait Anything: Send + Sync {}

impl<T: Send + Sync> Anything for T {}

pub(crate) type Kept = KBox<dyn Anything>;

pub(crate) fn boxed<T: Anything + 'static>(thing: T) -> Result<Kept> {
    Ok(KBox::new(thing, GFP_KERNEL)?)
}

/// For values that aren't `Sync`.
pub(crate) fn boxed_send<T: Send + 'static>(thing: T) -> Result<Kept> {
    boxed(KBox::pin_init(new_mutex!(thing), GFP_KERNEL)?)
}

/// The values that the module owns besides the device.
#[pin_data]
pub(crate) struct Shelf {
    #[pin]
    before: Mutex<KVec<Kept>>,
    #[pin]
    registration: Mutex<Option<FauxRegistration<Driver>>>,
    #[pin]
    after: Mutex<KVec<Kept>>,
    #[pin]
    exit: Mutex<KVec<Kept>>,
    /// Only the module drops it, as the device may go late, or in one of the queue's items.
    #[pin]
    queue: Mutex<Option<Arc<OrderedQueue>>>,
    /// The module's init waits for this, if it is to fail.
    #[pin]
    pub(crate) init_may_end: Completion,
}

impl Shelf {
    pub(crate) fn new() -> Result<Arc<Self>> {
        let queue = Arc::new(OrderedQueue::new(c"ttm_unload")?, GFP_KERNEL)?;

        Arc::pin_init(
            pin_init!(Self {
                before <- new_mutex!(KVec::new()),
                registration <- new_mutex!(None),
                after <- new_mutex!(KVec::new()),
                exit <- new_mutex!(KVec::new()),
                queue <- new_mutex!(Some(queue)),
                init_may_end <- Completion::new(),
            }),
            GFP_KERNEL,
        )
    }

    pub(crate) fn register(&self, registration: FauxRegistration<Driver>) {
        *self.registration.lock() = Some(registration);
    }

    pub(crate) fn unbind(&self) -> Result {
        let registration = self.registration.lock().take().ok_or(ENODEV)?;

        self.unregister(registration)?;
        self.init_may_end.complete_all();
        Ok(())
    }

    /// Unregisters a device, from a worker: an ioctl, even of another device, would wait for
    /// itself.
    pub(crate) fn unregister(&self, registration: FauxRegistration<Driver>) -> Result {
        Item::new()?.enqueue(&*self.queue()?, boxed(registration)?);
        Ok(())
    }

    fn queue(&self) -> Result<Arc<OrderedQueue>> {
        self.queue.lock().clone().ok_or(ENODEV)
    }

    /// The work of the module's exit.
    pub(crate) fn empty(&self) {
        take(&self.before);
        let registration = self.registration.lock().take();
        drop(registration);
        take(&self.after);
        let queue = self.queue.lock().take();
        drop(queue);

        let exit = mem::take(&mut *self.exit.lock());
        if !exit.is_empty() && enqueue_and_forget(exit).is_err() {
            pr_err!("no memory for an item\n");
        }
    }
}

/// Drops all, in its order, without the lock.
fn take(all: &Mutex<KVec<Kept>>) {
    let taken = mem::take(&mut *all.lock());
    drop(taken);
}

/// Leaves all to the items of a queue that is forgotten; they take longer than an unload.
fn enqueue_and_forget(all: KVec<Kept>) -> Result {
    let queue = OrderedQueue::new(c"ttm_unload_exit")?;

    for kept in all {
        Item::slow()?.enqueue(&queue, kept);
    }
    mem::forget(queue);
    Ok(())
}

/// A value that a worker drops, after the fence is signaled if there is one.
#[pin_data]
pub(crate) struct Item {
    #[pin]
    work: Work<Self>,
    fence: Option<ARef<Fence>>,
    /// Whether a thread waits for it.
    in_thread: bool,
    is_slow: bool,
    #[pin]
    kept: Mutex<Option<Kept>>,
}

impl_has_work! {
    impl HasWork<Self> for Item { self.work }
}

impl WorkItem for Item {
    type Pointer = Pin<KBox<Self>>;

    fn run(this: Pin<KBox<Self>>) {
        if let Some(fence) = &this.fence {
            let wait = || {
                let _ = fence.wait();
            };

            if this.in_thread {
                let _ = kthread::scope(|scope| scope.spawn(c"ttm_unload", wait));
            } else {
                wait();
            }
        }
        if this.is_slow {
            fsleep(Delta::from_millis(300));
        }
        let kept = this.kept.lock().take();
        drop(kept);
        // C accesses the module's memory: KASAN reports it if that is gone.
        drop(debugfs::Dir::new(c"ttm_unload-item"));
    }
}

/// An item, before it is in a queue.
pub(crate) struct NewItem(Pin<KBox<Item>>);

impl Item {
    #[expect(clippy::new_ret_no_self)]
    pub(crate) fn new() -> Result<NewItem> {
        let item = pin_init!(Self {
            work <- new_work!("Item"),
            fence: None,
            in_thread: false,
            is_slow: false,
            kept <- new_mutex!(None),
        });

        Ok(NewItem(KBox::pin_init(item, GFP_KERNEL)?))
    }

    /// One that takes a while.
    fn slow() -> Result<NewItem> {
        let item = pin_init!(Self {
            work <- new_work!("Item::slow"),
            fence: None,
            in_thread: false,
            is_slow: true,
            kept <- new_mutex!(None),
        });

        Ok(NewItem(KBox::pin_init(item, GFP_KERNEL)?))
    }

    /// One that waits. It may be dropped by one that doesn't, so lockdep is to tell them apart.
    pub(crate) fn late(fence: ARef<Fence>, in_thread: bool) -> Result<NewItem> {
        let item = pin_init!(Self {
            work <- new_work!("Item::late"),
            fence: Some(fence),
            in_thread,
            is_slow: false,
            kept <- new_mutex!(None),
        });

        Ok(NewItem(KBox::pin_init(item, GFP_KERNEL)?))
    }
}

impl NewItem {
    pub(crate) fn enqueue(self, queue: &OrderedQueue, kept: Kept) {
        *self.0.kept.lock() = Some(kept);
        queue.enqueue(self.0);
    }
}

/// A value that is kept until a fence is signaled; then a worker drops it. The worker's queue is
/// forgotten, as a waker can't wait for it.
struct Sleeper(Option<(OrderedQueue, Pin<KBox<Item>>)>);

impl Wake for Sleeper {
    fn wake(mut waker: KBox<Waker<Self>>) {
        if let Some((queue, item)) = waker.0.take() {
            queue.enqueue(item);
            mem::forget(queue);
        }
    }
}

/// Keeps something until `fence` is signaled.
pub(crate) fn wake_with(fence: &Fence, kept: Kept) -> Result {
    let NewItem(item) = Item::new()?;

    *item.kept.lock() = Some(kept);
    let queue = OrderedQueue::new(c"ttm_unload_waker")?;
    let waker = Waker::new(Sleeper(Some((queue, item))))?;
    // If it comes back, it is dropped.
    let _ = fence.wake(waker);
    Ok(())
}

/// Something that has a reference to itself.
#[pin_data]
struct Cycle {
    #[pin]
    me: Mutex<Option<Arc<Cycle>>>,
    _kept: Kept,
}

fn cycle(kept: Kept) -> Result {
    let cycle = Arc::pin_init(
        pin_init!(Cycle {
            me <- new_mutex!(None),
            _kept: kept,
        }),
        GFP_KERNEL,
    )?;

    *cycle.me.lock() = Some(cycle.clone());
    Ok(())
}

static STATIC: [SetOnce<Kept>; 4] = [const { SetOnce::new() }; 4];

fn keep_in_static(kept: Kept) -> Result {
    let free = STATIC.iter().find(|cell| cell.as_ref().is_none());

    free.ok_or(ENOSPC)?.populate(kept);
    Ok(())
}

/// Keeps something in its place.
pub(crate) fn keep(
    dev: &Drm,
    file: &Mutex<KVec<Kept>>,
    place: Place,
    fence: &ARef<Fence>,
    kept: Kept,
) -> Result {
    let data = dev.driver_data();
    let shelf = &data.shelf;
    let in_buffer = |kept| buffer(dev, Placement::VRAM, 0x1000, None, Some(kept));

    match place {
        Place::Before => shelf.before.lock().push(kept, GFP_KERNEL)?,
        Place::After => shelf.after.lock().push(kept, GFP_KERNEL)?,
        Place::Forgotten => mem::forget(kept),
        Place::Static => keep_in_static(kept)?,
        Place::Cycle => cycle(kept)?,
        Place::Buffer => {
            let obj = boxed(in_buffer(kept)?)?;
            shelf.after.lock().push(obj, GFP_KERNEL)?;
        }
        Place::Zombie => attach(in_buffer(kept)?.deref(), fence)?,
        Place::Device => data.owned.lock().push(kept, GFP_KERNEL)?,
        Place::File => file.lock().push(kept, GFP_KERNEL)?,
        Place::Waker => wake_with(fence, kept)?,
        Place::Work => Item::new()?.enqueue(&*shelf.queue()?, kept),
        Place::Exit => shelf.exit.lock().push(kept, GFP_KERNEL)?,
    }
    Ok(())
}
