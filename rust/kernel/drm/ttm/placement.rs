// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Placements of buffers, and the options of an operation that moves them.
//!
//! C header: [`include/drm/ttm/ttm_placement.h`](srctree/include/drm/ttm/ttm_placement.h)

use super::contention::Contention;
use crate::{
    bindings,
    prelude::*, //
};
use core::{
    marker::PhantomData,
    ops::Range, //
};

/// A memory type of a device: system memory, VRAM, or another one that the driver sets up.
///
/// # Invariants
///
/// `self.0 < TTM_NUM_MEM_TYPES`.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::MemType;
///
/// assert_eq!(MemType::new(2), Some(MemType::VRAM));
/// assert_eq!(MemType::new(MemType::COUNT as u32), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemType(u32);

impl MemType {
    /// How many memory types a device can have.
    pub const COUNT: usize = bindings::TTM_NUM_MEM_TYPES as usize;

    // INVARIANT: All of these are less than `TTM_NUM_MEM_TYPES`.
    /// System memory. Each device has this type; TTM may swap out buffers there.
    pub const SYSTEM: Self = Self(bindings::TTM_PL_SYSTEM);
    /// System memory that the device can reach.
    pub const TT: Self = Self(bindings::TTM_PL_TT);
    /// The device's own memory.
    pub const VRAM: Self = Self(bindings::TTM_PL_VRAM);
    /// The first memory type whose meaning the driver defines.
    pub const PRIV: Self = Self(bindings::TTM_PL_PRIV);

    /// The memory type with the number `n`, or [`None`] if there can't be one.
    pub const fn new(n: u32) -> Option<Self> {
        if n < bindings::TTM_NUM_MEM_TYPES {
            // INVARIANT: This was just checked.
            Some(Self(n))
        } else {
            None
        }
    }

    /// Its number, less than [`Self::COUNT`].
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// Its number as an index, less than [`Self::COUNT`].
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A place where a buffer may be: a memory type, and limits inside of it.
///
/// # Invariants
///
/// `mem_type` is less than `TTM_NUM_MEM_TYPES`; `lpfn` is 0 or greater than `fpfn`.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{MemType, Place};
///
/// // In the first 16 pages of VRAM, and there as near to the end as possible.
/// let low = Place::VRAM.within(0..16)?.topdown();
/// assert_eq!(low.mem_type(), MemType::VRAM);
///
/// // An empty range of pages is no place.
/// assert!(Place::VRAM.within(16..16).is_err());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Place(bindings::ttm_place);

impl Place {
    /// Anywhere in system memory.
    pub const SYSTEM: Self = Self::new(MemType::SYSTEM);
    /// Anywhere in [`MemType::TT`].
    pub const TT: Self = Self::new(MemType::TT);
    /// Anywhere in the device's own memory.
    pub const VRAM: Self = Self::new(MemType::VRAM);

    /// Anywhere in `mem_type`.
    pub const fn new(mem_type: MemType) -> Self {
        // INVARIANT: By the invariant of `MemType`; `lpfn` is 0.
        Self(bindings::ttm_place {
            fpfn: 0,
            lpfn: 0,
            mem_type: mem_type.as_u32(),
            flags: 0,
        })
    }

    /// Its memory type.
    pub const fn mem_type(&self) -> MemType {
        // INVARIANT: By the invariant of `Self`.
        MemType(self.0.mem_type)
    }

    /// Limits the place to `pages`, counted in pages from the start of the memory type.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if `pages` is empty.
    pub const fn within(mut self, pages: Range<u64>) -> Result<Self> {
        if pages.start >= pages.end {
            return Err(EINVAL);
        }
        // INVARIANT: This was just checked.
        self.0.fpfn = pages.start;
        self.0.lpfn = pages.end;
        Ok(self)
    }

    /// Limits the place to the first `end` pages of its memory type, in addition to its limits. If
    /// there is no such page, it stays as it is.
    pub(super) fn up_to(self, end: u64) -> Self {
        let pages = self.pages();

        self.within(pages.start..pages.end.min(end)).unwrap_or(self)
    }

    /// Asks for a place as near to the end of the memory type as possible.
    pub const fn topdown(self) -> Self {
        self.flag(bindings::TTM_PL_FLAG_TOPDOWN)
    }

    /// Asks for the place only if it has room: no buffer is evicted for it.
    pub const fn desired(self) -> Self {
        self.flag(bindings::TTM_PL_FLAG_DESIRED)
    }

