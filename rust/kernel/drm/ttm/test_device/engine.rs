// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The driver's part of a test device: its copy engine.

use super::answer::Answer;
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
    /// There is none.
    Never,
    /// It moves buffers, except for evictions, which then don't wait for it.
    NotToEvict,
    /// It makes all moves.
    Always,
    /// It loses the content, and says at once that it is done.
    Badly,
    /// It doesn't copy the content.
    Forgets,
    /// None, but it reaches VRAM by way of [`Place::TT`](crate::drm::ttm::Place::TT) only. It knows
    /// a way back from neither: it sends buffers to the other one.
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
    pub(super) deletions: Atomic<u32>,
    pub(super) reclaims: Atomic<u32>,
}

/// The jobs that the engine has to run, in this order.
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
    /// Not for others to inline: lockdep wants the name of a lock class to be in one place.
    #[inline(never)]
    pub(super) fn new(works: Works) -> Result<Pin<KBox<Self>>> {
        let queue = Queue::new()?;
        let init = pin_init!(Self {
            works,
            queue <- new_mutex!(queue),
            dropped <- new_mutex!(None),
            answer <- new_mutex!(None),
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

    /// Has something dropped while the next buffer is made.
    pub fn drop_with_next(&self, what: KBox<dyn Send>) {
        *self.dropped.lock() = Some(what);
    }

    /// How many jobs there are to run.
    pub fn queued(&self) -> usize {
        self.queue.lock().jobs.len()
    }

    /// Takes the jobs out, for others to run them.
    pub fn take_jobs(&self) -> KVec<CopyJob> {
        mem::replace(&mut self.queue.lock().jobs, KVec::new())
    }

    /// Has the jobs that follow be part of another timeline.
    pub fn change_timeline(&self) -> Result {
        let Queue { timeline, .. } = Queue::new()?;

        self.queue.lock().timeline = timeline;
        Ok(())
    }
}
