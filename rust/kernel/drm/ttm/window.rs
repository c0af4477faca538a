// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Windows, in which the CPU reaches the memory of a real device.
//!
//! A device lends its memory for as long as it is bound. It may be another device than the parent
//! of the DRM device, and may be unbound first. So the loan is a resource of the lender: when that
//! is released, the registration of the DRM device ends, the kernel's accesses have ended, and the
//! memory is given back.
//!
//! Nothing here is generic, so all of it is part of the kernel image: the code may drop the last
//! reference to the driver's module (L1).
//!
//! C header: [`include/linux/ioport.h`](srctree/include/linux/ioport.h)

use super::{
    raw_device::RawDevice,
    registration,
    Caching, //
};
#[cfg(CONFIG_PCI)]
use crate::pci;
use crate::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    devres::Devres,
    dma::DmaAddress,
    error::to_result,
    io::{
        resource::{
            Flags,
            Region, //
        },
        PhysAddr,
        Resource,
        ResourceSize, //
    },
    new_condvar,
    new_mutex,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    str::CString,
    sync::{
        aref::ARef,
        Arc,
        CondVar,
        Mutex, //
    }, //
};
use core::{
    ffi::c_void,
    mem,
    ptr, //
};

/// Where the CPU reaches the memory of a real device.
///
/// No other driver has the memory meanwhile. It is given back when the registration of the DRM
/// device with this window ends, or when that is freed, or when this is dropped.
///
/// The device that lends the memory needn't be the parent of the DRM device. If it is unbound first,
/// the registration ends: the DRM device is unplugged, programs lose their mappings of the window,
/// and accesses from the kernel fail with [`ENODEV`]. A DRM device that isn't registered yet can't
/// be registered any more then. See [`register`](super::register).
///
/// # Invariants
///
/// As long as `loan` is open, the `size` bytes at `start` are memory of the lender, and no other
/// code uses them. `start` is a multiple of the page size. They are mapped at `addr`. `in_reach` is
/// `size` at most.
pub struct Window {
    loan: Arc<Loan>,
    start: PhysAddr,
    size: ResourceSize,
    /// How much of it the CPU uses.
    in_reach: ResourceSize,
    caching: Caching,
    addr: *mut u8,
    bus: Option<DmaAddress>,
}

// SAFETY: The pointer is that of I/O memory, which may be accessed from any thread.
unsafe impl Send for Window {}

// SAFETY: A shared reference only gives access to constants and to the loan.
unsafe impl Sync for Window {}

impl Window {
    /// The window is the memory behind BAR `bar` of `pdev`, all of it.
    ///
    /// `name` is what `/proc/iomem` shows. The driver must have
    /// [enabled](pci::Device::enable_device_mem) the device's memory.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such BAR, or if it isn't memory, has no address, or doesn't begin
    /// at the start of a page; [`EBUSY`] if another driver or other code has it; [`ENODEV`] if the
    /// device is being unbound; [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(CONFIG_PCI)]
    /// # mod example {
    /// use kernel::{
    ///     device::Bound,
    ///     drm::ttm::{Backing, BuddyManager, Caching, MemType, Setup, Window},
    ///     pci,
    ///     prelude::*, //
    /// };
    ///
    /// // In the closure that `ttm::Device::new` gets. `gpu` moves data by itself, and reaches the
    /// // memory of `vram`, which may be the same device, at the bus address.
    /// fn vram(
    ///     setup: &mut Setup<'_>,
    ///     gpu: &pci::Device<Bound>,
    ///     vram: &pci::Device<Bound>,
    /// ) -> Result<u64> {
    ///     let mut window = Window::from_bar(vram, 2, c"my-vram", Caching::WriteCombined)?;
    ///     let bus = window.map_for(gpu.as_ref())?;
    ///     let size = window.size();
    ///
    ///     let buddy = BuddyManager::new(size)?;
    ///     setup.manager(MemType::VRAM, size, Backing::Io(window), buddy)?;
    ///     Ok(bus)
    /// }
    /// # }
    /// ```
    #[cfg(CONFIG_PCI)]
    pub fn from_bar(
        pdev: &pci::Device<Bound>,
        bar: u32,
        name: &CStr,
        caching: Caching,
    ) -> Result<Self> {
        let resource = bar_resource(pdev, bar)?;

        // SAFETY: The resource is one of the device's. It is valid, and keeps its place, as long as
        // the device is bound.
        unsafe { Self::new(pdev.as_ref(), Resource::from_raw(resource), name, caching) }
    }

