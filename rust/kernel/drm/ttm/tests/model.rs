// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The promises as plain bookkeeping: who is where, in what order, and what each walk owes.
//!
//! It is told of what is done, not of what comes of it. It knows neither nodes nor hitches.

use super::{
    index,
    Text,
    NAMES, //
};

/// So many priorities are in use.
const PRIORITIES: usize = 2;

/// The number of a bulk, or none.
type Bulk = Option<usize>;

/// Letters in an order.
#[derive(Clone, Copy)]
pub(super) struct List(Text);

impl List {
    pub(super) fn letters(&self) -> impl Iterator<Item = char> + '_ {
        self.0.letters()
    }

    fn position(&self, letter: char) -> Option<usize> {
        self.letters().position(|l| l == letter)
    }

    fn take(&mut self, letter: char) {
        let mut rest = Text::new();

        self.letters()
            .filter(|&l| l != letter)
            .for_each(|l| rest.push(l));
        self.0 = rest;
    }

    fn put_behind(&mut self, last: char, letter: char) {
        let mut list = Text::new();

        for l in self.letters() {
            list.push(l);
            if l == last {
                list.push(letter);
            }
        }
        self.0 = list;
    }
}

/// What is known of a walk.
#[derive(Clone, Copy, Default)]
struct Walk {
    on: bool,
    bounded: bool,
    /// There from the start, and not yet returned. A bounded walk owes only who wasn't moved.
    owed: u32,
    /// Passed by, or still to come: busy at a step. As if owed, but none is missed.
    excused: u32,
    /// Returned, and still since then.
    barred: u32,
}

/// The list of VRAM, and the walks over it.
pub(super) struct Model<const WALKS: usize> {
    lists: [List; PRIORITIES],
    priority: [usize; NAMES],
    /// In whose range each buffer is, if it is on a list.
    range: [Bulk; NAMES],
    walks: [Walk; WALKS],
}

/// What is wrong.
pub(super) type Verdict = core::result::Result<(), &'static str>;

fn bit(letter: char) -> u32 {
    1 << index(letter)
}

impl<const WALKS: usize> Model<WALKS> {
    pub(super) fn new() -> Self {
        Self {
            lists: [List(Text::new()); PRIORITIES],
            priority: [0; NAMES],
            range: [None; NAMES],
            walks: [Walk::default(); WALKS],
        }
    }

    //
    // What is where.
    //

    fn list(&mut self, letter: char) -> &mut List {
        &mut self.lists[self.priority[index(letter)]]
    }

