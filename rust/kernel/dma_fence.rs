// SPDX-License-Identifier: GPL-2.0 OR MIT

//! DMA fences: what others wait for until a device is done.
//!
//! C header: [`include/linux/dma-fence.h`](srctree/include/linux/dma-fence.h)

use crate::{
    bindings,
    error::{
        to_result,
        Error, //
    },
    ffi::{
        c_char,
        c_long, //
    },
    module::this_module,
    new_spinlock_irq,
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        Arc,
        SpinLockIrq, //
    },
    time::Delta,
    types::Opaque, //
};
#[cfg(CONFIG_MODULES)]
use crate::{
    ffi::c_ulong,
    sync::rcu, //
};
use core::{
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::{
        self,
        NonNull, //
    },
};

/// Something that will have happened once.
///
/// # Invariants
///
/// `self.0` is an initialized `struct dma_fence`, with a reference as long as there is one to `self`.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::PendingFence;
///
/// let pending = PendingFence::new(c"my-driver", c"copies")?;
/// let fence = pending.fence();
/// assert!(!fence.is_signaled());
///
/// pending.signal();
/// assert!(fence.is_signaled());
/// fence.wait()?;
/// # Ok::<(), Error>(())
/// ```
#[repr(transparent)]
pub struct Fence(Opaque<bindings::dma_fence>);

// SAFETY: Fences may be used and freed from any thread.
unsafe impl Send for Fence {}

// SAFETY: As above; they have a lock of their own.
unsafe impl Sync for Fence {}

// SAFETY: The reference count is that of the `dma_fence`, which is there as long as it isn't zero.
unsafe impl AlwaysRefCounted for Fence {
    fn inc_ref(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::dma_fence_get(self.as_raw()) };
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // CAST: `Self` is transparent.
        // SAFETY: By the function's requirements, a reference is given away; `obj` isn't used any
        // more.
        unsafe { bindings::dma_fence_put(obj.as_ptr().cast()) };
    }
}

impl Fence {
    pub(crate) fn as_raw(&self) -> *mut bindings::dma_fence {
        self.0.get()
    }

    /// Whether it has happened.
    pub fn is_signaled(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { bindings::dma_fence_is_signaled(self.as_raw()) }
    }

    /// Whether it has happened, and how it went: [`None`] until then.
    pub fn status(&self) -> Option<Result> {
        // SAFETY: By the type invariant.
        match unsafe { bindings::dma_fence_get_status(self.as_raw()) } {
            0 => None,
            status => Some(to_result(status.min(0))),
        }
    }

    /// Waits until it has happened, and can't be interrupted. May sleep.
    ///
    /// # Errors
    ///
    /// What the fence was signaled with, if that was an error.
    pub fn wait(&self) -> Result {
        self.wait_for(false)
    }

    /// Waits until it has happened, or a signal is there. May sleep.
    ///
    /// # Errors
    ///
    /// [`ERESTARTSYS`] for a signal, and as [`Self::wait`].
    pub fn wait_interruptible(&self) -> Result {
        self.wait_for(true)
    }

    fn wait_for(&self, interruptible: bool) -> Result {
        // SAFETY: By the type invariant.
        let left =
            unsafe { bindings::dma_fence_wait_timeout(self.as_raw(), interruptible, c_long::MAX) };

        if left < 0 {
            // CAST: An error number.
            return Err(Error::from_errno(left as i32));
        }
        self.status().unwrap_or(Ok(()))
    }

    /// Has `waker` called when it has happened. If it has already, `waker` comes back.
    ///
    /// It also comes back if the module that it belongs to is about to go: then nobody needs to wait any
    /// more.
    ///
    /// # Examples
    ///
    /// See [`Wake`].
    pub fn wake<T: Wake>(&self, mut waker: KBox<Waker<T>>) -> Result<(), KBox<Waker<T>>> {
        let module = this_module::<T::OwnerModule>().as_ptr();

        waker.head.module = module;
        waker.head.fence = Some(self.into());
        // SAFETY: It is this module, if any, whose code is running.
        if !unsafe { bindings::try_module_get(module) } {
            return Err(waker);
        }

        let waker = KBox::into_raw(waker);
        // CAST: `Waker` begins with a `Head`, and that with a `dma_fence_cb`.
        // SAFETY: By the type invariant, and as `waker` comes out of a box, both are valid. The waker
        // belongs to the fence until the callback is called, which takes it over; and keeps the fence.
        let ret = unsafe {
            bindings::dma_fence_add_callback(self.as_raw(), waker.cast(), Some(wake_callback))
        };
        if ret == 0 {
            return Ok(());
        }

        // SAFETY: The reference was taken above. The callback isn't called, so that the waker is still
        // ours: it comes out of a box.
        unsafe {
            bindings::module_put(module);
            Err(KBox::from_raw(waker))
        }
    }

