// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The engine: what a job copies and what it waits for.

use crate::{
    count::Count,
    edu::{
        Edu,
        Source,
        Transfer, //
    },
    gem::{
        Buffer,
        Object, //
    },
    submit::{
        Op,
        Submitted, //
    },
    under_way::{
        Load,
        Share, //
    }, //
};
use kernel::{
    dma::DmaAddress,
    dma_fence::{
        Fence,
        Timeline, //
    },
    drm::ttm::{
        Clear,
        ClearBy,
        FenceSlot,
        FenceUsage,
        Move,
        MoveBy,
        Pieces,
        Reserved, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// Gives work to the hardware.
///
/// A job waits for fences: for those of other work on its buffers, which may be on this engine, and
/// for those of other devices, which may never be signaled. A job that waits for the latter is late
/// and has a timeline of its own, so that no fence of another job has to wait for it.
#[pin_data]
pub(crate) struct Engine {
    timeline: Timeline,
    /// Counts jobs of programs.
    jobs: Atomic<u64>,
    edu: Arc<Edu>,
    pub(crate) load: Load,
}

impl Engine {
    /// Whether the CPU does the work, so that it has to reach the pages of imported buffers.
    pub(crate) const IS_CPU: bool = false;

    /// Makes an engine that copies at most `most` bytes out of pages at a time.
    pub(crate) fn new(edu: Arc<Edu>, most: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            timeline: Timeline::new(c"vttm", c"engine")?,
            jobs: Atomic::new(0),
            edu,
            load: Load::new(most)?,
        })
    }

    /// No copy waits.
    pub(crate) fn delay_us(&self) -> u64 {
        0
    }

    /// Moves a buffer. A move out of pages is `from_pages`.
    ///
    /// The pages stay until the content has been copied, while the buffer may get new ones. Only
    /// [`Load::wait_for_copies`] limits that.
    pub(crate) fn copy(&self, bo: &Buffer, mv: &mut Move<'_>, from_pages: bool) -> Result<MoveBy> {
        if !mv.has_content() {
            // The new place is cleared.
            return Ok(MoveBy::Nothing);
        }
        let after = mv.dependencies()?;
        let is_late = self.is_late_after(&after);
        if is_late && mv.is_eviction() {
            // Other buffers would have to wait for the job.
            return Err(EBUSY);
        }
        let bytes = if from_pages { mv.size() } else { 0 };
        let Some(share) = self.load.begin_copy(bytes, is_late) else {
            return Ok(MoveBy::Memcpy);
        };

        let mut transfers = KVVec::new();
        for (from, to) in mv.copies()? {
            let transfer = Transfer {
                from: Source::Bus(self.edu.on_bus(from.at)?),
                to: self.edu.on_bus(to.at)?,
                size: from.size,
            };
            transfers.push(transfer, GFP_KERNEL)?;
        }
        Ok(match self.enqueue(bo, transfers, after, Some(share))? {
            Some(fence) => MoveBy::Pipelined(fence),
            None => MoveBy::Memcpy,
        })
    }

    /// Clears a place.
    pub(crate) fn clear(&self, bo: &Buffer, clear: &mut Clear<'_>) -> Result<ClearBy> {
        let after = clear.dependencies()?;
        let mut transfers = KVVec::new();

        for piece in clear.pieces()? {
            let transfer = Transfer {
                from: Source::Pattern { value: 0, step: 0 },
                to: self.edu.on_bus(piece.at)?,
                size: piece.size,
            };
            transfers.push(transfer, GFP_KERNEL)?;
        }
        Ok(match self.enqueue(bo, transfers, after, None)? {
            Some(fence) => ClearBy::Fence(fence),
            None => ClearBy::Cpu,
        })
    }

    /// Lets the hardware move or clear a buffer. Returns [`None`] if it takes no more jobs: then the
    /// CPU must do so. Of memory that the CPU doesn't reach, nothing can be saved.
    fn enqueue(
        &self,
        bo: &Buffer,
        transfers: KVVec<Transfer>,
        after: KVec<ARef<Fence>>,
        share: Option<Share>,
    ) -> Result<Option<ARef<Fence>>> {
        let is_late = self.is_late_after(&after);
        let job = self.edu.prepare(transfers, true, after)?;
        let pending = self.timeline(is_late)?.fence()?;
        let fence = pending.fence();
        let late = is_late.then(|| self.load.begin_late());

        if self.edu.enqueue(job, pending, None, [share, late]).is_err() {
            return Ok(None);
        }
        if is_late {
            bo.is_used_late(fence.clone());
        }
        Ok(Some(fence))
    }

    /// Begins to make a job.
    pub(crate) fn job<'a>(&self, capacity: usize) -> Result<JobBuilder<'a>> {
        Ok(JobBuilder {
            edu: self.edu.clone(),
            uses: KVec::with_capacity(capacity, GFP_KERNEL)?,
            slots: KVec::with_capacity(capacity, GFP_KERNEL)?,
            slot_of_vm: None,
            after: KVec::new(),
        })
    }

    /// Does `ops` with the buffers of a job, and adds the nanoseconds that it takes to `busy`.
    /// Returns the fence to wait for, the job's number in the order of jobs, and whether it is
    /// late.
    pub(crate) fn submit(
        &self,
        job: JobBuilder<'_>,
        ops: KVec<Op>,
        busy: Arc<Count>,
    ) -> Result<Submitted> {
        if self.edu.is_stopped() {
            return Err(ENODEV);
        }
        let is_late = self.is_late_after(&job.after);
        let late = is_late.then(|| self.load.begin_late());
        let mut transfers = KVVec::new();
        for op in &ops {
            job.add_transfers(op, &mut transfers)?;
        }
        let prepared = self.edu.prepare(transfers, false, job.after)?;
        let pending = self.timeline(is_late)?.prepare()?;

        // From here on others may wait for the fence, so nothing allocates.
        let pending = pending.start();
        let fence = pending.fence();
        for (slot, usage) in job.slots {
            // There is room, as each reservation has one slot.
            slot.add(&fence, usage)?;
        }
        self.edu
            .enqueue(prepared, pending, Some(busy), [late, None])?;
        Ok(Submitted {
            fence,
            serial: self.jobs.fetch_add(1, Relaxed) + 1,
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

    /// Whether a job that waits for these fences is late.
    fn is_late_after(&self, fences: &[ARef<Fence>]) -> bool {
        fences
            .iter()
            .any(|fence| !self.timeline.has(fence) && !fence.is_signaled())
    }
}

/// The ranges of a buffer on the bus.
struct Ranges(KVec<(DmaAddress, usize)>);

impl Ranges {
    fn new(edu: &Edu, pieces: Pieces<'_>) -> Result<Self> {
        let mut ranges = KVec::new();

        for piece in pieces {
            ranges.push((edu.on_bus(piece.at)?, piece.size), GFP_KERNEL)?;
        }
        Ok(Self(ranges))
    }

    /// The ranges of a part of the buffer.
    fn part(&self, offset: usize, size: usize) -> impl Iterator<Item = (DmaAddress, usize)> + '_ {
        let (mut skip, mut left) = (offset, size);

        self.0.iter().filter_map(move |&(addr, size)| {
            let before = skip.min(size);
            let taken = left.min(size - before);

            skip -= before;
            left -= taken;
            (taken != 0).then_some((addr + before as DmaAddress, taken))
        })
    }
}

/// A job that is being made.
pub(crate) struct JobBuilder<'a> {
    edu: Arc<Edu>,
    uses: KVec<Ranges>,
    /// Of each reservation.
    slots: KVec<(FenceSlot<'a>, FenceUsage)>,
    /// The slot of the VM. Its buffers share a reservation.
    slot_of_vm: Option<usize>,
    after: KVec<ARef<Fence>>,
}

impl<'a> JobBuilder<'a> {
    /// Adds a buffer.
    pub(crate) fn add(
        &mut self,
        buffer: &'a mut Reserved<'_, Object>,
        usage: FenceUsage,
    ) -> Result {
        for fence in buffer.dependencies(usage)? {
            self.after.push(fence, GFP_KERNEL)?;
        }
        self.uses
            .push(Ranges::new(&self.edu, buffer.pieces()?)?, GFP_KERNEL)?;
        if buffer.vm.is_some() {
            // All buffers with a VM have the same one.
            if let Some((_, all)) = self.slot_of_vm.and_then(|n| self.slots.get_mut(n)) {
                if usage == FenceUsage::Write {
                    *all = usage;
                }
                return Ok(());
            }
            self.slot_of_vm = Some(self.slots.len());
        }
        self.slots.push((buffer.fence_slot()?, usage), GFP_KERNEL)?;
        Ok(())
    }

    /// Makes the job wait for `fence` before it begins.
    pub(crate) fn wait_for(&mut self, fence: ARef<Fence>) -> Result {
        Ok(self.after.push(fence, GFP_KERNEL)?)
    }

    /// Adds the transfers of an operation.
    fn add_transfers(&self, op: &Op, transfers: &mut KVVec<Transfer>) -> Result {
        match *op {
            Op::Fill {
                to,
                to_offset,
                size,
                value,
                step,
            } => {
                let mut word = value;

                for (to, size) in self.uses[to].part(to_offset, size) {
                    let from = Source::Pattern { value: word, step };

                    transfers.push(Transfer { from, to, size }, GFP_KERNEL)?;
                    word = word.wrapping_add(step.wrapping_mul((size / size_of::<u64>()) as u64));
                }
            }
            Op::Copy {
                to,
                to_offset,
                from,
                from_offset,
                size,
            } => {
                let mut sources = self.uses[from].part(from_offset, size);
                let (mut source, mut left) = (0, 0);

                for (mut to, mut size) in self.uses[to].part(to_offset, size) {
                    while size != 0 {
                        if left == 0 {
                            (source, left) = sources.next().ok_or(EINVAL)?;
                        }
                        let part = size.min(left);
                        let from = Source::Bus(source);

                        transfers.push(
                            Transfer {
                                from,
                                to,
                                size: part,
                            },
                            GFP_KERNEL,
                        )?;
                        (source, left) = (source + part as DmaAddress, left - part);
                        (to, size) = (to + part as DmaAddress, size - part);
                    }
                }
            }
        }
        Ok(())
    }
}
