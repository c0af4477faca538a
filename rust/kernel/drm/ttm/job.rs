// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Jobs: what a CPU that plays the GPU does with buffers.

use super::{
    content::{
        copy,
        parts,
        Content, //
    },
    reserved::add_fences_of,
    DriverObject,
    FenceUsage,
    Object,
    Reserved, //
};
use crate::{
    bindings,
    dma_fence::{
        Fence,
        PendingFence,
        PreparedFence,
        Timeline, //
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
/// First all buffers are reserved, and validated to where the job can reach them; in a [transaction],
/// that may start over. Then they are added, and the job is [published](Self::publish): its fence is
/// added to all reservations, so that the buffers stay where they are until it is signaled. Up to that
/// nobody knows of the job, and it may be given up.
///
/// [transaction]: super::transaction()
///
/// # Examples
///
/// ```
/// use kernel::{
///     dma_fence::Timeline,
///     drm::ttm::{self, fixture, FenceUsage, JobBuilder, OperationCtx, Placement},
/// };
///
/// let dev = fixture::Device::new()?;
/// let objects = [dev.system(0x2000)?, dev.vram(0x2000)?];
/// let timeline = Timeline::new(c"example", c"ring 0")?;
/// objects[1].reserve().write(0x1ff8, b"content!")?;
///
/// let job = ttm::transaction(&OperationCtx::new(), |tx| {
///     // What may have to start over.
///     let mut to = tx.reserve(&objects[0])?;
///     let mut from = tx.reserve(&objects[1])?;
///     to.validate(Placement::VRAM, &mut OperationCtx::new())?;
///
///     let mut job = JobBuilder::new(&timeline, 2)?;
///     assert_eq!(job.add(&mut to, FenceUsage::Write)?, 0);
///     assert_eq!(job.add(&mut from, FenceUsage::Read)?, 1);
///     Ok(job.publish()?)
/// })?;
/// // From now on, who needs them waits.
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
/// Each of `uses` has a buffer, on the device of an `Inner`, whose reservation the current thread holds
/// for `'a`.
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
    /// The fences of the buffer that come first: those of moves in any case.
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
        // SAFETY: The buffer is valid, by the function's requirements. Its reservation doesn't change
        // while anyone has a reference.
        unsafe { (*self.bo).base.resv }
    }
}

impl<'a> JobBuilder<'a> {
    /// A job may add its fence to a reservation once for each [`FenceUsage`].
    const FENCES: u32 = 3;

    /// Begins to make a job, whose fence will be the next one of `timeline` when it is published.
    ///
    /// There is room for `capacity` buffers, and more is made if needed.
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

    /// Adds a buffer. Returns its index: they are counted from 0 on.
    ///
    /// The job waits for those that have used it before, as far as `usage` says: who reads waits for
    /// those who write, who writes waits for all, and [`FenceUsage::Bookkeep`] is for one who doesn't
    /// wait, but for moves. With [`FenceUsage::Read`] it can't be written to.
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

