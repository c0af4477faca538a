// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Rust TTM LRU sample.
//!
//! A virtual device with 16 MiB of VRAM, and buffers there: three bulks, and some loose ones. Two
//! threads walk the LRU list of VRAM and drop its lock at every step. Meanwhile a third one frees,
//! allocates, evicts, pins and unpins buffers, lets them join and leave their bulks, and moves them
//! and the bulks to the list's tail.
//!
//! A buffer that is on the list from a walk's first step to its end, and doesn't enter it
//! meanwhile, is owed to that walk: it must be returned. Each walk counts the buffers that it is
//! owed, and those that it missed.
//!
//! The first steps are shown, a line each: members of the three bulks as `a`, `b` and `c`, loose
//! buffers as `.`, and each walk's hitch as `H`. Behind the picture are the operations since the
//! last step.

use core::{
    pin::pin,
    str, //
};
use kernel::{
    device::DeviceContext,
    drm::{
        self,
        gem,
        ttm, //
    },
    faux,
    fmt,
    kthread,
    new_condvar,
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_16M,
    sync::{
        aref::ARef,
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        CondVar,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

module! {
    type: Sample,
    name: "rust_ttm_lru",
    authors: ["The Hitch developers"],
    description: "Rust TTM LRU sample",
    license: "Dual MIT/GPL",
    params: {
        walks: u32 {
            default: if cfg!(MODULE) { 200 } else { 0 },
            description: "Walks of each of the two walkers; 0 does nothing",
        },
        shown: u32 {
            default: 24,
            description: "Steps that are shown",
        },
        seed: u64 {
            default: 1,
            description: "Seed of the operations during the walks",
        },
    },
}

/// How many walkers, bulks, buffers of each bulk, and loose buffers there are.
const WALKERS: usize = 2;
const BULKS: usize = 3;
const MEMBERS: usize = 10;
const LOOSE: usize = 10;
const BUFFERS: usize = BULKS * MEMBERS + LOOSE;

/// The largest buffer. However they lie in VRAM, there is room for one more: so TTM never evicts
/// any by itself.
const MAX_PAGES: usize = 32;
const _: () = assert!((2 * BUFFERS + 1) * MAX_PAGES * PAGE_SIZE <= SZ_16M);

struct TtmLru;

struct File;

/// The driver's part of a buffer: its number.
struct Buffer {
    index: usize,
}

type Device = ttm::Device<TtmLru>;
type Object = ttm::Object<Buffer>;
type BulkMove = ttm::BulkMove<TtmLru>;

#[vtable]
impl drm::Driver for TtmLru {
    type Data = Device;
    type RegistrationData<'a> = ();
    type File = File;
    type Object = Object;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"rust_ttm_lru",
        desc: c"Rust TTM LRU sample",
    };

    kernel::declare_drm_ioctls! {}
}

#[vtable]
impl ttm::Driver for TtmLru {
    type BufferData = Buffer;
    type DeviceData = Shared;
}

impl gem::DriverObject for Buffer {
    type Driver = TtmLru;
    type Args = usize;

    fn new(_dev: &drm::Device<TtmLru>, _size: usize, index: usize) -> impl PinInit<Self, Error> {
        Ok(Buffer { index })
    }
}

impl ttm::DriverObject for Buffer {}

impl drm::file::DriverFile for File {
    type Driver = TtmLru;

    fn open(_dev: &drm::Device<TtmLru>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}

/// An operation on a buffer, or a bulk.
#[derive(Clone, Copy)]
enum Op {
    Allocate,
    Free,
    Evict,
    BringBack,
    Pin,
    Unpin,
    Join,
    Leave,
    Use,
    BulkMove,
}

impl Op {
    /// How it is shown.
    const NAMES: [&'static str; 10] = [
        "allocate",
        "free",
        "evict",
        "bring back",
        "pin",
        "unpin",
        "join",
        "leave",
        "use",
        "bulk move",
    ];
}

/// How the members of a bulk are shown.
fn letter(bulk: Option<usize>) -> char {
    match bulk {
        Some(bulk) => char::from(b'a' + bulk as u8),
        None => '.',
    }
}

/// The driver's part of the device: the state that the threads share.
#[pin_data]
struct Shared {
    /// Counts entries.
    clock: Atomic<u64>,
    /// For each buffer: the time of the clock when it entered the list; 0 while it is not on the
    /// list.
    entered: [Atomic<u64>; BUFFERS],

    /// The number of operations that are still to be done, in quarters; [`None`] when there is no
    /// walker any more.
    #[pin]
    orders: Mutex<Option<u32>>,
    #[pin]
    ordered: CondVar,
    /// How many walkers are under way.
    walkers: Atomic<usize>,
    /// Something went wrong.
    failed: Atomic<bool>,

    /// Steps that were shown.
    shown: Atomic<u32>,
    /// The operation since the last step, as [`Shared::report`] encodes it; 0 if there was none.
    news: Atomic<usize>,

    walks: Atomic<u64>,
    steps: Atomic<u64>,
    met: Atomic<u64>,
    owed: Atomic<u64>,
    returned: Atomic<u64>,
}

impl Shared {
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            clock: Atomic::new(0),
            entered: [const { Atomic::new(0) }; BUFFERS],
            orders <- new_mutex!(Some(0)),
            ordered <- new_condvar!(),
            walkers: Atomic::new(WALKERS),
            failed: Atomic::new(false),
            shown: Atomic::new(0),
            news: Atomic::new(0),
            walks: Atomic::new(0),
            steps: Atomic::new(0),
            met: Atomic::new(0),
            owed: Atomic::new(0),
            returned: Atomic::new(0),
        })
    }

    /// Waits until another operation is due. Returns false if there will be no more.
    fn wait_for_order(&self) -> bool {
        let mut orders = self.orders.lock();

        loop {
            match *orders {
                None => return false,
                Some(0..4) => self.ordered.wait(&mut orders),
                Some(n) => {
                    *orders = Some(n - 4);
                    return true;
                }
            }
        }
    }

    /// Call this when a walker has ended.
    fn walker_ends(&self) {
        if self.walkers.fetch_sub(1, Full) == 1 {
            *self.orders.lock() = None;
            self.ordered.notify_all();
        }
    }

    /// Call this before a buffer leaves the list, or enters it anew.
    fn leaves(&self, buffer: usize) {
        self.entered[buffer].xchg(0, Full);
    }

    /// Call this after a buffer has entered the list.
    fn enters(&self, buffer: usize) {
        let now = self.clock.fetch_add(1, Full) + 1;

        self.entered[buffer].store(now, Release);
    }

    /// Reports an operation, and the bulk of the buffer.
    fn report(&self, op: Op, bulk: Option<usize>) {
        let bulk = bulk.map_or(0, |bulk| bulk + 1);

        self.news.store(1 + op as usize + bulk * 16, Relaxed);
    }

    /// Whether steps are shown.
    fn is_showing(&self) -> bool {
        self.shown.load(Relaxed) < *module_parameters::shown.value_ref()
    }

    /// Shows a step.
    fn show(&self, strip: &Strip) {
        let news = self.news.xchg(0, Relaxed);
        if news == 0 {
            pr_info!("{strip}\n");
        } else {
            let op = Op::NAMES[news % 16 - 1];
            let bulk = letter((news / 16).checked_sub(1));

            pr_info!("{strip:<42}  {op} {bulk}\n");
        }

        self.shown.fetch_add(1, Relaxed);
        // Not too fast, so that every thread gets a turn.
        fsleep(Delta::from_millis(1));
    }
}

