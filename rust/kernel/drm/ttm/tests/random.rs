// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Random histories, compared with a model of P1 to P5 and P7.

use super::{
    forget::Forgotten,
    model::{
        Model,
        Verdict, //
    },
    *, //
};

/// Buffers, from `a` on. Those from `k` on have reservations of their own, and so join no bulks.
const LETTERS: usize = 14;
const FIRST_ALONE: char = 'k';

/// Plain cursors and bounded ones, plain walks over reserved buffers and bounded ones.
const WALKS: usize = 6;

fn is_reserved(walk: usize) -> bool {
    walk >= 4
}

fn is_bounded(walk: usize) -> bool {
    walk % 2 == 1
}

fn is_alone(letter: char) -> bool {
    letter >= FIRST_ALONE
}

/// The next operation.
#[derive(Clone, Copy, Debug)]
enum Op {
    Make(char, usize, Option<usize>),
    Free(char),
    Evict(char),
    BringBack(char),
    Pin(char),
    Unpin(char),
    Touch(char),
    Join(char, usize),
    Leave(char),
    TouchBulk(usize),
    /// Steps in one hold of the lock, and the operation at its end.
    Hold(usize, usize, Then),
    /// A step of a walk over reserved buffers.
    Step(usize, With),
    Drop(usize),
    Forget(usize),
}

/// The operation at the end of a hold, at the walk's place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Nothing,
    Evict,
    SkipBulk,
    TouchBulk(usize),
    Restart,
}

/// The operation on the buffer that was handed out, or the reason why it isn't handed out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum With {
    Nothing,
    Evict,
    /// The reservation that bulks share is taken.
    Busy,
}

/// The number of operations that are printed after a violation.
const LAST: usize = 24;

/// Pseudo-random numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);

        // CAST: The upper half fits.
        (mixed >> 32) as u32 as usize % sides
    }

    fn letter(&mut self) -> char {
        // CAST: Far less than 256.
        (b'a' + self.roll(LETTERS) as u8).into()
    }
}