    /// Makes it a fallback: asks for the place only if no other place has room.
    pub const fn fallback(self) -> Self {
        self.flag(bindings::TTM_PL_FLAG_FALLBACK)
    }

    /// The pages that it is limited to; without a limit, the end is [`u64::MAX`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::Place;
    ///
    /// assert_eq!(Place::VRAM.within(4..8)?.pages(), 4..8);
    /// assert_eq!(Place::VRAM.pages(), 0..u64::MAX);
    /// # Ok::<(), Error>(())
    /// ```
    pub const fn pages(&self) -> Range<u64> {
        let end = if self.0.lpfn == 0 {
            u64::MAX
        } else {
            self.0.lpfn
        };

        self.0.fpfn..end
    }

    /// Whether it asks for a place near the end.
    pub const fn is_topdown(&self) -> bool {
        self.0.flags & bindings::TTM_PL_FLAG_TOPDOWN != 0
    }

    /// Whether it is a fallback.
    pub const fn is_fallback(&self) -> bool {
        self.0.flags & bindings::TTM_PL_FLAG_FALLBACK != 0
    }

    pub(super) const fn as_raw(self) -> bindings::ttm_place {
        self.0
    }

    /// # Safety
    ///
    /// `place` must be valid for `'a`, and its memory type one of the device's.
    pub(super) unsafe fn from_raw<'a>(place: *const bindings::ttm_place) -> &'a Self {
        // CAST: `Self` is transparent.
        // INVARIANT: By the function's requirements; TTM has no empty places.
        // SAFETY: `place` is valid for `'a`, by the function's requirements. `Self` is a
        // transparent wrapper of one.
        unsafe { &*place.cast() }
    }

    const fn flag(mut self, flag: u32) -> Self {
        self.0.flags |= flag;
        self
    }
}

/// Places in the order in which they are preferred.
///
/// # Invariants
///
/// There is at least one, and their number fits into a [`u32`].
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{Place, Placement};
///
/// let vram_first = [Place::VRAM.desired(), Place::SYSTEM];
/// let placement = Placement::new(&vram_first)?;
/// assert_eq!(placement.places().len(), 2);
///
/// assert!(Placement::new(&[]).is_err());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Placement<'a>(&'a [Place]);

impl<'a> Placement<'a> {
    // INVARIANT: Each of these has one place.
    /// System memory.
    pub const SYSTEM: Self = Self(&[Place::SYSTEM]);
    /// System memory that the device can reach.
    pub const TT: Self = Self(&[Place::TT]);
    /// The device's own memory.
    pub const VRAM: Self = Self(&[Place::VRAM]);

    /// A placement of these places.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there are none, or more than fit into a [`u32`].
    pub const fn new(places: &'a [Place]) -> Result<Self> {
        if places.is_empty() || places.len() > u32::MAX as usize {
            return Err(EINVAL);
        }
        // INVARIANT: This was just checked.
        Ok(Self(places))
    }

    /// The places.
    pub const fn places(&self) -> &'a [Place] {
        self.0
    }

    /// The places before the first [fallback](Place::fallback). [`None`] if there is no fallback,
    /// or no place before it.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{Place, Placement};
    ///
    /// let places = [Place::VRAM, Place::TT.fallback(), Place::SYSTEM.fallback()];
    /// let better = Placement::new(&places)?.without_fallbacks();
    /// assert_eq!(better.map(|better| better.places().len()), Some(1));
    /// assert!(Placement::VRAM.without_fallbacks().is_none());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn without_fallbacks(&self) -> Option<Self> {
        let end = self.0.iter().position(Place::is_fallback)?;

        // INVARIANT: There is at least one place, and no more than before.
        (end > 0).then(|| Self(&self.0[..end]))
    }

    /// The placement for TTM. Valid for `'a`.
    pub(super) fn as_raw(&self) -> bindings::ttm_placement {
        bindings::ttm_placement {
            // CAST: Fits by the invariant of `Self`.
            num_placement: self.0.len() as u32,
            // CAST: `Place` is transparent.
            placement: self.0.as_ptr().cast(),
        }
    }
}

impl<'a> From<&'a Place> for Placement<'a> {
    fn from(place: &'a Place) -> Self {
        // INVARIANT: There is one.
        Self(core::slice::from_ref(place))
    }
}

/// How the CPU caches memory that it shares with the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// As other memory.
    Cached,
    /// Not cached, but writes are combined.
    WriteCombined,
    /// Not cached.
    Uncached,
}

