// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Jobs: work of a virtual GPU, done by the CPU.

use super::{
    content::{
        parts,
        Content, //
    },
    first_pending,
    is_any_beyond, //
};
use crate::{
    bindings,
    dma_fence::{
        Fence,
        PendingFence,
        PreparedFence,
        Timeline, //
    },
    drm::ttm::{
        bytes::copy,
        fence_slot::add_fences_of,
        DriverObject,
        FenceUsage,
        Object,
        Reserved, //
    },
    error::to_result,
    prelude::*,
    sync::aref::ARef,
    types::NotThreadSafe, //
};
use core::{
    marker::PhantomData,
    ops::Range, //
};

/// A job that is being made.
///
/// First reserve all buffers, and validate them to places that the job can reach; a [transaction]
/// may start that over. Then add the buffers, and [publish](Self::publish) the job: this adds its
/// fence to all reservations, so the buffers stay in place until the fence is signaled. Until it is
/// published, a job can be dropped without effect.
///
/// [transaction]: crate::drm::ttm::transaction()
///
/// # Examples
///
/// ```
/// use kernel::{
///     dma_fence::Timeline,
///     drm::ttm::{self, test_device, FenceUsage, JobBuilder, OperationCtx, Placement},
/// };
///
/// let dev = test_device::Device::new()?;
/// let objects = [dev.system(0x2000)?, dev.vram(0x2000)?];
/// let timeline = Timeline::new(c"example", c"ring 0")?;
/// objects[1].reserve().write(0x1ff8, b"content!")?;
///
/// let job = ttm::transaction(&OperationCtx::new(), |tx| {
///     // Do first what may have to start over.
///     let mut to = tx.reserve(&objects[0])?;
///     let mut from = tx.reserve(&objects[1])?;
///     to.validate(Placement::VRAM, &mut OperationCtx::new())?;
///
///     let mut job = JobBuilder::new(&timeline, 2)?;
///     assert_eq!(job.add(&mut to, FenceUsage::Write)?, 0);
///     assert_eq!(job.add(&mut from, FenceUsage::Read)?, 1);
///     Ok(job.publish()?)
/// })?;
/// // From now on, other users of the buffers wait.
/// assert!(!objects[0].is_idle_for(FenceUsage::Read));
/// assert!(objects[1].is_idle_for(FenceUsage::Read));
/// assert!(!objects[1].is_idle_for(FenceUsage::Write));
///
/// // On some thread:
/// let fence = job.fence();
/// job.run(|memory| {
///     memory.fill(0, 0, 0x1000, 7, 2)?;
///     memory.copy(0, 0x1000, 1, 0x1000, 0x1000)
/// })?;
/// assert_eq!(fence.status(), Some(Ok(())));
///
/// let mut bytes = [0; 8];
/// objects[0].reserve().read(0x10, &mut bytes)?;
/// assert_eq!(u64::from_le_bytes(bytes), 7 + 2 * 2);
/// objects[0].reserve().read(0x1ff8, &mut bytes)?;
/// assert_eq!(&bytes, b"content!");
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// Each of `uses` has a buffer, on the device of a `RawDevice`, whose reservation the current
/// thread holds for `'a`.
pub struct JobBuilder<'a> {
    fence: PreparedFence,
    uses: KVec<Use>,
    after: KVec<ARef<Fence>>,
    // The guards of the buffers.
    _reserved: PhantomData<&'a mut ()>,
    _not_send: NotThreadSafe,
}

/// How a job uses a buffer.
struct Use {
    bo: *mut bindings::ttm_buffer_object,
    usage: FenceUsage,
}

impl Use {
    /// The usage of the fences that the job waits for. It always waits for moves, too.
    fn waits_for(&self) -> bindings::dma_resv_usage {
        match self.usage {
            FenceUsage::Bookkeep => bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL,
            usage => usage.waits_for(),
        }
    }

    /// # Safety
    ///
    /// The buffer must be valid.
    unsafe fn resv(&self) -> *mut bindings::dma_resv {
        // SAFETY: The buffer is valid, by the function's requirements. Its reservation doesn't
        // change while anyone has a reference.
        unsafe { (*self.bo).base.resv }
    }
}

