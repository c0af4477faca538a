// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The engine's hardware: QEMU's `edu`, which copies 4 KiB at a time between a buffer of its own
//! and any bus address.
//!
//! A piece of work is a list of transfers. For each 4 KiB of a transfer the device does two DMAs,
//! into its buffer and out of it, and raises an interrupt after each. The interrupt starts the next
//! one, and when all transfers of a job are done it signals the job's fence.
//!
//! A watchdog finds out when an interrupt is lost. It repeats the DMA once in a job. If the interrupt
//! is lost again, the job fails, unless it clears or moves a buffer.

use crate::{
    count::Count,
    under_way::Share, //
};
use core::cmp;
use kernel::{
    device::{
        Bound,
        Core, //
    },
    devres::Devres,
    dma::{
        Coherent,
        DmaAddress, //
    },
    dma_fence::{
        Fence,
        PendingFence,
        Wake,
        Waker, //
    },
    drm::ttm::Address,
    fmt, impl_has_hr_timer,
    io::{
        io_write,
        register,
        Io, //
    },
    irq::{
        Handler,
        IrqReturn, //
    },
    new_spinlock_irq,
    pci::{
        self,
        BusMaster,
        DevresBar,
        IrqType,
        IrqTypes, //
    },
    prelude::*,
    sizes::SZ_4K,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc,
        ArcBorrow,
        SetOnce,
        SpinLockIrq, //
    },
    time::{
        delay::fsleep,
        hrtimer::{
            ArcHrTimerHandle,
            HrTimer,
            HrTimerCallback,
            HrTimerCallbackContext,
            HrTimerPointer,
            HrTimerRestart,
            RelativeMode, //
        },
        Delta,
        Instant,
        Monotonic, //
    },
};

mod regs {
    use super::*;

    register! {
        /// Names the device.
        pub(super) ID(u32) @ 0x00 {
            15:0 magic;
        }

        /// Why the interrupt was raised.
        pub(super) IRQ_STATUS(u32) @ 0x24 {
            8:8 dma => bool;
        }

        /// The bits that are set here are cleared in the status.
        pub(super) IRQ_ACK(u32) @ 0x64 {
            8:8 dma => bool;
        }

        pub(super) DMA_FROM(u64) @ 0x80 {
            63:0 addr;
        }

        pub(super) DMA_TO(u64) @ 0x88 {
            63:0 addr;
        }

        pub(super) DMA_SIZE(u32) @ 0x90 {
            31:0 bytes;
        }

        pub(super) DMA_COMMAND(u32) @ 0x98 {
            /// Starts the DMA, and is set until it is done.
            0:0 run => bool;
            /// From the device's buffer to the bus.
            1:1 out => bool;
            /// Raise an interrupt when it is done.
            2:2 interrupt => bool;
        }
    }

    pub(super) const END: usize = 0xa0;

    /// The magic of an `edu`.
    pub(super) const MAGIC: u32 = 0xed;
}

type Bar = DevresBar<{ regs::END }>;

/// Where the device's buffer is, for its DMA.
const BUFFER: u64 = 0x40000;

/// Where the bytes of a transfer come from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// From here on the bus.
    Bus(DmaAddress),
    /// Word `n` of the transfer, 64 bits wide, is `value + n * step`.
    Pattern { value: u64, step: u64 },
}

/// Bytes to be copied to a range on the bus.
pub(crate) struct Transfer {
    pub(crate) from: Source,
    pub(crate) to: DmaAddress,
    pub(crate) size: usize,
}

impl Transfer {
    /// The largest part of a transfer that the device does at a time: the size of its buffer.
    const CHUNK: usize = SZ_4K;

    /// The part from `done` on that is done next.
    fn part(&self, done: usize) -> (Source, DmaAddress, usize) {
        let from = match self.from {
            Source::Bus(addr) => Source::Bus(addr + done as u64),
            Source::Pattern { value, step } => Source::Pattern {
                value: value.wrapping_add(step.wrapping_mul((done / size_of::<u64>()) as u64)),
                step,
            },
        };

        (
            from,
            self.to + done as u64,
            cmp::min(self.size - done, Self::CHUNK),
        )
    }
}

