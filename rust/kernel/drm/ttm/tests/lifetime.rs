// SPDX-License-Identifier: GPL-2.0 OR MIT

//! L1 and L2: lifetimes of devices, buffers and modules.

use super::*;
use crate::{
    debugfs,
    dma_fence::DriverFence,
    drm::{
        self,
        ttm::{
            self,
            late,
            raw_device::Plugged,
            test_device::{
                self,
                Gone,
                Owned, //
            },
            Backing,
            FauxRegistration,
            FenceUsage,
            ManagerOps,
            Request,
            ReservedBuffer, //
        }, //
    },
    faux, kthread,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Completion, //
    },
};
use core::{
    mem::{
        self,
        ManuallyDrop, //
    },
    pin::pin, //
};

const SIZE: usize = 0x1000;

/// A completion for the end of a buffer, and the value that the buffer owns for it.
fn completion() -> Result<Arc<Completion>> {
    Arc::pin_init(Completion::new(), GFP_KERNEL)
}

/// Lets the GPU use a buffer until the fence is signaled.
fn use_it(obj: &Object) -> Result<DriverFence> {
    let work = DriverFence::new(c"ttm-lifetime", c"work")?;

    obj.reserve()
        .fence_slot()?
        .add(&work.fence(), FenceUsage::Write)?;
    Ok(work)
}

/// Lets `obj` own another buffer.
fn owner(obj: ARef<Object>, other: ARef<Object>) -> Result<ARef<Object>> {
    let mut objects = KVec::new();

    objects.push(other, GFP_KERNEL)?;
    obj.own(Owned {
        objects,
        ..Owned::default()
    });
    Ok(obj)
}

/// Whether programs reach a device.
fn is_plugged(dev: &drm::Device<Driver>) -> bool {
    // SAFETY: The device is valid.
    unsafe { Plugged::enter(dev.as_raw()) }.is_ok()
}

/// A manager of 16 pages that counts the pages in use, and reports its drop.
struct Counted {
    given: Arc<Atomic<i32>>,
    _gone: Gone,
}

impl ManagerOps for Counted {
    type Space = u64;

    fn alloc(&self, _request: &Request<'_>) -> Result<u64> {
        Ok(self.given.fetch_add(1, Relaxed).unsigned_abs().into())
    }

    fn start(&self, space: &u64) -> u64 {
        *space
    }

    fn free(&self, _space: u64) {
        self.given.fetch_sub(1, Relaxed);
    }
}

#[kunit_tests(rust_ttm_lifetime)]
mod cases {
    use super::*;

    // The zombie is the last one to have the device, on whose workqueue it is.
    #[test]
    fn a_zombie_owns_its_device() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(SIZE)?;
        let work = use_it(&obj)?;
        let done = completion()?;