/// A picture of the list.
struct Strip {
    text: [u8; BUFFERS + WALKERS],
    len: usize,
}

impl Strip {
    fn new(lru: &mut ttm::Lru<'_, TtmLru>, bulks: &[ttm::BulkId; BULKS]) -> Self {
        let mut strip = Self {
            text: [b' '; BUFFERS + WALKERS],
            len: 0,
        };

        lru.visit(ttm::MemType::VRAM, |node| {
            let c = match node {
                ttm::Node::Hitch => 'H',
                ttm::Node::Resource(res) => {
                    letter(bulks.iter().position(|&id| res.bulk_id() == Some(id)))
                }
            };
            if let Some(place) = strip.text.get_mut(strip.len) {
                *place = c as u8;
                strip.len += 1;
            }
        });
        strip
    }
}

impl fmt::Display for Strip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(str::from_utf8(&self.text[..self.len]).unwrap_or_default())
    }
}

/// Shows a step, and lets the thread that changes the lists work. Call this at each step, while the
/// lock isn't held.
fn step(dev: &Device, bulks: &[ttm::BulkId; BULKS]) {
    dev.steps.fetch_add(1, Relaxed);

    // A walk must visit buffers that move to the tail again. If too many did, no walk would end.
    let quarters = if dev.is_showing() {
        // This drops the lock before anything is printed.
        let strip = Strip::new(&mut dev.lru(), bulks);

        dev.show(&strip);
        4
    } else {
        1
    };
    let mut orders = dev.orders.lock();
    if let Some(n) = *orders {
        *orders = Some(n + quarters);
        if n + quarters >= 4 {
            dev.ordered.notify_one();
        }
    }
}

