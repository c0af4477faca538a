// SPDX-License-Identifier: GPL-2.0 OR MIT

//! KUnit suites of the Rust bindings: the promises of walks, and the guards.
//!
//! `Documentation/gpu/ttm-lru.rst` has the promises. The suites in C test the lists; these use the
//! safe API only, so that they test the bindings as well:
//!
//! - P1 to P7: `p1_complete`, `p2_no_repeats`, `p3_unseen`, `p4_ranges`, `p5_in_place`, `p6_fused`
//!   and `p7_bounded`; several walks at once: `many_walks`; a walk over several managers:
//!   `several_managers`; at random, beside a model: `random`.
//! - P8: `skip`. P9 and P10: `reserved_walks`.
//! - E2, E3 and E4: `transactions`. E1, E5, E6 and E7 are tested in C.
//! - L1: `lifetime`, `forget`, `registered`, and modules in `tests/module/unload`.
//! - L2: `drops`, `guards` and `lifetime`. L3: `l3_cleared`.
//!
//! Pictures have the signs of `Documentation/gpu/ttm-lru-notation.rst`, with these exceptions: each
//! hitch is `H`, as walks have no names here; a picture of a list doesn't separate priorities; and
//! `!` behind a letter is a reservation of its own.
//!
//! A case draws a small [`World`], changes it while walks are under way, and compares texts. No
//! case asserts with the LRU lock held, as a failed assertion ends the case without dropping
//! anything.

mod answers;
mod clients;
mod dma;
mod drops;
mod engine;
mod forget;
mod guards;
#[cfg(CONFIG_INDIRECT_IOMEM)]
mod io_memory;
mod jobs;
mod l3_cleared;
mod lifetime;
mod limits;
mod many_walks;
mod model;
mod moves;
mod p1_complete;
mod p2_no_repeats;
mod p3_unseen;
mod p4_ranges;
mod p5_in_place;
mod p6_fused;
mod p7_bounded;
mod pieces;
mod prime;
mod random;
mod refusals;
mod registered;
mod reserved_walks;
mod several_managers;
mod skip;
#[cfg(CONFIG_INDIRECT_IOMEM)]
mod small_window;
mod suspend;
mod transactions;
#[cfg(CONFIG_INDIRECT_IOMEM)]
mod windows;
mod zombies;