/// A job in the queue.
pub(crate) struct Job {
    transfers: KVVec<Transfer>,
    /// The transfer that is being done, and how many bytes of it are.
    at: usize,
    done: usize,
    /// Whether its bytes are on their way out of the device's buffer.
    is_out: bool,
    /// Whether it clears or moves a buffer. Then it must not fail, as the buffer would show what was
    /// in its place before.
    is_content: bool,
    /// Whether a DMA of it was repeated.
    was_retried: bool,
    /// How often the watchdog has found the device busy with the same DMA.
    busy_looks: u32,
    /// How many fences have to be signaled before it begins.
    waits: Arc<Atomic<u32>>,
    /// It has one when it is in the queue.
    fence: Option<PendingFence>,
    result: Result,
    begun: Instant<Monotonic>,
    busy: Option<Arc<Count>>,
    next: Option<KBox<Self>>,
    shares: [Option<Share>; 2],
}

/// A job without its fence: all memory that it needs.
pub(crate) struct PreparedJob {
    job: KBox<Job>,
    deps: KVec<(ARef<Fence>, KBox<Waker<Dependency>>)>,
}

/// Jobs, one after the other.
#[derive(Default)]
struct Jobs(Option<KBox<Job>>);

impl Jobs {
    fn push(&mut self, job: KBox<Job>) {
        let mut end = &mut self.0;

        while let Some(job) = end {
            end = &mut job.next;
        }
        *end = Some(job);
    }

    /// Takes the first job that has nothing to wait for.
    fn take_ready(&mut self) -> Option<KBox<Job>> {
        let mut at = &mut self.0;

        while at.as_ref()?.waits.load(Relaxed) != 0 {
            at = &mut at.as_mut()?.next;
        }
        let mut job = at.take()?;
        *at = job.next.take();
        Some(job)
    }
}

impl Iterator for Jobs {
    type Item = KBox<Job>;

    fn next(&mut self) -> Option<KBox<Job>> {
        let mut job = self.0.take()?;

        self.0 = job.next.take();
        Some(job)
    }
}

#[derive(Default)]
struct Queue {
    waiting: Jobs,
    running: Option<KBox<Job>>,
    /// Threads that end jobs, which others wait for, and that don't hold the lock.
    ending: u32,
    /// Whether no job is taken any more.
    is_stopped: bool,
    /// Whether no job is begun, as the system sleeps.
    is_paused: bool,
}

/// Counts what was asked of the device, and what it did.
#[derive(Default)]
pub(crate) struct Counts {
    /// Bytes of jobs that were put into the queue.
    asked: Count,
    /// Bytes that were written to their place.
    bytes: Count,
    /// DMAs that were started.
    dmas: Count,
    interrupts: Count,
    jobs: Count,
    /// Jobs without a transfer.
    empty: Count,
    /// Jobs that failed or were cancelled.
    failed: Count,
    /// DMAs that were repeated or given up.
    retries: Count,
}

/// What the device reaches by DMA.
struct Memory {
    /// Where VRAM begins.
    vram: DmaAddress,
    /// The source of patterns.
    page: Devres<Coherent<[u64]>>,
    page_addr: DmaAddress,
}

/// An `edu` that is bound.
#[pin_data]
pub(crate) struct Edu {
    bar: Bar,
    master: Devres<BusMaster>,
    memory: SetOnce<Memory>,
    #[pin]
    queue: SpinLockIrq<Queue>,
    link: Arc<Link>,
    counts: Counts,
}

impl Edu {
    /// Takes the device over, which must be enabled.
    pub(crate) fn new(dev: &pci::Device<Core<'_>>) -> Result<Arc<Self>> {
        let bar = dev.iomap_region_sized::<{ regs::END }>(0, c"vttm-engine")?;
        let magic: u32 = bar.read(regs::ID).magic().into();
        if magic != regs::MAGIC {
            dev_err!(dev, "this is no edu: {magic:#x}\n");
            return Err(ENODEV);
        }
        if !Self::is_quiet(&bar) {
            // Its DMA would go to memory that isn't the driver's any more.
            dev_err!(dev, "the engine is still busy\n");
            return Err(EBUSY);
        }
        let bar = bar.into_devres()?;
        let master = dev.bus_master()?;
        let this = Arc::pin_init(
            try_pin_init!(Self {
                bar,
                master,
                memory: SetOnce::new(),
                queue <- new_spinlock_irq!(Queue::default()),
                link: Link::new()?,
                counts: Counts::default(),
            }),
            GFP_KERNEL,
        )?;

        let types = IrqTypes::default().with(IrqType::Msi);
        dev.request_interrupt(types, c"vttm-engine", this.clone())?;
        Ok(this)
    }