    /// Whether it stands for several others.
    pub(crate) fn is_container(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { bindings::dma_fence_is_container(self.as_raw()) }
    }
}

/// What is to be done when a fence is signaled, instead of waiting for it.
///
/// # Examples
///
/// ```
/// use kernel::{
///     dma_fence::{PendingFence, Wake, Waker},
///     sync::{atomic::{Atomic, Relaxed}, Arc}, //
/// };
///
/// struct Count(Arc<Atomic<u32>>);
///
/// #[vtable]
/// impl Wake for Count {
///     fn wake(waker: KBox<Waker<Self>>) {
///         waker.0.fetch_add(1, Relaxed);
///     }
/// }
///
/// let count = Arc::new(Atomic::new(0), GFP_KERNEL)?;
/// let pending = PendingFence::new(c"my-driver", c"copies")?;
/// let fence = pending.fence();
///
/// assert!(fence.wake(Waker::new(Count(count.clone()))?).is_ok());
/// assert_eq!(count.load(Relaxed), 0);
/// pending.signal();
/// assert_eq!(count.load(Relaxed), 1);
///
/// // It is too late.
/// assert!(fence.wake(Waker::new(Count(count.clone()))?).is_err());
/// assert_eq!(count.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[vtable]
pub trait Wake: Send + Sized + 'static {
    /// The fence is signaled.
    ///
    /// Called once, maybe in an interrupt, and with the fence's lock held: it must neither sleep, nor ask
    /// anything of the fence. The waker may be used again, for another fence.
    fn wake(waker: KBox<Waker<Self>>);
}

/// Memory for one [`Wake`], so that waiting needs none.
#[repr(C)]
pub struct Waker<T> {
    // Comes first: C has a pointer to it.
    head: Head,
    data: T,
}

/// What is known of a [`Waker`] without its type.
///
/// # Invariants
///
/// While a fence has it, `fence` is that, a reference to `module` belongs to this unless that is null,
/// and `call` may be called with it.
#[repr(C)]
struct Head {
    // Comes first: C has a pointer to it.
    cb: Opaque<bindings::dma_fence_cb>,
    call: unsafe fn(NonNull<Head>),
    module: *mut bindings::module,
    fence: Option<ARef<Fence>>,
}

// SAFETY: While no fence has it, nobody uses what it points to; fences may be used from any thread.
unsafe impl<T: Send> Send for Waker<T> {}

impl<T: Wake> Waker<T> {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if `T` says that it belongs to a module that it isn't a part of, [`ENOMEM`].
    pub fn new(data: T) -> Result<KBox<Self>> {
        if !is_owner(
            this_module::<T::OwnerModule>().as_ptr(),
            Self::call as *const (),
        ) {
            return Err(EINVAL);
        }
        // INVARIANT: No fence has it.
        let head = Head {
            cb: Opaque::uninit(),
            call: Self::call,
            module: ptr::null_mut(),
            fence: None,
        };

        Ok(KBox::new(Self { head, data }, GFP_KERNEL)?)
    }

    /// # Safety
    ///
    /// `head` must be that of a boxed `Self`, which is given away.
    unsafe fn call(head: NonNull<Head>) {
        // CAST: The head comes first.
        // SAFETY: By the function's requirements.
        T::wake(unsafe { KBox::from_raw(head.as_ptr().cast()) });
    }
}

