// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Debugging: whether a device moves a buffer only after those that used it before.

use crate::{
    dma_fence::Fence,
    prelude::*,
    sync::aref::ARef, //
};

/// Reports if `fence` is signaled before one of the fences that `before` returns.
///
/// Without memory to watch it, nothing is reported.
pub(super) fn watch(fence: &Fence, before: impl FnOnce() -> Result<KVec<ARef<Fence>>>) {
    #[cfg(CONFIG_DRM_TTM_LRU_DEBUG)]
    if let Ok(before) = before() {
        debug::watch(fence, before);
    }
    #[cfg(not(CONFIG_DRM_TTM_LRU_DEBUG))]
    let _ = (fence, before);
}

#[cfg(CONFIG_DRM_TTM_LRU_DEBUG)]
pub(super) mod debug {
    use crate::{
        dma_fence::{
            Fence,
            Wake,
            Waker, //
        },
        new_work,
        prelude::*,
        sync::{
            aref::ARef,
            atomic::{
                Atomic,
                Relaxed, //
            }, //
        },
        workqueue::{
            self,
            Work,
            WorkItem, //
        },
    };

    /// How many fences were signaled too early since the kernel was booted.
    static EARLY: Atomic<u32> = Atomic::new(0);

    #[cfg(CONFIG_KUNIT = "y")]
    pub(in crate::drm::ttm) fn early() -> u32 {
        EARLY.load(Relaxed)
    }

    /// The fences that must be signaled before another one. A work item looks at them, as that may
    /// take locks of other drivers.
    #[pin_data]
    struct Order {
        before: KVec<ARef<Fence>>,
        #[pin]
        work: Work<Self>,
    }

    crate::impl_has_work! {
        impl HasWork<Self> for Order { self.work }
    }

    impl Order {
        fn check(&self) {
            let is_early = self.before.iter().any(|fence| !fence.is_signaled());

            if is_early && EARLY.fetch_add(1, Relaxed) == 0 {
                pr_err!("ttm: a device has moved or cleared a buffer before its users were done\n");
            }
        }
    }

    impl WorkItem for Order {
        type Pointer = Pin<KBox<Self>>;

        fn run(this: Pin<KBox<Self>>) {
            this.check();
        }
    }

    struct Signaled(Option<Pin<KBox<Order>>>);

    impl Wake for Signaled {
        fn wake(mut waker: KBox<Waker<Self>>) {
            if let Some(order) = waker.0.take() {
                // Nobody waits for it, so the queue of long work serves.
                workqueue::system_long().enqueue(order);
            }
        }
    }

    // Not inlined elsewhere, so that the work item is part of the kernel image.
    #[inline(never)]
    pub(super) fn watch(fence: &Fence, before: KVec<ARef<Fence>>) {
        if before.is_empty() {
            return;
        }
        let init = pin_init!(Order {
            before,
            work <- new_work!("ttm_order"),
        });
        let Ok(order) = KBox::pin_init(init, GFP_KERNEL) else {
            return;
        };
        let Ok(waker) = Waker::new(Signaled(Some(order))) else {
            return;
        };

        if let Err(mut waker) = fence.wake(waker) {
            // It is signaled already.
            if let Some(order) = waker.0.take() {
                order.check();
            }
        }
    }
}