    /// All in the order of a walk.
    pub(super) fn letters(&self) -> impl Iterator<Item = char> + '_ {
        self.lists.iter().flat_map(List::letters)
    }

    /// The bulk in whose range `letter` is.
    pub(super) fn range(&self, letter: char) -> Bulk {
        self.range[index(letter)]
    }

    pub(super) fn is_there(&self, letter: char) -> bool {
        self.letters().any(|l| l == letter)
    }

    fn members(&self, priority: usize, bulk: usize) -> impl DoubleEndedIterator<Item = char> + '_ {
        let list = &self.lists[priority].0;

        list.as_bytes()
            .iter()
            .map(|&byte| byte.into())
            .filter(move |&letter| self.range(letter) == Some(bulk))
    }

    //
    // What walks have of it.
    //

    fn moved(&mut self, letter: char) {
        for walk in &mut self.walks {
            walk.barred &= !bit(letter);
            if walk.bounded {
                walk.owed &= !bit(letter);
                walk.excused &= !bit(letter);
            }
        }
    }

    /// Who enters has left first: no walk owes it a visit.
    fn entered(&mut self, letter: char) {
        for walk in &mut self.walks {
            walk.owed &= !bit(letter);
            walk.excused &= !bit(letter);
            walk.barred &= !bit(letter);
        }
    }

    //
    // What happens to buffers.
    //

    /// Comes to the tail, and joins `bulk`.
    pub(super) fn enter(&mut self, letter: char, priority: usize, bulk: Bulk) {
        self.priority[index(letter)] = priority;
        self.list(letter).0.push(letter);
        self.entered(letter);
        if let Some(bulk) = bulk {
            self.join(letter, bulk);
        }
    }

    pub(super) fn leave(&mut self, letter: char) {
        self.list(letter).take(letter);
        self.range[index(letter)] = None;
        self.entered(letter);
    }

    /// To the tail of a range, unless it follows that already.
    fn put_at_range_tail(&mut self, letter: char, last: char) {
        let list = self.list(letter);

        if list.position(letter) != list.position(last).map(|n| n + 1) {
            list.take(letter);
            list.put_behind(last, letter);
        }
    }

    pub(super) fn join(&mut self, letter: char, bulk: usize) {
        let last = self.members(self.priority[index(letter)], bulk).last();

        self.range[index(letter)] = Some(bulk);
        self.entered(letter);
        if let Some(last) = last {
            self.put_at_range_tail(letter, last);
        }
    }

    /// From either end of a range it stays in its place, from the middle it goes behind.
    pub(super) fn loosen(&mut self, letter: char) {
        let Some(bulk) = self.range(letter) else {
            return;
        };
        let mut members = self.members(self.priority[index(letter)], bulk);
        let first = members.next();
        let last = members.last();

        if let Some(last) = last.filter(|&last| Some(letter) != first && letter != last) {
            self.put_at_range_tail(letter, last);
            self.moved(letter);
        }
        self.range[index(letter)] = None;
    }

    pub(super) fn touch(&mut self, letter: char) {
        let bulk = self.range(letter);
        let last = bulk.and_then(|bulk| self.members(self.priority[index(letter)], bulk).last());

        match last {
            // Who is last already isn't moved.
            Some(last) if last == letter => return,
            Some(last) => self.put_at_range_tail(letter, last),
            None => {
                self.list(letter).take(letter);
                self.list(letter).0.push(letter);
            }
        }
        self.moved(letter);
    }

    pub(super) fn touch_bulk(&mut self, bulk: usize) {
        for priority in 0..PRIORITIES {
            let mut members = Text::new();

            self.members(priority, bulk)
                .for_each(|letter| members.push(letter));
            for letter in members.letters() {
                self.list(letter).take(letter);
                self.list(letter).0.push(letter);
                self.moved(letter);
            }
        }
    }

    //
    // What walks do.
    //

    pub(super) fn is_on(&self, walk: usize) -> bool {
        self.walks[walk].on
    }

    pub(super) fn begin(&mut self, walk: usize, bounded: bool) {
        self.walks[walk] = Walk {
            on: true,
            bounded,
            owed: self.letters().map(bit).sum(),
            excused: 0,
            barred: 0,
        };
    }

    pub(super) fn returned(&mut self, walk: usize, letter: char) -> Verdict {
        let there = self.is_there(letter);
        let walk = &mut self.walks[walk];

        if !walk.on {
            return Err("P6: a walk that has ended returned a buffer");
        }
        if !there {
            return Err("P5: returned what is not on the list");
        }
        if walk.barred & bit(letter) != 0 {
            return Err("P2: returned again, and it was not moved since");
        }
        if walk.bounded && (walk.owed | walk.excused) & bit(letter) == 0 {
            return Err("P7: a bounded walk returned what moved since it began");
        }
        walk.owed &= !bit(letter);
        walk.excused &= !bit(letter);
        walk.barred |= bit(letter);
        Ok(())
    }

    pub(super) fn ended(&mut self, walk: usize) -> Verdict {
        let Walk { owed, bounded, .. } = self.walks[walk];

        self.stopped(walk);
        match (owed, bounded) {
            (0, _) => Ok(()),
            (_, false) => Err("P1: a walk ended, and missed a buffer"),
            (_, true) => Err("P7: a bounded walk ended, and missed a buffer"),
        }
    }

    pub(super) fn stopped(&mut self, walk: usize) {
        self.walks[walk] = Walk::default();
    }

    /// The range that `letter` is in was skipped: that counts as seen.
    pub(super) fn skipped(&mut self, walk: usize, letter: char) {
        let Some(bulk) = self.range(letter) else {
            return;
        };
        let seen: u32 = self
            .members(self.priority[index(letter)], bulk)
            .map(bit)
            .sum();

        self.walks[walk].owed &= !seen;
        self.walks[walk].barred |= seen;
    }

    /// Somebody had the reservation of these at a step: some may have been passed by.
    pub(super) fn were_busy(&mut self, walk: usize, is_busy: impl Fn(char) -> bool) {
        let busy: u32 = self
            .letters()
            .filter(|&letter| is_busy(letter))
            .map(bit)
            .sum();
        let walk = &mut self.walks[walk];

        walk.excused |= walk.owed & busy;
        walk.owed &= !busy;
    }
}