impl<'a> JobBuilder<'a> {
    /// A job may add its fence to a reservation once for each [`FenceUsage`].
    const FENCES: u32 = 3;

    /// Begins to make a job. When it is published, its fence will be the next one of `timeline`.
    ///
    /// Allocates room for `capacity` buffers. More can be added.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(timeline: &Timeline, capacity: usize) -> Result<Self> {
        // INVARIANT: There is no buffer.
        Ok(Self {
            fence: timeline.prepare()?,
            uses: KVec::with_capacity(capacity, GFP_KERNEL)?,
            after: KVec::new(),
            _reserved: PhantomData,
            _not_send: NotThreadSafe,
        })
    }

    /// Adds a buffer, and returns its index, counted from 0.
    ///
    /// The job waits for earlier users of the buffer: a job that reads waits for writers, and a job
    /// that writes waits for readers and writers. With [`FenceUsage::Bookkeep`] it waits only for
    /// moves. With [`FenceUsage::Read`] the job can't write to the buffer.
    ///
    /// # Errors
    ///
    /// [`ENXIO`] if the buffer has no place that the CPU can reach, or no pages there; [`ENOMEM`].
    pub fn add<T: DriverObject>(
        &mut self,
        buffer: &'a mut Reserved<'_, Object<T>>,
        usage: FenceUsage,
    ) -> Result<usize> {
        let index = self.uses.len();
        let used = Use {
            bo: buffer.buffer().as_raw(),
            usage,
        };

        // SAFETY: It is a valid buffer, whose reservation `buffer` has.
        unsafe { used.find() }?;
        // INVARIANT: It is reserved as long as `buffer` is borrowed, which is for `'a`.
        self.uses.push(used, GFP_KERNEL)?;
        Ok(index)
    }

    /// Makes the job wait for `fence` before it begins.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn wait_for(&mut self, fence: ARef<Fence>) -> Result {
        Ok(self.after.push(fence, GFP_KERNEL)?)
    }

    /// Whether the job has to wait for a fence that isn't on `timeline`, so that the driver can't
    /// know when it may begin.
    ///
    /// A thread that runs the jobs of `timeline` one after the other should give such a job a
    /// timeline of its own, with [`Self::change_timeline`], and run it only when [`Job::is_ready`].
    /// Otherwise the jobs behind it, which may belong to other clients, have to wait for it.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::{DriverFence, Timeline},
    ///     drm::ttm::{test_device, FenceUsage, JobBuilder},
    /// };
    ///
    /// let dev = test_device::Device::new()?;
    /// let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?];
    /// let ring = Timeline::new(c"example", c"ring 0")?;
    /// let foreign = DriverFence::new(c"example", c"foreign")?;
    ///
    /// let mut reserved = objects[0].reserve();
    /// let mut job = JobBuilder::new(&ring, 1)?;
    /// job.wait_for(foreign.fence())?;
    /// job.add(&mut reserved, FenceUsage::Write)?;
    /// assert!(job.waits_beyond(&ring)?);
    /// job.change_timeline(&Timeline::new(c"example", c"late")?)?;
    /// let late = job.publish()?;
    /// drop(reserved);
    ///
    /// // Another job doesn't wait for the first one.
    /// let mut reserved = objects[1].reserve();
    /// let mut job = JobBuilder::new(&ring, 1)?;
    /// job.add(&mut reserved, FenceUsage::Write)?;
    /// assert!(!job.waits_beyond(&ring)?);
    /// let job = job.publish()?;
    /// let fence = job.fence();
    /// job.run(|_| Ok(()))?;
    /// assert!(fence.is_signaled());
    ///
    /// assert!(!late.is_ready());
    /// foreign.signal(Ok(()));
    /// assert!(late.is_ready());
    /// # drop(late);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn waits_beyond(&self, timeline: &Timeline) -> Result<bool> {
        Ok(is_any_beyond(timeline, &self.all_before()?))
    }

    /// Takes the fence from another timeline.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn change_timeline(&mut self, timeline: &Timeline) -> Result {
        self.fence = timeline.prepare()?;
        Ok(())
    }

    /// Publishes the job: adds its fence to the reservations of all buffers.
    ///
    /// A thread that waits for nothing else must then run or drop the job.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]. The job then wasn't published.
    pub fn publish(self) -> Result<Job> {
        Ok(self.publish_with(|| ())?.0)
    }

    /// As [`Self::publish`], for jobs that a thread runs one after the other.
    ///
    /// The thread must run jobs in the order of their fences, or a job would wait for one behind
    /// it. So `lock` is called just before the fence is made, to take the lock of the queue, and
    /// must do nothing else. Its result is returned with the job, for the caller to put the job
    /// into the queue. Between `lock` and the return, this neither sleeps nor allocates.
    ///
    /// The fences that the job waits for are collected before `lock` is called, so `lock` must not
    /// add more with a guard of one of the reservations. For this it has to be [`Send`], which
    /// guards are not.
    ///
    /// # Errors
    ///
    /// See [`Self::publish`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::Timeline,
    ///     drm::ttm::{test_device, FenceUsage, Job, JobBuilder},
    ///     new_spinlock, //
    /// };
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let timeline = Timeline::new(c"example", c"ring 0")?;
    /// let jobs = KVec::<Job>::with_capacity(4, GFP_KERNEL)?;
    /// let queue = KBox::pin_init(new_spinlock!(jobs), GFP_KERNEL)?;
    ///
    /// let mut reserved = obj.reserve();
    /// let mut job = JobBuilder::new(&timeline, 1)?;
    /// job.add(&mut reserved, FenceUsage::Write)?;
    /// let (job, mut jobs) = job.publish_with(|| queue.lock())?;
    /// let _ = jobs.push_within_capacity(job);
    /// # drop(jobs);
    /// # let job = queue.lock().pop();
    /// # drop(job);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn publish_with<G>(mut self, lock: impl FnOnce() -> G + Send) -> Result<(Job, G)> {
        self.make_room()?;
        self.after = self.all_before()?;
        let mut buffers = KVec::with_capacity(self.uses.len(), GFP_KERNEL)?;

        // `lock` can't use up the room, add a fence that the job would have to wait for, or move a
        // buffer: that takes a guard of its reservation, and guards aren't `Send`.
        let guard = lock();
        for used in &self.uses {
            // SAFETY: By the type invariants the buffers are valid, on the device of a `RawDevice`,
            // and reserved.
            let buffer = unsafe { used.find() }?;
            // There is room.
            let _ = buffers.push_within_capacity(buffer);
        }

        let fence = self.fence.start();
        for used in &self.uses {
            // SAFETY: By the type invariants, the reservation is held. There was room for as many
            // fences as this adds: one that is there with the same usage is replaced.
            unsafe {
                bindings::dma_resv_add_fence(
                    used.resv(),
                    fence.fence().as_raw(),
                    used.usage.as_raw(),
                )
            };
        }

        // INVARIANT: The reservations were held since `find` found this memory. From here on, code
        // that moves or frees it waits for all fences in the buffer's reservation, or keeps the
        // memory until they are signaled: see `Move`, and `place_first` for places that are given
        // away before. One of these fences is `fence`, or a later one of its timeline, which isn't
        // signaled before it.
        let job = Job {
            buffers,
            after: self.after,
            fence,
        };
        Ok((job, guard))
    }

    fn make_room(&self) -> Result {
        self.uses.iter().try_for_each(|used| {
            // SAFETY: By the type invariants the buffers are valid and their reservations held.
            to_result(unsafe { bindings::dma_resv_reserve_fences(used.resv(), Self::FENCES) })
        })
    }

    /// Collects the fences that the job has to wait for. All of them are made before the job's
    /// fence.
    fn all_before(&self) -> Result<KVec<ARef<Fence>>> {
        let mut all = KVec::with_capacity(self.after.len(), GFP_KERNEL)?;

        for fence in &self.after {
            // There is room.
            let _ = all.push_within_capacity(fence.clone());
        }
        for (n, used) in self.uses.iter().enumerate() {
            // SAFETY: By the type invariants the buffers are valid as long as `self`.
            let resv = unsafe { used.resv() };
            let usage = used.waits_for();
            let is_covered = |other: &Use| {
                // SAFETY: By the type invariants the buffers are valid as long as `self`.
                let other_resv = unsafe { other.resv() };

                other_resv == resv && other.waits_for() >= usage
            };

            if self.uses[..n].iter().any(is_covered) {
                continue;
            }
            // SAFETY: By the type invariants the buffers are valid and reserved, and so `resv` is.
            unsafe { add_fences_of(resv, usage, &mut all) }?;
        }
        Ok(all)
    }
}