    /// Whether the device does nothing. Waits for a DMA that the last driver has left.
    fn is_quiet(bar: &pci::Bar<'_, { regs::END }>) -> bool {
        // A DMA takes 100 ms.
        const PATIENCE_MS: u32 = 1000;

        for _ in 0..PATIENCE_MS {
            if !bar.read(regs::DMA_COMMAND).run() {
                bar.write_reg(regs::IRQ_ACK::zeroed().with_dma(true));
                return true;
            }
            fsleep(Delta::from_millis(1));
        }
        false
    }

    /// Gives the device its memory. On the bus, VRAM begins at `vram`. The device must have its DMA
    /// mask.
    pub(crate) fn set_memory(&self, dev: &pci::Device<Bound>, vram: DmaAddress) -> Result {
        let words = Transfer::CHUNK / size_of::<u64>();
        let page = Coherent::zeroed_slice(dev.as_ref(), words, GFP_KERNEL)?;
        let page_addr = page.dma_address();
        let page = Devres::new(dev.as_ref(), page)?;

        self.memory.populate(Memory {
            vram,
            page,
            page_addr,
        });
        Ok(())
    }

    /// The bus address of a place.
    pub(crate) fn on_bus(&self, at: Address) -> Result<DmaAddress> {
        match at {
            Address::Bus(addr) => Ok(addr),
            Address::Offset(offset) => Ok(self.memory.as_ref().ok_or(ENODEV)?.vram + offset),
        }
    }

    /// Shows the counters.
    pub(crate) fn show(this: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &this.counts;

        for (name, count) in [
            ("asked", &counts.asked),
            ("bytes", &counts.bytes),
            ("dmas", &counts.dmas),
            ("interrupts", &counts.interrupts),
            ("jobs", &counts.jobs),
            ("empty", &counts.empty),
            ("failed", &counts.failed),
            ("retries", &counts.retries),
        ] {
            writeln!(f, "{name} {}", count.get())?;
        }
        Ok(())
    }

    /// Lets fences begin jobs, until [`Self::stop`].
    pub(crate) fn start_work(self: &Arc<Self>) {
        *self.link.edu.lock() = Some(self.clone());
    }

    /// Whether jobs are refused.
    pub(crate) fn is_stopped(&self) -> bool {
        self.queue.lock().is_stopped
    }

    /// Allocates all that a job needs. If `is_content`, it clears or moves a buffer.
    pub(crate) fn prepare(
        &self,
        transfers: KVVec<Transfer>,
        is_content: bool,
        after: KVec<ARef<Fence>>,
    ) -> Result<PreparedJob> {
        let waits = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let mut deps = KVec::with_capacity(after.len(), GFP_KERNEL)?;

        for fence in after {
            let waker = Waker::new(Dependency {
                link: self.link.clone(),
                waits: waits.clone(),
            })?;
            deps.push((fence, waker), GFP_KERNEL)?;
        }
        let job = Job {
            transfers,
            at: 0,
            done: 0,
            is_out: false,
            is_content,
            was_retried: false,
            busy_looks: 0,
            waits,
            fence: None,
            result: Ok(()),
            begun: Instant::now(),
            busy: None,
            next: None,
            shares: [None, None],
        };
        Ok(PreparedJob {
            job: KBox::new(job, GFP_KERNEL)?,
            deps,
        })
    }

