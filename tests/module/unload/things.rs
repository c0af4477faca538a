// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The things that are made, to be kept in a place.

use crate::{
    attach,
    buffer,
    device,
    install,
    places::{
        boxed,
        boxed_send,
        Item,
        Kept,
        Shelf, //
    },
    table::Thing,
    Data,
    Driver,
    Drm,
    Object,
    Vm, //
};
use core::{
    mem,
    ops::Deref, //
};
use kernel::{
    dma_fence::{
        DriverFence,
        DriverFenceAllocation,
        Fence,
        FenceCallback,
        Timeline,
        Wake,
        Waker, //
    },
    drm::{
        ttm::{
            self,
            register,
            FauxRegistration,
            FenceUsage,
            Job,
            JobBuilder,
            Manager,
            MemType,
            OperationCtx,
            Place,
            Placement,
            Resv, //
        },
        vttm::OrderedQueue, //
    },
    faux,
    prelude::*,
    str::CString,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
    sync_file::SyncFile,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

const SIZE: usize = 0x2000;

static CALLED: Atomic<u32> = Atomic::new(0);

/// Makes a thing; a guard is forgotten here. `fence` is foreign; `value` is for the program.
pub(crate) fn make(
    dev: &Drm,
    thing: Thing,
    fence: &ARef<Fence>,
    value: &mut u64,
) -> Result<Option<Kept>> {
    let vram = || buffer(dev, Placement::VRAM, SIZE, None, None);
    let data: &Data = dev.driver_data();
    let shelf = data.shelf.clone();

    let kept = match thing {
        Thing::Object => boxed(vram()?),
        Thing::System => boxed(system(dev)?),
        Thing::SwappedOut => {
            let obj = system(dev)?;
            // Without swap space, it stays.
            let _ = obj.reserve().swap_out(&mut OperationCtx::new());
            boxed(obj)
        }
        Thing::Busy => {
            let obj = vram()?;
            attach(&obj, fence)?;
            boxed(obj)
        }
        Thing::Ghost => {
            let obj = vram()?;
            *data.move_behind.lock() = Some(fence.clone());
            let moved = obj
                .reserve()
                .validate(Placement::TT, &mut OperationCtx::new());
            data.move_behind.lock().take();
            moved?;
            boxed(obj)
        }
        Thing::Pinned => boxed(vram()?.reserve().pin()?),
        Thing::Mapping => boxed(vram()?.reserve().vmap::<SIZE>()?),
        Thing::Vm => {
            let vm = Vm::new(dev)?;
            let obj = buffer(dev, Placement::VRAM, SIZE, Some(vm.clone()), None)?;
            boxed((obj, vm))
        }
        Thing::Bulk => boxed(ttm::BulkMove::new(dev, Resv::new()?)?),
        Thing::Resv => boxed(Resv::new()?),
        Thing::Pending => {
            let pending = DriverFence::new(c"ttm_unload", c"pending")?;
            *value = install(&pending.fence())?;
            boxed(pending)
        }
        Thing::Prepared => boxed_send(timeline()?.prepare()?),
        Thing::Timeline => boxed(timeline()?),
        Thing::Fence => boxed(DriverFence::new(c"ttm_unload", c"done")?.fence()),
        Thing::Allocation => boxed(DriverFenceAllocation::new([0u8; 100])?),
        Thing::Callback => {
            let callback = FenceCallback::new(|| {
                CALLED.fetch_add(1, Relaxed);
            })?;
            boxed(fence.add_callback(callback).map_err(|_| EBUSY)?)
        }
        Thing::Job => boxed(job(vram()?.deref())?),
        Thing::CopyJob => {
            let obj = vram()?;
            data.copies.lock().0 = Some(timeline()?);
            obj.reserve()
                .validate(Placement::TT, &mut OperationCtx::new())?;
            let job = data.copies.lock().1.take();
            boxed_send((job.ok_or(ENOENT)?, obj))
        }
        Thing::Successor => boxed(Successor(shelf)),
        Thing::SyncFile => boxed(SyncFile::new(
            &DriverFence::new(c"ttm_unload", c"file")?.fence(),
        )?),
        Thing::Queue | Thing::Thread => {
            let queue = OrderedQueue::new(c"ttm_unload_late")?;
            let in_thread = matches!(thing, Thing::Thread);
            Item::late(fence.clone(), in_thread)?.enqueue(&queue, boxed(())?);
            boxed(queue)
        }
        Thing::Device => boxed(ARef::<Drm>::from(dev)),
        Thing::Registration => boxed(FauxRegistration::new(&name()?, |parent| {
            device(parent, shelf, &name()?)
        })?),
        Thing::Parent => {
            let parent = faux::Registration::new(&name()?, None)?;
            let dev = device(parent.as_ref(), shelf, &name()?)?;
            register(parent.as_ref().as_ref(), dev, |_| {
                KBox::pin_init((), GFP_KERNEL)
            })?;
            boxed(parent)
        }
        Thing::Orphan => {
            let dir = name()?;
            let other =
                FauxRegistration::new(&name()?, |parent| device(parent, shelf.clone(), &dir))?;
            let obj = buffer(other.device(), Placement::VRAM, SIZE, None, None)?;
            shelf.unregister(other)?;
            boxed(obj)
        }
        Thing::Unpinned => {
            let obj = vram()?;
            let mut reserved = obj.reserve();
            drop(reserved.pin()?);
            drop(reserved);
            boxed(obj)
        }
        Thing::TooLate => {
            let done = DriverFence::new(c"ttm_unload", c"done")?.fence();
            let callback = done.add_callback(FenceCallback::new(|| ())?);
            let waker = done.wake(Waker::new(Idle)?);
            boxed_send((callback.err().ok_or(EBUSY)?, waker.err().ok_or(EBUSY)?))
        }
        _ => return forget(dev, thing, vram()?).map(|()| None),
    };
    kept.map(Some)
}

/// Does nothing when it is woken.
struct Idle;

impl Wake for Idle {
    fn wake(_waker: KBox<Waker<Self>>) {}
}

/// Registers a device when it is dropped, and forgets it.
struct Successor(Arc<Shelf>);

impl Drop for Successor {
    fn drop(&mut self) {
        fsleep(Delta::from_millis(100));
        let registration = name().and_then(|dir| {
            FauxRegistration::new(&dir, |parent| device(parent, self.0.clone(), &dir))
        });
        mem::forget(registration);
    }
}

/// Forgets a guard, and the value that it borrows.
fn forget(dev: &Drm, thing: Thing, obj: ARef<Object>) -> Result {
    let man = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    let ctx = OperationCtx::new();
    let other = obj.clone();

    match thing {
        Thing::Reserved => mem::forget(obj.reserve()),
        Thing::ReservedResv => {
            let resv = Resv::new()?;
            mem::forget(resv.reserve());
            mem::forget(resv.clone());
        }
        Thing::Cursor => {
            let mut cursor = KBox::pin(man.cursor(), GFP_KERNEL)?;
            cursor.as_mut().lock().next();
            mem::forget(cursor);
        }
        Thing::ReservedWalk => forget_walk(man, &obj, &ctx, false)?,
        Thing::ReservedBuffer => forget_walk(man, &obj, &ctx, true)?,
        Thing::ReservedInOwn => {
            let own = [Place::new(MemType::PRIV)];
            let obj = buffer(dev, Placement::new(&own)?, SIZE, None, None)?;

            // Once this reference is gone as well, only the guard has it.
            forget_walk(dev.manager(MemType::PRIV).ok_or(ENODEV)?, &obj, &ctx, true)?;
        }
        Thing::InTransaction => ttm::transaction(&ctx, |tx| {
            mem::forget(tx.reserve(&obj)?);
            Ok(())
        })?,
        Thing::JobBuilder => {
            let mut reserved = obj.reserve();
            let mut job = JobBuilder::new(&timeline()?, 1)?;
            job.add(&mut reserved, FenceUsage::Write)?;
            mem::forget(job);
        }
        Thing::Unregistered => {
            let parent = faux::Registration::new(&name()?, None)?;
            let shelf = dev.driver_data().shelf.clone();
            mem::forget(device(parent.as_ref(), shelf, &name()?)?);
        }
        _ => return Err(EINVAL),
    }
    // A reservation that was never given back isn't waited for.
    mem::forget(other);
    Ok(())
}

/// Forgets a walk that is at `obj`, and the buffer that it has handed out if `with_buffer`.
fn forget_walk(
    man: &Manager<Driver>,
    obj: &Object,
    ctx: &OperationCtx,
    with_buffer: bool,
) -> Result {
    let mut walk = KBox::pin(man.walk(ctx), GFP_KERNEL)?;

    for bo in walk.as_mut() {
        let bo = bo?;
        if bo.id() == obj.buffer().id() {
            if with_buffer {
                mem::forget(bo);
            }
            break;
        }
    }
    mem::forget(walk);
    Ok(())
}

/// A name for one more device, or its folder.
fn name() -> Result<CString> {
    static COUNT: Atomic<u32> = Atomic::new(0);

    let n = COUNT.fetch_add(1, Relaxed);
    CString::try_from_fmt(fmt!("ttm_unload-{n}"))
}

/// A buffer that has pages.
fn system(dev: &Drm) -> Result<ARef<Object>> {
    let obj = buffer(dev, Placement::SYSTEM, SIZE, None, None)?;

    obj.reserve().populate(&mut OperationCtx::new())?;
    Ok(obj)
}

fn timeline() -> Result<Timeline> {
    Timeline::new(c"ttm_unload", c"ring")
}

/// A job that uses `obj`, and that isn't run.
fn job(obj: &Object) -> Result<Job> {
    let timeline = timeline()?;
    let mut reserved = obj.reserve();
    let mut job = JobBuilder::new(&timeline, 1)?;

    job.add(&mut reserved, FenceUsage::Write)?;
    job.publish()
}