use super::{
    test_device::{
        BufferData,
        Device,
        Driver,
        Kind, //
    },
    BufferId,
    BulkMove,
    Manager,
    MemType,
    Node,
    ObjectConfig,
    OperationCtx,
    Pinned,
    Placement,
    Reserved,
    Resv, //
};
use crate::{
    bindings, fmt,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

type Object = super::Object<BufferData>;
type Cursor<'a> = super::Cursor<'a, Driver>;
type Walk<'w, 'a> = super::Walk<'w, 'a, Driver>;
type ReservedWalk<'a> = super::ReservedWalk<'a, Driver>;

/// A cursor whose node a test inspects after the cursor was forgotten.
pub(super) trait Hitch {
    /// The node, unless there never was one.
    ///
    /// # Safety
    ///
    /// `this` must point to memory that was a valid `Self`, and wasn't used since for anything
    /// else.
    unsafe fn hitch(this: *const Self) -> Option<*const bindings::ttm_lru_item>;
}

/// A short text. It is not allocated, so that it can be written with a lock held.
#[derive(Clone, Copy)]
struct Text {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Text {
    const MAX: usize = 64;

    const fn new() -> Self {
        Self {
            bytes: [0; Self::MAX],
            len: 0,
        }
    }

    /// Letters that don't fit are left out, as no expected text is that long.
    fn push(&mut self, letter: char) {
        if self.len < Self::MAX {
            // CAST: There are ASCII letters only.
            self.bytes[self.len] = letter as u8;
            self.len += 1;
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn letters(&self) -> impl Iterator<Item = char> + '_ {
        self.as_bytes().iter().map(|&byte| byte.into())
    }

    /// Whether the text is `wanted`, ignoring spaces. If not, prints it, as KUnit doesn't.
    fn is(&self, wanted: &str) -> bool {
        let same = self
            .letters()
            .eq(wanted.chars().filter(|&letter| letter != ' '));

        if !same {
            pr_err!("    # it is '{self}', and should be '{wanted}'\n");
        }
        same
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.letters().try_for_each(|letter| write!(f, "{letter}"))
    }
}

/// The number of names for buffers.
const NAMES: usize = 26;

/// The names of the bulks.
const BULKS: [char; 2] = ['*', '+'];

/// Buffers of a page each in the VRAM of a device, named by letters.
///
/// All share one reservation, so that they may join bulks, except those with a `!`.
struct World<'d> {
    dev: &'d Device,
    vram: &'d Manager<Driver>,
    pins: [Option<Pinned<BufferData>>; NAMES],
    objects: [Option<ARef<Object>>; NAMES],
    bulks: [BulkMove<Driver>; BULKS.len()],
    resv: Arc<Resv>,
}

impl<'d> World<'d> {
    const SIZE: usize = 0x1000;

    /// Makes a world of buffers as [`Self::make`] does.
    fn new(dev: &'d Device, buffers: &str) -> Result<Self> {
        let resv = Resv::new()?;
        let mut world = Self {
            dev,
            vram: dev.manager(MemType::VRAM).ok_or(ENODEV)?,
            pins: [const { None }; NAMES],
            objects: [const { None }; NAMES],
            bulks: [
                BulkMove::new(dev, resv.clone())?,
                BulkMove::new(dev, resv.clone())?,
            ],
            resv,
        };

        world.make(buffers)?;
        Ok(world)
    }

    /// Makes buffers: `a` is a loose one, and `a*` and `a+` are members of a bulk. Behind a `|`,
    /// buffers have the next priority. `a!` has a reservation of its own.
    fn make(&mut self, picture: &str) -> Result {
        let mut priority = 0;

        for sign in picture.split_ascii_whitespace() {
            if sign == "|" {
                priority += 1;
            } else {
                self.make_one(sign, priority)?;
            }
        }
        Ok(())
    }

    fn make_one(&mut self, buffer: &str, priority: u32) -> Result {
        let mut chars = buffer.chars();
        let letter = chars.next().ok_or(EINVAL)?;
        let (mut bulk, mut alone) = (None, false);

        for mark in chars {
            match mark {
                '!' => alone = true,
                '*' | '+' => bulk = Some(mark),
                _ => return Err(EINVAL),
            }
        }
        self.create(letter, priority, bulk, alone)
    }

    fn create(&mut self, letter: char, priority: u32, bulk: Option<char>, alone: bool) -> Result {
        let config = ObjectConfig {
            placement: Placement::VRAM,
            priority,
            resv: (!alone).then_some(&self.resv),
            bulk: bulk.map(|mark| self.bulk(mark)).transpose()?,
            ..ObjectConfig::default()
        };
        let drm = self.dev.drm();
        let mut ctx = OperationCtx::new();
        let obj = Object::new(drm, Self::SIZE, &config, &mut ctx, Kind::Kept)?;

        *self.objects.get_mut(index(letter)).ok_or(EINVAL)? = Some(obj);
        Ok(())
    }

    fn bulk(&self, mark: char) -> Result<&BulkMove<Driver>> {
        let n = BULKS.iter().position(|&bulk| bulk == mark);

        Ok(&self.bulks[n.ok_or(EINVAL)?])
    }

    fn object(&self, letter: char) -> Result<&ARef<Object>> {
        self.objects
            .get(index(letter))
            .and_then(Option::as_ref)
            .ok_or(ENOENT)
    }

    fn id(&self, letter: char) -> Result<BufferId> {
        Ok(self.object(letter)?.buffer().id())
    }

    /// The name of a buffer; `~` if it isn't one of these.
    fn letter(&self, id: BufferId) -> char {
        ('a'..='z')
            .find(|&letter| self.id(letter) == Ok(id))
            .unwrap_or('~')
    }

    //
    // Operations on buffers.
    //

    /// Drops the reference of the world.
    fn free(&mut self, letter: char) -> Result {
        self.pins[index(letter)] = None;
        drop(self.objects[index(letter)].take().ok_or(ENOENT)?);
        Ok(())
    }

    fn evict(&self, letter: char) -> Result {
        self.object(letter)?
            .reserve()
            .evict(&mut OperationCtx::new())
    }

    /// Back to VRAM.
    fn bring_back(&self, letter: char) -> Result {
        self.object(letter)?
            .reserve()
            .validate(Placement::VRAM, &mut OperationCtx::new())
    }

    fn pin(&mut self, letter: char) -> Result {
        let pin = self.object(letter)?.reserve().pin()?;

        self.pins[index(letter)] = Some(pin);
        Ok(())
    }

    fn unpin(&mut self, letter: char) -> Result {
        drop(self.pins[index(letter)].take().ok_or(ENOENT)?);
        Ok(())
    }

    /// Moves it to the tail, as if it was used.
    fn touch(&self, letter: char) -> Result {
        self.object(letter)?.reserve().move_to_lru_tail();
        Ok(())
    }

    fn join(&self, letter: char, bulk: char) -> Result {
        self.object(letter)?.reserve().set_bulk(self.bulk(bulk)?)
    }

    fn leave(&self, letter: char) -> Result {
        self.object(letter)?.reserve().leave_bulk();
        Ok(())
    }

    /// Moves all members to the tail, as if they were used.
    fn touch_bulk(&self, bulk: char) -> Result {
        let bulk = self.bulk(bulk)?;
        let reserved = bulk.reserve();

        bulk.move_to_tail(&reserved, &mut self.dev.lru())
    }

    //
    // Pictures of the lists.
    //

    /// The lists of a memory type. A hitch is `H`; priorities are not separated.
    fn picture_of(&self, mem_type: MemType) -> Text {
        let mut text = Text::new();

        self.dev.lru().visit(mem_type, |node| {
            text.push(match node {
                Node::Resource(res) => res.buffer_id().map_or('~', |id| self.letter(id)),
                Node::Hitch => 'H',
            });
        });
        text
    }

    fn picture(&self) -> Text {
        self.picture_of(MemType::VRAM)
    }

    /// Without hitches.
    fn order_of(&self, mem_type: MemType) -> Text {
        let mut text = Text::new();

        self.picture_of(mem_type)
            .letters()
            .filter(|&letter| letter != 'H')
            .for_each(|letter| text.push(letter));
        text
    }

    fn order(&self) -> Text {
        self.order_of(MemType::VRAM)
    }

    /// The bulk of the range that each buffer in VRAM is in; `.` for none.
    fn ranges(&self) -> Text {
        let mut text = Text::new();

        self.dev.lru().visit(MemType::VRAM, |node| {
            if let Node::Resource(res) = node {
                let bulk = self
                    .bulks
                    .iter()
                    .position(|bulk| Some(bulk.id()) == res.bulk_id());

                text.push(match (bulk, res.bulk_id()) {
                    (Some(n), _) => BULKS[n],
                    (None, Some(_)) => '~',
                    (None, None) => '.',
                });
            }
        });
        text
    }

    //
    // Walks.
    //

    fn cursor(&self) -> Cursor<'d> {
        self.vram.cursor()
    }

    /// Makes one step, with the lock held.
    fn step(&self, walk: &mut Walk<'_, '_>) -> Option<char> {
        let id = walk.next()?.buffer_id();

        Some(id.map_or('~', |id| self.letter(id)))
    }

    /// Up to `n` steps in one hold of the lock.
    fn steps(&self, cursor: Pin<&mut Cursor<'_>>, n: usize) -> Text {
        let mut text = Text::new();
        let mut walk = cursor.lock();

        for _ in 0..n {
            match self.step(&mut walk) {
                Some(letter) => text.push(letter),
                None => break,
            }
        }
        text
    }

    /// Returns the rest of a walk that drops the lock after each step. A walk that doesn't end
    /// fills the text.
    fn rest(&self, mut cursor: Pin<&mut Cursor<'_>>) -> Text {
        let mut text = Text::new();

        while text.len < Text::MAX {
            match self.step(&mut cursor.as_mut().lock()) {
                Some(letter) => text.push(letter),
                None => break,
            }
        }
        text
    }

    /// Returns the rest of a walk over reserved buffers.
    fn rest_reserved(&self, walk: Pin<&mut ReservedWalk<'_>>) -> Result<Text> {
        let mut text = Text::new();

        for bo in walk.take(Text::MAX) {
            text.push(self.letter(bo?.id()));
        }
        Ok(text)
    }
}

fn index(letter: char) -> usize {
    (letter as usize).wrapping_sub('a' as usize)
}

/// The warnings of the kernel since it was booted. A case adds none unless a list is broken.
fn complaints() -> c_ulong {
    // SAFETY: It may be called anywhere.
    unsafe { bindings::get_taint() }
}
