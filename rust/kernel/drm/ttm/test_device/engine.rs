// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The driver's part of a test device: its copy engine.

use super::answer::{
    Answer,
    ClearAnswer, //
};
use crate::{
    dma_fence::Timeline,
    drm::ttm::CopyJob,
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Mutex, //
    }, //
};
use core::mem;

/// How the engine moves buffers.
#[derive(Clone, Copy, PartialEq)]
pub enum Works {
    /// The CPU copies the content.
    Never,
    /// Jobs copy the content, but the CPU does in evictions.
    NotToEvict,
    /// Jobs copy the content.
    Always,
    /// Nothing is copied, and the fence of the move is signaled at once.
    Badly,
    /// Nothing is copied, and there is no fence.
    Forgets,
    /// The CPU copies the content. Moves between system memory and VRAM hop to
    /// [`Place::TT`](crate::drm::ttm::Place::TT), and moves from there to system memory hop to VRAM.
    /// So no buffer gets from VRAM to system memory.
    ToAndFro,
}

/// The driver's part of a device: its copy engine.
#[pin_data]
pub struct Engine {
    pub(super) works: Works,
    #[pin]
    pub(super) queue: Mutex<Queue>,
    #[pin]
    pub(super) dropped: Mutex<Option<KBox<dyn Send>>>,
    #[pin]
    pub(super) answer: Mutex<Option<Answer>>,
    #[pin]
    pub(super) clear_answer: Mutex<Option<ClearAnswer>>,
    pub(super) deletions: Atomic<u32>,
    pub(super) reclaims: Atomic<u32>,
}

/// The jobs of the engine, in the order in which they must run.
pub(super) struct Queue {
    pub(super) timeline: Timeline,
    pub(super) jobs: KVec<CopyJob>,
}

impl Queue {
    fn new() -> Result<Self> {
        Ok(Self {
            timeline: Timeline::new(c"ttm-test-device", c"copies")?,
            jobs: KVec::new(),
        })
    }
}

impl Engine {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    pub(super) fn new(works: Works) -> Result<Pin<KBox<Self>>> {
        let queue = Queue::new()?;
        let init = pin_init!(Self {
            works,
            queue <- new_mutex!(queue),
            dropped <- new_mutex!(None),
            answer <- new_mutex!(None),
            clear_answer <- new_mutex!(None),
            deletions: Atomic::new(0),
            reclaims: Atomic::new(0),
        });

        KBox::pin_init(init, GFP_KERNEL)
    }

    /// How many buffers have lost their place for good.
    pub fn deletions(&self) -> u32 {
        self.deletions.load(Relaxed)
    }

    /// How many buffers were moved in memory reclaim.
    pub fn reclaims(&self) -> u32 {
        self.reclaims.load(Relaxed)
    }

    /// Lets the driver drop `value` while it makes the next buffer.
    pub fn drop_with_next(&self, value: KBox<dyn Send>) {
        *self.dropped.lock() = Some(value);
    }

    /// How many jobs are queued.
    pub fn queued(&self) -> usize {
        self.queue.lock().jobs.len()
    }

    /// Takes all jobs out of the queue.
    pub fn take_jobs(&self) -> KVec<CopyJob> {
        mem::replace(&mut self.queue.lock().jobs, KVec::new())
    }

    /// Puts all further jobs on a new timeline.
    pub fn change_timeline(&self) -> Result {
        let Queue { timeline, .. } = Queue::new()?;

        self.queue.lock().timeline = timeline;
        Ok(())
    }
}