    /// Puts a job into the queue. Neither sleeps nor allocates.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if it is refused. Then its fence is signaled.
    pub(crate) fn enqueue(
        &self,
        prepared: PreparedJob,
        fence: PendingFence,
        busy: Option<Arc<Count>>,
        shares: [Option<Share>; 2],
    ) -> Result {
        let mut job = prepared.job;
        let waits = job.waits.clone();
        let size: usize = job.transfers.iter().map(|transfer| transfer.size).sum();

        // One for the job itself, so that it doesn't begin before all have their wakers.
        waits.store(1, Relaxed);
        job.fence = Some(fence);
        job.busy = busy;
        job.shares = shares;
        let refused = {
            let mut queue = self.queue.lock();

            if queue.is_stopped || (queue.is_paused && job.is_content) {
                Some(job)
            } else {
                queue.waiting.push(job);
                None
            }
        };
        if let Some(mut job) = refused {
            job.result = Err(ENODEV);
            job.end(&self.counts);
            return Err(ENODEV);
        }
        self.counts.asked.add(size as u64);
        if size == 0 {
            self.counts.empty.add(1);
        }

        for (fence, waker) in prepared.deps {
            waits.fetch_add(1, Full);
            if fence.wake(waker).is_err() && fence.is_signaled() {
                waits.fetch_sub(1, Full);
            }
            // Neither added nor signaled: the module is being unloaded. The job never begins, and
            // `stop` ends it.
        }
        if waits.fetch_sub(1, Full) == 1 {
            self.begin_next();
        }
        Ok(())
    }

    /// Begins the next job that is ready, if the device does nothing.
    fn begin_next(&self) {
        if let Some(bar) = self.bar.try_access() {
            let mut queue = self.queue.lock();

            if queue.running.is_none() && !queue.is_stopped {
                self.begin(&mut queue, &bar);
            }
        }
    }

    /// Begins the next job that is ready. Nothing is running.
    fn begin(&self, queue: &mut Queue, bar: &pci::Bar<'_, { regs::END }>) {
        if queue.is_paused {
            return;
        }
        if let Some(mut job) = queue.waiting.take_ready() {
            job.begun = Instant::now();
            self.start(&job, bar);
            queue.running = Some(job);
        }
    }

    /// Starts the next DMA of a job.
    fn start(&self, job: &Job, bar: &pci::Bar<'_, { regs::END }>) {
        let (from, to, size) = match job.transfers.get(job.at) {
            Some(transfer) => transfer.part(job.done),
            // A job with nothing to do ends in an interrupt as well, as its fence is signaled there.
            None => (
                Source::Pattern { value: 0, step: 0 },
                BUFFER,
                size_of::<u64>(),
            ),
        };
        let (from, to) = match from {
            _ if job.is_out => (BUFFER, to),
            Source::Bus(from) => (from, BUFFER),
            Source::Pattern { value, step } => (self.write_pattern(size, value, step), BUFFER),
        };

        // They don't fail: the registers are aligned, and within the BAR.
        let _ = bar.try_write_reg(regs::DMA_FROM::from(from));
        let _ = bar.try_write_reg(regs::DMA_TO::from(to));
        // CAST: It is a chunk at most.
        bar.write_reg(regs::DMA_SIZE::from(size as u32));
        bar.write_reg(
            regs::DMA_COMMAND::zeroed()
                .with_run(true)
                .with_out(job.is_out)
                .with_interrupt(true),
        );
        self.counts.dmas.add(1);
    }

    /// Fills the page from which the device takes patterns, and which it doesn't use now. Returns the
    /// page's bus address.
    fn write_pattern(&self, size: usize, value: u64, step: u64) -> DmaAddress {
        let Some(memory) = self.memory.as_ref() else {
            // There are no jobs before it has memory.
            return 0;
        };

        if let Some(page) = memory.page.try_access() {
            let mut word = value;

            for n in 0..size / size_of::<u64>() {
                io_write!(*page, [panic: n], word);
                word = word.wrapping_add(step);
            }
        }
        memory.page_addr
    }

    /// Notes that the DMA of a job is done. Returns false if it was the last one.
    fn advance(&self, job: &mut Job) -> bool {
        let Some(transfer) = job.transfers.get(job.at) else {
            return false;
        };
        job.busy_looks = 0;
        job.is_out = !job.is_out;
        if job.is_out {
            return true;
        }
        let (_, _, size) = transfer.part(job.done);

        self.counts.bytes.add(size as u64);
        job.done += size;
        if job.done >= transfer.size {
            job.at += 1;
            job.done = 0;
        }
        job.at < job.transfers.len()
    }