    /// The window is `resource`, which belongs to `lender`.
    ///
    /// # Errors
    ///
    /// As [`Self::from_bar`].
    ///
    /// # Safety
    ///
    /// As long as `lender` is bound, `resource` must describe memory, unless its flags or its lack
    /// of a parent say otherwise. Code that uses that memory must have requested its region.
    pub(super) unsafe fn new(
        lender: &Device<Bound>,
        resource: &Resource,
        name: &CStr,
        caching: Caching,
    ) -> Result<Self> {
        let (start, size) = (resource.start(), resource.size());
        // CAST: `Resource` is a transparent wrapper.
        let raw = ptr::from_ref(resource).cast::<bindings::resource>();
        // SAFETY: A `Resource` is valid. Nothing moves it meanwhile, as the lender is bound.
        let is_assigned = unsafe { !(*raw).parent.is_null() };
        // CAST: A page is less than there are addresses.
        let in_page = start & (PAGE_SIZE as PhysAddr - 1);

        if !resource.flags().contains(Flags::IORESOURCE_MEM) || !is_assigned || in_page != 0 {
            return Err(EINVAL);
        }

        let name = CString::try_from(name)?;
        let region = resource
            .request_region(start, size, name, Flags::IORESOURCE_MEM)
            .ok_or(EBUSY)?;
        let mapped = Mapped::new(start, size, caching)?;
        let addr = mapped.0;
        let loan = Arc::pin_init(Loan::init(lender.into(), region, mapped), GFP_KERNEL)?;
        // INVARIANT: The region is the memory, by the function's requirements, and was requested.
        // It is the loan's, and so is the mapping.
        let this = Self {
            loan: loan.clone(),
            start,
            size,
            in_reach: size,
            caching,
            addr,
            bus: None,
        };

        // SAFETY: `lender_gone` may be called with a reference to a loan, once.
        unsafe { when_unbound(lender, loan, lender_gone) }?;
        Ok(this)
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        // No window is larger than the address space.
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }

    /// Maps the window for `dev`, and returns the bus address of its first byte.
    ///
    /// This is the address by which `dev` reaches the window with DMA of its own, through its
    /// IOMMU if it has one. The byte at `offset` in the memory type is at this address plus
    /// `offset`. The mapping ends when the window is given back, after the registration's data was
    /// dropped, or when `dev` is unbound. The device must make no more accesses then.
    ///
    /// `dev` must have its DMA mask, so call this in the closure that
    /// [`ttm::Device::new`](super::Device::new) gets.
    ///
    /// # Errors
    ///
    /// [`EIO`] if `dev` can't reach the window, or has no DMA mask; [`ENODEV`] if `dev` is being
    /// unbound, or the lender was; [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// See [`Self::from_bar`].
    pub fn map_for(&mut self, dev: &Device<Bound>) -> Result<DmaAddress> {
        let mut state = self.loan.state.lock();
        if !state.is_open {
            return Err(ENODEV);
        }

        state.maps.reserve(1, GFP_KERNEL)?;
        // The loan is open, so the window is memory of the lender.
        let map = Map::new(dev, self.start, self.size())?;
        let addr = map.addr;
        let map = Devres::new(dev, map)?;
        // The release of the device's resources may have begun, and may have missed this one.
        if !dev.keeps_resources() {
            return Err(ENODEV);
        }
        state.maps.push_within_capacity(map).map_err(|_| ENOMEM)?;
        drop(state);
        self.bus.get_or_insert(addr);
        Ok(addr)
    }

