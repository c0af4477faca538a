// SPDX-License-Identifier: GPL-2.0 OR MIT

//! E2, E3 and E4: several reservations at once.

use super::*;
use crate::{
    dma_fence::DriverFence,
    drm::ttm::{
        transaction,
        FenceUsage,
        Place,
        Stop,
        Transaction, //
    },
    kthread,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Completion, //
    },
};
use core::ops::ControlFlow;

/// Rounds of each thread.
const ROUNDS: usize = 200;

fn ctx() -> OperationCtx {
    OperationCtx::new()
}

/// Calls `f` in a transaction, while an older one holds `held` until `f` was called once. Returns
/// the age of the younger one in each round, and its result.
fn beside_an_older_one<'env>(
    held: &'env Object,
    f: impl Fn(&Transaction<'env>) -> Result<(), Stop> + Sync,
) -> Result<(KVec<usize>, Result)> {
    let older_has = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
    let younger_tried = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
    let mut stamps = KVec::with_capacity(64, GFP_KERNEL)?;
    let mut result = Err(ENODATA);
    let (younger_stamps, younger_result) = (&mut stamps, &mut result);

    kthread::scope(|scope| {
        scope.spawn(c"ttm_tx_older", || {
            let _ = transaction(&ctx(), |tx| {
                let _held = tx.reserve(held)?;
                older_has.complete_all();
                younger_tried.wait_for_completion();
                Ok(())
            });
        })?;
        scope.spawn(c"ttm_tx_younger", || {
            older_has.wait_for_completion();
            *younger_result = transaction(&ctx(), |tx| {
                let _ = younger_stamps.push_within_capacity(tx.stamp());
                let result = f(tx);
                younger_tried.complete_all();
                result
            });
        })
    })?;
    Ok((stamps, result))
}

#[kunit_tests(rust_ttm_transactions)]
mod cases {
    use super::*;