    /// Looks whether the device is at the same DMA as the last time. Returns the number of the DMA.
    ///
    /// If that DMA is done, its interrupt was lost: it is repeated, once in a job. A job that loses
    /// another interrupt fails; one that clears or moves a buffer goes on without interrupts.
    ///
    /// If the device is stuck, such a job can't be done, and must not be taken for done, as long as
    /// programs have mappings: its fence isn't signaled before [`Self::stop`]. If the device is gone,
    /// it will be unbound, and all jobs fail at once.
    fn check(&self, last: u64) -> u64 {
        // If the whole virtual machine was paused, the DMA goes on in a moment.
        const PATIENCE: u32 = 10;

        let Some(bar) = self.bar.try_access() else {
            return last;
        };
        let mut queue = self.queue.lock();
        let now = self.counts.dmas.get();
        let Some(mut job) = queue.running.take_if(|_| now == last) else {
            return now;
        };

        let command = bar.read(regs::DMA_COMMAND);
        // All bits are set if it is gone.
        let is_there = command.into_raw() != u32::MAX;
        if command.run() && is_there && job.busy_looks < PATIENCE {
            job.busy_looks += 1;
            queue.running = Some(job);
            return now;
        }
        self.counts.retries.add(1);
        let mut ended = Jobs::default();
        // In case only the interrupt was lost.
        bar.write_reg(regs::IRQ_ACK::zeroed().with_dma(true));
        if command.run() {
            // First, as the fences that are signaled below let TTM free pages.
            self.end_dma();
            queue.is_stopped = true;

            let waiting = core::mem::take(&mut queue.waiting);
            for mut job in Iterator::chain(core::iter::once(job), waiting) {
                if job.is_content && is_there {
                    // It isn't under way any more, so nobody has to wait for that.
                    job.shares = [None, None];
                    queue.waiting.push(job);
                } else {
                    ended.push(job);
                }
            }
        } else if !core::mem::replace(&mut job.was_retried, true)
            || (job.is_content && self.advance(&mut job))
        {
            self.start(&job, &bar);
            queue.running = Some(job);
        } else {
            if !job.is_content {
                job.result = Err(EIO);
            }
            ended.push(job);
            self.begin(&mut queue, &bar);
        }
        let now = self.counts.dmas.get();
        let is_stopped = queue.is_stopped;

        queue.ending += 1;
        drop(queue);
        for mut job in ended {
            if is_stopped {
                job.result = Err(ENODEV);
            }
            job.end(&self.counts);
        }
        self.queue.lock().ending -= 1;
        now
    }

    /// Lets the device access no more memory, even if a DMA is under way.
    fn end_dma(&self) {
        if let Some(master) = self.master.try_access() {
            master.stop();
        }
    }

    /// Whether it is between [`Self::start_work`] and [`Self::stop`].
    ///
    /// # Errors
    ///
    /// [`EIO`] if the device is stuck.
    pub(crate) fn is_at_work(&self) -> Result<bool> {
        if self.link.edu.lock().is_none() {
            return Ok(false);
        }
        if self.is_stopped() {
            return Err(EIO);
        }
        Ok(true)
    }

    /// Waits until no job is running or could begin. If `pause`, none begins afterwards until
    /// [`Self::resume`], and the CPU has to move buffers.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if that takes more than a minute, [`EIO`] if the device is stuck.
    pub(crate) fn wait_until_idle(&self, pause: bool) -> Result {
        const PATIENCE_MS: u32 = 60_000;

        for _ in 0..PATIENCE_MS {
            {
                let mut queue = self.queue.lock();

                if queue.is_stopped {
                    return Err(EIO);
                }
                // When a job ends, the next one that is ready begins.
                if queue.running.is_none() && queue.ending == 0 {
                    queue.is_paused = pause;
                    return Ok(());
                }
            }
            fsleep(Delta::from_millis(1));
        }
        Err(EBUSY)
    }

    /// Begins jobs again.
    pub(crate) fn resume(&self) {
        self.queue.lock().is_paused = false;
        self.begin_next();
    }

    /// Takes no more jobs, waits until the device does nothing, and cancels all other jobs.
    ///
    /// The device can't be stopped: a DMA that has begun goes on. If it takes too long, bus mastering
    /// ends, and its accesses fail.
    pub(crate) fn stop(&self) {
        // A DMA takes 100 ms.
        const PATIENCE_MS: u32 = 1000;

        self.queue.lock().is_stopped = true;
        // Dropped when the lock isn't held.
        let _edu = self.link.edu.lock().take();
        for _ in 0..PATIENCE_MS {
            if self.queue.lock().running.is_none() {
                break;
            }
            fsleep(Delta::from_millis(1));
        }
        self.end_dma();
        let (running, waiting) = {
            let mut queue = self.queue.lock();

            (queue.running.take(), core::mem::take(&mut queue.waiting))
        };
        for mut job in Iterator::chain(running.into_iter(), waiting) {
            job.result = Err(ENODEV);
            job.end(&self.counts);
        }
    }
}

