// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Pages that a device reaches: their addresses, failures to map them, and the end.

use super::*;
use crate::{
    dma::DmaMask,
    dma_fence::DriverFence,
    drm::{
        self,
        ttm::{
            test_device::DmaBuf,
            Address,
            Dma,
            FenceUsage,
            MoveBy,
            Setup, //
        }, //
    },
    faux, kthread,
    page::PAGE_SIZE,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

const MASK: DmaMask = DmaMask::new::<48>();
const MAPPED: Dma = Dma::mapped(MASK);
const COHERENT: Dma = Dma::coherent(MASK);

/// The page allocator has no single block for so many pages, so they are mapped in five steps.
const PAGES: usize = 31;
const SIZE: usize = PAGES * PAGE_SIZE;
#[cfg(CONFIG_FAULT_INJECTION)]
const STEPS: i32 = 5;

fn ctx() -> OperationCtx {
    OperationCtx::new()
}

fn device(dma: Dma) -> Result<Device> {
    Device::with(|setup| setup.dma(dma))
}

fn shrinkable() -> Result<Device> {
    Device::with(|setup| {
        setup.dma(MAPPED)?;
        setup.shrinker()
    })
}

/// A device that lives longer than it is bound.
struct Unbound {
    // Dropped first: it unbinds the device.
    parent: Option<faux::Registration>,
    drm: ARef<drm::Device<Driver>>,
}

impl Unbound {
    fn new(more: impl FnOnce(&mut Setup<'_>) -> Result) -> Result<Self> {
        let parent = faux::Registration::new(c"ttm-dma", None)?;

        crate::drm::ttm::registration::enable_dma(&parent);
        let drm = Device::unregistered_with_more(parent.as_ref(), more)?;
        Ok(Self {
            drm: (&*drm).into(),
            parent: Some(parent),
        })
    }

    fn unbind(&mut self) {
        self.parent = None;
    }

    fn object(&self, size: usize, placement: Placement<'_>) -> Result<ARef<Object>> {
        let config = ObjectConfig {
            placement,
            ..ObjectConfig::default()
        };

        Object::new(&self.drm, size, &config, &mut ctx(), Kind::Kept)
    }

    fn pages(&self) -> usize {
        self.drm.dma_pages()
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        self.unbind();
        crate::drm::ttm::late::flush();
    }
}

/// Lets so many mappings succeed and the next one fail, as long as this exists.
#[cfg(CONFIG_FAULT_INJECTION)]
struct Fail;

#[cfg(CONFIG_FAULT_INJECTION)]
impl Fail {
    fn after(first: i32) -> Self {
        // SAFETY: It may always be called.
        unsafe { bindings::ttm_fail_dma_maps(first, 1) };
        Self
    }
}

#[cfg(CONFIG_FAULT_INJECTION)]
impl Drop for Fail {
    fn drop(&mut self) {
        // SAFETY: It may always be called.
        unsafe { bindings::ttm_fail_dma_maps(0, 0) };
    }
}

/// Reads the first four bytes of each page as the device does: by its bus addresses.
///
/// In this kernel, the bus addresses are the physical ones.
fn read_by_bus(obj: &Object) -> Result<KVec<u32>> {
    let mut all = KVec::new();

    for piece in obj.reserve().pieces()? {
        let Address::Bus(bus) = piece.at else {
            return Err(EINVAL);
        };
        for n in 0..piece.size / PAGE_SIZE {
            let pfn = (bus >> 12) as usize + n;
            // SAFETY: It is one of the buffer's pages, if the address is right; else KASAN tells.
            let word = unsafe {
                let page = bindings::kmap_local_page(bindings::pfn_to_page(pfn));
                let word = page.cast::<u32>().read_volatile();

                bindings::kunmap_local(page);
                word
            };
            all.push(word, GFP_KERNEL)?;
        }
    }
    Ok(all)
}

/// Writes its number into each page.
fn number_pages(obj: &Object) -> Result {
    for n in 0..obj.buffer().size() / PAGE_SIZE {
        obj.reserve()
            .write(n * PAGE_SIZE, &(n as u32 + 1).to_ne_bytes())?;
    }
    Ok(())
}

/// Whether each page has its number, for the CPU.
fn has_numbers(obj: &Object) -> Result<bool> {
    let mut bytes = [0; 4];

    for n in 0..obj.buffer().size() / PAGE_SIZE {
        obj.reserve().read(n * PAGE_SIZE, &mut bytes)?;
        if u32::from_ne_bytes(bytes) != n as u32 + 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether each page has its number, for the device.
fn has_numbers_by_bus(obj: &Object) -> Result<bool> {
    let all = read_by_bus(obj)?;

    Ok(all.len() == obj.buffer().size() / PAGE_SIZE
        && all
            .iter()
            .enumerate()
            .all(|(n, &word)| word == n as u32 + 1))
}

fn populate(obj: &Object) -> Result {
    obj.reserve().populate(&mut ctx())
}

#[kunit_tests(rust_ttm_dma)]
mod cases {
    use super::*;

    #[test]
    fn the_device_finds_the_pages() -> Result {
        for dma in [MAPPED, COHERENT, MAPPED.below_4_gib()] {
            let dev = device(dma)?;
            let obj = dev.system(SIZE)?;

            assert_eq!(dev.dma_pages(), 0);
            populate(&obj)?;
            assert_eq!(dev.dma_pages(), PAGES);
            number_pages(&obj)?;
            assert!(has_numbers_by_bus(&obj)?);

            obj.reserve().validate(Placement::TT, &mut ctx())?;
            assert!(has_numbers_by_bus(&obj)?);
        }
        Ok(())
    }

    #[test]
    fn pages_are_unmapped_when_they_go() -> Result {
        let dev = device(MAPPED)?;
        let [moved, freed, swapped] = [dev.system(SIZE)?, dev.system(SIZE)?, dev.system(SIZE)?];
        for obj in [&moved, &freed, &swapped] {
            populate(obj)?;
        }
        number_pages(&swapped)?;
        assert_eq!(dev.dma_pages(), 3 * PAGES);

        moved.reserve().validate(Placement::VRAM, &mut ctx())?;
        assert_eq!(dev.dma_pages(), 2 * PAGES);
        assert!(matches!(
            moved.reserve().pieces()?.next().map(|piece| piece.at),
            Some(Address::Offset(_))
        ));
        drop(freed);
        crate::drm::ttm::late::flush();
        assert_eq!(dev.dma_pages(), PAGES);

        swapped.reserve().swap_out(&mut ctx())?;
        assert_eq!(dev.dma_pages(), 0);
        assert_eq!(swapped.reserve().pieces().err(), Some(ENXIO));
        populate(&swapped)?;
        assert_eq!(dev.dma_pages(), PAGES);
        assert!(has_numbers_by_bus(&swapped)?);
        Ok(())
    }

    #[test]
    fn without_dma() -> Result {
        let dev = Device::new()?;
        let obj = dev.system(SIZE)?;

        populate(&obj)?;
        assert_eq!(obj.reserve().pieces().err(), Some(EOPNOTSUPP));
        assert_eq!(dev.dma_pages(), 0);
        Ok(())
    }

    #[cfg(CONFIG_FAULT_INJECTION)]
    #[test]
    fn a_failure_at_each_step() -> Result {
        for dma in [MAPPED, COHERENT] {
            let dev = device(dma)?;
            let obj = dev.system(SIZE)?;

            for n in 0..STEPS {
                let fail = Fail::after(n);
                assert_eq!(populate(&obj), Err(EFAULT));
                assert!(!obj.reserve().is_populated());
                if dma == MAPPED {
                    assert_eq!(dev.dma_pages(), 0);
                }
                drop(fail);
            }
            let fail = Fail::after(STEPS);
            populate(&obj)?;
            drop(fail);
            assert_eq!(dev.dma_pages(), PAGES);
            number_pages(&obj)?;
            assert!(has_numbers_by_bus(&obj)?);
        }
        Ok(())
    }

    // The content must not get lost.
    #[cfg(CONFIG_FAULT_INJECTION)]
    #[test]
    fn a_failure_when_swapped_out() -> Result {
        let dev = device(MAPPED)?;
        let obj = dev.system(SIZE)?;
        populate(&obj)?;
        number_pages(&obj)?;

        obj.reserve().swap_out(&mut ctx())?;
        for n in 0..STEPS {
            let _fail = Fail::after(n);
            assert_eq!(populate(&obj), Err(EFAULT));
        }
        assert!(has_numbers(&obj)?);
        assert!(has_numbers_by_bus(&obj)?);
        Ok(())
    }

    // A move to a place made of pages.
    #[cfg(CONFIG_FAULT_INJECTION)]
    #[test]
    fn a_failure_in_a_move() -> Result {
        let dev = device(MAPPED)?;
        let obj = dev.vram(SIZE)?;
        number_pages(&obj)?;

        for n in 0..STEPS {
            for place in [Placement::TT, Placement::SYSTEM] {
                let _fail = Fail::after(n);
                assert_eq!(obj.reserve().validate(place, &mut ctx()), Err(EFAULT));
                assert_eq!(obj.reserve().mem_type(), Some(MemType::VRAM));
                assert_eq!(dev.dma_pages(), 0);
            }
        }
        assert!(has_numbers(&obj)?);
        obj.reserve().validate(Placement::TT, &mut ctx())?;
        assert!(has_numbers_by_bus(&obj)?);
        Ok(())
    }

    #[test]
    fn purged() -> Result {
        let dev = shrinkable()?;
        let obj = dev.system(SIZE)?;
        populate(&obj)?;
        number_pages(&obj)?;
        assert_eq!(dev.dma_pages(), PAGES);

        assert_eq!(obj.reserve().shrink(true, &mut ctx())?, PAGES);
        assert_eq!(dev.dma_pages(), 0);
        populate(&obj)?;
        assert_eq!(dev.dma_pages(), PAGES);
        assert!(read_by_bus(&obj)?.iter().all(|&word| word == 0));
        Ok(())
    }

    #[test]
    fn refused() -> Result {
        let twice = Device::with(|setup| {
            setup.dma(MAPPED)?;
            setup.dma(MAPPED)
        });
        assert_eq!(twice.err(), Some(EEXIST));
        for coherent_first in [true, false] {
            let both = Device::with(|setup| {
                if coherent_first {
                    setup.dma(COHERENT)?;
                    setup.shrinker()
                } else {
                    setup.shrinker()?;
                    setup.dma(COHERENT)
                }
            });
            assert_eq!(both.err(), Some(EOPNOTSUPP));
        }
        // No memory is that low.
        let low = Device::with(|setup| setup.dma(Dma::mapped(DmaMask::new::<12>())));
        assert_eq!(low.err(), Some(EIO));
        // This parent can do no DMA.
        let parent = faux::Registration::new(c"ttm-dma", None)?;
        let none = Device::unregistered_with_more(parent.as_ref(), |setup| setup.dma(MAPPED)).err();
        assert_eq!(none, Some(EIO));

        let dev = device(COHERENT)?;
        let obj = dev.system(SIZE)?;
        populate(&obj)?;
        assert_eq!(obj.reserve().vmap::<0>().err(), Some(ENOTSUPP));
        assert_eq!(DmaBuf::export(&obj).err(), Some(EPERM));
        Ok(())
    }

    #[test]
    fn unbound() -> Result {
        let mut dev = Unbound::new(|setup| setup.dma(MAPPED))?;
        let [system, tt, pinned, swapped, vram] = [
            dev.object(SIZE, Placement::SYSTEM)?,
            dev.object(SIZE, Placement::TT)?,
            dev.object(SIZE, Placement::TT)?,
            dev.object(SIZE, Placement::SYSTEM)?,
            dev.object(SIZE, Placement::VRAM)?,
        ];
        for obj in [&system, &tt, &pinned, &swapped, &vram] {
            populate(obj)?;
            number_pages(obj)?;
        }
        let pin = pinned.reserve().pin()?;
        let map = pinned.reserve().vmap::<SIZE>()?;
        swapped.reserve().swap_out(&mut ctx())?;
        assert_eq!(dev.pages(), 3 * PAGES);

        dev.unbind();
        assert_eq!(dev.pages(), 0);
        for obj in [&system, &tt, &pinned, &swapped, &vram] {
            assert!(has_numbers(obj)?);
        }
        assert_eq!(crate::io::Io::read32(&map, 0), 1);
        for obj in [&system, &tt, &pinned] {
            assert_eq!(obj.reserve().pieces().err(), Some(ENODEV));
        }
        // The CPU goes on.
        populate(&swapped)?;
        tt.reserve().swap_out(&mut ctx())?;
        vram.reserve().validate(Placement::TT, &mut ctx())?;
        for obj in [&swapped, &tt, &vram] {
            assert!(has_numbers(obj)?);
        }
        assert_eq!(vram.reserve().pieces().err(), Some(ENODEV));
        let new = dev.object(SIZE, Placement::TT)?;
        populate(&new)?;
        assert_eq!(dev.pages(), 0);
        drop((map, pin));
        Ok(())
    }

    #[test]
    fn unbound_with_coherent_memory() -> Result {
        let mut dev = Unbound::new(|setup| setup.dma(COHERENT))?;
        let [kept, pinned, freed] = [
            dev.object(SIZE, Placement::TT)?,
            dev.object(SIZE, Placement::TT)?,
            dev.object(SIZE, Placement::TT)?,
        ];
        for obj in [&kept, &pinned, &freed] {
            populate(obj)?;
            number_pages(obj)?;
        }
        let _pin = pinned.reserve().pin()?;
        // The pool keeps these.
        drop(freed);
        crate::drm::ttm::late::flush();
        assert_eq!(dev.pages(), 3 * PAGES);

        dev.unbind();
        assert_eq!(dev.pages(), 0);
        let mut bytes = [0; 4];
        for obj in [&kept, &pinned] {
            assert_eq!(populate(obj), Err(ENODEV));
            assert_eq!(obj.reserve().read(0, &mut bytes), Err(ENODEV));
            assert_eq!(obj.reserve().pieces().err(), Some(ENXIO));
        }
        Ok(())
    }

    // A job may still use the memory.
    #[test]
    fn coherent_memory_in_use() -> Result {
        let mut dev = Unbound::new(|setup| setup.dma(COHERENT))?;
        let obj = dev.object(SIZE, Placement::TT)?;
        populate(&obj)?;
        let work = DriverFence::new(c"test", c"ring")?;
        let is_over = &Atomic::new(false);
        obj.reserve()
            .fence_slot()?
            .add(&work.fence(), FenceUsage::Bookkeep)?;

        let dev_ref = &mut dev;
        let early = kthread::scope(|scope| {
            scope.spawn(c"ttm_unbinder", move || {
                dev_ref.unbind();
                is_over.store(true, Relaxed);
            })?;
            fsleep(Delta::from_millis(30));
            let early = is_over.load(Relaxed);
            work.signal(Ok(()));
            Ok(early)
        })?;
        assert!(!early);
        assert_eq!(dev.pages(), 0);
        Ok(())
    }

    // Zombies and ghosts have pages, too.
    #[test]
    fn unbound_with_zombies() -> Result {
        let mut dev = Unbound::new(|setup| setup.dma(MAPPED))?;
        let [zombie, moved] = [
            dev.object(SIZE, Placement::TT)?,
            dev.object(SIZE, Placement::TT)?,
        ];
        populate(&zombie)?;
        populate(&moved)?;
        number_pages(&moved)?;
        let work = DriverFence::new(c"test", c"ring")?;
        zombie
            .reserve()
            .fence_slot()?
            .add(&work.fence(), FenceUsage::Read)?;
        drop(zombie);

        let copy = DriverFence::new(c"test", c"copies")?;
        let fence = copy.fence();
        dev.drm
            .driver_data()
            .answer_with(move |_, _| Ok(MoveBy::Fence(fence.clone())))?;
        // Its pages go to a ghost.
        moved.reserve().validate(Placement::VRAM, &mut ctx())?;
        assert_eq!(dev.pages(), 2 * PAGES);

        dev.unbind();
        assert_eq!(dev.pages(), 0);
        drop((work, copy));
        Ok(())
    }

    // The parent's resources may be released before or after the device is freed.
    #[test]
    fn freed_before_it_is_unbound() -> Result {
        for dma in [MAPPED, COHERENT] {
            let parent = faux::Registration::new(c"ttm-dma", None)?;
            crate::drm::ttm::registration::enable_dma(&parent);
            for _ in 0..2 {
                let drm = Device::unregistered_with_more(parent.as_ref(), |setup| setup.dma(dma))?;
                let config = ObjectConfig::default();
                let obj = Object::new(&drm, SIZE, &config, &mut ctx(), Kind::Kept)?;
                populate(&obj)?;
                drop(obj);
                crate::drm::ttm::late::flush();
            }
            drop(parent);
        }
        Ok(())
    }

    #[test]
    fn the_copies_of_a_move() -> Result {
        let dev = device(MAPPED)?;
        let _first = dev.vram(PAGE_SIZE)?;
        let obj = dev.system(SIZE)?;
        populate(&obj)?;
        number_pages(&obj)?;
        let bytes = Arc::new(Atomic::new(0), GFP_KERNEL)?;

        let sum = bytes.clone();
        dev.driver_data().answer_with(move |_, mv| {
            let (mut at, mut next) = (0, PAGE_SIZE as u64);
            let to_vram = mv.to().mem_type == MemType::VRAM;

            for (from, to) in mv.copies()? {
                let (bus, vram) = if to_vram { (from, to) } else { (to, from) };
                if bus.size != vram.size
                    || vram.at != Address::Offset(next)
                    || !matches!(bus.at, Address::Bus(_))
                {
                    return Err(EIO);
                }
                at += bus.size;
                next += vram.size as u64;
            }
            sum.fetch_add(at as u32, Relaxed);
            Ok(MoveBy::Memcpy)
        })?;
        obj.reserve().validate(Placement::VRAM, &mut ctx())?;
        obj.reserve().validate(Placement::SYSTEM, &mut ctx())?;
        assert_eq!(bytes.load(Relaxed) as usize, 2 * SIZE);
        assert!(has_numbers_by_bus(&obj)?);
        Ok(())
    }
}