impl<T> Deref for Waker<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> DerefMut for Waker<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Not generic, so that it isn't part of the module that it lets go.
///
/// # Safety
///
/// `cb` must be that of a [`Head`] that a fence has, and gives away.
unsafe extern "C" fn wake_callback(
    _fence: *mut bindings::dma_fence,
    cb: *mut bindings::dma_fence_cb,
) {
    let head: *mut Head = cb.cast();

    // SAFETY: By the function's requirements it is valid, and a fence has it. So by the type invariants
    // of `Head`, `call` may be called with it, and one of the module's references is ours. `head` isn't
    // used after the call.
    unsafe {
        let module = (*head).module;
        let call = (*head).call;

        call(NonNull::new_unchecked(head));
        bindings::module_put(module);
    }
}

/// Whether `module` is the one that the function at `code` belongs to; null is for what is built in.
///
/// Code whose owner is another one would not be kept from going.
// Not generic, as it must not be part of a module. TTM asks for its drivers as well.
#[inline(never)]
pub(crate) fn is_owner(module: *const bindings::module, code: *const ()) -> bool {
    #[cfg(CONFIG_MODULES)]
    {
        let _guard = rcu::read_lock();

        // CAST: The address of a function.
        // SAFETY: RCU is locked for reading; any address will do.
        ptr::eq(module, unsafe {
            bindings::__module_text_address(code.addr() as c_ulong)
        })
    }
    #[cfg(not(CONFIG_MODULES))]
    {
        let _ = code;
        module.is_null()
    }
}

/// How long C has to wait, at least: [`c_long::MAX`] is for ever.
pub(crate) fn jiffies(timeout: Delta) -> c_long {
    match u64::try_from(timeout.as_nanos()) {
        Ok(0) | Err(_) => 0,
        Ok(nanos) => {
            // SAFETY: It may always be called.
            let jiffies = unsafe { bindings::nsecs_to_jiffies(nanos) };

            // The current one has begun, and the fraction was cut off.
            c_long::try_from(jiffies).map_or(c_long::MAX, |jiffies| jiffies.saturating_add(1))
        }
    }
}

/// A fence that nobody has signaled yet.
///
/// It is the next one of a [`Timeline`], or has one of its own, so that the order in which it is
/// signaled doesn't matter. Dropping it signals it, with [`ECANCELED`].
///
/// # Deadlocks
///
/// Others may wait for the fence while they hold reservations, or in memory reclaim. So from the time
/// that someone else knows of it until it is signaled, nothing must be waited for that might wait for
/// it: no reservation may be taken, and no memory allocated.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::PendingFence;
///
/// let pending = PendingFence::new(c"my-driver", c"copies")?;
/// let fence = pending.fence();
/// pending.fail(EIO);
/// assert_eq!(fence.wait(), Err(EIO));
///
/// let pending = PendingFence::new(c"my-driver", c"copies")?;
/// let fence = pending.fence();
/// assert!(fence.status().is_none());
/// drop(pending);
/// assert_eq!(fence.status(), Some(Err(ECANCELED)));
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// - `fence` is part of a `Named`, and nobody else signals it, but `timeline`.
/// - If there is a `timeline`, it is in its queue, unless it has a result.
#[must_use = "the fence is signaled immediately when this is unused"]
pub struct PendingFence {
    fence: ARef<Fence>,
    timeline: Option<Timeline>,
}

/// A copy of a name, cut off where programs get to see no more of it.
///
/// Fences may outlive the module that named them.
///
/// # Invariants
///
/// The last byte is 0.
#[derive(Clone, Copy)]
struct Name([u8; Self::SIZE]);

impl Name {
    /// As in `struct sync_file_info` and `struct sync_fence_info`.
    const SIZE: usize = 32;

    fn new(name: &CStr) -> Self {
        let mut copy = [0; Self::SIZE];

        for (to, from) in copy[..Self::SIZE - 1].iter_mut().zip(name.to_bytes()) {
            *to = *from;
        }
        // INVARIANT: The last one was left as it was.
        Self(copy)
    }

    fn as_char_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}

/// What is allocated for a fence. It has no destructor: C frees it, after a grace period of RCU.
#[repr(C)]
struct Named {
    // Comes first: C frees this.
    fence: Opaque<bindings::dma_fence>,
    driver: Name,
    timeline: Name,

    // The rest is for those that a `Queue` has, and protected by its lock.
    next: *mut Named,
    result: Option<Result>,
}

