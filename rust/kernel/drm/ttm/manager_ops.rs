// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Managers of memory types, written in Rust.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    reach::{
        PageList,
        Placed, //
    },
    MemType,
    Place, //
};
use crate::{
    bindings,
    drm::Printer,
    error::from_result,
    fmt,
    page::PAGE_SHIFT,
    pr_warn_once,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};
use core::{
    ffi::c_int,
    mem::MaybeUninit,
    ops::Range,
    ptr, //
};

/// The place that a buffer needs.
pub struct Request<'a> {
    size: usize,
    alignment: u32,
    place: &'a Place,
}

impl Request<'_> {
    /// The size in bytes, a multiple of the page size.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The size in pages.
    pub fn pages(&self) -> usize {
        self.size >> PAGE_SHIFT
    }

    /// The alignment of the first page, in pages; 1 if any page will do.
    pub fn alignment(&self) -> u32 {
        self.alignment.max(1)
    }

    /// The limits of the place, and its flags.
    pub fn place(&self) -> &Place {
        self.place
    }
}

/// Manages the space in a memory type, for drivers that don't use TTM's range manager.
///
/// The space of a buffer is one range of pages, or [several](Self::pieces). TTM calls these functions from many threads, so a
/// manager must synchronize them itself.
///
/// # Examples
///
/// A manager that allocates each page once, and never frees one:
///
/// ```
/// use kernel::{
///     drm::ttm::{test_device, Backing, ManagerOps, MemType, Request},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Once {
///     pages: u64,
///     next: Atomic<u64>,
/// }
///
/// impl ManagerOps for Once {
///     type Space = u64;
///
///     fn alloc(&self, request: &Request<'_>) -> Result<u64> {
///         let pages = request.pages() as u64;
///         let start = self.next.fetch_add(pages, Relaxed);
///
///         let end = start.checked_add(pages).ok_or(ENOSPC)?;
///
///         if end > self.pages.min(request.place().pages().end) {
///             return Err(ENOSPC);
///         }
///         Ok(start)
///     }
///
///     fn start(&self, space: &u64) -> u64 {
///         *space
///     }
/// }
///
/// let dev = test_device::Device::with(|setup| {
///     let once = Once { pages: 16, next: Atomic::new(0) };
///     setup.manager(MemType::PRIV, 0x10000, Backing::Emulated, once)
/// })?;
/// let obj = dev.private(0x3000)?;
/// assert_eq!(obj.reserve().start(), Some(0));
/// let obj = dev.private(0x1000)?;
/// assert_eq!(obj.reserve().start(), Some(3));
/// assert_eq!(dev.private(0x10000).err(), Some(ENOSPC));
/// # Ok::<(), Error>(())
/// ```
pub trait ManagerOps: Send + Sync + Sized + 'static {
    /// The space of a buffer.
    type Space: Send + Sync + 'static;

    /// Finds space.
    ///
    /// May sleep, and allocate. Called with the buffer's reservation held, and maybe others.
    ///
    /// # Errors
    ///
    /// [`ENOSPC`] if there is no room: TTM may then evict buffers and try again. Anything else
    /// fails the operation that needs the space.
    fn alloc(&self, request: &Request<'_>) -> Result<Self::Space>;

    /// The first page of `space`, counted from the start of the memory type.
    ///
    /// Called once, after [`Self::alloc`]. A space beyond the end of the memory type is freed, and
    /// the allocation fails with [`EINVAL`].
    fn start(&self, space: &Self::Space) -> u64;

    /// Lists the pages of `space`, in the order of the buffer's pages.
    ///
    /// Called once, after [`Self::alloc`]. By default, the space is one piece, which begins at
    /// [`Self::start`]. Pages beyond the size of the buffer are left out.
    ///
    /// # Errors
    ///
    /// After an error the space is freed, and the allocation fails with the error. It fails with
    /// [`EINVAL`] if there are fewer pages than the buffer has, or pages beyond the end of the
    /// memory type.
    ///
    /// # Examples
    ///
    /// A manager that gives each buffer all even pages first, and then all odd ones:
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, Backing, ManagerOps, MemType, PageList, Request};
    ///
    /// struct Scattered;
    ///
    /// impl ManagerOps for Scattered {
    ///     type Space = ();
    ///
    ///     fn alloc(&self, request: &Request<'_>) -> Result {
    ///         if request.pages() == 4 { Ok(()) } else { Err(ENOSPC) }
    ///     }
    ///
    ///     fn start(&self, _space: &()) -> u64 {
    ///         0
    ///     }
    ///
    ///     fn pieces(&self, _space: &(), _: &Request<'_>, list: &mut PageList) -> Result {
    ///         [0, 2, 1, 3].into_iter().try_for_each(|page| list.push(page..page + 1))
    ///     }
    /// }
    ///
    /// let dev = test_device::Device::with(|setup| {
    ///     setup.manager(MemType::PRIV, 0x4000, Backing::Emulated, Scattered)
    /// })?;
    /// let obj = dev.private(0x4000)?;
    /// obj.reserve().write(0xffe, b"across")?;
    /// let mut bytes = [0; 6];
    /// obj.reserve().read(0xffe, &mut bytes)?;
    /// assert_eq!(&bytes, b"across");
    /// # Ok::<(), Error>(())
    /// ```
    fn pieces(&self, space: &Self::Space, request: &Request<'_>, list: &mut PageList) -> Result {
        let start = self.start(space);
        // CAST: Never more than 64 bits.
        let end = start.checked_add(request.pages() as u64).ok_or(EINVAL)?;

        list.push(start..end)
    }

    /// Frees `space`. May sleep.
    ///
    /// If the memory type is made of pages and the device has a [shrinker](super::Setup::shrinker),
    /// this is called in memory reclaim as well: it must neither allocate nor take a lock under
    /// which any thread allocates. See [`Driver`](super::Driver#locks-and-allocations).
    fn free(&self, space: Self::Space) {
        drop(space);
    }

    /// Whether evicting a buffer that has `pieces` could make room for `size` bytes in `place`.
    ///
    /// By default, if it has pages within the limits.
    fn intersects(
        &self,
        space: &Self::Space,
        pieces: &[Range<u64>],
        place: &Place,
        size: usize,
    ) -> bool {
        let _ = (space, size);
        let limits = place.pages();

        pieces
            .iter()
            .any(|pages| pages.start < limits.end && limits.start < pages.end)
    }

    /// Whether a buffer that has `pieces` satisfies `place`, and needs no move.
    ///
    /// By default, if all its pages are within the limits.
    fn compatible(
        &self,
        space: &Self::Space,
        pieces: &[Range<u64>],
        place: &Place,
        size: usize,
    ) -> bool {
        let _ = (space, size);
        let limits = place.pages();

        pieces
            .iter()
            .all(|pages| limits.start <= pages.start && pages.end <= limits.end)
    }

    /// Prints its state, for debugfs, and for the log when an allocation fails.
    ///
    /// Must not end the device's registration, which waits for readers of debugfs.
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}