/// Walks the list again and again, and counts the buffers that are owed and returned.
fn walker(dev: &Device, bulks: &[ttm::BulkId; BULKS]) -> Result {
    let vram = dev.manager(ttm::MemType::VRAM).ok_or(ENODEV)?;

    for _ in 0..*module_parameters::walks.value_ref() {
        let mut returned = [false; BUFFERS];
        let mut cursor = pin!(vram.cursor());
        let mut walk = cursor.as_mut().lock();
        let start = dev.clock.load(Acquire);

        while walk.next().is_some() {
            // This drops the lock. A buffer that is being freed is skipped.
            let there = walk.with_buffer(|bo| {
                if let Some(object) = bo.object() {
                    returned[object.index] = true;
                }
                step(dev, bulks);
            });
            if there.is_none() {
                walk.unlocked(|| step(dev, bulks));
            }
        }
        drop(walk);

        // A buffer that left or entered the list since the start has another number now, or none.
        for (entered, returned) in dev.entered.iter().zip(returned) {
            if (1..=start).contains(&entered.load(Acquire)) {
                dev.owed.fetch_add(1, Relaxed);
                dev.returned.fetch_add(returned.into(), Relaxed);
            }
        }
        dev.walks.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// A buffer, with the state that the thread which changes the lists needs.
struct Slot {
    /// The bulk that it may be in.
    bulk: Option<usize>,
    object: Option<ARef<Object>>,
    pinned: Option<ttm::Pinned<Buffer>>,
    evicted: bool,
    joined: bool,
}

impl Slot {
    /// The next operation: the one that the buffer's state requires, or a random one.
    fn next(&self, random: usize) -> Op {
        if self.object.is_none() {
            return Op::Allocate;
        }
        if self.evicted {
            return Op::BringBack;
        }
        if self.pinned.is_some() {
            return Op::Unpin;
        }
        match (random, self.bulk) {
            (0..=2, _) => Op::Free,
            (3..=4, _) => Op::Evict,
            (5..=7, _) => Op::Pin,
            (8..=10, Some(_)) if self.joined => Op::Leave,
            (8..=10, Some(_)) => Op::Join,
            (11..=13, Some(_)) => Op::BulkMove,
            _ => Op::Use,
        }
    }
}

/// Changes the list while walks are under way.
struct Churn<'a> {
    dev: &'a Device,
    bulks: &'a [BulkMove; BULKS],
    slots: KVec<Slot>,
    random: u64,
}

impl<'a> Churn<'a> {
    fn new(dev: &'a Device, bulks: &'a [BulkMove; BULKS]) -> Result<Self> {
        let mut this = Self {
            dev,
            bulks,
            slots: KVec::with_capacity(BUFFERS, GFP_KERNEL)?,
            random: *module_parameters::seed.value_ref() | 1 << 63,
        };

        for index in 0..BUFFERS {
            let bulk = index / MEMBERS;
            this.slots.push(
                Slot {
                    bulk: (bulk < BULKS).then_some(bulk),
                    object: None,
                    pinned: None,
                    evicted: false,
                    joined: false,
                },
                GFP_KERNEL,
            )?;
            this.change(index)?;
        }
        Ok(this)
    }

    /// A number less than `n`.
    fn random(&mut self, n: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 32) as usize % n
    }

    /// Works until there are no more walkers.
    fn run(&mut self) -> Result {
        while self.dev.wait_for_order() {
            let index = self.random(BUFFERS);
            self.change(index)?;
        }
        Ok(())
    }

    /// Does the next operation with a buffer, or with its bulk.
    fn change(&mut self, index: usize) -> Result {
        let random = self.random(16);
        let pages = self.random(MAX_PAGES) + 1;
        let op = self.slots[index].next(random);

        match op {
            Op::Allocate => self.allocate(index, pages)?,
            Op::Free => {
                self.dev.leaves(index);
                self.slots[index].object = None;
            }
            _ => self.do_reserved(index, op)?,
        }
        self.dev.report(op, self.slots[index].bulk);
        Ok(())
    }

    /// Makes a buffer, as a member of its bulk.
    fn allocate(&mut self, index: usize, pages: usize) -> Result {
        let slot = &mut self.slots[index];

        slot.object = Some(Object::new(
            self.dev.drm(),
            pages * PAGE_SIZE,
            &ttm::ObjectConfig {
                placement: ttm::Placement::VRAM,
                bulk: slot.bulk.map(|bulk| &self.bulks[bulk]),
                ..Default::default()
            },
            &mut ttm::OperationCtx::new(),
            index,
        )?);
        slot.joined = true;
        self.dev.enters(index);
        Ok(())
    }

    /// Does an operation that needs the buffer's reservation.
    fn do_reserved(&mut self, index: usize, op: Op) -> Result {
        let Self {
            dev, bulks, slots, ..
        } = self;
        let slot = &mut slots[index];
        let bulk = slot.bulk.map(|bulk| &bulks[bulk]);
        let Some(object) = &slot.object else {
            return Ok(());
        };

        let mut ctx = ttm::OperationCtx::new();
        let mut reserved = object.reserve();
        match op {
            Op::Allocate | Op::Free => (),
            Op::Evict => {
                dev.leaves(index);
                reserved.evict(&mut ctx)?;
                slot.evicted = true;
            }
            Op::BringBack => {
                reserved.validate(ttm::Placement::VRAM, &mut ctx)?;
                dev.enters(index);
                slot.evicted = false;
            }
            Op::Pin => {
                dev.leaves(index);
                slot.pinned = Some(reserved.pin()?);
            }
            Op::Unpin => {
                if let Some(pinned) = slot.pinned.take() {
                    pinned.unpin(&mut reserved).map_err(|_| EINVAL)?;
                }
                dev.enters(index);
            }
            Op::Join => {
                dev.leaves(index);
                if let Some(bulk) = bulk {
                    reserved.set_bulk(bulk)?;
                }
                dev.enters(index);
                slot.joined = true;
            }
            Op::Leave => {
                reserved.leave_bulk();
                slot.joined = false;
            }
            Op::Use => reserved.move_to_lru_tail(),
            Op::BulkMove => {
                if let Some(bulk) = bulk {
                    let mut lru = dev.lru();

                    dev.met.fetch_add(met(&mut lru, bulk.id()), Relaxed);
                    bulk.move_to_tail(&reserved, &mut lru)?;
                }
            }
        }
        Ok(())
    }
}