    /// Lets the CPU use only the first `size` bytes of the window, as if the BAR were smaller.
    ///
    /// `size` is rounded down to whole pages. Devices still [reach](Self::map_for) all of it. This is
    /// to try what a driver does with memory that the CPU doesn't reach.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if `size` is less than a page, or more than the window has.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{drm::ttm::Window, prelude::*};
    ///
    /// fn make_half_visible(window: &mut Window) -> Result {
    ///     window.limit(window.size() / 2)
    /// }
    /// ```
    pub fn limit(&mut self, size: usize) -> Result {
        // CAST: No object is larger than the address space.
        let size = size as ResourceSize >> PAGE_SHIFT << PAGE_SHIFT;

        if size == 0 || size > self.size {
            return Err(EINVAL);
        }
        // INVARIANT: It isn't larger.
        self.in_reach = size;
        Ok(())
    }

    /// The first result of [`Self::map_for`].
    pub(super) fn bus(&self) -> Option<DmaAddress> {
        self.bus
    }

    /// How many whole pages of it the CPU uses.
    pub(super) fn pages(&self) -> u64 {
        self.in_reach >> PAGE_SHIFT
    }

    /// Where the kernel has mapped it. Only to be accessed by users of the window.
    pub(super) fn addr(&self) -> *mut u8 {
        self.addr
    }

    pub(super) fn start(&self) -> PhysAddr {
        self.start
    }

    pub(super) fn caching(&self) -> Caching {
        self.caching
    }

    /// Keeps the window.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if it was given back.
    pub(super) fn enter(&self) -> Result<InUse<'_>> {
        self.loan.enter()
    }

    /// Lets the end of the loan end the registration of `device`, until this is dropped.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if the loan has ended.
    ///
    /// # Safety
    ///
    /// `device` must drop this, and be valid until then. It must be dropped when the last reference
    /// to its DRM device was.
    pub(super) unsafe fn attach(&self, device: *const RawDevice) -> Result {
        let mut state = self.loan.state.lock();

        if !state.is_open {
            return Err(ENODEV);
        }
        // INVARIANT: Of `State`: the function's requirements are the second one.
        state.device = device;
        Ok(())
    }

    /// Gives the memory back.
    pub(super) fn end(&self) {
        self.loan.close();

        let end: unsafe extern "C" fn(*mut c_void) = lender_gone;
        let token = Arc::as_ptr(&self.loan);
        // SAFETY: The lender is valid, as the loan has a reference. If the loan still was one of its
        // resources, it isn't any more, and its reference is dropped here only.
        unsafe {
            let lender = self.loan.lender.as_raw();

            if bindings::devm_remove_action_nowarn(lender, Some(end), token.cast_mut().cast()) == 0
            {
                drop(Arc::from_raw(token));
            }
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // INVARIANT: Of `State`: it is null.
        self.loan.state.lock().device = ptr::null();
        self.end();
    }
}

/// Lends windows of a BAR, one after the other, as long as its device is bound.
///
/// For a GPU whose memory is behind another device than the DRM device's parent. The driver of that
/// device keeps the lender, which takes part in no registration. Each time the parent is bound, its
/// `probe` takes a window, which is given back when the registration ends.
///
/// # Invariants
///
/// As long as the device in `there` is bound, `resource` is one of its resources: it describes
/// memory, unless its flags or its lack of a parent say otherwise.
pub struct Lender {
    there: Arc<There>,
    resource: *mut bindings::resource,
    name: CString,
    caching: Caching,
}

// SAFETY: The resource is only accessed while the device is bound, which any thread may do.
unsafe impl Send for Lender {}

// SAFETY: A window is made with a lock held, and the rest is constant.
unsafe impl Sync for Lender {}

