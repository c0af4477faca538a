// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The engine: a worker that does the work of the GPU.

use crate::{
    count::Count,
    gem::Buffer,
    submit::{
        Op,
        Submitted, //
    },
    tasks::{
        Tasks,
        Token, //
    },
    under_way::{
        Load,
        Share, //
    }, //
};
use core::mem;
use kernel::{
    dma_fence::{
        Fence,
        Timeline,
        Wake,
        Waker, //
    },
    drm::{
        ttm::{
            Clear,
            ClearBy,
            CopyJob,
            Job,
            JobBuilder,
            JobMemory,
            Move,
            MoveBy, //
        },
        vttm::OrderedQueue, //
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
        Work,
        WorkItem, //
    },
};

/// Runs one task after the other, in the order of their fences.
///
/// A task in the queue only waits for tasks before it. A task that has to wait for another device's
/// fence, which may never be signaled, is late: it has a timeline of its own, and enters the queue
/// when that fence is signaled.
#[pin_data]
pub(crate) struct Engine {
    timeline: Timeline,
    /// Held while a task gets its fence and its place in the queue. Counts the jobs that have got
    /// theirs.
    #[pin]
    order: SpinLock<u64>,
    // Dropped before the queue.
    tasks: Tasks,
    queue: Arc<OrderedQueue>,
    pub(crate) load: Load,
    delay: Delta,
}

impl Engine {
    /// Whether the CPU does the work, so that it has to reach the pages of imported buffers.
    pub(crate) const IS_CPU: bool = true;

    /// Makes an engine that copies at most `most` bytes out of pages at a time.
    pub(crate) fn new<'a>(
        name: &'a CStr,
        delay: Delta,
        most: usize,
    ) -> impl PinInit<Self, Error> + 'a {
        try_pin_init!(Self {
            timeline: Timeline::new(c"vttm", c"engine")?,
            order <- new_spinlock!(0),
            tasks: Tasks::new()?,
            queue: Arc::new(OrderedQueue::new(name)?, GFP_KERNEL)?,
            load: Load::new(most)?,
            delay,
        })
    }

    /// How long each copy waits.
    pub(crate) fn delay_us(&self) -> u64 {
        self.delay.as_micros_ceil().unsigned_abs()
    }

    /// Moves a buffer: by a task if copies take time, otherwise by the CPU at once.
    ///
    /// A move out of pages is `from_pages`. The pages stay until the content has been copied, while
    /// the buffer may get new ones. Only [`Load::wait_for_copies`] limits that.
    pub(crate) fn copy(&self, bo: &Buffer, mv: &mut Move<'_>, from_pages: bool) -> Result<MoveBy> {
        let is_late = mv.waits_beyond(&self.timeline)?;

        if is_late && mv.is_eviction() {
            // Other buffers would have to wait for the job.
            return Err(EBUSY);
        }
        if self.delay.is_zero() {
            return Ok(MoveBy::Memcpy);
        }
        let bytes = if from_pages { mv.size() } else { 0 };

        if let Some(share) = self.load.begin_copy(bytes, is_late) {
            let task = self.task()?;
            let timeline = self.timeline(is_late)?;

            if let Some((job, _order)) = mv.copy_job_with(&timeline, || self.order.lock())? {
                let late = if is_late {
                    bo.is_used_late(job.fence());
                    Some(self.load.begin_late())
                } else {
                    None
                };

                self.enqueue(task, TaskJob::Copy(job, share, late));
            }
        }
        // Without a task, there is nothing to copy, or the CPU must copy it now.
        Ok(MoveBy::Memcpy)
    }

    /// Lets the CPU clear a place.
    pub(crate) fn clear(&self, _bo: &Buffer, _clear: &mut Clear<'_>) -> Result<ClearBy> {
        Ok(ClearBy::Cpu)
    }

    /// Begins to make a job.
    pub(crate) fn job<'a>(&self, capacity: usize) -> Result<JobBuilder<'a>> {
        JobBuilder::new(&self.timeline, capacity)
    }

    /// Does `ops` with the buffers of a job, and adds the nanoseconds that it takes to `busy`.
    /// Returns the fence to wait for, the job's number in the order of jobs, and whether it is
    /// late.
    pub(crate) fn submit(
        &self,
        mut job: JobBuilder<'_>,
        ops: KVec<Op>,
        busy: Arc<Count>,
    ) -> Result<Submitted> {
        let task = self.task()?;
        let is_late = job.waits_beyond(&self.timeline)?;

        let late = if is_late {
            job.change_timeline(&self.timeline(true)?)?;
            Some(self.load.begin_late())
        } else {
            None
        };
        let (job, mut jobs) = job.publish_with(|| self.order.lock())?;
        let fence = job.fence();

        *jobs += 1;
        self.enqueue(task, TaskJob::Ops(job, ops, busy, late));
        Ok(Submitted {
            fence,
            serial: *jobs,
            is_late,
        })
    }

    fn timeline(&self, is_late: bool) -> Result<Timeline> {
        if is_late {
            Timeline::new(c"vttm", c"late")
        } else {
            Ok(self.timeline.clone())
        }
    }

    fn task(&self) -> Result<Pin<KBox<Task>>> {
        let task = try_pin_init!(Task {
            work <- new_work!("vttm::Task"),
            job: TaskJob::Nothing,
            delay: self.delay,
            waker: Some(Waker::new(Sleeper(None))?),
            queue: self.queue.clone(),
            token: self.tasks.token(),
        });

        KBox::try_pin_init(task, GFP_KERNEL)
    }

    fn enqueue(&self, mut task: Pin<KBox<Task>>, job: TaskJob) {
        *task.as_mut().project().job = job;
        self.queue.enqueue(task);
    }
}

