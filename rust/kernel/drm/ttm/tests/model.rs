// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A model of P1, P2, P4, P5 and P7: the order of the buffers, and the visits that each walk owes.
//!
//! A test tells the model of each operation, not of its results. The model has neither nodes nor
//! hitches.

use super::{
    index,
    Text,
    NAMES, //
};

/// The number of priorities in use.
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

/// The model of a walk.
#[derive(Clone, Copy, Default)]
struct Walk {
    on: bool,
    bounded: bool,
    /// On the list from the start, and not yet returned. A bounded walk owes only buffers that
    /// weren't moved.
    owed: u32,
    /// Skipped, or still to come, as it was busy at a step. May be returned, but isn't missed.
    excused: u32,
    /// Returned, and not moved since then.
    barred: u32,
}

/// The list of VRAM, and the walks over it.
pub(super) struct Model<const WALKS: usize> {
    lists: [List; PRIORITIES],
    priority: [usize; NAMES],
    /// The bulk in whose range each buffer is, if it is on a list.
    range: [Bulk; NAMES],
    walks: [Walk; WALKS],
}

/// A violation.
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
    // The order of the buffers.
    //

    fn list(&mut self, letter: char) -> &mut List {
        &mut self.lists[self.priority[index(letter)]]
    }

    /// All buffers in the order of a walk.
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
    // The buffers as walks see them.
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

    /// A buffer that enters counts as having left: no walk owes it a visit.
    fn entered(&mut self, letter: char) {
        for walk in &mut self.walks {
            walk.owed &= !bit(letter);
            walk.excused &= !bit(letter);
            walk.barred &= !bit(letter);
        }
    }

    //
    // Operations on buffers.
    //

    /// The buffer enters at the tail, and joins `bulk`.
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

    /// The buffer moves behind the tail of the range, unless it is there already.
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

    /// A buffer that leaves a range stays in place at either end, and moves behind the range from
    /// its middle.
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
            // The last buffer isn't moved.
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
    // Steps of walks.
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

    /// The range of `letter` was skipped, which counts as returned.
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

    /// These were reserved at a step, so some of them may have been skipped.
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