/// A manager with TTM's part.
///
/// # Invariants
///
/// `man` is an initialized `struct ttm_resource_manager` with the functions in [`Core::FUNCS`]; all
/// of its resources are the first part of a [`Resource<M::Space>`] that came out of a [`KBox`].
#[repr(C)]
#[pin_data]
struct Core<M: ManagerOps> {
    #[pin]
    man: Opaque<bindings::ttm_resource_manager>,
    pages: u64,
    ops: M,
}

/// A resource, with TTM's part and the manager's.
///
/// It is on the LRU list as long as it has space, so that a search for room finds the space. So it
/// enters the list before it gets its space, and leaves the list after it has freed the space.
///
/// # Invariants
///
/// `space` is initialized once the resource is a buffer's, and until [`Core::free_callback`].
#[repr(C)]
struct Resource<S> {
    head: Head,
    space: MaybeUninit<S>,
}

/// The part of a resource that isn't generic.
///
/// # Invariants
///
/// Once the resource is a buffer's, `pieces` doesn't change, and is [`None`] if there is one piece,
/// from `res.start` on. All pieces are within the memory of the manager.
#[repr(C)]
struct Head {
    res: bindings::ttm_resource,
    pieces: Several,
}

/// Where a resource is.
///
/// # Safety
///
/// `res` must be a buffer's resource, made by a manager that [`install`] made.
pub(super) unsafe fn placed(res: *const bindings::ttm_resource) -> Placed {
    // CAST: By the type invariants of `Core` and of `Resource`, TTM's part comes first.
    let head = res.cast::<Head>();

    // SAFETY: `res` is part of a `Head`, by the function's requirements, and a buffer's, so that
    // neither the pieces nor these fields change.
    match unsafe { &(*head).pieces } {
        Some(pieces) => Placed::Many(pieces.clone()),
        // SAFETY: It is a buffer's resource, by the function's requirements.
        None => unsafe { one_piece(res) },
    }
}