impl Use {
    /// Looks up the buffer's memory.
    ///
    /// # Safety
    ///
    /// The buffer must be valid, on the device of a `RawDevice`, and its reservation be held.
    unsafe fn find(&self) -> Result<BufferMemory> {
        // SAFETY: The buffer is valid, and its resource stays while it is reserved, by the
        // function's requirements.
        let (res, size) = unsafe { ((*self.bo).resource, (*self.bo).base.size) };
        if res.is_null() {
            return Err(ENXIO);
        }
        // SAFETY: The buffer is valid, on the device of a `RawDevice`, and its reservation is held,
        // by the function's requirements. `res` is its resource, as the reservation keeps it.
        let content = unsafe { Content::of(self.bo, res) }.ok_or(ENXIO)?;

        // INVARIANT: `content` is all of the buffer.
        Ok(BufferMemory {
            content,
            size,
            writable: self.usage != FenceUsage::Read,
        })
    }
}

/// A job, which uses buffers and may have to wait for other fences first.
///
/// Made by [`JobBuilder`]. When it has [run](Self::run), its fence is signaled. Dropping it before
/// that signals the fence with [`ECANCELED`].
///
/// # Deadlocks
///
/// As for [`PendingFence`]: until the fence is signaled, a thread that has to run this job, or one
/// before it, must neither wait for reservations nor allocate memory.
///
/// # Forgetting
///
/// Its fence is never signaled. Its buffers are never freed, nor is their device. Once all
/// references to one of these buffers are dropped, the driver's module can't be unloaded.
///
/// # Invariants
///
/// Until `fence` is signaled, `buffers` are neither moved nor freed.
#[must_use = "the job is cancelled immediately when this is unused"]
pub struct Job {
    buffers: KVec<BufferMemory>,
    after: KVec<ARef<Fence>>,
    fence: PendingFence,
}

