// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A reservation belongs to its thread, so a job that is being made with it can't be sent.

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