/// The same for all fences, whichever module they belong to: in the kernel image.
static OPS: bindings::dma_fence_ops = bindings::dma_fence_ops {
    get_driver_name: Some(driver_name_callback),
    get_timeline_name: Some(timeline_name_callback),
    ..pin_init::zeroed()
};

impl Named {
    fn new(driver: Name, timeline: Name) -> Result<KBox<Self>> {
        let named = Self {
            fence: Opaque::uninit(),
            driver,
            timeline,
            next: ptr::null_mut(),
            result: None,
        };

        Ok(KBox::new(named, GFP_KERNEL)?)
    }

    /// Makes a fence of it. From then on C frees it.
    // Not for others to inline: the functions are the kernel image's.
    #[inline(never)]
    fn init(this: KBox<Self>, context: u64, seqno: u64) -> ARef<Fence> {
        // CAST: The fence comes first.
        let fence: *mut Fence = KBox::into_raw(this).cast();

        // SAFETY: It is memory for a `dma_fence`, which isn't moved: it is only accessed through
        // pointers. The functions are static. Without a lock, it takes one of its own. Without a
        // `release`, C frees it with `kfree`, and so all of `Named`, of which it is the first field.
        unsafe {
            bindings::dma_fence_init64(
                fence.cast(),
                &raw const OPS,
                ptr::null_mut(),
                context,
                seqno,
            )
        };

        // SAFETY: It comes out of a box, so it isn't null; the initial reference is given away here.
        unsafe { ARef::from_raw(NonNull::new_unchecked(fence)) }
    }
}

/// Fences that are signaled one after the other, in the order in which they were made.
///
/// Who makes one makes it for work that begins when the work before it has ended, at the earliest. If
/// work is done early nevertheless, [`PendingFence::signal`] doesn't wait: its fence is signaled
/// when all those before it are. So who waits for a fence has waited for those before it: reservations,
/// and TTM's evictions, keep the last one of a timeline only.
///
/// It goes when the last fence is signaled.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::Timeline;
///
/// let timeline = Timeline::new(c"my-driver", c"ring 0")?;
/// let (first, second) = (timeline.fence()?, timeline.fence()?);
/// let fences = [first.fence(), second.fence()];
///
/// // It isn't its turn.
/// second.fail(EIO);
/// assert!(!fences[1].is_signaled());
///
/// first.signal();
/// assert_eq!(fences[0].status(), Some(Ok(())));
/// assert_eq!(fences[1].status(), Some(Err(EIO)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Timeline(Arc<Inner>);

#[pin_data]
struct Inner {
    driver: Name,
    name: Name,
    context: u64,
    #[pin]
    queue: SpinLockIrq<Queue>,
}

/// The fences of a timeline that aren't signaled, in their order.
///
/// # Invariants
///
/// - It is a list from `first` to `last`, linked by `next`; both are null if it is empty. Each is part
///   of a `Named`, initialized and not signaled, and a reference to it belongs to this.
/// - `first` has no result, but for the time that the lock is held.
struct Queue {
    first: *mut Named,
    last: *mut Named,
    /// The number of the fence that was made last.
    seqno: u64,
}

// SAFETY: What it points to may be accessed from any thread, by who has the lock.
unsafe impl Send for Queue {}

impl Queue {
    /// Adds a fence with a number greater than all before.
    fn push(&mut self, fence: ARef<Fence>) {
        // CAST: By the type invariant of `Timeline`, it is part of a `Named`, where it comes first.
        let named: *mut Named = ARef::into_raw(fence).as_ptr().cast();

        // INVARIANT: It is the last one now; the reference is this's.
        if self.last.is_null() {
            self.first = named;
        } else {
            // SAFETY: By the type invariants. The lock is held.
            unsafe { (*self.last).next = named };
        }
        self.last = named;
    }

    /// Takes the first one out, if its work is done, with what came of that.
    fn pop_done(&mut self) -> Option<(ARef<Fence>, Result)> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: By the type invariants. The lock is held.
        let (result, next) = unsafe { ((*self.first).result?, (*self.first).next) };
        // SAFETY: By the type invariants, it isn't null, and the reference is this's.
        let fence = unsafe { ARef::from_raw(NonNull::new_unchecked(self.first.cast())) };

