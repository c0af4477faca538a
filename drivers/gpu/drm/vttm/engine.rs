// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The engine: a worker that does what the GPU does.

use crate::{
    driver::Count,
    submit::Op, //
};
use core::mem;
use kernel::{
    dma_fence::{
        Fence,
        Timeline, //
    },
    drm::ttm::{
        CopyJob,
        Job,
        JobBuilder,
        Move,
        MoveBy, //
    },
    impl_has_work, new_spinlock, new_work,
    prelude::*,
    sync::{
        aref::ARef,
        Arc,
        SpinLock, //
    },
    time::{
        delay::fsleep,
        Delta,
        Instant,
        Monotonic, //
    },
    workqueue::{
        OrderedQueue,
        Work,
        WorkItem, //
    },
};

/// Does one task after the other, in the order of their fences.
#[pin_data]
pub(crate) struct Engine {
    timeline: Timeline,
    /// Between a task getting its fence and its place in the queue. How many jobs have done so.
    #[pin]
    order: SpinLock<u64>,
    queue: OrderedQueue,
    delay: Delta,
}

impl Engine {
    pub(crate) fn new<'a>(name: &'a CStr, delay: Delta) -> impl PinInit<Self, Error> + 'a {
        try_pin_init!(Self {
            timeline: Timeline::new(c"vttm", c"engine")?,
            order <- new_spinlock!(0),
            queue: OrderedQueue::new(name)?,
            delay,
        })
    }

    /// How long each copy waits.
    pub(crate) fn delay_us(&self) -> u64 {
        self.delay.as_micros_ceil().unsigned_abs()
    }

    /// Moves a buffer: by the CPU at once, or by a task, if copies are to take a while.
    pub(crate) fn copy(&self, mv: &mut Move<'_>) -> Result<MoveBy> {
        if !self.delay.is_zero() {
            let task = Task::new(self.delay)?;

            if let Some((job, _order)) = mv.copy_job_with(&self.timeline, || self.order.lock())? {
                self.enqueue(task, What::Copy(job));
            }
        }
        // Where there is no task, there is nothing to copy, or nothing to be late.
        Ok(MoveBy::Memcpy)
    }

    /// Begins to make a job.
    pub(crate) fn job<'a>(&self, capacity: usize) -> Result<JobBuilder<'a>> {
        JobBuilder::new(&self.timeline, capacity)
    }

    /// Does `ops` with the buffers of a job, and adds the nanoseconds that it takes to `busy`. Returns the
    /// fence to wait for, and the job's number in the order of jobs.
    pub(crate) fn submit(
        &self,
        job: JobBuilder<'_>,
        ops: KVec<Op>,
        busy: Arc<Count>,
    ) -> Result<(ARef<Fence>, u64)> {
        let task = Task::new(self.delay)?;
        let (job, mut jobs) = job.publish_with(|| self.order.lock())?;
        let fence = job.fence();

        *jobs += 1;
        self.enqueue(task, What::Ops(job, ops, busy));
        Ok((fence, *jobs))
    }

    fn enqueue(&self, mut task: Pin<KBox<Task>>, what: What) {
        *task.as_mut().project().what = what;
        self.queue.enqueue(task);
    }
}

/// Something for the engine to do.
enum What {
    Nothing,
    Copy(CopyJob),
    Ops(Job, KVec<Op>, Arc<Count>),
}

#[pin_data]
struct Task {
    #[pin]
    work: Work<Self>,
    delay: Delta,
    what: What,
}

impl_has_work! {
    impl HasWork<Self> for Task { self.work }
}

impl Task {
    fn new(delay: Delta) -> Result<Pin<KBox<Self>>> {
        let task = pin_init!(Self {
            work <- new_work!("vttm::Task"),
            delay,
            what: What::Nothing,
        });

        KBox::pin_init(task, GFP_KERNEL)
    }
}

impl WorkItem for Task {
    type Pointer = Pin<KBox<Self>>;

    fn run(mut this: Pin<KBox<Self>>) {
        let what = mem::replace(this.as_mut().project().what, What::Nothing);

        if !this.delay.is_zero() {
            fsleep(this.delay);
        }
        match what {
            What::Nothing => (),
            What::Copy(job) => job.run(),
            What::Ops(job, ops, busy) => {
                // Who waits for the job is told how it went.
                let _ = job.run(|memory| {
                    let start = Instant::<Monotonic>::now();
                    let result = ops.iter().try_for_each(|op| op.run(memory));

                    busy.add(start.elapsed().as_nanos().unsigned_abs());
                    result
                });
            }
        }
    }
}