impl Caching {
    pub(super) const fn as_raw(self) -> bindings::ttm_caching {
        match self {
            Self::Cached => bindings::ttm_caching_ttm_cached,
            Self::WriteCombined => bindings::ttm_caching_ttm_write_combined,
            Self::Uncached => bindings::ttm_caching_ttm_uncached,
        }
    }
}

/// The options of an operation that may move buffers, and its results.
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::OperationCtx;
///
/// let ctx = OperationCtx::new().interruptible().no_wait_gpu();
/// assert_eq!(ctx.bytes_moved(), 0);
/// ```
///
/// # Invariants
///
/// As long as `self` exists:
///
/// - `self.0.resv` is null, which lends no reservation, or is a reservation that the current thread
///   holds.
/// - `self.0.contended` is null, or valid for writes of a pointer.
pub struct OperationCtx(bindings::ttm_operation_ctx, PhantomData<*mut ()>);

impl OperationCtx {
    /// Waits as long as it must, and can't be interrupted by signals.
    pub const fn new() -> Self {
        // INVARIANT: `resv` is null.
        Self(
            bindings::ttm_operation_ctx {
                interruptible: false,
                no_wait_gpu: false,
                gfp_retry_mayfail: false,
                allow_res_evict: false,
                resv: core::ptr::null_mut(),
                contended: core::ptr::null_mut(),
                scope: core::ptr::null_mut(),
                bytes_moved: 0,
            },
            PhantomData,
        )
    }

    /// Lets a signal end the operation with [`ERESTARTSYS`].
    pub const fn interruptible(mut self) -> Self {
        self.0.interruptible = true;
        self
    }

    /// Lets the operation end with [`EBUSY`] instead of waiting for the GPU.
    pub const fn no_wait_gpu(mut self) -> Self {
        self.0.no_wait_gpu = true;
        self
    }

    /// Lets the operation end with [`ENOMEM`] if memory is short, so that no process is killed for
    /// it.
    ///
    /// The system still reclaims as much memory as it can.
    pub const fn gfp_retry_mayfail(mut self) -> Self {
        self.0.gfp_retry_mayfail = true;
        self
    }

    /// Whether a signal ends the operation.
    pub(super) const fn is_interruptible(&self) -> bool {
        self.0.interruptible
    }

    /// Bytes that were moved with this context so far.
    pub const fn bytes_moved(&self) -> u64 {
        self.0.bytes_moved
    }

    /// Returns a context for a walk, which waits as this one does, and moves nothing.
    pub(super) fn for_walk(&self) -> Self {
        // INVARIANT: `resv` is that of `self`.
        Self(
            bindings::ttm_operation_ctx {
                bytes_moved: 0,
                ..self.0
            },
            PhantomData,
        )
    }

    /// Calls `f` with a context that lets buffers with the reservation `resv` be evicted.
    ///
    /// # Safety
    ///
    /// The current thread must hold `resv` until `f` has returned.
    pub(super) unsafe fn lending<R>(
        &mut self,
        resv: *mut bindings::dma_resv,
        f: impl FnOnce(&mut Self) -> R,
    ) -> R {
        // INVARIANT: The thread holds `resv`, by the function's requirements, until `f` has
        // returned; `lending` doesn't exist for longer.
        let mut lending = Self(
            bindings::ttm_operation_ctx {
                resv,
                allow_res_evict: true,
                ..self.0
            },
            PhantomData,
        );
        let result = f(&mut lending);

        self.0.bytes_moved = lending.0.bytes_moved;
        result
    }

    /// Calls `f` with a context that notes in `contention`, if there is one, which buffer TTM could
    /// not wait for. If TTM can't go on without waiting, it then returns [`EDEADLK`].
    pub(super) fn noting<R>(
        &mut self,
        contention: Option<&Contention>,
        f: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let contended = contention.map_or(self.0.contended, Contention::as_ptr);
        // INVARIANT: `contention` is borrowed for longer than `noting` exists.
        let mut noting = Self(
            bindings::ttm_operation_ctx {
                contended,
                ..self.0
            },
            PhantomData,
        );
        let result = f(&mut noting);

        self.0.bytes_moved = noting.0.bytes_moved;
        result
    }

    /// The context for TTM, valid as long as `self` is borrowed. TTM changes only the count of
    /// bytes.
    pub(super) fn as_raw(&mut self) -> *mut bindings::ttm_operation_ctx {
        &mut self.0
    }
}

impl Default for OperationCtx {
    fn default() -> Self {
        Self::new()
    }
}
