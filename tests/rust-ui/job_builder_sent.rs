// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Reservations are the thread's that has them, and so is what is made with them.

use kernel::{
    drm::ttm::{Job, JobBuilder},
    prelude::*, //
};

fn send<T: Send>(_: T) {}

fn case(job: JobBuilder<'_>) -> Result {
    #[cfg(not(control))]
    send(job); //~ error[E0277]: cannot be sent between threads safely
    #[cfg(control)]
    send::<Job>(job.publish()?);
    Ok(())
}
