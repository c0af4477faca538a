// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Counters.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Counts something.
pub(crate) struct Count(Atomic<u64>);

impl Count {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn take_one(&self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Default for Count {
    fn default() -> Self {
        Self(Atomic::new(0))
    }
}

/// The counters of a GPU.
#[derive(Default)]
pub(crate) struct Counts {
    /// Buffers that aren't freed yet.
    pub(crate) buffers: Count,
    pub(crate) moves: Count,
    pub(crate) bytes_moved: Count,
    pub(crate) evictions: Count,
    pub(crate) swap_outs: Count,
    pub(crate) purges: Count,
    pub(crate) submits: Count,
}
