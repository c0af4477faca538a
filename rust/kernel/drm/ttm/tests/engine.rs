// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Moves and clears that a device does, and for which nothing waits.

use super::{
    moves::container,
    *, //
};
use crate::{
    dma::DmaMask,
    dma_fence::{
        DriverFence,
        Fence, //
    },
    drm::ttm::{
        Address,
        ClearBy,
        Dma,
        FenceUsage,
        Move,
        MoveBy,
        Piece, //
    },
    kthread, new_mutex,
    page::PAGE_SIZE,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// Data that another buffer has left behind.
const OTHERS: u8 = 0x55;

const ALL: usize = Device::SIZE;
const PAGES: usize = 5;
const SIZE: usize = PAGES * PAGE_SIZE;

/// The device's answer that it moves a buffer until `fence` is signaled.
fn answer(fence: ARef<Fence>, pipelined: bool) -> MoveBy {
    if pipelined {
        MoveBy::Pipelined(fence)
    } else {
        MoveBy::Fence(fence)
    }
}

fn ctx() -> OperationCtx {
    OperationCtx::new()
}

fn busy() -> OperationCtx {
    OperationCtx::new().no_wait_gpu()
}

fn fence(ring: &CStr) -> Result<DriverFence> {
    DriverFence::new(c"test", ring)
}

/// A fence that has failed, or one that stands for it.
fn failed(is_alone: bool) -> Result<ARef<Fence>> {
    // A pending fence that is dropped fails.
    let pending = fence(c"engine")?;

    if is_alone {
        Ok(pending.fence())
    } else {
        container(&pending)
    }
}

fn device() -> Result<Device> {
    Device::with(|setup| setup.dma(Dma::mapped(DmaMask::new::<48>())))
}

fn add_user(obj: &Object, user: &DriverFence) -> Result {
    obj.reserve()
        .fence_slot()?
        .add(&user.fence(), FenceUsage::Write)
}

fn fill(obj: &Object, byte: u8) -> Result {
    let bytes = KVec::from_elem(byte, obj.buffer().size(), GFP_KERNEL)?;

    obj.reserve().write(0, &bytes)
}

fn is_filled(obj: &Object, byte: u8) -> Result<bool> {
    let mut bytes = KVec::from_elem(!byte, obj.buffer().size(), GFP_KERNEL)?;

    obj.reserve().read(0, &mut bytes)?;
    Ok(bytes.iter().all(|&found| found == byte))
}

/// Leaves data of others in free pages, in blocks of all sizes that a buffer may get.
fn dirty_free_pages() -> Result {
    let mut all = KVec::new();

    for order in 0..4 {
        for _ in 0..64 {
            let block = KVec::from_elem(OTHERS, PAGE_SIZE << order, GFP_KERNEL)?;

            all.push(block, GFP_KERNEL)?;
        }
    }
    Ok(())
}

/// Work of a copy engine that a test runs.
struct Work {
    before: KVec<ARef<Fence>>,
    // Without a source, it clears.
    parts: KVec<(Option<Piece>, Piece)>,
    fence: DriverFence,
}

/// A copy engine that works by the addresses of a device.
struct Engine {
    queue: Pin<KBox<Mutex<KVec<Work>>>>,
    vram: *mut u8,
}

// SAFETY: The memory may be accessed from any thread.
unsafe impl Send for Engine {}

// SAFETY: The queue has a lock.
unsafe impl Sync for Engine {}

impl Engine {
    fn new(dev: &Device) -> Result<Arc<Self>> {
        let mut start = bindings::ttm_resource {
            mem_type: MemType::VRAM.as_u32(),
            ..Default::default()
        };
        // SAFETY: The memory type is one of the device's, which no manager asks for this.
        let (vram, _) = unsafe { dev.raw().memory(&raw mut start) }.ok_or(ENXIO)?;

        let engine = Arc::new(
            Self {
                queue: KBox::pin_init(new_mutex!(KVec::new()), GFP_KERNEL)?,
                vram,
            },
            GFP_KERNEL,
        )?;
        Ok(engine)
    }

    fn push(
        &self,
        before: KVec<ARef<Fence>>,
        parts: KVec<(Option<Piece>, Piece)>,
    ) -> Result<ARef<Fence>> {
        let work = Work {
            before,
            parts,
            fence: fence(c"engine")?,
        };
        let done = work.fence.fence();

        self.queue.lock().push(work, GFP_KERNEL)?;
        Ok(done)
    }

    fn copy(&self, mv: &mut Move<'_>) -> Result<MoveBy> {
        if !mv.has_content() {
            return Ok(MoveBy::Nothing);
        }
        let mut parts = KVec::new();

        for (from, to) in mv.copies()? {
            parts.push((Some(from), to), GFP_KERNEL)?;
        }
        Ok(MoveBy::Pipelined(self.push(mv.dependencies()?, parts)?))
    }

    /// Lets it move and clear the buffers of a device.
    fn serve(self: &Arc<Self>, dev: &Device) -> Result {
        let (mover, clearer) = (self.clone(), self.clone());

        dev.driver_data().answer_with(move |_, mv| mover.copy(mv))?;
        dev.driver_data().clear_with(move |clear| {
            let mut parts = KVec::new();

            for to in clear.pieces()? {
                parts.push((None, to), GFP_KERNEL)?;
            }
            Ok(ClearBy::Fence(clearer.push(clear.dependencies()?, parts)?))
        })
    }

    /// Calls `f` with the memory of page `n` of a piece.
    fn with<R>(&self, piece: &Piece, n: usize, f: impl FnOnce(*mut u8) -> R) -> R {
        match piece.at {
            Address::Offset(at) => f(self.vram.wrapping_add(at as usize + n * PAGE_SIZE)),
            // SAFETY: In this kernel, the bus addresses are the physical ones.
            Address::Bus(at) => unsafe {
                let page = bindings::pfn_to_page((at as usize / PAGE_SIZE) + n);
                let memory = bindings::kmap_local_page(page).cast();
                let ret = f(memory);

                bindings::kunmap_local(memory.cast());
                ret
            },
        }
    }

    /// Does all work that can begin. Returns how many pieces of work there were.
    fn run(&self) -> Result<usize> {
        let mut count = 0;

        loop {
            let mut queue = self.queue.lock();
            let is_ready = |work: &Work| work.before.iter().all(|fence| fence.is_signaled());
            let Some(n) = queue.iter().position(is_ready) else {
                return Ok(count);
            };
            let work = queue.remove(n).map_err(|_| EIO)?;
            drop(queue);

            for (from, to) in &work.parts {
                for n in 0..to.size / PAGE_SIZE {
                    self.with(to, n, |to| match from {
                        // SAFETY: Both are pages of memory.
                        Some(from) => self.with(from, n, |from| unsafe {
                            core::ptr::copy(from, to, PAGE_SIZE);
                        }),
                        // SAFETY: It is a page of memory.
                        None => unsafe { to.write_bytes(0, PAGE_SIZE) },
                    });
                }
            }
            work.fence.signal(Ok(()));
            count += 1;
        }
    }
}

#[kunit_tests(rust_ttm_engine)]
mod cases {
    use super::*;

    #[test]
    fn content_moves_without_waiting() -> Result {
        let dev = device()?;
        let engine = Engine::new(&dev)?;
        let obj = dev.vram(SIZE)?;
        fill(&obj, 1)?;
        let user = fence(c"ring")?;
        add_user(&obj, &user)?;
        engine.serve(&dev)?;

        // There, back, and there again, before the engine has done anything.
        for place in [Placement::TT, Placement::VRAM, Placement::SYSTEM] {
            obj.reserve().validate(place, &mut busy())?;
        }
        assert_eq!(engine.run()?, 0);
        user.signal(Ok(()));
        assert_eq!(engine.run()?, 3);
        assert!(is_filled(&obj, 1)?);
        Ok(())
    }

    #[test]
    fn evictions_without_waiting() -> Result {
        let dev = device()?;
        let engine = Engine::new(&dev)?;
        let first = dev.vram(ALL)?;
        fill(&first, 1)?;
        let user = fence(c"ring")?;
        add_user(&first, &user)?;
        engine.serve(&dev)?;

        // Each evicts the one before.
        let second = dev.vram(ALL)?;
        let third = dev.vram(ALL)?;
        assert_eq!(first.reserve().mem_type(), Some(MemType::SYSTEM));
        assert_eq!(second.reserve().mem_type(), Some(MemType::SYSTEM));
        assert_eq!(third.reserve().mem_type(), Some(MemType::VRAM));
        assert_eq!(engine.run()?, 0);
        user.signal(Ok(()));
        // Two copies and two clears.
        assert_eq!(engine.run()?, 4);
        assert!(is_filled(&first, 1)?);
        assert!(is_filled(&second, 0)?);
        assert!(is_filled(&third, 0)?);
        Ok(())
    }

    // The pages stay, the range of the aperture is given away.
    #[test]
    fn an_eviction_from_pages_to_pages() -> Result {
        let dev = device()?;
        let obj = dev.system(ALL)?;
        obj.reserve().validate(Placement::TT, &mut ctx())?;
        fill(&obj, 1)?;
        let (user, unbind) = (fence(c"ring")?, fence(c"engine")?);
        add_user(&obj, &user)?;
        let done = unbind.fence();
        dev.driver_data().answer_with(move |_, mv| {
            if !mv.is_eviction() {
                return Ok(MoveBy::Nothing);
            }
            if mv.dependencies()?.len() != 1 {
                return Err(EIO);
            }
            Ok(MoveBy::Pipelined(done.clone()))
        })?;

        let next = dev.system(SIZE)?;
        next.reserve().validate(Placement::TT, &mut ctx())?;
        assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        assert_eq!(next.reserve().dependencies(FenceUsage::Read)?.len(), 1);
        user.signal(Ok(()));
        unbind.signal(Ok(()));
        assert!(next.reserve().is_idle());
        assert!(is_filled(&obj, 1)?);
        Ok(())
    }

    // The fence of the move is signaled though the pages are still in use.
    #[test]
    fn pages_outlive_a_fence_that_lies() -> Result {
        let dev = device()?;
        let obj = dev.system(SIZE)?;
        obj.reserve().validate(Placement::TT, &mut ctx())?;
        let user = fence(c"ring")?;
        add_user(&obj, &user)?;
        let done = fence(c"engine")?;
        let fence = done.fence();
        done.signal(Ok(()));
        dev.driver_data()
            .answer_with(move |_, _| Ok(MoveBy::Pipelined(fence.clone())))?;

        obj.reserve().validate(Placement::VRAM, &mut busy())?;
        fsleep(Delta::from_millis(30));
        assert_eq!(dev.dma_pages(), PAGES);
        let tt = dev.manager(MemType::TT).ok_or(ENODEV)?;
        assert_eq!(tt.usage(), SIZE as u64);

        user.signal(Ok(()));
        while tt.usage() != 0 {
            fsleep(Delta::from_millis(10));
        }
        assert_eq!(dev.dma_pages(), 0);
        Ok(())
    }

    // The place would show what others have left there.
    #[test]
    fn a_move_that_has_failed_is_refused() -> Result {
        for (pipelined, is_alone) in [(false, true), (true, true), (false, false), (true, false)] {
            let dev = device()?;
            let obj = dev.vram(SIZE)?;
            fill(&obj, 1)?;
            dev.driver_data()
                .answer_with(move |_, _| Ok(answer(failed(is_alone)?, pipelined)))?;

            assert!(obj.reserve().validate(Placement::TT, &mut ctx()).is_err());
            assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
            assert!(is_filled(&obj, 1)?);
        }
        Ok(())
    }

    // Its pages have nothing of others, though they were there before the device began.
    #[test]
    fn a_move_that_fails_later_shows_zeros() -> Result {
        // It is a matter of chance which free pages a buffer gets.
        for n in 0..32 {
            let dev = device()?;
            let obj = dev.vram(SIZE)?;
            fill(&obj, 1)?;
            dirty_free_pages()?;
            let work = fence(c"engine")?;
            let done = work.fence();
            dev.driver_data().answer_with(move |_, mv| {
                mv.populate()?;
                Ok(answer(done.clone(), n % 2 == 0))
            })?;

            obj.reserve().validate(Placement::TT, &mut ctx())?;
            work.signal(Err(EIO));
            assert_eq!(obj.reserve().mem_type(), Some(MemType::TT));
            assert!(is_filled(&obj, 0)?);
        }
        Ok(())
    }

    #[cfg(CONFIG_DRM_TTM_LRU_DEBUG)]
    #[test]
    fn a_fence_that_lies_is_reported() -> Result {
        use crate::drm::ttm::order::debug::early;

        // Before the move, and after it; and in time.
        for (before, is_early) in [(true, 1), (false, 1), (false, 0)] {
            let dev = device()?;
            let obj = dev.vram(SIZE)?;
            fill(&obj, 1)?;
            let user = fence(c"ring")?;
            add_user(&obj, &user)?;
            let mut done = Some(fence(c"engine")?);
            let fence = done.as_ref().ok_or(EINVAL)?.fence();
            let count = early();

            if before {
                if let Some(done) = done.take() {
                    done.signal(Ok(()));
                }
            }
            dev.driver_data()
                .answer_with(move |_, _| Ok(MoveBy::Pipelined(fence.clone())))?;
            obj.reserve().validate(Placement::SYSTEM, &mut busy())?;
            if is_early == 0 {
                user.signal(Ok(()));
                drop(done);
                fsleep(Delta::from_millis(30));
            } else {
                drop(done);
                fsleep(Delta::from_millis(30));
                user.signal(Ok(()));
            }
            assert_eq!(early() - count, is_early);
        }
        Ok(())
    }

    // The manager has no room for their fences, so the last places get free only with them.
    #[test]
    fn evictions_on_too_many_timelines() -> Result {
        const COUNT: usize = 10;
        const PART: usize = ALL / PAGE_SIZE / COUNT * PAGE_SIZE;

        let dev = device()?;
        let engine = Engine::new(&dev)?;
        let mut objects = KVec::new();
        for n in 0..COUNT {
            let obj = dev.vram(PART)?;
            fill(&obj, n as u8)?;
            objects.push(obj, GFP_KERNEL)?;
        }
        engine.serve(&dev)?;

        let is_over = &Atomic::new(false);
        let mut next = Err(ENODATA);
        let (dev_ref, next_ref) = (&dev, &mut next);
        let early = kthread::scope(|scope| {
            scope.spawn(c"ttm_evictor", move || {
                *next_ref = dev_ref.vram(ALL);
                is_over.store(true, Relaxed);
            })?;
            fsleep(Delta::from_millis(50));
            let early = is_over.load(Relaxed);
            while !is_over.load(Relaxed) {
                engine.run()?;
                fsleep(Delta::from_millis(10));
            }
            Ok(early)
        })?;
        assert!(!early);
        engine.run()?;
        assert!(is_filled(&*next?, 0)?);
        for (n, obj) in objects.iter().enumerate() {
            assert!(is_filled(obj, n as u8)?);
        }
        Ok(())
    }

    // A reservation can't have such a fence.
    #[test]
    fn a_fence_that_stands_for_several() -> Result {
        let dev = device()?;
        let obj = dev.vram(SIZE)?;
        let work = fence(c"engine")?;
        let several = container(&work)?;
        dev.driver_data()
            .answer_with(move |_, _| Ok(MoveBy::Pipelined(several.clone())))?;
        let is_over = &Atomic::new(false);

        let early = kthread::scope(|scope| {
            let obj = &obj;
            scope.spawn(c"ttm_mover", move || {
                let _ = obj.reserve().validate(Placement::SYSTEM, &mut ctx());
                is_over.store(true, Relaxed);
            })?;
            fsleep(Delta::from_millis(30));
            let early = is_over.load(Relaxed);
            work.signal(Ok(()));
            Ok(early)
        })?;
        assert!(!early);
        assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        Ok(())
    }
}

#[kunit_tests(rust_ttm_clear)]
mod clear {
    use super::*;

    /// Fills all VRAM with data that other buffers must not contain.
    fn leave_behind(dev: &Device) -> Result {
        fill(&*dev.vram(ALL)?, OTHERS)
    }

    #[test]
    fn the_device_clears_the_first_place() -> Result {
        let dev = device()?;
        let engine = Engine::new(&dev)?;
        leave_behind(&dev)?;
        engine.serve(&dev)?;

        let made = dev.vram(SIZE)?;
        let moved = dev.system(SIZE)?;
        moved.reserve().validate(Placement::VRAM, &mut busy())?;
        assert!(!made.reserve().is_idle() && !moved.reserve().is_idle());
        // A reader waits.
        let is_clear = &Atomic::new(false);
        let cleared = kthread::scope(|scope| {
            let obj = &made;
            scope.spawn(c"ttm_reader", move || {
                is_clear.store(is_filled(obj, 0).unwrap_or(false), Relaxed);
            })?;
            fsleep(Delta::from_millis(20));
            engine.run()
        })?;
        assert_eq!(cleared, 2);
        assert!(is_clear.load(Relaxed));
        assert!(is_filled(&moved, 0)?);
        Ok(())
    }

    // The content isn't needed. What others have left must not take its place.
    #[test]
    fn the_device_clears_for_a_move_without_content() -> Result {
        let dev = device()?;
        let engine = Engine::new(&dev)?;
        leave_behind(&dev)?;
        let obj = dev.system(SIZE)?;
        obj.reserve().populate(&mut ctx())?;
        fill(&obj, 1)?;
        engine.serve(&dev)?;
        dev.driver_data().answer_with(|_, _| Ok(MoveBy::Nothing))?;

        obj.reserve().validate(Placement::VRAM, &mut ctx())?;
        assert_eq!(engine.run()?, 1);
        assert!(is_filled(&obj, 0)?);
        Ok(())
    }

    #[test]
    fn pages_instead_of_a_content_are_clear() -> Result {
        for place in [Placement::TT, Placement::SYSTEM] {
            let dev = device()?;
            let obj = dev.vram(SIZE)?;
            fill(&obj, 1)?;
            dev.driver_data().answer_with(|_, _| Ok(MoveBy::Nothing))?;

            dirty_free_pages()?;
            obj.reserve().validate(place, &mut ctx())?;
            obj.reserve().populate(&mut ctx())?;
            assert!(is_filled(&obj, 0)?);
        }
        Ok(())
    }

    // There were no pages that the device could have copied to.
    #[test]
    fn pages_after_a_move_are_clear() -> Result {
        for pipelined in [false, true] {
            let dev = device()?;
            let obj = dev.vram(SIZE)?;
            fill(&obj, 1)?;
            dev.driver_data().answer_with(move |_, _| {
                let pending = fence(c"engine")?;
                let done = pending.fence();
                pending.signal(Ok(()));

                Ok(answer(done, pipelined))
            })?;

            dirty_free_pages()?;
            obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;
            obj.reserve().populate(&mut ctx())?;
            assert!(is_filled(&obj, 0)?);
        }
        Ok(())
    }

    #[test]
    fn an_error_of_the_driver() -> Result {
        let dev = device()?;
        let obj = dev.system(SIZE)?;
        dev.driver_data().clear_with(|_| Err(EIO))?;

        assert_eq!(dev.vram(SIZE).err(), Some(EIO));
        let moved = obj.reserve().validate(Placement::VRAM, &mut ctx());
        assert_eq!(moved, Err(EIO));
        assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        assert_eq!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.usage(), 0);
        Ok(())
    }

    // The place still has what others have left there.
    #[test]
    fn a_clear_that_has_failed_is_refused() -> Result {
        for is_alone in [true, false] {
            let dev = device()?;
            leave_behind(&dev)?;
            let obj = dev.system(SIZE)?;
            dev.driver_data()
                .clear_with(move |_| Ok(ClearBy::Fence(failed(is_alone)?)))?;

            assert!(dev.vram(SIZE).is_err());
            assert!(obj.reserve().validate(Placement::VRAM, &mut ctx()).is_err());
            assert_eq!(obj.reserve().mem_type(), Some(MemType::SYSTEM));
        }
        Ok(())
    }

    // The buffer is freed before the device has cleared its place.
    #[test]
    fn freed_too_early() -> Result {
        let dev = device()?;
        let engine = Engine::new(&dev)?;
        leave_behind(&dev)?;
        engine.serve(&dev)?;
        let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;

        drop(dev.vram(SIZE)?);
        fsleep(Delta::from_millis(20));
        assert_eq!(vram.usage(), SIZE as u64);
        assert_eq!(engine.run()?, 1);
        crate::drm::ttm::late::flush();
        while vram.usage() != 0 {
            fsleep(Delta::from_millis(10));
        }
        Ok(())
    }
}
