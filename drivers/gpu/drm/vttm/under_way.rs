// SPDX-License-Identifier: GPL-2.0 OR MIT

//! What is under way in an engine: amounts with a limit.

use kernel::{
    new_condvar,
    new_spinlock_irq,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        CondVarTimeoutResult,
        SpinLockIrq, //
    },
    time::{
        msecs_to_jiffies,
        Jiffies, //
    }, //
};

/// Counts bytes or jobs that are under way.
struct Tally {
    /// The amount that is under way.
    now: usize,
    /// Counts how often more has begun.
    begun: u64,
}

/// The amount under way, and its limit.
#[pin_data]
struct UnderWay {
    most: usize,
    #[pin]
    all: SpinLockIrq<Tally>,
    #[pin]
    less: CondVar,
}

impl UnderWay {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    fn new(most: usize) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                most,
                all <- new_spinlock_irq!(Tally { now: 0, begun: 0 }),
                less <- new_condvar!(),
            }),
            GFP_KERNEL,
        )
    }

    /// Begins `size` more, even beyond the limit.
    fn begin(self: &Arc<Self>, size: usize) -> Share {
        self.share(&mut self.all.lock(), size)
    }

    /// Waits until less than the limit is under way, if it isn't. When this returns, other threads
    /// may have begun more already.
    ///
    /// The work under way must not wait for the caller, except when the device `is_gone`.
    fn wait_for_room(&self, is_gone: impl Fn() -> bool) -> Result {
        const LOOK_EACH_MS: u32 = 100;
        let patience = msecs_to_jiffies(LOOK_EACH_MS);
        let mut all = self.all.lock();

        while all.now >= self.most {
            match self.less.wait_interruptible_timeout(&mut all, patience) {
                CondVarTimeoutResult::Woken { .. } => break,
                CondVarTimeoutResult::Timeout if is_gone() => return Err(ENODEV),
                CondVarTimeoutResult::Timeout => (),
                CondVarTimeoutResult::Signal { .. } => return Err(ERESTARTSYS),
            }
        }
        Ok(())
    }

    /// Begins `size` more, if that stays within the limit. A size above the limit begins when
    /// nothing is under way.
    fn try_begin(self: &Arc<Self>, size: usize) -> Option<Share> {
        let mut all = self.all.lock();

        self.has_room(all.now, size)
            .then(|| self.share(&mut all, size))
    }

    /// Whether anything is under way.
    fn is_any(&self) -> bool {
        self.all.lock().now != 0
    }

    /// How often more has begun so far.
    fn begun(&self) -> u64 {
        self.all.lock().begun
    }

    fn has_room(&self, now: usize, size: usize) -> bool {
        size == 0 || now == 0 || now.saturating_add(size) <= self.most
    }

    fn share(self: &Arc<Self>, all: &mut Tally, size: usize) -> Share {
        all.now += size;
        all.begun += 1;
        Share {
            under_way: self.clone(),
            size,
        }
    }

    /// Waits until some of it is done, for `patience` at most. Returns the time that is left, or
    /// [`None`] if nothing is under way, or nothing was done in time.
    fn wait_for_less(&self, patience: Jiffies) -> Result<Option<Jiffies>> {
        let mut all = self.all.lock();

        if all.now == 0 {
            return Ok(None);
        }
        match self.less.wait_interruptible_timeout(&mut all, patience) {
            CondVarTimeoutResult::Woken { jiffies } => Ok(Some(jiffies)),
            CondVarTimeoutResult::Timeout => Ok(None),
            CondVarTimeoutResult::Signal { .. } => Err(ERESTARTSYS),
        }
    }
}

/// What an engine has under way.
///
/// A *late* job waits for a fence of another device.
pub(crate) struct Load {
    /// Bytes that are copied out of pages.
    copies: Arc<UnderWay>,
    /// The same, of late jobs.
    late_copies: Arc<UnderWay>,
    late: Arc<UnderWay>,
}

impl Load {
    /// Copies of at most `most` bytes are out of pages at a time.
    pub(crate) fn new(most: usize) -> Result<Self> {
        Ok(Self {
            copies: UnderWay::new(most)?,
            late_copies: UnderWay::new(most)?,
            late: UnderWay::new(usize::MAX)?,
        })
    }

    /// Begins to copy `bytes` out of pages. A late job can't if it would exceed the limit.
    pub(crate) fn begin_copy(&self, bytes: usize, is_late: bool) -> Option<Share> {
        if is_late {
            self.late_copies.try_begin(bytes)
        } else {
            Some(self.copies.begin(bytes))
        }
    }

    /// Waits while there is too much to copy out of pages.
    ///
    /// A transaction waits when it begins. If it waited later, other transactions would have to
    /// wait for its reservations. So the transactions that are under way may exceed the limit.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if the device `is_gone`, [`ERESTARTSYS`].
    pub(crate) fn wait_for_copies(&self, is_gone: impl Fn() -> bool) -> Result {
        self.copies.wait_for_room(is_gone)
    }

    /// Begins a late job.
    pub(crate) fn begin_late(&self) -> Share {
        self.late.begin(1)
    }

    /// Whether there are late jobs. Their buffers aren't evicted.
    pub(crate) fn is_late(&self) -> bool {
        self.late.is_any()
    }

    /// How many late jobs there have been so far.
    pub(crate) fn late_jobs(&self) -> u64 {
        self.late.begun()
    }

    /// Waits for one of the late jobs to be done, for `patience` at most. Returns the time that is
    /// left, or [`None`] if there is no late job, or none was done in time.
    pub(crate) fn wait_for_late(&self, patience: Jiffies) -> Result<Option<Jiffies>> {
        self.late.wait_for_less(patience)
    }
}

/// A part of the amount under way; dropping it says that this part is done.
pub(crate) struct Share {
    under_way: Arc<UnderWay>,
    size: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.size == 0 {
            return;
        }
        let mut all = self.under_way.all.lock();

        all.now -= self.size;
        if all.now < self.under_way.most {
            self.under_way.less.notify_all();
        }
    }
}
