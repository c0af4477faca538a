// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Timeouts of ioctls.

use crate::time::{
    Delta,
    Instant,
    Monotonic, //
};

/// The time from now until `deadline_ns`, in nanoseconds of `CLOCK_MONOTONIC`; zero if that has
/// passed.
///
/// User space passes the end of a wait and not its length, so a wait that a signal has interrupted
/// can be restarted with the same argument.
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