    #[test]
    fn all_are_given_back() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?, dev.vram(0x1000)?];

        let held = transaction(&ctx(), |tx| {
            for obj in &objects {
                let _ = tx.reserve(obj)?;
            }
            Ok(objects
                .iter()
                .filter(|obj| obj.try_reserve().is_none())
                .count())
        })?;

        assert_eq!(held, 3);
        assert!(objects.iter().all(|obj| obj.try_reserve().is_some()));
        Ok(())
    }

    #[test]
    fn all_are_given_back_with_an_error() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?];
        let mut rounds = 0;

        let failed: Result = transaction(&ctx(), |tx| {
            rounds += 1;
            let _a = tx.reserve(&objects[0])?;
            let _b = tx.reserve(&objects[1])?;
            Err(EINVAL.into())
        });

        assert_eq!(failed, Err(EINVAL));
        assert_eq!(rounds, 1);
        assert!(objects.iter().all(|obj| obj.try_reserve().is_some()));
        Ok(())
    }

    // The guards borrow the reservations, and don't own them.
    #[test]
    fn a_forgotten_guard_is_given_back() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(0x1000)?;

        transaction(&ctx(), |tx| {
            core::mem::forget(tx.reserve(&obj)?);
            Ok(())
        })?;
        assert!(obj.try_reserve().is_some());
        Ok(())
    }

    #[test]
    fn without_a_reservation() -> Result {
        assert_eq!(transaction(&ctx(), |_| Ok(7))?, 7);
        Ok(())
    }

    #[test]
    fn members_of_a_bulk() -> Result {
        let dev = Device::new()?;
        let bulk = BulkMove::new(&dev, Resv::new()?)?;
        let members = [dev.member(0x1000, &bulk)?, dev.member(0x1000, &bulk)?];
        let loose = dev.vram(0x1000)?;

        transaction(&ctx(), |tx| {
            let mut a = tx.reserve(&members[0])?;
            let _loose = tx.reserve(&loose)?;
            let mut b = tx.reserve(&members[1])?;

            a.move_to_lru_tail();
            b.leave_bulk();
            b.set_bulk(&bulk)?;
            bulk.move_to_tail(&a, &mut dev.lru())?;
            Ok(())
        })?;
        assert_eq!(
            dev.order()?,
            [
                loose.buffer().id(),
                members[0].buffer().id(),
                members[1].buffer().id()
            ]
        );
        assert!(bulk.resv().try_reserve().is_some());
        Ok(())
    }

    // Otherwise its buffers would be evicted while others use them.
    #[test]
    fn a_reservation_that_was_not_taken_is_not_lent() -> Result {
        let dev = Device::new()?;
        let resv = Resv::new()?;
        let member = dev.shared(Device::SIZE, &resv)?;
        let loose = dev.system(0x1000)?;

        let failed: Result = transaction(&ctx(), |tx| {
            let mut loose = tx.reserve(&loose)?;
            tx.validate(&mut loose, Placement::VRAM, Some(&resv), &mut ctx())
        });
        assert_eq!(failed, Err(EINVAL));
        assert_eq!(member.reserve().mem_type(), Some(MemType::VRAM));
        Ok(())
    }

    // Other users of the reservation add fences meanwhile, until the room is used up.
    #[test]
    fn room_for_a_fence_that_others_have_used() -> Result {
        let dev = Device::new()?;

        for n in 0..32 {
            // Use a new reservation, as an old one keeps its room.
            let obj = dev.vram(0x1000)?;
            let last = DriverFence::new(c"test", c"last")?;
            let mut others = KVec::with_capacity(n, GFP_KERNEL)?;

            transaction(&ctx(), |tx| {
                let mut reserved = tx.reserve(&obj)?;
                let slot = reserved.fence_slot()?;
                while others.len() < others.capacity() {
                    let work = DriverFence::new(c"test", c"other")?;
                    let mut again = tx.reserve(&obj)?;
                    again.fence_slot()?.add(&work.fence(), FenceUsage::Read)?;
                    let _ = others.push_within_capacity(work);
                }
                Ok(slot.add(&last.fence(), FenceUsage::Read)?)
            })?;
            drop(others);
            assert!(!obj.reserve().is_idle());
            drop(last);
            assert!(obj.reserve().is_idle());
        }
        Ok(())
    }

    // Another transaction has the second object, and waits for the first one. The older transaction
    // wins, and the other one starts over (E3).
    #[test]
    fn against_each_other() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?, dev.vram(0x1000)?];
        let restarts = Atomic::<usize>::new(0);
        let inside = Atomic::<usize>::new(0);
        let both = Atomic::<usize>::new(0);

        let run = |order: [usize; 3]| {
            for _ in 0..ROUNDS {
                let mut rounds = 0;
                let ret = transaction(&ctx(), |tx| {
                    rounds += 1;
                    for n in order {
                        tx.reserve(&objects[n])?.move_to_lru_tail();
                    }
                    both.fetch_add(inside.fetch_add(1, Relaxed), Relaxed);
                    inside.fetch_sub(1, Relaxed);
                    Ok(())
                });
                restarts.fetch_add(rounds - 1, Relaxed);
                if ret.is_err() {
                    both.fetch_add(1, Relaxed);
                }
            }
        };
        let run = &run;
        kthread::scope(|scope| {
            scope.spawn(c"ttm_tx_up", || run([0, 1, 2]))?;
            scope.spawn(c"ttm_tx_down", || run([2, 1, 0]))?;
            scope.spawn(c"ttm_tx_mixed", || run([1, 0, 2]))
        })?;

        // Never two at once, and no error.
        assert_eq!(both.load(Relaxed), 0);
        assert!(objects.iter().all(|obj| obj.try_reserve().is_some()));
        Ok(())
    }

    // Each needs all of VRAM, where the other one's buffer is, which may be reserved.
    #[test]
    fn room_that_others_have_reserved() -> Result {
        let dev = Device::new()?;
        let objects = [dev.system(Device::SIZE)?, dev.system(Device::SIZE)?];
        let failures = Atomic::<usize>::new(0);

        let run = |n: usize| {
            for _ in 0..ROUNDS {
                let ret = transaction(&ctx(), |tx| {
                    let mut reserved = tx.reserve(&objects[n])?;
                    tx.validate(&mut reserved, Placement::VRAM, None, &mut ctx())?;
                    Ok(reserved.mem_type())
                });
                if ret != Ok(Some(MemType::VRAM)) {
                    failures.fetch_add(1, Relaxed);
                }
            }
        };
        let run = &run;
        kthread::scope(|scope| {
            scope.spawn(c"ttm_tx_room_0", || run(0))?;
            scope.spawn(c"ttm_tx_room_1", || run(1))
        })?;

        assert_eq!(failures.load(Relaxed), 0);
        assert!(objects.iter().all(|obj| obj.try_reserve().is_some()));
        Ok(())
    }

    // The older one has reserved the buffer that is in the way. The younger one must not wait for
    // it while it holds its own reservation (E3).
    #[test]
    fn room_that_an_older_one_has_reserved() -> Result {
        let dev = Device::new()?;
        let objects = [dev.system(Device::SIZE)?, dev.vram(Device::SIZE)?];
        let older_has = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
        let younger_failed = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
        let rounds = Atomic::<usize>::new(0);
        let placed = Atomic::<bool>::new(false);
        let (rounds, placed, objects) = (&rounds, &placed, &objects);

        kthread::scope(|scope| {
            scope.spawn(c"ttm_tx_older", || {
                let _ = transaction(&ctx(), |tx| {
                    let _in_the_way = tx.reserve(&objects[1])?;
                    older_has.complete_all();
                    younger_failed.wait_for_completion();
                    Ok(())
                });
            })?;
            scope.spawn(c"ttm_tx_younger", || {
                older_has.wait_for_completion();
                let ret = transaction(&ctx(), |tx| {
                    rounds.fetch_add(1, Relaxed);
                    let mut reserved = tx.reserve(&objects[0])?;
                    let ret = tx.validate(&mut reserved, Placement::VRAM, None, &mut ctx());
                    younger_failed.complete_all();
                    ret?;
                    Ok(reserved.mem_type())
                });
                placed.store(ret == Ok(Some(MemType::VRAM)), Relaxed);
            })
        })?;

        assert!(placed.load(Relaxed));
        assert!(rounds.load(Relaxed) > 1);
        Ok(())
    }

    // A guard that the transaction has lent makes room. If it could not wait for a reservation, the
    // transaction must not take any more of them, even if it ignores the result (E3).
    #[test]
    fn a_guard_makes_room_beside_an_older_one() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let objects = [
            dev.system(Device::SIZE)?,
            dev.vram(Device::SIZE)?,
            dev.system(0x1000)?,
        ];
        let (stamps, ret) = beside_an_older_one(&objects[1], |tx| {
            let mut reserved = tx.reserve(&objects[0])?;
            let _ = reserved.validate(Placement::VRAM, &mut ctx());

            let _ = tx.reserve(&objects[2])?;
            Ok(())
        })?;

        assert_eq!(ret, Ok(()));
        assert!(stamps.len() > 1);
        assert_eq!(complaints(), before);
        Ok(())
    }

    // It can't wait, so it finds no room. That is no reason to fail (E2).
    #[test]
    fn a_guard_lacks_room_beside_an_older_one() -> Result {
        let dev = Device::new()?;
        let objects = [dev.system(Device::SIZE)?, dev.vram(Device::SIZE)?];
        let (stamps, ret) = beside_an_older_one(&objects[1], |tx| {
            let mut reserved = tx.reserve(&objects[0])?;

            Ok(reserved.validate(Placement::VRAM, &mut ctx())?)
        })?;

        assert_eq!(ret, Ok(()));
        assert!(stamps.len() > 1);
        assert_eq!(objects[0].reserve().mem_type(), Some(MemType::VRAM));
        Ok(())
    }

    // Its ticket doesn't hold that reservation.
    #[test]
    fn a_guard_that_another_owner_has() -> Result {
        let dev = Device::new()?;
        let obj = dev.system(0x1000)?;
        let ret = transaction(&ctx(), |tx| {
            let mut other = obj.try_reserve().ok_or(EBUSY)?;

            tx.validate(&mut other, Placement::VRAM, None, &mut ctx())
        });

        assert_eq!(ret, Err(EINVAL));
        Ok(())
    }

    // It starts over as long as reserved buffers are in the way, but keeps its age (E4), so it
    // becomes the oldest at some time.
    #[test]
    fn a_restart_keeps_its_age() -> Result {
        let dev = Device::new()?;
        let objects = [dev.system(Device::SIZE)?, dev.vram(Device::SIZE)?];
        let (stamps, ret) = beside_an_older_one(&objects[1], |tx| {
            let mut reserved = tx.reserve(&objects[0])?;
            tx.validate(&mut reserved, Placement::VRAM, None, &mut ctx())
        })?;

        assert_eq!(ret, Ok(()));
        assert!(stamps.len() > 1);
        assert!(stamps.iter().all(|&stamp| stamp == stamps[0]));
        Ok(())
    }

    // The same applies to a walk.
    #[test]
    fn a_walk_starts_over() -> Result {
        let dev = Device::new()?;
        let objects = [dev.system(0x1000)?, dev.vram(0x1000)?, dev.vram(0x1000)?];
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let met = Atomic::<usize>::new(0);
        let (stamps, ret) = beside_an_older_one(&objects[2], |tx| {
            let _mine = tx.reserve(&objects[0])?;
            met.store(0, Relaxed);
            tx.walk(vram, &ctx(), |_| {
                met.fetch_add(1, Relaxed);
                ControlFlow::Continue(())
            })
        })?;

        assert_eq!(ret, Ok(()));
        assert_eq!(met.load(Relaxed), 2);
        assert!(stamps.len() > 1);
        assert!(stamps.iter().all(|&stamp| stamp == stamps[0]));
        Ok(())
    }

    // A transaction takes a fallback before it starts over (E2).
    #[test]
    fn a_fallback_before_a_restart() -> Result {
        const PLACES: &[Place] = &[Place::VRAM, Place::TT.fallback()];

        let dev = Device::new()?;
        let objects = [dev.system(Device::SIZE)?, dev.vram(Device::SIZE)?];
        let (stamps, ret) = beside_an_older_one(&objects[1], |tx| {
            let mut reserved = tx.reserve(&objects[0])?;
            tx.validate(&mut reserved, Placement::new(PLACES)?, None, &mut ctx())
        })?;

        assert_eq!(ret, Ok(()));
        assert_eq!(stamps.len(), 1);
        assert_eq!(objects[0].reserve().mem_type(), Some(MemType::TT));
        Ok(())
    }

    // A buffer that insists on a better place, but can't have it, stays in place. The transaction
    // remembers the reservation that it could not wait for, and backs off before it reserves
    // anything else.
    #[test]
    fn one_that_insists() -> Result {
        const PLACES: &[Place] = &[Place::VRAM, Place::TT.fallback()];

        let dev = Device::new()?;
        let objects = [
            dev.system(Device::SIZE)?,
            dev.vram(Device::SIZE)?,
            dev.system(0x1000)?,
        ];
        objects[0].reserve().validate(Placement::TT, &mut ctx())?;
        objects[0].insist();

        let (stamps, ret) = beside_an_older_one(&objects[1], |tx| {
            let mut reserved = tx.reserve(&objects[0])?;
            tx.validate(&mut reserved, Placement::new(PLACES)?, None, &mut ctx())?;
            let _another = tx.reserve(&objects[2])?;
            Ok(())
        })?;

        assert_eq!(ret, Ok(()));
        assert!(stamps.len() > 1);
        assert_eq!(objects[0].reserve().mem_type(), Some(MemType::VRAM));
        Ok(())
    }

    // The older transaction has the first object and waits for the second one. The younger one has
    // the second, and must give it back when it needs the first.
    #[test]
    fn the_younger_one_starts_over() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?];
        let older_has = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
        let younger_has = &*KBox::pin_init(Completion::new(), GFP_KERNEL)?;
        let older = Atomic::<usize>::new(0);
        let younger = Atomic::<usize>::new(0);
        let contended = Atomic::<usize>::new(0);
        let (older, younger, contended, objects) = (&older, &younger, &contended, &objects);

        kthread::scope(|scope| {
            scope.spawn(c"ttm_tx_older", || {
                let _ = transaction(&ctx(), |tx| {
                    older.fetch_add(1, Relaxed);
                    let _first = tx.reserve(&objects[0])?;
                    older_has.complete_all();
                    younger_has.wait_for_completion();
                    let _second = tx.reserve(&objects[1])?;
                    Ok(())
                });
            })?;
            scope.spawn(c"ttm_tx_younger", || {
                older_has.wait_for_completion();
                let _ = transaction(&ctx(), |tx| {
                    younger.fetch_add(1, Relaxed);
                    let _second = tx.reserve(&objects[1])?;
                    younger_has.complete_all();
                    let stop: Option<Stop> = tx.reserve(&objects[0]).err();

                    // It keeps failing.
                    if stop.is_some_and(|stop| stop.is_contended())
                        && tx.reserve(&objects[1]).err() == stop
                    {
                        contended.fetch_add(1, Relaxed);
                    }
                    // Its result doesn't matter.
                    Ok(())
                });
            })
        })?;

        // CONFIG_DEBUG_WW_MUTEX_SLOWPATH makes more reservations contended for no reason.
        assert!(older.load(Relaxed) >= 1);
        assert!(younger.load(Relaxed) >= 2);
        assert!(contended.load(Relaxed) >= 1);
        Ok(())
    }

    #[test]
    fn a_walk_skips_own_reservations() -> Result {
        let dev = Device::new()?;
        let w = World::new(&dev, "a* b! c* d! e*")?;
        let mine = w.object('b')?;
        let mut met = Text::new();

        transaction(&ctx(), |tx| {
            let _mine = tx.reserve(mine)?;
            tx.walk(w.vram, &ctx(), |bo| {
                met.push(w.letter(bo.id()));
                ControlFlow::Continue(())
            })
        })?;
        assert!(met.is("aced"));
        Ok(())
    }

    // `f` swaps the guard that the walk lends for another one. Each guard gives its own reservation
    // back.
    #[test]
    fn a_walk_that_is_left_another_guard() -> Result {
        let before = complaints();
        let dev = Device::new()?;
        let walked = [dev.vram(0x1000)?, dev.vram(0x1000)?];
        let leaked = KBox::into_raw(KBox::new(dev.system(0x1000)?, GFP_KERNEL)?);
        // SAFETY: It came out of a box, and isn't dropped before the end.
        let other: &'static ARef<Object> = unsafe { &*leaked };
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let mut left = 0;

        transaction(&ctx(), |tx| {
            tx.walk(vram, &ctx(), |bo| {
                if let Some(reserved) = other.buffer().try_reserve() {
                    *bo = reserved;
                    left += 1;
                }
                ControlFlow::Continue(())
            })
        })?;
        assert_eq!(left, walked.len());
        assert!(walked.iter().all(|obj| obj.try_reserve().is_some()));
        assert!(other.try_reserve().is_some());
        assert_eq!(complaints(), before);
        // SAFETY: It came out of a box, and isn't borrowed any more.
        drop(unsafe { KBox::from_raw(leaked) });
        Ok(())
    }

    #[test]
    fn a_walk_that_evicts() -> Result {
        let dev = Device::new()?;
        let objects = [dev.vram(0x1000)?, dev.vram(0x1000)?, dev.vram(0x1000)?];
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
        let mut evicted = 0;

        transaction(&ctx(), |tx| {
            tx.walk(vram, &ctx(), |bo| {
                if bo.evict(&mut ctx()).is_ok() {
                    evicted += 1;
                }
                if evicted == 2 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
        })?;
        assert_eq!(evicted, 2);
        assert_eq!(vram.usage(), 0x1000);
        assert_eq!(objects[2].reserve().mem_type(), Some(MemType::VRAM));
        Ok(())
    }
}