enum Slot<'d> {
    Free,
    Cursor(Pin<KBox<Cursor<'d>>>),
    Reserved(Pin<KBox<ReservedWalk<'d>>>),
}

impl<'d> Slot<'d> {
    /// A walk that has made no step yet.
    fn open(vram: &'d Manager<Driver>, walk: usize) -> Result<Self> {
        Ok(if is_reserved(walk) {
            let reserved = vram.walk(&OperationCtx::new());
            let reserved = if is_bounded(walk) {
                reserved
            } else {
                reserved.unbounded()
            };

            Self::Reserved(KBox::pin(reserved, GFP_KERNEL)?)
        } else {
            let cursor = vram.cursor();
            let cursor = if is_bounded(walk) {
                cursor.bounded()
            } else {
                cursor
            };

            Self::Cursor(KBox::pin(cursor, GFP_KERNEL)?)
        })
    }
}

/// The number of operations by kind.
#[derive(Clone, Copy, Default)]
struct Counts {
    ops: usize,
    returned: usize,
    ends: usize,
    forgotten: usize,
}

/// A world and its model.
struct History<'d, 'f> {
    world: World<'d>,
    model: Model<WALKS>,
    slots: [Slot<'d>; WALKS],
    forgotten: &'f mut KVec<Forgotten>,
    /// The state of the buffers.
    priority: [usize; LETTERS],
    bulk: [Option<usize>; LETTERS],
    evicted: [bool; LETTERS],
    dice: Dice,
    counts: Counts,
    last: [Option<Op>; LAST],
}

impl<'d, 'f> History<'d, 'f> {
    /// Hitches of cursors that were forgotten.
    const MAX_FORGOTTEN: usize = 20;

    fn new(dev: &'d Device, seed: u64, forgotten: &'f mut KVec<Forgotten>) -> Result<Self> {
        Ok(Self {
            world: World::new(dev, "")?,
            model: Model::new(),
            slots: [const { Slot::Free }; WALKS],
            forgotten,
            priority: [0; LETTERS],
            bulk: [None; LETTERS],
            evicted: [false; LETTERS],
            dice: Dice(seed),
            counts: Counts::default(),
            last: [None; LAST],
        })
    }

    //
    // Dice.
    //

    fn next_op(&mut self) -> Op {
        if self.dice.roll(2) == 0 {
            self.next_walk()
        } else {
            self.next_change()
        }
    }

    fn next_walk(&mut self) -> Op {
        let walk = self.dice.roll(WALKS);
        let bulk = self.dice.roll(BULKS.len());

        match self.dice.roll(64) {
            0 => Op::Drop(walk),
            1 if self.forgotten.len() < Self::MAX_FORGOTTEN => Op::Forget(walk),
            // One that has ended begins anew.
            _ if !self.model.is_on(walk) && self.dice.roll(4) != 0 => Op::Drop(walk),
            n if is_reserved(walk) => Op::Step(
                walk,
                match n % 8 {
                    0 => With::Busy,
                    1 => With::Evict,
                    _ => With::Nothing,
                },
            ),
            n => Op::Hold(
                walk,
                self.dice.roll(5),
                match n % 16 {
                    0 => Then::Evict,
                    1..4 => Then::SkipBulk,
                    4..7 => Then::TouchBulk(bulk),
                    7 if self.dice.roll(4) == 0 => Then::Restart,
                    _ => Then::Nothing,
                },
            ),
        }
    }

    fn next_change(&mut self) -> Op {
        let letter = self.dice.letter();
        let bulk = self.dice.roll(BULKS.len());
        let n = self.dice.roll(16);
        let at = index(letter);

        if self.world.objects[at].is_none() {
            let priority = self.dice.roll(4) / 3;
            let bulk = (n < 8 && !is_alone(letter)).then_some(bulk);

            return Op::Make(letter, priority, bulk);
        }
        let pinned = self.world.pins[at].is_some();
        match n {
            0 => Op::Free(letter),
            1 if self.is_there(letter) => Op::Evict(letter),
            1..4 if self.evicted[at] && !pinned => Op::BringBack(letter),
            4 if !pinned => Op::Pin(letter),
            4..7 if pinned => Op::Unpin(letter),
            7..10 if !is_alone(letter) => Op::Join(letter, bulk),
            10 if !is_alone(letter) => Op::Leave(letter),
            11..14 => Op::TouchBulk(bulk),
            _ => Op::Touch(letter),
        }
    }

    //
    // Operations on both the world and the model.
    //

    /// Whether a buffer is on the list.
    fn is_there(&self, letter: char) -> bool {
        let at = index(letter);

        self.world.objects[at].is_some() && self.world.pins[at].is_none() && !self.evicted[at]
    }

    fn enters(&mut self, letter: char) {
        let at = index(letter);

        self.model.enter(letter, self.priority[at], self.bulk[at]);
    }

    fn leaves(&mut self, letter: char) {
        if self.is_there(letter) {
            self.model.leave(letter);
        }
    }

    fn change(&mut self, op: Op) -> Result {
        match op {
            Op::Make(letter, priority, bulk) => {
                let at = index(letter);
                let mark = bulk.map(|bulk| BULKS[bulk]);

                // CAST: There are two.
                self.world
                    .create(letter, priority as u32, mark, is_alone(letter))?;
                (self.priority[at], self.bulk[at], self.evicted[at]) = (priority, bulk, false);
                self.enters(letter);
            }
            Op::Free(letter) => {
                self.leaves(letter);
                self.world.free(letter)?;
            }
            Op::Evict(letter) => {
                self.leaves(letter);
                self.world.evict(letter)?;
                self.evicted[index(letter)] = true;
            }
            Op::BringBack(letter) => {
                self.world.bring_back(letter)?;
                self.evicted[index(letter)] = false;
                self.enters(letter);
            }
            Op::Pin(letter) => {
                self.leaves(letter);
                self.world.pin(letter)?;
            }
            Op::Unpin(letter) => {
                self.world.unpin(letter)?;
                if self.is_there(letter) {
                    self.enters(letter);
                }
            }
            Op::Touch(letter) => {
                self.world.touch(letter)?;
                if self.is_there(letter) {
                    self.model.touch(letter);
                }
            }
            Op::Join(letter, bulk) => self.join(letter, bulk)?,
            Op::Leave(letter) => {
                self.world.leave(letter)?;
                self.bulk[index(letter)] = None;
                if self.is_there(letter) {
                    self.model.loosen(letter);
                }
            }
            Op::TouchBulk(bulk) => {
                self.world.touch_bulk(BULKS[bulk])?;
                self.model.touch_bulk(bulk);
            }
            Op::Drop(walk) => {
                self.slots[walk] = Slot::Free;
                self.model.stopped(walk);
            }
            Op::Forget(walk) => self.forget(walk)?,
            Op::Hold(..) | Op::Step(..) => (),
        }
        Ok(())
    }

    fn join(&mut self, letter: char, bulk: usize) -> Result {
        let before = self.bulk[index(letter)].replace(bulk);

        self.world.join(letter, BULKS[bulk])?;
        if self.is_there(letter) && before != Some(bulk) {
            self.model.loosen(letter);
            self.model.join(letter, bulk);
        }
        Ok(())
    }

    fn forget(&mut self, walk: usize) -> Result {
        self.model.stopped(walk);
        let forgotten = match core::mem::replace(&mut self.slots[walk], Slot::Free) {
            Slot::Free => return Ok(()),
            Slot::Cursor(cursor) => Forgotten::new(cursor),
            Slot::Reserved(reserved) => Forgotten::new(reserved),
        };

        self.counts.forgotten += 1;
        Ok(self.forgotten.push(forgotten, GFP_KERNEL)?)
    }

    /// Begins a walk if there is none.
    fn open(&mut self, walk: usize) -> Result {
        if let Slot::Free = self.slots[walk] {
            self.slots[walk] = Slot::open(self.world.vram, walk)?;
            self.model.begin(walk, is_bounded(walk));
        }
        Ok(())
    }

    /// The result of a step.
    fn stepped(&mut self, walk: usize, letter: Option<char>) -> Verdict {
        match letter {
            Some(letter) => {
                self.counts.returned += 1;
                self.model.returned(walk, letter)
            }
            None if self.model.is_on(walk) => {
                self.counts.ends += 1;
                self.model.ended(walk)
            }
            None => Ok(()),
        }
    }

    /// Some steps in one hold of the lock.
    fn hold(&mut self, n: usize, steps: usize, then: Then) -> Verdict {
        let Slot::Cursor(mut cursor) = core::mem::replace(&mut self.slots[n], Slot::Free) else {
            return Ok(());
        };

        let verdict = self.hold_with(n, cursor.as_mut(), steps, then);
        self.slots[n] = Slot::Cursor(cursor);
        verdict
    }

    fn hold_with(
        &mut self,
        n: usize,
        cursor: Pin<&mut Cursor<'_>>,
        steps: usize,
        then: Then,
    ) -> Verdict {
        let resv = self.world.resv.clone();
        let reserved = matches!(then, Then::TouchBulk(_)).then(|| resv.reserve());
        let mut walk = cursor.lock();
        let mut at = None;

        for _ in 0..steps {
            at = self.world.step(&mut walk);
            self.stepped(n, at)?;
        }
        match (then, at, reserved) {
            (Then::Evict, Some(letter), _) => {
                self.leaves(letter);
                self.evicted[index(letter)] = true;
                let done = walk.with_buffer(|bo| bo.reserve().evict(&mut OperationCtx::new()));
                return (done == Some(Ok(())))
                    .then_some(())
                    .ok_or("eviction failed");
            }
            (Then::SkipBulk, Some(letter), _) => {
                self.model.skipped(n, letter);
                walk.skip_bulk();
            }
            (Then::TouchBulk(bulk), _, Some(reserved)) => {
                self.model.touch_bulk(bulk);
                self.world.bulks[bulk]
                    .move_to_tail(&reserved, &mut walk.lru())
                    .map_err(|_| "a bulk didn't move")?;
            }
            (Then::Restart, ..) => {
                self.model.begin(n, is_bounded(n));
                walk.restart();
            }
            _ => return Ok(()),
        }
        let at = self.world.step(&mut walk);
        self.stepped(n, at)
    }

    /// A step of a walk over reserved buffers.
    fn step(&mut self, n: usize, with: With) -> Verdict {
        let resv = self.world.resv.clone();
        let used = (with == With::Busy).then(|| resv.reserve());
        let Slot::Reserved(walk) = &mut self.slots[n] else {
            return Ok(());
        };
        let next = walk.as_mut().next().transpose();
        let mut bo = next.map_err(|_| "a step failed")?;
        let letter = bo.as_ref().map(|bo| self.world.letter(bo.id()));

        if used.is_some() {
            self.model.were_busy(n, |letter| !is_alone(letter));
            if letter.is_some_and(|letter| !is_alone(letter)) {
                return Err("what was busy was handed out");
            }
        }
        self.stepped(n, letter)?;
        if let (With::Evict, Some(letter), Some(bo)) = (with, letter, &mut bo) {
            self.leaves(letter);
            self.evicted[index(letter)] = true;
            bo.evict(&mut OperationCtx::new())
                .map_err(|_| "eviction failed")?;
        }
        Ok(())
    }

    fn apply(&mut self, op: Op) -> Verdict {
        self.last[self.counts.ops % LAST] = Some(op);
        self.counts.ops += 1;
        match op {
            Op::Hold(walk, ..) | Op::Step(walk, _) => self.open(walk),
            _ => self.change(op),
        }
        .map_err(|_| "an operation failed")?;
        match op {
            Op::Hold(walk, steps, then) => self.hold(walk, steps, then)?,
            Op::Step(walk, with) => self.step(walk, with)?,
            _ => (),
        }
        self.compare()
    }

    /// Whether the lists are as they should be, hitches or not.
    fn compare(&self) -> Verdict {
        if !self.world.order().letters().eq(self.model.letters()) {
            return Err("P3, P5: the list is another one");
        }
        let ranges = self.model.letters().map(|letter| {
            let range = self.model.range(letter);

            range.map_or('.', |bulk| BULKS[bulk])
        });
        if !self.world.ranges().letters().eq(ranges) {
            return Err("P4: a range is another one");
        }
        Ok(())
    }

    /// Finishes all walks, with no other operation meanwhile.
    fn end(&mut self) -> Verdict {
        for walk in 0..WALKS {
            for _ in 0..=LETTERS {
                self.apply(if is_reserved(walk) {
                    Op::Step(walk, With::Nothing)
                } else {
                    Op::Hold(walk, 1, Then::Nothing)
                })?;
            }
            if self.model.is_on(walk) {
                return Err("P6: a walk without an end");
            }
        }
        Ok(())
    }

    fn run(&mut self, ops: usize) -> Verdict {
        for _ in 0..ops {
            let op = self.next_op();
            self.apply(op)?;
        }
        self.end()
    }

    fn explain(&self, seed: u64, why: &str) {
        pr_err!("    # seed {seed}, operation {}: {why}\n", self.counts.ops);
        for n in self.counts.ops.saturating_sub(LAST)..self.counts.ops {
            if let Some(op) = self.last[n % LAST] {
                pr_err!("    # {op:?}\n");
            }
        }
        pr_err!("    # then there is '{}'\n", self.world.picture());
    }
}

/// Returns how much was done, or fails.
fn history(seed: u64, ops: usize) -> Result<Counts> {
    let mut forgotten = KVec::new();
    let dev = Device::new()?;
    let mut history = History::new(&dev, seed, &mut forgotten)?;

    if let Err(why) = history.run(ops) {
        history.explain(seed, why);
        return Err(EINVAL);
    }
    let counts = history.counts;
    drop(history);
    drop(dev);
    // The device has taken their hitches off its lists.
    let mut lost = 0;
    for forgotten in forgotten {
        lost += usize::from(!forgotten.give_back());
    }
    if lost != 0 {
        pr_err!("    # {lost} hitches are on lists that are gone\n");
        return Err(EINVAL);
    }
    Ok(counts)
}

#[kunit_tests(rust_ttm_random)]
mod cases {
    use super::*;

    const OPS: usize = 6000;

    fn is_fine(seed: u64) -> Result {
        let before = complaints();
        let counts = history(seed, OPS)?;

        // The test means something only with many operations of each kind.
        if counts.returned < OPS / 4 || counts.ends < OPS / 50 || counts.forgotten < 10 {
            pr_err!(
                "    # {} returned, {} ends, {} forgotten\n",
                counts.returned,
                counts.ends,
                counts.forgotten
            );
            return Err(ENODATA);
        }
        if complaints() != before {
            return Err(EIO);
        }
        Ok(())
    }

    #[test]
    fn history_1() -> Result {
        is_fine(1)
    }

    #[test]
    fn history_2() -> Result {
        is_fine(2)
    }

    #[test]
    fn history_3() -> Result {
        is_fine(3)
    }

    #[test]
    fn history_4() -> Result {
        is_fine(4)
    }

    #[test]
    fn history_5() -> Result {
        is_fine(5)
    }

    #[test]
    fn history_6() -> Result {
        is_fine(6)
    }

    #[test]
    fn history_7() -> Result {
        is_fine(7)
    }

    #[test]
    fn history_8() -> Result {
        is_fine(8)
    }
}