// SAFETY: The memory may be accessed from any thread, and by the type invariants is there as long
// as the fence isn't signaled.
unsafe impl Send for Job {}

// SAFETY: A shared reference gives no access to the memory.
unsafe impl Sync for Job {}

impl Job {
    /// The fence that is signaled when it is done.
    pub fn fence(&self) -> ARef<Fence> {
        self.fence.fence()
    }

    /// Whether [`Self::run`] would begin without waiting.
    pub fn is_ready(&self) -> bool {
        self.waits_for().is_none()
    }

    /// One of the fences that it waits for.
    pub fn waits_for(&self) -> Option<&ARef<Fence>> {
        first_pending(&self.after)
    }

    /// Waits for earlier fences, calls `f` with the buffers, and signals the job's fence with the
    /// result.
    ///
    /// # Errors
    ///
    /// Errors of `f`.
    pub fn run(self, f: impl FnOnce(&JobMemory<'_>) -> Result) -> Result {
        for fence in &self.after {
            // Its result doesn't matter.
            let _ = fence.wait();
        }

        // INVARIANT: The fence is signaled after `f`, which can't keep the `JobMemory`.
        let result = f(&JobMemory {
            buffers: &self.buffers,
        });
        self.fence.signal_with(result);
        result
    }
}

/// The memory of a buffer of a job.
///
/// # Invariants
///
/// Until the job's fence is signaled, `content` is `size` bytes of memory, which is only accessed
/// through pointers.
struct BufferMemory {
    content: Content,
    size: usize,
    writable: bool,
}

impl BufferMemory {
    fn check(&self, offset: usize, size: usize) -> Result<Range<usize>> {
        match offset.checked_add(size) {
            Some(end) if end <= self.size => Ok(offset..end),
            _ => Err(EINVAL),
        }
    }