/// How many walks are among the members of a bulk.
fn met(lru: &mut ttm::Lru<'_, TtmLru>, bulk: ttm::BulkId) -> u64 {
    let mut hitches = None;
    let mut met = 0;

    lru.visit(ttm::MemType::VRAM, |node| match (node, hitches) {
        (ttm::Node::Hitch, Some(n)) => hitches = Some(n + 1),
        (ttm::Node::Hitch, None) => (),
        (ttm::Node::Resource(res), n) if res.bulk_id() == Some(bulk) => {
            met += n.unwrap_or(0);
            hitches = Some(0);
        }
        (ttm::Node::Resource(_), _) => hitches = None,
    });
    met
}

struct Sample;

impl Sample {
    fn run() -> Result {
        let registration = ttm::FauxRegistration::new(c"rust_ttm_lru", |parent| {
            Device::new(parent, Shared::new(), |setup| {
                setup.range_manager(ttm::MemType::VRAM, SZ_16M, ttm::Backing::Emulated)
            })
        })?;
        let dev: &Device = registration.device();

        let new_bulk = || BulkMove::new(dev, ttm::Resv::new()?);
        let bulks = [new_bulk()?, new_bulk()?, new_bulk()?];
        let ids = bulks.each_ref().map(|bulk| bulk.id());

        let mut churn = Churn::new(dev, &bulks)?;
        let check = |ret: Result| {
            if let Err(e) = ret {
                pr_err!("{e:?}\n");
                dev.failed.store(true, Relaxed);
            }
        };
        let check = &check;

        kthread::scope(|scope| {
            for _ in 0..WALKERS {
                scope.spawn(c"ttm_lru_walker", || {
                    check(walker(dev, &ids));
                    dev.walker_ends();
                })?;
            }
            scope.spawn(c"ttm_lru_churn", || check(churn.run()))
        })?;

        let owed = dev.owed.load(Relaxed);
        let missed = owed - dev.returned.load(Relaxed);
        for (name, value) in [
            ("walks", dev.walks.load(Relaxed)),
            ("steps", dev.steps.load(Relaxed)),
            ("bulk moves met", dev.met.load(Relaxed)),
            ("owed", owed),
            ("returned", dev.returned.load(Relaxed)),
            ("missed", missed),
        ] {
            pr_info!("{name:<16}{value:>10}\n");
        }

        if missed != 0 || dev.failed.load(Relaxed) {
            return Err(EIO);
        }
        pr_info!("ok\n");
        Ok(())
    }
}

impl kernel::Module for Sample {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        if *module_parameters::walks.value_ref() != 0 {
            Self::run().inspect_err(|_| pr_err!("failed\n"))?;
        }
        Ok(Self)
    }
}
