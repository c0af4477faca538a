// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Where a buffer is: bus addresses, or offsets in a memory type.
//!
//! C header: [`include/drm/ttm/ttm_tt.h`](srctree/include/drm/ttm/ttm_tt.h)

use super::{
    raw_device::RawDevice,
    resource::uses_pages,
    AsBuffer,
    MemType,
    Reserved, //
};
use crate::{
    bindings,
    dma::DmaAddress,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*, //
};
use core::{
    marker::PhantomData,
    ptr, //
};

/// Where a [`Piece`] begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// At this bus address, for the parent of the device: the memory type is made of pages.
    Bus(DmaAddress),
    /// So many bytes from the start of the memory type.
    Offset(u64),
}

impl Address {
    /// The address `bytes` further on.
    fn plus(self, bytes: usize) -> Self {
        // CAST: A buffer is less than there are addresses.
        match self {
            Self::Bus(address) => Self::Bus(address.wrapping_add(bytes as DmaAddress)),
            Self::Offset(offset) => Self::Offset(offset.wrapping_add(bytes as u64)),
        }
    }
}

/// A part of a buffer that is contiguous for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The memory type that it is in.
    pub mem_type: MemType,
    /// Where it begins.
    pub at: Address,
    /// Its size in bytes, a multiple of the page size.
    pub size: usize,
}

/// The parts of a buffer, in their order. An iterator.
///
/// Neighbouring parts that are contiguous for the device are one.
///
/// The addresses are the device's as long as the reservation is held. If it is given back, they are
/// so until the buffer moves or loses its pages, which a pin or a fence prevents, or until the
/// parent is unbound. In a transaction, another guard of the same reservation may move the buffer
/// meanwhile: the iterator then ends.
///
/// # Invariants
///
/// `bo` is a valid buffer on the device of a `RawDevice`, and its reservation is held, for `'a`.
/// Either `res` is valid for `'a`, and was completely allocated for `bo`; or `is_old`, and it was
/// the buffer's resource.
#[derive(Clone)]
pub struct Pieces<'a> {
    bo: *mut bindings::ttm_buffer_object,
    res: *mut bindings::ttm_resource,
    is_old: bool,
    /// The next page of the buffer.
    page: usize,
    _reserved: PhantomData<&'a ()>,
}

/// Returns where page `page` of a buffer is, in pages from the start of the memory type of its
/// place `res`, and how many pages are contiguous from there on.
///
/// # Safety
///
/// `res` must be a resource that isn't made of pages, on the device of `raw`, completely allocated.
/// It must have more than `page` pages.
unsafe fn run(raw: &RawDevice, res: *const bindings::ttm_resource, page: usize) -> (usize, usize) {
    // SAFETY: `res` is completely allocated on this device, by the function's requirements.
    let (start, count) = unsafe { raw.pieces(res) }.run(page as u64);

    // CAST: They are the number of a page of memory, and a number of pages of a buffer.
    (start as usize, count as usize)
}