    fn check_write(&self, offset: usize, size: usize) -> Result<Range<usize>> {
        if !self.writable {
            return Err(EINVAL);
        }
        self.check(offset, size)
    }
}

/// The memory of the buffers of a [`Job`] that is running.
///
/// Programs may have them mapped, and change them at the same time.
///
/// # Invariants
///
/// `buffers` are those of a job whose fence isn't signaled yet.
pub struct JobMemory<'a> {
    buffers: &'a [BufferMemory],
}

impl JobMemory<'_> {
    fn buffer(&self, index: usize) -> Result<&BufferMemory> {
        self.buffers.get(index).ok_or(EINVAL)
    }

    /// The size of a buffer in bytes, a multiple of the page size.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no buffer with that index.
    pub fn size(&self, index: usize) -> Result<usize> {
        Ok(self.buffer(index)?.size)
    }

    /// Reads the content of a buffer from `offset` bytes on.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, or the range exceeds it.
    pub fn read(&self, index: usize, offset: usize, to: &mut [u8]) -> Result {
        let from = self.buffer(index)?;
        let range = from.check(offset, to.len())?;

        for (at, n) in parts(range, 0) {
            let to = to[at - offset..][..n].as_mut_ptr();
            // SAFETY: By the type invariants, the buffer has these bytes, as was just checked;
            // `parts` doesn't cross pages. There is no slice of the buffer's memory, so it isn't
            // `to`.
            unsafe { from.content.with(at, |from| copy(to, from, n)) };
        }
        Ok(())
    }

    /// Writes to a buffer from `offset` bytes on.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, it was added to be read, or the range exceeds it.
    pub fn write(&self, index: usize, offset: usize, from: &[u8]) -> Result {
        let to = self.buffer(index)?;
        let range = to.check_write(offset, from.len())?;

        for (at, n) in parts(range, 0) {
            let from = from[at - offset..][..n].as_ptr();
            // SAFETY: By the type invariants the buffer has these bytes, as was just checked;
            // `parts` doesn't cross pages. There is no slice of the buffer's memory, so it isn't
            // `from`.
            unsafe { to.content.with(at, |to| copy(to, from, n)) };
        }
        Ok(())
    }

    /// Fills a part of a buffer with words of 64 bits: word n becomes `value + n * step`, both
    /// modulo 2^64.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, it was added to be read, the range exceeds it, or
    /// `offset` or `size` is no multiple of 8.
    pub fn fill(&self, index: usize, offset: usize, size: usize, value: u64, step: u64) -> Result {
        const WORD: usize = size_of::<u64>();

        let to = self.buffer(index)?;
        let range = to.check_write(offset, size)?;
        if offset % WORD != 0 || size % WORD != 0 {
            return Err(EINVAL);
        }

        let mut value = value;
        for (at, n) in parts(range, 0) {
            // SAFETY: By the type invariants, the buffer has these bytes, as was just checked;
            // `parts` doesn't cross pages, and a page begins at a multiple of 8, so this is
            // aligned.
            unsafe {
                to.content.with(at, |to| {
                    for word in 0..n / WORD {
                        to.cast::<u64>().add(word).write_volatile(value);
                        value = value.wrapping_add(step);
                    }
                })
            };
        }
        Ok(())
    }

    /// Copies from one buffer to another, or within one.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, `to` was added to be read, a range exceeds its
    /// buffer, or the ranges overlap.
    pub fn copy(
        &self,
        to: usize,
        to_offset: usize,
        from: usize,
        from_offset: usize,
        size: usize,
    ) -> Result {
        let (dest, src) = (self.buffer(to)?, self.buffer(from)?);
        let range = dest.check_write(to_offset, size)?;
        let source = src.check(from_offset, size)?;
        if to == from && source.start < range.end && range.start < source.end {
            return Err(EINVAL);
        }

        // CAST: No buffer is that large.
        let shift = from_offset as isize - to_offset as isize;
        for (at, n) in parts(range, shift) {
            // SAFETY: By the type invariants, both buffers have these bytes, as was just checked;
            // `parts` crosses no page of either. The page that is mapped last is unmapped first.
            unsafe {
                src.content.with(at.wrapping_add_signed(shift), |from| {
                    dest.content.with(at, |to| copy(to, from, n))
                })
            };
        }
        Ok(())
    }
}