/// A device, and whether it is still bound.
#[pin_data]
struct There {
    dev: ARef<Device>,
    #[pin]
    is_bound: Mutex<bool>,
}

impl There {
    // Never inlined, as `Loan::init`.
    #[inline(never)]
    fn init(dev: ARef<Device>) -> impl PinInit<Self> {
        pin_init!(Self {
            dev,
            is_bound <- new_mutex!(true),
        })
    }
}

impl Lender {
    /// Lends windows as [`Window::from_bar`] makes them.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such BAR, [`ENODEV`] if the device is being unbound, [`ENOMEM`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(CONFIG_PCI)]
    /// # mod example {
    /// use kernel::{
    ///     device::Bound,
    ///     drm::ttm::{Caching, Lender},
    ///     pci,
    ///     prelude::*, //
    /// };
    ///
    /// // In the `probe` of the device with the memory, whose data keeps it.
    /// fn lend(vram: &pci::Device<Bound>) -> Result<Lender> {
    ///     Lender::from_bar(vram, 2, c"my-vram", Caching::WriteCombined)
    /// }
    ///
    /// // In the closure that `ttm::Device::new` gets, in the `probe` of the other device.
    /// fn window(lender: &Lender, gpu: &pci::Device<Bound>) -> Result<u64> {
    ///     let mut window = lender.window()?;
    ///     window.map_for(gpu.as_ref())
    /// }
    /// # }
    /// ```
    #[cfg(CONFIG_PCI)]
    pub fn from_bar(
        pdev: &pci::Device<Bound>,
        bar: u32,
        name: &CStr,
        caching: Caching,
    ) -> Result<Self> {
        // SAFETY: The resource is one of the device's. It keeps its place as long as the device is
        // bound.
        unsafe { Self::new(pdev.as_ref(), bar_resource(pdev, bar)?, name, caching) }
    }

    /// # Errors
    ///
    /// [`ENODEV`] if the device is being unbound, [`ENOMEM`].
    ///
    /// # Safety
    ///
    /// As [`Window::new`].
    pub(super) unsafe fn new(
        dev: &Device<Bound>,
        resource: *mut bindings::resource,
        name: &CStr,
        caching: Caching,
    ) -> Result<Self> {
        let there = Arc::pin_init(There::init(dev.into()), GFP_KERNEL)?;
        let name = CString::try_from(name)?;
        // INVARIANT: By the function's requirements.
        let this = Self {
            there: there.clone(),
            resource,
            name,
            caching,
        };

        // SAFETY: `not_bound` may be called with a reference to a `There`, once.
        unsafe { when_unbound(dev, there, not_bound) }?;
        Ok(this)
    }

    /// Takes a window.
    ///
    /// # Errors
    ///
    /// As [`Window::from_bar`]: [`EBUSY`] if the last window wasn't given back, [`ENODEV`] if the
    /// device isn't bound any more.
    pub fn window(&self) -> Result<Window> {
        let is_bound = self.there.is_bound.lock();
        if !*is_bound {
            return Err(ENODEV);
        }

        // SAFETY: The device is bound: `not_bound` waits for the lock before it stops being so. By
        // the type invariants the resource is one of the device's.
        unsafe {
            let dev = self.there.dev.as_bound();

            Window::new(
                dev,
                Resource::from_raw(self.resource),
                &self.name,
                self.caching,
            )
        }
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        let end: unsafe extern "C" fn(*mut c_void) = not_bound;
        let token = Arc::as_ptr(&self.there);

        *self.there.is_bound.lock() = false;
        // SAFETY: The device is valid, as there is a reference. If this still was one of its
        // resources, it isn't any more, and its reference is dropped here only.
        unsafe {
            let dev = self.there.dev.as_raw();

            if bindings::devm_remove_action_nowarn(dev, Some(end), token.cast_mut().cast()) == 0 {
                drop(Arc::from_raw(token));
            }
        }
    }
}