impl Pieces<'_> {
    /// The pieces of `bo` in its own place.
    ///
    /// # Errors
    ///
    /// As [`Reserved::pieces`].
    ///
    /// # Safety
    ///
    /// `bo` must be a valid buffer on the device of a [`RawDevice`]; its reservation must be held
    /// for the lifetime of the result.
    pub(super) unsafe fn old(bo: *mut bindings::ttm_buffer_object) -> Result<Self> {
        // SAFETY: `bo` is valid, and its reservation, which protects `resource`, is held, by the
        // function's requirements.
        let res = unsafe { (*bo).resource };
        if res.is_null() {
            return Err(ENXIO);
        }

        // INVARIANT: By the function's requirements, and as `res` is its resource.
        let this = Self {
            bo,
            res,
            is_old: true,
            page: 0,
            _reserved: PhantomData,
        };
        this.check()?;
        Ok(this)
    }

    /// The pieces of `bo` in a place that it moves to.
    ///
    /// # Errors
    ///
    /// As [`Reserved::pieces`].
    ///
    /// # Safety
    ///
    /// As [`Self::old`]. `res` must be valid as long as the result, and completely allocated for
    /// `bo`.
    pub(super) unsafe fn new(
        bo: *mut bindings::ttm_buffer_object,
        res: *mut bindings::ttm_resource,
    ) -> Result<Self> {
        // INVARIANT: By the function's requirements.
        let this = Self {
            bo,
            res,
            is_old: false,
            page: 0,
            _reserved: PhantomData,
        };
        this.check()?;
        Ok(this)
    }

    /// Whether `res` is valid: the buffer may have moved meanwhile.
    fn is_there(&self) -> bool {
        // SAFETY: By the type invariants the buffer is valid, and its reservation, which protects
        // `resource`, is held.
        !self.is_old || ptr::eq(unsafe { (*self.bo).resource }, self.res)
    }

    /// Checks that the device reaches the place.
    fn check(&self) -> Result {
        // SAFETY: By the type invariants `res` is valid: if it was the buffer's, it was just looked
        // at.
        if unsafe { uses_pages(self.res) } {
            self.addresses()?;
        }
        Ok(())
    }

    /// The DMA addresses of the buffer's pages, until it moves or loses them.
    ///
    /// # Errors
    ///
    /// As [`Reserved::pieces`].
    fn addresses(&self) -> Result<(*const DmaAddress, usize)> {
        // SAFETY: By the type invariants `bo` is valid, on the device of a `RawDevice`, which it
        // keeps, and its reservation, which protects `ttm` and its pages, is held. `tt` is looked
        // at if it isn't null: then it is valid.
        unsafe {
            let bo = self.bo;
            let tt = (*bo).ttm;

            if tt.is_null() || !bindings::ttm_tt_is_populated(tt) {
                return Err(ENXIO);
            }
            let is_imported = (*bo).type_ == bindings::ttm_bo_type_ttm_bo_type_sg;
            if is_imported && (*tt).sg.is_null() {
                // The device was unregistered, which has unmapped the scatterlist.
                return Err(ENODEV);
            }
            if (*tt).dma_address.is_null() {
                let has_dma = RawDevice::from_bdev((*bo).bdev).dma().is_some();

                return Err(if has_dma { ENODEV } else { EOPNOTSUPP });
            }
            // CAST: The array is in memory, so its length fits.
            Ok(((*tt).dma_address, (*tt).num_pages as usize))
        }
    }

    /// Where page `self.page` is, and how many pages are contiguous from there on, if the place is
    /// made of pages.
    fn pages(&self) -> Option<(Address, usize)> {
        let (addresses, count) = self.addresses().ok()?;
        let page = self.page;
        if page >= count {
            return None;
        }
        // SAFETY: There are `count` of them, and they stay during the call, as the reservation is
        // held.
        let at = |n: usize| unsafe { *addresses.add(n) };

        let first = at(page);
        // CAST: A buffer is less than there are addresses.
        let follows = |n: usize| first.wrapping_add(((n - page) << PAGE_SHIFT) as DmaAddress);
        let end = (page + 1..count)
            .find(|&n| at(n) != follows(n))
            .unwrap_or(count);
        Some((Address::Bus(first), end - page))
    }

    /// As [`Self::pages`], if the place isn't made of pages.
    fn ranges(&self) -> Option<(Address, usize)> {
        // SAFETY: By the type invariants, and as was just checked, `res` is allocated for `bo` on
        // the device of a `RawDevice`, and its size doesn't change any more.
        let (raw, count) = unsafe {
            (
                RawDevice::from_bdev((*self.bo).bdev),
                (*self.res).size >> PAGE_SHIFT,
            )
        };
        if self.page >= count {
            return None;
        }

        // SAFETY: `res` is allocated on this device, and has more than `page` pages.
        let (start, mut pages) = unsafe { run(raw, self.res, self.page) };
        while self.page + pages < count {
            // SAFETY: As above, and it has more pages.
            let (next, more) = unsafe { run(raw, self.res, self.page + pages) };

            if next != start + pages {
                break;
            }
            pages += more;
        }
        // CAST: A memory type is less than there are addresses.
        Some((Address::Offset((start as u64) << PAGE_SHIFT), pages))
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if !self.is_there() {
            return None;
        }
        // SAFETY: By the type invariants, and as was just checked, `res` is a valid resource of the
        // buffer. Its memory type never changes.
        let (uses_pages, mem_type) = unsafe { (uses_pages(self.res), (*self.res).mem_type) };
        let (at, pages) = if uses_pages {
            self.pages()
        } else {
            self.ranges()
        }?;

        self.page += pages;
        Some(Piece {
            mem_type: MemType::new(mem_type)?,
            at,
            size: pages * PAGE_SIZE,
        })
    }
}

/// The copies that a move consists of: pairs of a source and a destination of the same size. An
/// iterator.
pub struct Copies<'a> {
    from: Pieces<'a>,
    to: Pieces<'a>,
    left: Option<(Piece, Piece)>,
}

impl<'a> Copies<'a> {
    pub(super) fn new(from: Pieces<'a>, to: Pieces<'a>) -> Self {
        Self {
            from,
            to,
            left: None,
        }
    }
}

/// Splits a piece, `0 < size <= piece.size`. Returns its first part, and the rest.
fn split(piece: Piece, size: usize) -> (Piece, Piece) {
    (
        Piece { size, ..piece },
        Piece {
            at: piece.at.plus(size),
            size: piece.size - size,
            ..piece
        },
    )
}

impl Iterator for Copies<'_> {
    type Item = (Piece, Piece);

    fn next(&mut self) -> Option<(Piece, Piece)> {
        let (from, to) = match self.left.take() {
            Some((from, to)) if from.size == 0 => (self.from.next()?, to),
            Some((from, to)) => (from, to),
            None => (self.from.next()?, self.to.next()?),
        };
        let to = if to.size == 0 { self.to.next()? } else { to };

        let size = from.size.min(to.size);
        let (from, from_left) = split(from, size);
        let (to, to_left) = split(to, size);
        self.left = Some((from_left, to_left));
        Some((from, to))
    }
}

impl<B: AsBuffer> Reserved<'_, B> {
    /// Where the buffer is, for the device.
    ///
    /// # Errors
    ///
    /// [`ENXIO`] if the buffer has no place, or no pages though its place is made of pages;
    /// [`ENODEV`] if the pages were unmapped, as the parent was unbound, or the device of an
    /// imported buffer unregistered; [`EOPNOTSUPP`] if the pages aren't mapped, as the device was
    /// set up without [`Setup::dma`](super::Setup::dma).
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, Address, MemType, Piece};
    ///
    /// let dev = test_device::Device::new()?;
    /// let first = dev.vram(0x1000)?;
    /// let obj = dev.vram(0x2000)?;
    /// let reserved = obj.reserve();
    ///
    /// let mut pieces = reserved.pieces()?;
    /// assert_eq!(
    ///     pieces.next(),
    ///     Some(Piece {
    ///         mem_type: MemType::VRAM,
    ///         at: Address::Offset(0x1000),
    ///         size: 0x2000,
    ///     }),
    /// );
    /// assert_eq!(pieces.next(), None);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn pieces(&self) -> Result<Pieces<'_>> {
        // SAFETY: By the type invariants the reservation is held as long as `self`, which the
        // result borrows, and by those of `Buffer` the buffer is valid.
        unsafe { Pieces::old(self.bo()) }
    }
}
