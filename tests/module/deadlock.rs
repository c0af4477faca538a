// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A module that deadlocks when it is loaded: with itself, or with a work item that takes its two
//! mutexes in the other order.

#![forbid(unsafe_code)]

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    workqueue, //
};

module! {
    type: Deadlock,
    name: "deadlock",
    authors: ["The Hitch developers"],
    description: "A module that deadlocks",
    license: "Dual MIT/GPL",
    params: {
        itself: bool {
            default: false,
            description: "Take one mutex twice",
        },
    },
}

#[pin_data]
struct Pair {
    #[pin]
    first: Mutex<()>,
    #[pin]
    second: Mutex<()>,
    holders: Atomic<u32>,
}

impl Pair {
    /// To be called with one of both held: waits until another thread has the other one.
    fn meet(&self) {
        self.holders.fetch_add(1, Full);
        while self.holders.load(Acquire) < 2 {
            fsleep(Delta::from_millis(1));
        }
    }
}

struct Deadlock;

impl kernel::Module for Deadlock {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let pair = Arc::pin_init(
            pin_init!(Pair {
                first <- new_mutex!((), "first"),
                second <- new_mutex!((), "second"),
                holders: Atomic::new(0),
            }),
            GFP_KERNEL,
        )?;
        let other = pair.clone();

        let _first = pair.first.lock();
        if *module_parameters::itself.value_ref() {
            drop(pair.first.lock());
        }
        workqueue::system().try_spawn(GFP_KERNEL, move || {
            let _second = other.second.lock();
            other.meet();
            drop(other.first.lock());
        })?;
        pair.meet();
        drop(pair.second.lock());
        Ok(Self)
    }
}
