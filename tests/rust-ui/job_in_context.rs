// SPDmismatched types: expected `&Timeline`, found `&FenceCtx`-License-Identifier: GPL-2.0 OR MIT
//! A job takes its fence from a timeline, which signals fences in order.

use kernel::{
    dma_fence::{FenceCtx, Timeline},
    drm::ttm::JobBuilder,
    prelude::*, //
};

fn case(ring: &FenceCtx, timeline: &Timeline) -> Result {
    #[cfg(not(control))]
    JobBuilder::new(ring, 1)?; //~ error[E0308]: mismatched types: expected `&Timeline`, found `&FenceCtx`
    #[cfg(control)]
    JobBuilder::new(timeline, 1)?;
    Ok(())
}