    /// Has the job begin when `fence` is signaled, at the earliest.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn wait_for(&mut self, fence: ARef<Fence>) -> Result {
        Ok(self.after.push(fence, GFP_KERNEL)?)
    }

    /// Whether the job has to wait for something that isn't on `timeline`, so that nobody knows when it
    /// can begin.
    ///
    /// Who runs the jobs of `timeline` one after the other should give such a job a timeline of its own,
    /// with [`Self::change_timeline`], and not run it before [`Job::is_ready`]: those behind it, which
    /// may be others', would have to wait for it.
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
    ///     drm::ttm::{fixture, FenceUsage, JobBuilder},
    /// };
    ///
    /// let dev = fixture::Device::new()?;
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
    /// // Another one doesn't wait for that.
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

    /// Lets its fence be the next one of another timeline.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn change_timeline(&mut self, timeline: &Timeline) -> Result {
        self.fence = timeline.prepare()?;
        Ok(())
    }

    /// Tells others of the job: adds its fence to the reservations of all buffers.
    ///
    /// The job must then be run, or dropped, by someone who waits for nothing else.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`], and then nobody knows of it.
    pub fn publish(self) -> Result<Job> {
        Ok(self.publish_with(|| ())?.0)
    }

    /// The same, for jobs that are run one after the other.
    ///
    /// They have to be in the order of their fences, or the first would wait for one behind it. So
    /// `lock` is called just before the fence is made, to take the lock of a queue, and must do no more
    /// than that; what it returns is handed on. Between that and putting the job into the queue nothing
    /// sleeps, nor is allocated.
    ///
    /// What the job waits for is known by then, so `lock` must not have a reservation of the buffers in
    /// hand: that is why it has to be [`Send`].
    ///
    /// # Errors
    ///
    /// As [`Self::publish`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     dma_fence::Timeline,
    ///     drm::ttm::{fixture, FenceUsage, Job, JobBuilder},
    ///     new_spinlock, //
    /// };
    ///
    /// let dev = fixture::Device::new()?;
    /// let obj = dev.vram(0x1000)?;
    /// let timeline = Timeline::new(c"example", c"ring 0")?;
    /// let queue = KBox::pin_init(new_spinlock!(KVec::<Job>::with_capacity(4, GFP_KERNEL)?), GFP_KERNEL)?;
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

        // Nobody uses the room, adds a fence that the job would have to wait for, or moves a buffer: that
        // takes a guard of its reservation, and `lock` has none, as guards can't be sent.
        let guard = lock();
        for used in &self.uses {
            // SAFETY: By the type invariants the buffers are valid, on the device of an `Inner`, and
            // reserved.
            let buffer = unsafe { used.find() }?;
            // There is room.
            let _ = buffers.push_within_capacity(buffer);
        }

        let fence = self.fence.start();
        for used in &self.uses {
            // SAFETY: By the type invariants, the reservation is held. There was room for as many fences
            // as this adds: one that is there with the same usage is replaced.
            unsafe {
                bindings::dma_resv_add_fence(
                    used.resv(),
                    fence.fence().as_raw(),
                    used.usage.as_raw(),
                )
            };
        }

        // INVARIANT: The reservations are still held, and `find` has found this memory since. Before
        // somebody else moves or frees it, he waits for all fences in the buffer's reservation, or sees
        // to it that it stays until they are signaled: see `Move`, and `place_first` for what is given
        // away before. Among them is `fence`, or a later one of its timeline, which isn't signaled
        // before it.
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

    /// Collects what the job has to wait for. All of that has a fence that was made before the job's.
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

/// Whether one of `fences` is neither signaled nor on `timeline`.
pub(super) fn is_any_beyond(timeline: &Timeline, fences: &[ARef<Fence>]) -> bool {
    fences
        .iter()
        .any(|fence| !timeline.has(fence) && !fence.is_signaled())
}

/// The first of `fences` that isn't signaled.
pub(super) fn first_pending(fences: &[ARef<Fence>]) -> Option<&ARef<Fence>> {
    fences.iter().find(|fence| !fence.is_signaled())
}

impl Use {
    /// Where the buffer is.
    ///
    /// # Safety
    ///
    /// The buffer must be valid, on the device of an `Inner`, and its reservation be held.
    unsafe fn find(&self) -> Result<Used> {
        // SAFETY: The buffer is valid, and its resource stays while it is reserved, by the function's
        // requirements.
        let (res, size) = unsafe { ((*self.bo).resource, (*self.bo).base.size) };
        if res.is_null() {
            return Err(ENXIO);
        }
        // SAFETY: The buffer is valid, on the device of an `Inner`, and its reservation is held, by
        // the function's requirements. `res` is its resource, as the reservation keeps it.
        let content = unsafe { Content::of(self.bo, res) }.ok_or(ENXIO)?;

        // INVARIANT: That is all of the buffer.
        Ok(Used {
            content,
            size,
            writable: self.usage != FenceUsage::Read,
        })
    }
}

/// A job: it uses buffers, and may wait for others first.
///
/// Made by [`JobBuilder`]. When it has [run](Self::run), its fence is signaled. Dropping it without that
/// signals the fence with [`ECANCELED`].
///
/// # Deadlocks
///
/// As for [`PendingFence`]: until its fence is signaled, nobody who is to run it, or a job before it,
/// may wait for reservations, or allocate memory.
///
/// # Forgetting
///
/// Its fence is never signaled. Its buffers are never freed, nor is their device; once nobody else has one
/// of them, the driver's module stays.
///
/// # Invariants
///
/// Until `fence` is signaled, `buffers` are neither moved nor freed.
#[must_use = "the job is cancelled immediately when this is unused"]
pub struct Job {
    buffers: KVec<Used>,
    after: KVec<ARef<Fence>>,
    fence: PendingFence,
}

// SAFETY: The memory may be accessed from any thread, and by the type invariants is there as long as
// the fence isn't signaled.
unsafe impl Send for Job {}