        // INVARIANT: Now the next one is the first.
        self.first = next;
        if next.is_null() {
            self.last = next;
        }
        Some((fence, result))
    }
}

impl Timeline {
    /// Makes a timeline. The names are shown where fences are listed; of each, 31 bytes are copied.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    // Not for others to inline: lockdep wants the name of a lock class to be in one place.
    #[inline(never)]
    pub fn new(driver: &CStr, name: &CStr) -> Result<Self> {
        let inner = Arc::pin_init(
            pin_init!(Inner {
                driver: Name::new(driver),
                name: Name::new(name),
                // SAFETY: It may always be called.
                context: unsafe { bindings::dma_fence_context_alloc(1) },
                // INVARIANT: It is empty.
                queue <- new_spinlock_irq!(Queue {
                    first: ptr::null_mut(),
                    last: ptr::null_mut(),
                    seqno: 0,
                }),
            }),
            GFP_KERNEL,
        )?;

        Ok(Self(inner))
    }

    /// Whether that is one of its fences.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::dma_fence::Timeline;
    ///
    /// let ring = Timeline::new(c"my-driver", c"ring 0")?;
    /// let other = Timeline::new(c"my-driver", c"ring 1")?;
    /// let fence = ring.fence()?.fence();
    /// assert!(ring.has(&fence) && !other.has(&fence));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn has(&self, fence: &Fence) -> bool {
        // SAFETY: By the type invariant of `Fence`; constant.
        unsafe { (*fence.as_raw()).context == self.0.context }
    }

    /// Makes the next fence.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn fence(&self) -> Result<PendingFence> {
        Ok(self.prepare()?.start())
    }

    /// Makes what is needed for a fence, which isn't part of the timeline yet.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn prepare(&self) -> Result<PreparedFence> {
        Ok(PreparedFence {
            named: Named::new(self.0.driver, self.0.name)?,
            timeline: self.clone(),
        })
    }

    /// The work that a fence stands for is done, if it wasn't already.
    ///
    /// # Safety
    ///
    /// `named` must be, or have been, in the queue, and be valid.
    unsafe fn complete(&self, named: *mut Named, result: Result) {
        let mut queue = self.0.queue.lock();

        // SAFETY: By the function's requirements; the lock is held.
        let slot = unsafe { &mut (*named).result };
        if slot.is_some() {
            return;
        }
        *slot = Some(result);

        // Who else completes one waits for the lock, so nobody is faster with a later one.
        while let Some((fence, result)) = queue.pop_done() {
            // SAFETY: It was in the queue, so it isn't signaled; nobody else has taken it out.
            unsafe { signal(&fence, result) };
        }
    }
}

/// A fence that is not yet part of its timeline.
///
/// For those who can't fail any more when they make it, or make it with a lock held.
///
/// # Examples
///
/// ```
/// use kernel::dma_fence::Timeline;
///
/// let timeline = Timeline::new(c"my-driver", c"ring 0")?;
/// let prepared = timeline.prepare()?;
/// let before = timeline.fence()?;
///
/// let pending = prepared.start();
/// let fence = pending.fence();
/// pending.signal();
/// assert!(!fence.is_signaled());
/// before.signal();
/// assert!(fence.is_signaled());
/// # Ok::<(), Error>(())
/// ```
pub struct PreparedFence {
    named: KBox<Named>,
    timeline: Timeline,
}

// SAFETY: It isn't in a queue yet, so `next` is null, and nobody else knows of it.
unsafe impl Send for PreparedFence {}

impl PreparedFence {
    /// Makes the next fence of the timeline. Doesn't sleep.
    pub fn start(self) -> PendingFence {
        let Self { named, timeline } = self;
        let mut queue = timeline.0.queue.lock();

        queue.seqno += 1;
        let fence = Named::init(named, timeline.0.context, queue.seqno);
        queue.push(fence.clone());
        drop(queue);

        // INVARIANT: It is part of a `Named`, initialized, and was just added to the queue. Nobody else
        // knows of it.
        PendingFence {
            fence,
            timeline: Some(timeline),
        }
    }
}

impl PendingFence {
    /// Makes a fence with a timeline of its own. The names are shown where fences are listed; of each, 31
    /// bytes are copied.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(driver: &CStr, timeline: &CStr) -> Result<Self> {
        let named = Named::new(Name::new(driver), Name::new(timeline))?;
        // SAFETY: It may always be called.
        let context = unsafe { bindings::dma_fence_context_alloc(1) };

