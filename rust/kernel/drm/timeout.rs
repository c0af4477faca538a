// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Timeouts as programs give them.

use crate::time::{
    Delta,
    Instant,
    Monotonic, //
};

/// How long it is until `deadline_ns`, in nanoseconds of `CLOCK_MONOTONIC`; zero if that has been.
///
/// Programs say until when to wait, not how long: then a wait that a signal has interrupted can begin
/// anew with the same argument.
///
/// # Examples
///
/// ```
/// use kernel::{drm, time::Delta};
///
/// assert!(drm::time_until(1).is_zero());
/// assert!(drm::time_until(i64::MIN).is_zero());
/// assert!(drm::time_until(i64::MAX).as_millis() > 0);
/// ```
pub fn time_until(deadline_ns: i64) -> Delta {
    let now = Instant::<Monotonic>::now().as_nanos();

    Delta::from_nanos(deadline_ns.saturating_sub(now).max(0))
}