        obj.own(Owned {
            dev: Some(dev.drm().clone()),
            gone: Some(Gone(done.clone())),
            ..Owned::default()
        });
        drop(obj);
        drop(dev);
        work.signal(Ok(()));
        done.wait_for_completion();
        late::flush();
        Ok(())
    }

    // This is like a driver's VM, which a buffer is a member of.
    #[test]
    fn a_zombie_owns_its_bulk() -> Result {
        let dev = Device::new()?;
        let bulk = Arc::new(BulkMove::new(&dev, Resv::new()?)?, GFP_KERNEL)?;
        let obj = dev.member(SIZE, &bulk)?;
        let work = use_it(&obj)?;
        let done = completion()?;

        obj.own(Owned {
            bulk: Some(bulk),
            gone: Some(Gone(done.clone())),
            ..Owned::default()
        });
        drop(dev);
        drop(obj);
        work.signal(Ok(()));
        done.wait_for_completion();
        late::flush();
        Ok(())
    }

    #[test]
    fn a_buffer_owns_the_next_one() -> Result {
        let dev = Device::new()?;
        let bulk = Arc::new(BulkMove::new(&dev, Resv::new()?)?, GFP_KERNEL)?;
        let done = completion()?;
        let mut last = dev.member(SIZE, &bulk)?;

        last.own(Owned {
            gone: Some(Gone(done.clone())),
            ..Owned::default()
        });
        for _ in 0..100 {
            last = owner(dev.member(SIZE, &bulk)?, last)?;
        }
        // Each buffer is freed after another thread has dropped the reservation.
        let reserved = bulk.reserve();
        drop(last);
        drop(reserved);
        done.wait_for_completion();
        late::flush();
        assert!(dev.order()?.is_empty());
        Ok(())
    }

    // The buffer can't leave the bulk then, and leaves it later.
    #[test]
    fn the_last_one_with_the_reservation_held() -> Result {
        let dev = Device::new()?;
        let bulk = BulkMove::new(&dev, Resv::new()?)?;
        let objects = [dev.member(SIZE, &bulk)?, dev.member(SIZE, &bulk)?];
        let id = objects[1].buffer().id();
        let [first, second] = objects;

        let reserved = bulk.reserve();
        drop(first);
        assert_eq!(dev.order()?.len(), 2);
        bulk.move_to_tail(&reserved, &mut dev.lru())?;
        drop(reserved);
        late::flush();
        assert_eq!(dev.order()?, [id]);
        drop(second);
        assert!(dev.order()?.is_empty());
        Ok(())
    }

    // The reference that a walk takes becomes the last one.
    #[test]
    fn the_last_one_in_a_walk() -> Result {
        let dev = Device::new()?;
        let mut w = World::new(&dev, "a* b* c*")?;
        let vram = w.vram;
        let mut walk = pin!(vram.walk(&OperationCtx::new()));

        {
            let bo = walk.as_mut().next().ok_or(ENOENT)??;
            let obj = bo.object().ok_or(ENOENT)?;

            w.free('a')?;
            drop(obj);
            assert!(bo.object().is_none());
        }
        late::flush();
        assert!(w.order().is("bc"));
        assert!(w.ranges().is("**"));
        Ok(())
    }

    // A buffer that never goes keeps the manager of its place.
    #[test]
    fn a_forgotten_buffer_keeps_its_manager() -> Result {
        let done = completion()?;
        let given = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let counted = Counted {
            given: given.clone(),
            _gone: Gone(done.clone()),
        };
        let dev = Device::with(|setup| {
            setup.manager(MemType::PRIV, 16 * SIZE, Backing::Emulated, counted)
        })?;
        let obj = dev.private(SIZE)?;

        let forgotten = {
            let private = dev.manager(MemType::PRIV).ok_or(ENODEV)?;
            let mut walk = pin!(private.walk(&OperationCtx::new()));
            let bo = walk.as_mut().next().ok_or(ENOENT)??;

            // SAFETY: It is used after the borrow of the device has ended, but the buffer keeps the
            // device, which this case tests.
            ManuallyDrop::new(unsafe {
                mem::transmute::<ReservedBuffer<'_, Driver>, ReservedBuffer<'static, Driver>>(bo)
            })
        };
        drop(obj);
        // This waits, so no reservation may be held.
        kthread::scope(|scope| scope.spawn(c"drop", move || drop(dev)))?;
        assert_eq!(given.load(Relaxed), 1);

        // Here it is remembered, so that the device can go.
        drop(ManuallyDrop::into_inner(forgotten));
        done.wait_for_completion();
        late::flush();
        assert_eq!(given.load(Relaxed), 0);
        Ok(())
    }

    // A reference doesn't keep an unregistered device within reach of others.
    #[test]
    fn an_unregistered_device_is_out_of_reach() -> Result {
        let dir = debugfs::Dir::new(c"ttm-lifetime");
        let before = complaints();
        let parent = faux::Registration::new(c"ttm-lifetime", None)?;
        let dev = test_device::Device::unregistered_with_more(parent.as_ref(), |setup| {
            setup.shrinker()?;
            setup.debugfs(&dir, c"managers")
        })?;
        let dev = ttm::register(parent.as_ref().as_ref(), dev, |_| {
            KBox::pin_init((), GFP_KERNEL)
        })?;
        let config = ObjectConfig::default();
        let obj = Object::new(&dev, SIZE, &config, &mut OperationCtx::new(), Kind::Kept)?;

        obj.reserve().set_purgeable(true);
        obj.reserve().populate(&mut OperationCtx::new())?;
        assert!(dev.raw().has_debugfs() && is_plugged(&dev));
        drop(parent);
        assert!(!dev.raw().has_debugfs() && !is_plugged(&dev));

        // The next device gets a folder of its own.
        let parent = faux::Registration::new(c"ttm-lifetime", None)?;
        let next = test_device::Device::unregistered_with_more(parent.as_ref(), |setup| {
            setup.debugfs(&dir, c"managers")
        })?;
        test_device::press_for_memory();
        assert!(obj.reserve().is_populated() && !obj.was_purged());
        assert!(dev.is_shrinkable());
        // SAFETY: The device is initialized; it isn't added to the list again.
        let listed = unsafe {
            let link = &raw const (*dev.as_bdev()).device_list;
            !core::ptr::eq((*link).next, link)
        };
        assert!(!listed);
        drop(next);
        assert_eq!(complaints(), before);
        Ok(())
    }

    // The rest is the exit of a module. The test is built in, so it calls the code itself.
    fn module_goes(patience: usize) {
        // SAFETY: It may be called wherever one may sleep. There is no module, and no other test
        // uses devices without one at this time.
        unsafe { bindings::ttm_owner_leave_all(core::ptr::null_mut(), patience) };
    }

    fn no_module_goes_on() {
        module_goes(usize::MAX >> 2);
    }

    // The fence isn't signaled in time. The driver isn't called any more after that.
    #[test]
    fn a_module_gives_up_a_zombie() -> Result {
        let dev = Device::new()?;
        let obj = dev.vram(SIZE)?;
        let work = use_it(&obj)?;
        let done = completion()?;

        obj.own(Owned {
            gone: Some(Gone(done.clone())),
            ..Owned::default()
        });
        drop(obj);
        module_goes(1);
        work.signal(Ok(()));
        test_device::flush(&dev);
        assert_eq!(dev.driver_data().deletions(), 0);
        assert!(Arc::into_unique_or_drop(done).is_none());
        Ok(())
    }

    #[test]
    fn a_registration_that_was_forgotten() -> Result {
        let registration = FauxRegistration::new(c"ttm-forgotten", Device::unregistered)?;
        let dev: ARef<drm::Device<Driver>> = registration.device().into();

        mem::forget(registration);
        assert!(is_plugged(&dev));
        no_module_goes_on();
        assert!(!is_plugged(&dev));
        // Again, there is nothing to do.
        no_module_goes_on();
        Ok(())
    }

    #[test]
    fn a_device_that_was_never_registered() -> Result {
        let dev = Device::new_shrinkable()?;
        let obj = dev.purgeable(SIZE)?;

        obj.reserve().populate(&mut OperationCtx::new())?;
        no_module_goes_on();
        test_device::press_for_memory();
        assert!(obj.reserve().is_populated());
        Ok(())
    }

    // A module that goes waits for the buffers that it dropped.
    #[test]
    fn a_module_waits_for_its_zombies() -> Result {
        let dev = Device::new()?;
        let done = completion()?;
        let mut last = dev.system(SIZE)?;

        last.own(Owned {
            gone: Some(Gone(done.clone())),
            ..Owned::default()
        });
        for _ in 0..100 {
            last = owner(dev.system(SIZE)?, last)?;
        }
        let work = use_it(&last)?;
        drop(last);
        work.signal(Ok(()));
        no_module_goes_on();
        // This is the last reference.
        assert!(Arc::into_unique_or_drop(done).is_some());
        Ok(())
    }
}