/// Lets a [`Lender`] lend no more, as its device is being unbound.
///
/// # Safety
///
/// `token` must stand for a reference to a [`There`], which is given away.
#[inline(never)]
unsafe extern "C" fn not_bound(token: *mut c_void) {
    // SAFETY: `token` is such a reference, by the function's requirements.
    let there = unsafe { Arc::<There>::from_raw(token.cast()) };

    *there.is_bound.lock() = false;
}

/// Calls `end` with `token` when `dev` is unbound, unless that action is removed.
///
/// # Errors
///
/// [`ENODEV`] if the device is being unbound, [`ENOMEM`]. Even then `end` may be called.
///
/// # Safety
///
/// It must be safe to call `end`, once, with a reference to a `T`, which it gets.
unsafe fn when_unbound<T>(
    dev: &Device<Bound>,
    token: Arc<T>,
    end: unsafe extern "C" fn(*mut c_void),
) -> Result {
    let token = Arc::into_raw(token);
    // SAFETY: The device is bound. `end` gets the reference that `token` stands for.
    let added = to_result(unsafe {
        bindings::devm_add_action(dev.as_raw(), Some(end), token.cast_mut().cast())
    });

    if added.is_err() {
        // SAFETY: The reference from above, which nothing else has got.
        drop(unsafe { Arc::from_raw(token) });
    }
    added?;
    // The release of the device's resources may have begun, and may have missed this one.
    if !dev.keeps_resources() {
        return Err(ENODEV);
    }
    Ok(())
}

/// A BAR of a device. It is valid as long as the device.
#[cfg(CONFIG_PCI)]
fn bar_resource(pdev: &pci::Device<Bound>, bar: u32) -> Result<*mut bindings::resource> {
    if bar >= bindings::PCI_STD_NUM_BARS {
        return Err(EINVAL);
    }
    // CAST: `pci::Device` is a transparent wrapper of a `struct pci_dev`.
    let raw = ptr::from_ref(pdev).cast::<bindings::pci_dev>().cast_mut();
    // SAFETY: The device is valid, and has at least as many resources as standard BARs.
    Ok(unsafe { &raw mut (*raw).resource[bar as usize] })
}

/// What a device has lent.
#[pin_data]
struct Loan {
    lender: ARef<Device>,
    #[pin]
    state: Mutex<State>,
    /// Woken up when there are no users.
    #[pin]
    idle: CondVar,
}

/// # Invariants
///
/// - `region` and `mapped` are there as long as the loan is open or has users.
/// - `device` is null, or a device that drops the window with this loan, and is valid until then.
///   It is dropped when the last reference to its DRM device was.
struct State {
    is_open: bool,
    users: usize,
    maps: KVec<Devres<Map>>,
    mapped: Option<Mapped>,
    region: Option<Region>,
    device: *const RawDevice,
}

// SAFETY: A `RawDevice` may be used from any thread.
unsafe impl Send for State {}

impl Loan {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    fn init(lender: ARef<Device>, region: Region, mapped: Mapped) -> impl PinInit<Self> {
        pin_init!(Self {
            lender,
            // INVARIANT: Of `State`: both are there, and there is no device.
            state <- new_mutex!(State {
                is_open: true,
                users: 0,
                maps: KVec::new(),
                mapped: Some(mapped),
                region: Some(region),
                device: ptr::null(),
            }),
            idle <- new_condvar!(),
        })
    }

    fn enter(&self) -> Result<InUse<'_>> {
        let mut state = self.state.lock();

        if !state.is_open {
            return Err(ENODEV);
        }
        state.users += 1;
        // INVARIANT: It was just counted.
        Ok(InUse(self))
    }

    /// Waits for the users, then undoes the mappings and gives the region back.
    fn close(&self) {
        let mut state = self.state.lock();

        state.is_open = false;
        while state.users != 0 {
            self.idle.wait(&mut state);
        }
        // With the lock held, so that another caller doesn't return earlier.
        drop(mem::take(&mut state.maps));
        // INVARIANT: These fields of `State` aren't needed: the loan isn't open and has no users.
        state.mapped = None;
        state.region = None;
    }
}