        // INVARIANT: It is part of a `Named`, initialized, and nobody else knows of it.
        Ok(Self {
            fence: Named::init(named, context, 1),
            timeline: None,
        })
    }

    /// The fence, for others to wait for.
    pub fn fence(&self) -> ARef<Fence> {
        self.fence.clone()
    }

    /// Says that it has happened.
    pub fn signal(self) {
        self.signal_with(Ok(()));
    }

    /// Says that it will not happen, for the reason `error`.
    pub fn fail(self, error: Error) {
        self.signal_with(Err(error));
    }

    /// The same for one who can't give it away.
    pub(crate) fn signal_with(&self, result: Result) {
        if let Some(timeline) = &self.timeline {
            // CAST: The fence comes first.
            // SAFETY: By the type invariants, it is in the queue, or was.
            return unsafe { timeline.complete(self.fence.as_raw().cast(), result) };
        }
        if !self.fence.is_signaled() {
            // SAFETY: By the type invariants, nobody else signals it.
            unsafe { signal(&self.fence, result) };
        }
    }
}

impl Drop for PendingFence {
    fn drop(&mut self) {
        self.signal_with(Err(ECANCELED));
    }
}

/// # Safety
///
/// `fence` must be one of ours, not signaled, and nobody else signal it.
unsafe fn signal(fence: &Fence, result: Result) {
    // SAFETY: By the type invariants of `Fence` it is valid; by the function's requirements it isn't
    // signaled when its error is set.
    unsafe {
        if let Err(error) = result {
            bindings::dma_fence_set_error(fence.as_raw(), error.to_errno());
        }
        bindings::dma_fence_signal(fence.as_raw());
    }
}

/// # Safety
///
/// `fence` must be part of a valid [`Named`].
unsafe extern "C" fn driver_name_callback(fence: *mut bindings::dma_fence) -> *const c_char {
    // CAST: The fence comes first.
    // SAFETY: By the function's requirements, it is valid. Nobody writes to its names.
    unsafe { &(*fence.cast::<Named>()).driver }.as_char_ptr()
}

/// # Safety
///
/// `fence` must be part of a valid [`Named`].
unsafe extern "C" fn timeline_name_callback(fence: *mut bindings::dma_fence) -> *const c_char {
    // CAST: The fence comes first.
    // SAFETY: By the function's requirements, it is valid. Nobody writes to its names.
    unsafe { &(*fence.cast::<Named>()).timeline }.as_char_ptr()
}

#[kunit_tests(rust_dma_fence)]
mod tests {
    use super::*;
    use crate::{
        kthread,
        module::ModuleMetadata,
        str::CString,
        sync::rcu,
        time::delay::fsleep, //
    };

    fn signaled(fences: &[ARef<Fence>]) -> usize {
        fences.iter().filter(|fence| fence.is_signaled()).count()
    }

    // The last one is done first: none is signaled before those before it.
    #[test]
    fn in_order_whatever_order() -> Result {
        let timeline = Timeline::new(c"test", c"reverse")?;
        let (a, b, c) = (timeline.fence()?, timeline.fence()?, timeline.fence()?);
        let fences = [a.fence(), b.fence(), c.fence()];

        c.signal();
        assert_eq!(signaled(&fences), 0);
        b.fail(EIO);
        assert_eq!(signaled(&fences), 0);
        a.signal();
        let status = fences.each_ref().map(|fence| fence.status());
        assert_eq!(status, [Some(Ok(())), Some(Err(EIO)), Some(Ok(()))]);
        Ok(())
    }

    #[test]
    fn one_in_the_middle() -> Result {
        let timeline = Timeline::new(c"test", c"middle")?;
        let (a, b, c) = (timeline.fence()?, timeline.fence()?, timeline.fence()?);
        let fences = [a.fence(), b.fence(), c.fence()];

        drop(b);
        a.signal();
        assert_eq!(signaled(&fences), 2);
        assert_eq!(fences[1].status(), Some(Err(ECANCELED)));
        // There is nothing before it.
        c.signal();
        assert_eq!(signaled(&fences), 3);
        // And after the queue was empty, it goes on.
        let d = timeline.fence()?;
        let fence = d.fence();
        assert!(!fence.is_signaled());
        d.signal();
        assert!(fence.is_signaled());
        Ok(())
    }