// SAFETY: A shared reference gives no access to the memory.
unsafe impl Sync for Job {}

impl Job {
    /// The fence that is signaled when it is done.
    pub fn fence(&self) -> ARef<Fence> {
        self.fence.fence()
    }

    /// Whether it would begin without waiting.
    pub fn is_ready(&self) -> bool {
        self.waits_for().is_none()
    }

    /// One of the fences that it waits for.
    pub fn waits_for(&self) -> Option<&ARef<Fence>> {
        first_pending(&self.after)
    }

    /// Waits for what comes first, calls `f` with the buffers, and signals the fence with what that
    /// returns.
    ///
    /// # Errors
    ///
    /// What `f` returns.
    pub fn run(self, f: impl FnOnce(&JobMemory<'_>) -> Result) -> Result {
        for fence in &self.after {
            // However that went.
            let _ = fence.wait();
        }

        // INVARIANT: The fence is signaled after `f`, which can't keep what it gets.
        let result = f(&JobMemory {
            buffers: &self.buffers,
        });
        self.fence.signal_with(result);
        result
    }
}

/// A buffer of a job.
///
/// # Invariants
///
/// As long as the job says, `content` is `size` bytes of memory, which is only accessed through
/// pointers.
struct Used {
    content: Content,
    size: usize,
    writable: bool,
}

impl Used {
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

/// The buffers of a [`Job`] that runs.
///
/// Programs may have them mapped, and change them at the same time.
///
/// # Invariants
///
/// `buffers` are those of a job whose fence isn't signaled yet.
pub struct JobMemory<'a> {
    buffers: &'a [Used],
}

impl JobMemory<'_> {
    fn buffer(&self, index: usize) -> Result<&Used> {
        self.buffers.get(index).ok_or(EINVAL)
    }

    /// The bytes of a buffer, a multiple of the page size.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is none with that index.
    pub fn size(&self, index: usize) -> Result<usize> {
        Ok(self.buffer(index)?.size)
    }

    /// Reads what is in a buffer from `offset` bytes on.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, or that goes beyond its end.
    pub fn read(&self, index: usize, offset: usize, to: &mut [u8]) -> Result {
        let from = self.buffer(index)?;
        let range = from.check(offset, to.len())?;

        for (at, n) in parts(range, 0) {
            let to = to[at - offset..][..n].as_mut_ptr();
            // SAFETY: By the type invariants, so much is there, as was just checked; `parts` doesn't
            // cross pages. Nobody has a slice of it, so it isn't `to`.
            unsafe { from.content.with(at, |from| copy(to, from, n)) };
        }
        Ok(())
    }

    /// Writes to a buffer from `offset` bytes on.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, it is only read, or that goes beyond its end.
    pub fn write(&self, index: usize, offset: usize, from: &[u8]) -> Result {
        let to = self.buffer(index)?;
        let range = to.check_write(offset, from.len())?;

        for (at, n) in parts(range, 0) {
            let from = from[at - offset..][..n].as_ptr();
            // SAFETY: As in `read`.
            unsafe { to.content.with(at, |to| copy(to, from, n)) };
        }
        Ok(())
    }

    /// Fills a part of a buffer with words of 64 bits: word n becomes `value + n * step`, both modulo
    /// 2^64.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, it is only read, that goes beyond its end, or `offset` or
    /// `size` is no multiple of 8.
    pub fn fill(&self, index: usize, offset: usize, size: usize, value: u64, step: u64) -> Result {
        const WORD: usize = size_of::<u64>();

        let to = self.buffer(index)?;
        let range = to.check_write(offset, size)?;
        if offset % WORD != 0 || size % WORD != 0 {
            return Err(EINVAL);
        }

        let mut value = value;
        for (at, n) in parts(range, 0) {
            // SAFETY: By the type invariants, so much is there, as was just checked; `parts` doesn't
            // cross pages, and a page begins at a multiple of 8, so this is aligned.
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

    /// Copies from one buffer to another, or inside of one.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such buffer, `to` is only read, that goes beyond an end, or the parts
    /// of one buffer overlap.
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
            // SAFETY: By the type invariants, so much is there, as was just checked; `parts` doesn't
            // cross pages, neither here nor there. What is mapped last is unmapped first.
            unsafe {
                src.content.with(at.wrapping_add_signed(shift), |from| {
                    dest.content.with(at, |to| copy(to, from, n))
                })
            };
        }
        Ok(())
    }
}