/// Keeps a window.
///
/// # Invariants
///
/// It is counted as a user of the loan.
pub(super) struct InUse<'a>(&'a Loan);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();

        state.users -= 1;
        if state.users == 0 {
            self.0.idle.notify_all();
        }
    }
}

/// Ends a loan, as the lender is being unbound.
///
/// # Safety
///
/// `token` must stand for a reference to a [`Loan`], which is given away.
#[inline(never)]
unsafe extern "C" fn lender_gone(token: *mut c_void) {
    // SAFETY: `token` is a reference to a loan, by the function's requirements.
    let loan = unsafe { Arc::<Loan>::from_raw(token.cast()) };
    let device = {
        let mut state = loan.state.lock();

        // Neither a new user nor a new device.
        state.is_open = false;
        let kept = |device: *const RawDevice| {
            // SAFETY: By the type invariants of `State`, `device` is valid: the window is dropped
            // with the device, which first takes the lock that is held here. If the last reference
            // to the DRM device isn't dropped yet, this is one more.
            unsafe { bindings::kref_get_unless_zero(&raw mut (*(*device).drm()).ref_) != 0 }
        };

        Some(state.device).filter(|&device| !device.is_null() && kept(device))
    };

    if let Some(device) = device {
        // SAFETY: The reference from above keeps it.
        registration::refuse(unsafe { &*device });
    }
    loan.close();
    if let Some(device) = device {
        // SAFETY: This is the reference from above.
        unsafe { bindings::drm_dev_put((*device).drm()) };
    }
}

/// A window that is mapped for the kernel.
///
/// # Invariants
///
/// It is mapped there until this is dropped.
struct Mapped(*mut u8);

// SAFETY: It may be unmapped from any thread.
unsafe impl Send for Mapped {}

impl Mapped {
    fn new(start: PhysAddr, size: ResourceSize, caching: Caching) -> Result<Self> {
        let size = usize::try_from(size)?;
        // SAFETY: The caller has requested the region, which is memory of a device.
        let addr = unsafe { bindings::ioremap_caching(start, size, caching.as_raw()) };
        if addr.is_null() {
            return Err(ENOMEM);
        }
        // INVARIANT: It was just mapped.
        Ok(Self(addr.cast()))
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: By the type invariants it is mapped there.
        unsafe { bindings::iounmap(self.0.cast()) };
    }
}

/// A window that is mapped for DMA of a device.
///
/// # Invariants
///
/// The `size` bytes at `addr` are mapped for `dev`, until this is dropped.
struct Map {
    dev: ARef<Device>,
    addr: DmaAddress,
    size: usize,
}

const BOTH_WAYS: bindings::dma_data_direction = bindings::dma_data_direction::DMA_BIDIRECTIONAL;

impl Map {
    fn new(dev: &Device<Bound>, start: PhysAddr, size: usize) -> Result<Self> {
        // SAFETY: The device is valid. The pointer to its mask doesn't change while it is bound.
        if unsafe { (*dev.as_raw()).dma_mask }.is_null() {
            return Err(EIO);
        }
        // SAFETY: The device is bound and has a mask. What it may access in this way isn't memory
        // of the kernel.
        let addr = unsafe {
            let addr = bindings::dma_map_resource(dev.as_raw(), start, size, BOTH_WAYS, 0);

            to_result(bindings::dma_mapping_error(dev.as_raw(), addr)).map_err(|_| EIO)?;
            addr
        };
        // INVARIANT: It was just mapped.
        Ok(Self {
            dev: dev.into(),
            addr,
            size,
        })
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: By the type invariants it is mapped. The device is still bound: this is one of its
        // resources.
        unsafe {
            bindings::dma_unmap_resource(self.dev.as_raw(), self.addr, self.size, BOTH_WAYS, 0)
        };
    }
}