    /// Whether a name is shown as the beginning of `name`, and how long that is.
    ///
    /// # Safety
    ///
    /// `shown` must be a string as long as RCU is locked for reading.
    unsafe fn shows(shown: impl FnOnce() -> *const c_char, name: &str) -> usize {
        let _guard = rcu::read_lock();

        // SAFETY: By the function's requirements.
        let shown = unsafe { CStr::from_char_ptr(shown()) }.to_bytes();
        if name.as_bytes().starts_with(shown) {
            shown.len()
        } else {
            0
        }
    }

    // The memory of the names may be gone by the time that they are shown.
    #[test]
    fn names_are_copied() -> Result {
        let (short, long) = ("ring", "a ring whose name is longer than a program sees");
        let names = [
            CString::try_from_fmt(fmt!("{short}"))?,
            CString::try_from_fmt(fmt!("{long}"))?,
        ];
        let timeline = Timeline::new(&names[0], &names[1])?;
        let pending = [timeline.fence()?, PendingFence::new(&names[0], &names[1])?];

        drop(names);
        for pending in &pending {
            let fence = pending.fence();
            // SAFETY: The fence is valid; so are its names, as RCU is locked.
            let shown = unsafe {
                (
                    shows(|| bindings::dma_fence_driver_name(fence.as_raw()), short),
                    shows(|| bindings::dma_fence_timeline_name(fence.as_raw()), long),
                )
            };

            assert_eq!(shown, (short.len(), Name::SIZE - 1));
        }
        Ok(())
    }

    // A module that is none: this code is built in.
    struct Elsewhere;

    impl ModuleMetadata for Elsewhere {
        const NAME: &'static CStr = c"elsewhere";
        const THIS_MODULE: ThisModule = {
            // SAFETY: Nothing is done with it, as nothing belongs to it.
            unsafe { ThisModule::from_ptr(ptr::dangling_mut()) }
        };
    }

    struct Stray;

    #[vtable]
    impl Wake for Stray {
        type OwnerModule = Elsewhere;

        fn wake(_waker: KBox<Waker<Self>>) {}
    }

    // That module would be kept, and not the one with the code.
    #[test]
    fn a_waker_is_of_its_module() {
        assert!(Waker::new(Stray).is_err_and(|e| e == EINVAL));
    }

    // Its fences keep what they need of it.
    #[test]
    fn the_timeline_goes_first() -> Result {
        let timeline = Timeline::new(c"test", c"gone")?;
        let (a, b) = (timeline.fence()?, timeline.fence()?);
        let fence = b.fence();

        drop(timeline);
        drop(b);
        assert!(!fence.is_signaled());
        drop(a);
        assert!(fence.is_signaled());
        Ok(())
    }

    // Wherever they are completed: who sees one signaled sees all before it signaled.
    #[test]
    fn by_several_threads() -> Result {
        let timeline = Timeline::new(c"test", c"threads")?;

        for _ in 0..50 {
            let mut fences = KVec::new();
            let mut evens = KVec::new();
            let mut odds = KVec::new();
            for n in 0..32 {
                let pending = timeline.fence()?;
                fences.push(pending.fence(), GFP_KERNEL)?;
                let half = if n % 2 == 0 { &mut evens } else { &mut odds };
                half.push(pending, GFP_KERNEL)?;
            }

            kthread::scope(|scope| {
                scope.spawn(c"evens", move || drop(evens))?;
                // This one from the back.
                scope.spawn(c"odds", move || {
                    while let Some(pending) = odds.pop() {
                        pending.signal();
                    }
                })?;
                while !fences[31].is_signaled() {
                    let seen = fences.iter().rposition(|fence| fence.is_signaled());
                    let before = &fences[..seen.map_or(0, |n| n + 1)];
                    assert_eq!(signaled(before), before.len());
                    // This one sleeps, so that they run.
                    fsleep(Delta::from_micros(50));
                }
                Ok(())
            })?;
            assert_eq!(signaled(&fences), 32);
        }
        Ok(())
    }
}