impl Handler for Edu {
    fn handle(&self) -> IrqReturn {
        let Some(bar) = self.bar.try_access() else {
            return IrqReturn::None;
        };
        // With the lock, or the watchdog might take this interrupt for lost, and repeat the DMA. The
        // interrupt of that one would then be taken for the next one's.
        let mut queue = self.queue.lock();
        let status = bar.read(regs::IRQ_STATUS);
        if !status.dma() || status.into_raw() == u32::MAX {
            // All bits are set if the device is gone.
            return IrqReturn::None;
        }
        bar.write_reg(regs::IRQ_ACK::zeroed().with_dma(true));
        self.counts.interrupts.add(1);

        let Some(mut job) = queue.running.take() else {
            return IrqReturn::Handled;
        };
        if queue.is_stopped {
            // Only this DMA was waited for.
            job.result = Err(ENODEV);
        } else if self.advance(&mut job) {
            self.start(&job, &bar);
            queue.running = Some(job);
            return IrqReturn::Handled;
        } else {
            self.begin(&mut queue, &bar);
        }
        // Not with the lock: a callback of the fence may take it.
        queue.ending += 1;
        drop(queue);
        job.end(&self.counts);
        self.queue.lock().ending -= 1;
        IrqReturn::Handled
    }
}

/// Looks after a device, see [`Edu::check`].
#[pin_data]
pub(crate) struct Watchdog {
    #[pin]
    timer: HrTimer<Self>,
    edu: Arc<Edu>,
    /// The DMA that was under way the last time.
    last: Atomic<u64>,
}

impl Watchdog {
    /// A DMA takes 100 ms.
    const INTERVAL: Delta = Delta::from_secs(1);

    /// Starts it. It ends when the result is dropped.
    pub(crate) fn start(edu: Arc<Edu>) -> Result<ArcHrTimerHandle<Self>> {
        let init = pin_init!(Self {
            timer <- HrTimer::new(),
            edu,
            last: Atomic::new(0),
        });

        Ok(Arc::pin_init(init, GFP_KERNEL)?.start(Self::INTERVAL))
    }
}

impl HrTimerCallback for Watchdog {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, mut ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        let last = this.last.load(Relaxed);

        this.last.store(this.edu.check(last), Relaxed);
        ctx.forward_now(Self::INTERVAL);
        HrTimerRestart::Restart
    }
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Watchdog {
        mode: RelativeMode<Monotonic>, field: self.timer
    }
}

impl Job {
    /// Signals the fence.
    fn end(self: KBox<Self>, counts: &Counts) {
        let mut job = KBox::into_inner(self);

        counts.jobs.add(1);
        if job.result.is_err() {
            counts.failed.add(1);
        }
        if let Some(busy) = &job.busy {
            busy.add(job.begun.elapsed().as_nanos().unsigned_abs());
        }
        if let Some(fence) = job.fence.take() {
            fence.signal(job.result);
        }
    }
}

/// A fence that a job waits for.
pub(crate) struct Dependency {
    link: Arc<Link>,
    waits: Arc<Atomic<u32>>,
}

/// What a fence has of the device: it may never be signaled, and the device must not wait for that.
#[pin_data]
struct Link {
    /// Set while the device works.
    #[pin]
    edu: SpinLockIrq<Option<Arc<Edu>>>,
}

impl Link {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    fn new() -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            edu <- new_spinlock_irq!(None),
        });

        Arc::pin_init(init, GFP_KERNEL)
    }
}

impl Wake for Dependency {
    fn wake(waker: KBox<Waker<Self>>) {
        if waker.waits.fetch_sub(1, Full) == 1 {
            // With the lock, so that this never drops the last reference.
            if let Some(edu) = &*waker.link.edu.lock() {
                edu.begin_next();
            }
        }
    }
}