/// Where a resource is that has one piece.
///
/// # Safety
///
/// `res` must be a buffer's resource, so that it is completely allocated.
pub(super) unsafe fn one_piece(res: *const bindings::ttm_resource) -> Placed {
    // SAFETY: `res` is valid and completely allocated, by the function's requirements, so these
    // fields don't change any more.
    let (start, size) = unsafe { ((*res).start as u64, (*res).size) };

    Placed::One(start..start + (size >> PAGE_SHIFT) as u64)
}

/// Frees a manager that [`install`] made.
pub(super) struct Free(unsafe fn(*mut bindings::ttm_resource_manager));

impl Free {
    /// Takes manager `n` of `bdev` away.
    ///
    /// # Safety
    ///
    /// `bdev` must be initialized. The manager must be the one that this was returned for, without
    /// resources, and not be used any more.
    pub(super) unsafe fn call(&self, bdev: *mut bindings::ttm_device, n: u32) {
        // SAFETY: `bdev` is initialized and its manager `n` is ours, without resources, by the
        // function's requirements.
        unsafe {
            let man = (*bdev).man_drv[n as usize];

            bindings::ttm_resource_manager_set_used(man, false);
            bindings::ttm_resource_manager_cleanup(man);
            (*bdev).man_drv[n as usize] = ptr::null_mut();
            (self.0)(man);
        }
    }
}

/// Makes a manager of `pages` pages with the functions in `ops`, and gives it to `bdev`.
///
/// # Errors
///
/// [`ENOMEM`]
///
/// # Safety
///
/// `bdev` must be initialized and have no manager for `mem_type`. The function that this returns
/// must be called before `bdev` goes.
pub(super) unsafe fn install<M: ManagerOps>(
    bdev: *mut bindings::ttm_device,
    mem_type: MemType,
    use_tt: bool,
    pages: usize,
    ops: M,
) -> Result<Free> {
    let core = KBox::pin_init(
        pin_init!(Core {
            man <- Opaque::init_zeroed(),
            // CAST: Never more than 64 bits.
            pages: pages as u64,
            ops,
        }),
        GFP_KERNEL,
    )?;
    // SAFETY: Nothing moves it: it is only accessed through pointers.
    let core = KBox::into_raw(unsafe { Pin::into_inner_unchecked(core) });

    // SAFETY: `core` is valid, and no other code has a pointer to it yet; `bdev` is valid by the
    // function's requirements. The functions are static.
    unsafe {
        let man = (*core).man.get();

        (*man).use_tt = use_tt;
        (*man).func = &Core::<M>::FUNCS;
        // INVARIANT: `man` of `Core` is initialized here, and has no resources yet.
        bindings::ttm_resource_manager_init(man, bdev, (*core).pages);
        (*bdev).man_drv[mem_type.index()] = man;
        bindings::ttm_resource_manager_set_used(man, true);
    }
    Ok(Free(Core::<M>::free_self))
}

/// [`ManagerOps::intersects`] or [`ManagerOps::compatible`].
type Question<M> = fn(&M, &<M as ManagerOps>::Space, &[Range<u64>], &Place, usize) -> bool;

/// The pieces of a resource, if there are several.
type Several = Option<Arc<KVec<Range<u64>>>>;

impl<M: ManagerOps> Core<M> {
    const FUNCS: bindings::ttm_resource_manager_func = bindings::ttm_resource_manager_func {
        alloc: Some(Self::alloc_callback),
        free: Some(Self::free_callback),
        intersects: Some(Self::intersects_callback),
        compatible: Some(Self::compatible_callback),
        debug: Some(Self::debug_callback),
    };

    /// # Safety
    ///
    /// `man` must be part of a valid `Self` for `'a`.
    unsafe fn from_raw<'a>(man: *mut bindings::ttm_resource_manager) -> &'a Self {
        // CAST: The manager comes first.
        // SAFETY: `man` is part of a `Self` that is valid for `'a`, by the function's requirements.
        unsafe { &*man.cast() }
    }

