// SPDX-License-Identifier: GPL-2.0 OR MIT

//! What walks over an LRU list cost, in C and in Rust.
//!
//! Walks the same buffers with both, and prints for each kind of walk how much the TSC went on. It
//! is for `make cost`, where that counts instructions.

use core::{
    ffi::c_void,
    pin::pin,
    ptr, //
};
use kernel::{
    device::DeviceContext,
    drm::{
        self,
        ttm, //
    },
    faux,
    page::PAGE_SIZE,
    prelude::*,
    sync::aref::ARef, //
};

#[path = "../../module/plain.rs"]
mod plain;

use plain::{
    Buffer,
    File, //
};

module! {
    type: Cost,
    name: "ttm_cost",
    authors: ["The Hitch developers"],
    description: "What TTM LRU walks cost in C and in Rust",
    license: "Dual MIT/GPL",
}

/// How many buffers there are, of a page each.
const BUFFERS: usize = 10_000;

/// Each walk is done so many times, and the best one counts: an interrupt hits some of them.
const ROUNDS: usize = 5;

/// How many instructions are executed to see that they are what is counted.
const INSTRUCTIONS: u64 = 2_000_000;

// In `ttm_cost_walks.c`. What is walked is a `struct ttm_resource_manager`.
unsafe extern "C" {
    safe fn ttm_cost_now() -> u64;
    safe fn ttm_cost_loop(instructions: u64);
    unsafe fn ttm_cost_held(man: *mut c_void) -> usize;
    unsafe fn ttm_cost_unlocked(man: *mut c_void) -> usize;
    unsafe fn ttm_cost_referenced(man: *mut c_void) -> usize;
    unsafe fn ttm_cost_reserved(man: *mut c_void) -> usize;
}

struct Driver;

type Manager = ttm::Manager<Driver>;
type Object = ttm::Object<Buffer>;

#[vtable]
impl drm::Driver for Driver {
    type Data = ttm::Device<Self>;
    type RegistrationData<'a> = ();
    type File = File;
    type Object = Object;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"ttm_cost",
        desc: c"What TTM LRU walks cost",
    };

    kernel::declare_drm_ioctls! {}
}

#[vtable]
impl ttm::Driver for Driver {
    type BufferData = Buffer;
    type DeviceData = ();
}

// The walks in Rust. Each returns the bytes of the buffers it met, and does what the one of that
// name in C does. C doesn't look whether a sum overflows.

#[inline(never)]
fn held(man: &Manager) -> usize {
    let mut cursor = pin!(man.cursor());
    let mut walk = cursor.as_mut().lock();
    let mut sum = 0_usize;

    while let Some(res) = walk.next() {
        sum = sum.wrapping_add(res.size());
    }
    sum
}

#[inline(never)]
fn unlocked(man: &Manager) -> usize {
    let mut cursor = pin!(man.cursor());
    let mut walk = cursor.as_mut().lock();
    let mut sum = 0_usize;

    while let Some(res) = walk.next() {
        sum = sum.wrapping_add(res.size());
        walk.unlocked(|| ());
    }
    sum
}

#[inline(never)]
fn referenced(man: &Manager) -> usize {
    let mut cursor = pin!(man.cursor());
    let mut walk = cursor.as_mut().lock();
    let mut sum = 0_usize;

    while walk.next().is_some() {
        walk.with_buffer(|bo| sum = sum.wrapping_add(bo.size()));
    }
    sum
}

#[inline(never)]
fn reserved(man: &Manager) -> usize {
    let walk = pin!(man.walk(&ttm::OperationCtx::new()));
    let mut sum = 0_usize;

    for bo in walk {
        sum = sum.wrapping_add(bo.map_or(0, |bo| bo.size()));
    }
    sum
}

/// How far the TSC goes on while `f` runs, at best.
fn count(f: impl Fn() -> Result) -> Result<u64> {
    let mut best = u64::MAX;

    for _ in 0..ROUNDS {
        let start = ttm_cost_now();
        f()?;
        best = best.min(ttm_cost_now() - start);
    }
    Ok(best)
}

/// Fails if a walk hasn't met all buffers.
fn check(sum: usize) -> Result {
    if sum == BUFFERS * PAGE_SIZE {
        Ok(())
    } else {
        Err(EIO)
    }
}

type InC = unsafe extern "C" fn(*mut c_void) -> usize;
type InRust = fn(&Manager) -> usize;

fn run() -> Result {
    let parent = faux::Registration::new(c"ttm_cost", None)?;
    let drm = ttm::Device::<Driver>::new(parent.as_ref(), Ok(()), |setup| {
        setup.range_manager(
            ttm::MemType::VRAM,
            BUFFERS * PAGE_SIZE,
            ttm::Backing::Emulated,
        )
    })?;
    let dev: &ttm::Device<Driver> = &drm;
    let man = dev.manager(ttm::MemType::VRAM).ok_or(ENODEV)?;
    let config = ttm::ObjectConfig {
        placement: ttm::Placement::VRAM,
        ..Default::default()
    };

    let mut buffers = KVVec::<ARef<Object>>::with_capacity(BUFFERS, GFP_KERNEL)?;
    for _ in 0..BUFFERS {
        let mut ctx = ttm::OperationCtx::new();
        buffers.push(
            Object::new(dev.drm(), PAGE_SIZE, &config, &mut ctx, ())?,
            GFP_KERNEL,
        )?;
    }
    pr_info!("buffers {BUFFERS}\n");

    let counted = count(|| {
        ttm_cost_loop(INSTRUCTIONS);
        Ok(())
    })?;
    pr_info!("loop {INSTRUCTIONS} {counted}\n");

    let walks: [(&str, InC, InRust); 4] = [
        ("held", ttm_cost_held, held),
        ("unlocked", ttm_cost_unlocked, unlocked),
        ("referenced", ttm_cost_referenced, referenced),
        ("reserved", ttm_cost_reserved, reserved),
    ];
    for (name, in_c, in_rust) in walks {
        // CAST: A manager is transparent.
        let raw = ptr::from_ref(man).cast_mut().cast();
        // SAFETY: The manager lasts as long as the device. What is changed through this pointer is
        // behind an `Opaque`.
        let c = count(|| check(unsafe { in_c(raw) }))?;
        let rust = count(|| check(in_rust(man)))?;
        pr_info!("walk {name} {c} {rust}\n");
    }
    Ok(())
}

struct Cost;

impl kernel::Module for Cost {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        run().inspect_err(|e| pr_err!("failed: {e:?}\n"))?;
        pr_info!("done\n");
        Ok(Self)
    }
}