/// The job of a task, and the values to drop when it is done.
enum TaskJob {
    Nothing,
    Copy(CopyJob, Share, Option<Share>),
    Ops(Job, KVec<Op>, Arc<Count>, Option<Share>),
}

impl TaskJob {
    /// The fence that must be signaled first.
    fn waits_for(&self) -> Option<&ARef<Fence>> {
        match self {
            TaskJob::Nothing => None,
            TaskJob::Copy(job, ..) => job.waits_for(),
            TaskJob::Ops(job, ..) => job.waits_for(),
        }
    }

    fn run(self) {
        match self {
            TaskJob::Nothing => (),
            TaskJob::Copy(job, _share, _late) => job.run(),
            TaskJob::Ops(job, ops, busy, _late) => {
                // The fence has the result.
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

impl Op {
    /// Does the operation.
    fn run(&self, memory: &JobMemory<'_>) -> Result {
        match *self {
            Self::Fill {
                to,
                to_offset,
                size,
                value,
                step,
            } => memory.fill(to, to_offset, size, value, step),
            Self::Copy {
                to,
                to_offset,
                from,
                from_offset,
                size,
            } => memory.copy(to, to_offset, from, from_offset, size),
        }
    }
}

#[pin_data]
struct Task {
    #[pin]
    work: Work<Self>,
    job: TaskJob,
    delay: Delta,
    waker: Option<KBox<Waker<Sleeper>>>,
    // This isn't the last reference, which goes when there is no token any more.
    queue: Arc<OrderedQueue>,
    // Dropped last.
    token: Option<Arc<Token>>,
}

impl_has_work! {
    impl HasWork<Self> for Task { self.work }
}

impl WorkItem for Task {
    type Pointer = Pin<KBox<Self>>;

    fn run(this: Pin<KBox<Self>>) {
        // A task whose fences aren't signaled yet is queued again later.
        let Some(mut this) = Sleeper::put_to_sleep(this) else {
            return;
        };
        let job = mem::replace(this.as_mut().project().job, TaskJob::Nothing);

        if !this.delay.is_zero() {
            fsleep(this.delay);
        }
        job.run();
    }
}

/// A task that is queued again when a fence is signaled.
struct Sleeper(Option<Pin<KBox<Task>>>);

impl Sleeper {
    /// Queues the task again when one of the fences that it waits for is signaled. Returns the task
    /// if there is no such fence, or if it must be waited for here.
    fn put_to_sleep(mut task: Pin<KBox<Task>>) -> Option<Pin<KBox<Task>>> {
        while let Some(fence) = task.job.waits_for().cloned() {
            let Some(mut waker) = task.as_mut().project().waker.take() else {
                break;
            };

            waker.0 = Some(task);
            let mut waker = fence.wake(waker).err()?;
            task = waker.0.take()?;
            if !fence.is_signaled() {
                // The module's exit has begun.
                break;
            }
            *task.as_mut().project().waker = Some(waker);
        }
        Some(task)
    }
}

impl Wake for Sleeper {
    fn wake(mut waker: KBox<Waker<Self>>) {
        let Some(mut task) = waker.0.take() else {
            return;
        };
        // The token is dropped after the queue, which is still in use when the task is done.
        let _token = task.token.clone();
        let queue = task.queue.clone();

        *task.as_mut().project().waker = Some(waker);
        queue.enqueue(task);
    }
}