    /// # Safety
    ///
    /// `man` must be part of a `Self` that came out of a box, and not be used any more.
    unsafe fn free_self(man: *mut bindings::ttm_resource_manager) {
        // CAST: The manager comes first.
        // SAFETY: It is part of a `Self` out of a box, and not used any more, by the function's
        // requirements.
        drop(unsafe { KBox::<Self>::from_raw(man.cast()) });
    }

    /// Finds space, and its pieces.
    fn alloc(&self, request: &Request<'_>) -> Result<(M::Space, KVec<Range<u64>>)> {
        let space = self.ops.alloc(request)?;
        // CAST: Never more than 64 bits.
        let mut list = PageList::new(request.pages() as u64);
        let listed = self.ops.pieces(&space, request, &mut list);

        match listed.map(|()| list.finish(self.pages)) {
            Ok(Some(pieces)) => return Ok((space, pieces)),
            Err(e) if e != EINVAL => {
                self.ops.free(space);
                return Err(e);
            }
            _ => (),
        }
        pr_warn_once!("ttm: a manager allocated pages beyond its memory\n");
        self.ops.free(space);
        Err(EINVAL)
    }

    /// As [`Self::alloc`]. Returns the pieces as the [`Head`] of a resource has them, and the first
    /// page.
    fn alloc_placed(&self, request: &Request<'_>) -> Result<(M::Space, usize, Several)> {
        let (space, pieces) = self.alloc(request)?;
        // A buffer has pages, so there is a piece. It is in the memory, so it fits.
        let start = pieces
            .first()
            .and_then(|first| usize::try_from(first.start).ok());

        let placed = match (start, pieces.len()) {
            (Some(start), 1) => Ok((start, None)),
            (Some(start), _) => Arc::new(pieces, GFP_KERNEL)
                .map(|pieces| (start, Some(pieces)))
                .map_err(Error::from),
            (None, _) => Err(EINVAL),
        };
        match placed {
            Ok((start, pieces)) => Ok((space, start, pieces)),
            Err(e) => {
                self.ops.free(space);
                Err(e)
            }
        }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a manager of a `Self`; `bo` must be valid and its reservation
    /// held, `place` be valid and of this memory type, and `res` be valid for writes.
    unsafe extern "C" fn alloc_callback(
        man: *mut bindings::ttm_resource_manager,
        bo: *mut bindings::ttm_buffer_object,
        place: *const bindings::ttm_place,
        res: *mut *mut bindings::ttm_resource,
    ) -> c_int {
        // SAFETY: TTM passes a valid manager, buffer and place, and memory for a pointer in `res`,
        // by the function's requirements.
        let (this, request) = unsafe {
            let request = Request {
                size: (*bo).base.size,
                alignment: (*bo).page_alignment,
                place: Place::from_raw(place),
            };

            (Self::from_raw(man), request)
        };

        from_result(|| {
            let new = KBox::new(
                Resource::<M::Space> {
                    head: Head {
                        res: Default::default(),
                        pieces: None,
                    },
                    space: MaybeUninit::uninit(),
                },
                GFP_KERNEL,
            )?;
            let new = KBox::into_raw(new);

            // SAFETY: `new` is valid, and no other code has a pointer to it yet; the buffer and the
            // place are valid by the function's requirements.
            unsafe { bindings::ttm_resource_init(bo, place, &raw mut (*new).head.res) };
            match this.alloc_placed(&request) {
                Ok((space, start, pieces)) => {
                    // INVARIANT: `space` of `Resource` is initialized, and `res` of `Core` is the
                    // first part of a `Resource` that came out of a box. `alloc` has checked the
                    // pieces.
                    // SAFETY: `new` is valid. Walks don't read the fields that are written here, as
                    // the resource isn't a buffer's yet. `res` is valid by the function's
                    // requirements.
                    unsafe {
                        (*new).space.write(space);
                        (*new).head.pieces = pieces;
                        (*new).head.res.start = start;
                        *res = &raw mut (*new).head.res;
                    }
                    Ok(0)
                }
                Err(e) => {
                    // SAFETY: It was just initialized, it came out of a box, and no buffer has it.
                    unsafe {
                        bindings::ttm_resource_fini(man, &raw mut (*new).head.res);
                        drop(KBox::from_raw(new));
                    }
                    Err(e)
                }
            }
        })
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a manager of a `Self` and one of its resources, which must not
    /// be used any more.
    unsafe extern "C" fn free_callback(
        man: *mut bindings::ttm_resource_manager,
        res: *mut bindings::ttm_resource,
    ) {
        // SAFETY: `man` is part of a `Self` that is valid for the call, by the function's
        // requirements.
        let this = unsafe { Self::from_raw(man) };
        // CAST: The resource comes first.
        let raw = res.cast::<Resource<M::Space>>();

        // SAFETY: By the type invariants of `Resource` its `space` is initialized. It is read only
        // once, as the resource is no longer used.
        this.ops.free(unsafe { (*raw).space.assume_init_read() });
        // SAFETY: `res` is a valid resource of `man`, by the function's requirements, and its space
        // was just given back.
        unsafe { bindings::ttm_resource_fini(man, res) };
        // SAFETY: By the type invariants of `Core`, it came out of a box in `alloc_callback`. It is
        // on no list any more.
        drop(unsafe { KBox::from_raw(raw) });
    }

    /// The space of a resource.
    ///
    /// # Safety
    ///
    /// `res` must be a buffer's resource, made by a manager with these functions, and valid for
    /// `'a`.
    unsafe fn space<'a>(res: *mut bindings::ttm_resource) -> &'a M::Space {
        // CAST: The resource comes first.
        let res = res.cast::<Resource<M::Space>>();

        // Only this part is borrowed: TTM's part changes under the LRU lock.
        // SAFETY: `res` is valid for `'a`, and a buffer's, by the function's requirements, so by
        // the type invariants of `Resource` its space is initialized. That isn't written to until
        // it is freed.
        unsafe { (*res).space.assume_init_ref() }
    }

    /// Calls `ask` with the manager, the space of `res`, and `place`.
    ///
    /// # Safety
    ///
    /// `man` must be a manager of a `Self` and `res` one of its resources; its buffer's reservation
    /// must be held, and `place` be valid.
    unsafe fn ask(
        question: Question<M>,
        man: *mut bindings::ttm_resource_manager,
        res: *mut bindings::ttm_resource,
        place: *const bindings::ttm_place,
        size: usize,
    ) -> bool {
        // SAFETY: `res` is a `Resource` of this manager and `place` is valid, by the function's
        // requirements.
        unsafe {
            let (space, placed) = (Self::space(res), placed(res));

            question(
                &Self::from_raw(man).ops,
                space,
                placed.pieces(),
                Place::from_raw(place),
                size,
            )
        }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, as [`Self::ask`].
    unsafe extern "C" fn intersects_callback(
        man: *mut bindings::ttm_resource_manager,
        res: *mut bindings::ttm_resource,
        place: *const bindings::ttm_place,
        size: usize,
    ) -> bool {
        // SAFETY: TTM passes a valid manager, place and resource of this manager, by the function's
        // requirements.
        unsafe { Self::ask(M::intersects, man, res, place, size) }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, as [`Self::ask`].
    unsafe extern "C" fn compatible_callback(
        man: *mut bindings::ttm_resource_manager,
        res: *mut bindings::ttm_resource,
        place: *const bindings::ttm_place,
        size: usize,
    ) -> bool {
        // SAFETY: TTM passes a valid manager, place and resource of this manager, by the function's
        // requirements.
        unsafe { Self::ask(M::compatible, man, res, place, size) }
    }

    /// # Safety
    ///
    /// Only to be called by TTM, on a manager of a `Self`; `printer` must be valid.
    unsafe extern "C" fn debug_callback(
        man: *mut bindings::ttm_resource_manager,
        printer: *mut bindings::drm_printer,
    ) {
        // SAFETY: `man` is part of a `Self` that is valid for the call, by the function's
        // requirements.
        let debug = Debug(unsafe { &Self::from_raw(man).ops });
        // SAFETY: `printer` is valid, by the function's requirements; DRM doesn't use it until this
        // returns.
        let mut printer = unsafe { Printer::from_raw(printer) };

        printer.write_fmt(fmt!("{debug}"));
    }
}

/// Shows a manager's state.
struct Debug<'a, M>(&'a M);

impl<M: ManagerOps> fmt::Display for Debug<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug(f)
    }
}
