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
    time::Jiffies, //
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
pub(crate) struct UnderWay {
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
    pub(crate) fn new(most: usize) -> Result<Arc<Self>> {
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
    pub(crate) fn begin(self: &Arc<Self>, size: usize) -> Share {
        self.share(&mut self.all.lock(), size)
    }

    /// Waits until less than the limit is under way, if it isn't. When this returns, other threads
    /// may have begun more already.
    ///
    /// The work under way must not wait for the caller.
    pub(crate) fn wait_for_room(&self) -> Result {
        let mut all = self.all.lock();

        if all.now >= self.most && self.less.wait_interruptible(&mut all) {
            return Err(ERESTARTSYS);
        }
        Ok(())
    }

    /// Begins `size` more, if that stays within the limit. A size above the limit begins when
    /// nothing is under way.
    pub(crate) fn try_begin(self: &Arc<Self>, size: usize) -> Option<Share> {
        let mut all = self.all.lock();

        self.has_room(all.now, size)
            .then(|| self.share(&mut all, size))
    }

    /// Whether anything is under way.
    pub(crate) fn is_any(&self) -> bool {
        self.all.lock().now != 0
    }

    /// How often more has begun so far.
    pub(crate) fn begun(&self) -> u64 {
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
    pub(crate) fn wait_for_less(&self, patience: Jiffies) -> Result<Option<Jiffies>> {
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
