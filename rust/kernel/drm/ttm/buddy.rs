// SPDX-License-Identifier: GPL-2.0 OR MIT

//! A manager on the buddy allocator for GPUs.
//!
//! C header: [`include/linux/gpu_buddy.h`](srctree/include/linux/gpu_buddy.h)

use super::{
    ManagerOps,
    PageList,
    Place,
    Request, //
};
use crate::{
    fmt,
    gpu::buddy::{
        AllocatedBlocks,
        GpuBuddy,
        GpuBuddyAllocFlag,
        GpuBuddyAllocFlags,
        GpuBuddyAllocMode,
        GpuBuddyParams, //
    },
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    ptr::Alignment, //
};
use core::ops::Range;

/// Manages memory with the buddy allocator for GPUs: large buffers are aligned.
///
/// Each buffer gets one piece, unless the manager is told to give [several](Self::in_pieces).
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{test_device, Backing, BuddyManager, MemType};
///
/// let dev = test_device::Device::with(|setup| {
///     let buddy = BuddyManager::new(0x10000)?;
///     setup.manager(MemType::PRIV, 0x10000, Backing::Emulated, buddy)
/// })?;
/// let man = dev.manager(MemType::PRIV).ok_or(ENODEV)?;
///
/// let small = dev.private(0x1000)?;
/// let large = dev.private(0x8000)?;
/// assert_eq!(large.reserve().start().map(|page| page % 8), Some(0));
/// assert_eq!(man.usage(), 0x9000);
///
/// // There are 7 pages left, but not in one piece of 4.
/// drop(small);
/// let more = dev.private(0x8000)?;
/// large.reserve().write(0, b"here")?;
/// more.reserve().write(0, b"there")?;
/// let mut bytes = [0; 4];
/// large.reserve().read(0, &mut bytes)?;
/// assert_eq!(&bytes, b"here");
///
/// drop((large, more));
/// assert_eq!(man.usage(), 0);
/// # Ok::<(), Error>(())
/// ```
pub struct BuddyManager {
    buddy: GpuBuddy,
    in_pieces: bool,
}

impl BuddyManager {
    /// A manager of `size` bytes, rounded down to whole pages.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if it is less than a page, [`ENOMEM`].
    pub fn new(size: usize) -> Result<Self> {
        let size = (size >> PAGE_SHIFT) << PAGE_SHIFT;

        if size == 0 {
            return Err(EINVAL);
        }
        GpuBuddy::new(GpuBuddyParams {
            base_offset: 0,
            // CAST: Never more than 64 bits.
            size: size as u64,
            chunk_size: Alignment::new::<PAGE_SIZE>(),
        })
        .map(|buddy| Self {
            buddy,
            in_pieces: false,
        })
    }

    /// Lets a buffer have several pieces, so that it finds room also if the free pages are
    /// scattered.
    ///
    /// Each piece is aligned as the buffer asks.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, Backing, BuddyManager, MemType};
    ///
    /// let dev = test_device::Device::with(|setup| {
    ///     let buddy = BuddyManager::new(0x4000)?.in_pieces();
    ///     setup.manager(MemType::PRIV, 0x4000, Backing::Emulated, buddy)
    /// })?;
    ///
    /// // Every other page is free.
    /// let pages = [0; 4].map(|_| dev.private(0x1000));
    /// let [_first, second, _third, fourth] = pages;
    /// drop((second, fourth));
    ///
    /// let obj = dev.private(0x2000)?;
    /// obj.reserve().write(0xffe, b"across")?;
    /// let mut bytes = [0; 6];
    /// obj.reserve().read(0xffe, &mut bytes)?;
    /// assert_eq!(&bytes, b"across");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn in_pieces(self) -> Self {
        Self {
            in_pieces: true,
            ..self
        }
    }

    /// The limits of `place` in bytes, if any. They are clamped to the memory before pages are
    /// converted to bytes, so that no bits get lost.
    fn limits(&self, place: &Place) -> Option<Range<u64>> {
        let pages = place.pages();
        let all = self.buddy.size() >> PAGE_SHIFT;
        let (start, end) = (pages.start.min(all), pages.end.min(all));

        (start != 0 || end != all).then(|| start << PAGE_SHIFT..end << PAGE_SHIFT)
    }

    fn mode(&self, request: &Request<'_>) -> Result<GpuBuddyAllocMode> {
        match self.limits(request.place()) {
            // Eviction can't make such room.
            // CAST: Never more than 64 bits.
            Some(limits) if limits.end - limits.start < request.size() as u64 => Err(ENOSPC),
            Some(limits) => Ok(GpuBuddyAllocMode::Range(limits)),
            None if request.place().is_topdown() => Ok(GpuBuddyAllocMode::TopDown),
            None => Ok(GpuBuddyAllocMode::Simple),
        }
    }
}

impl ManagerOps for BuddyManager {
    type Space = Pin<KBox<AllocatedBlocks>>;

    fn alloc(&self, request: &Request<'_>) -> Result<Self::Space> {
        let alignment = usize::try_from(request.alignment())?
            .checked_next_power_of_two()
            .and_then(|pages| pages.checked_mul(PAGE_SIZE))
            .and_then(Alignment::new_checked)
            .ok_or(EINVAL)?;
        // A piece is aligned to its own size, and to no more than that. Several pieces must each
        // be a multiple of that.
        let size = if self.in_pieces {
            request
                .size()
                .checked_next_multiple_of(alignment.as_usize())
        } else {
            Some(request.size().max(alignment.as_usize()))
        };
        let size = size.ok_or(ENOSPC)? as u64;
        let flags = if self.in_pieces {
            GpuBuddyAllocFlags::default()
        } else {
            GpuBuddyAllocFlag::Contiguous.into()
        };

        if size > self.buddy.size() {
            return Err(ENOSPC);
        }
        KBox::pin_init(
            self.buddy
                .alloc_blocks(self.mode(request)?, size, alignment, flags),
            GFP_KERNEL,
        )
        // The allocator returns this error for sizes that exceed the space or don't suit the
        // limits.
        .map_err(|e| if e == EINVAL { ENOSPC } else { e })
    }

    fn start(&self, space: &Self::Space) -> u64 {
        let first = space.iter().map(|block| block.offset()).min();

        // Without blocks there would be no space.
        first.unwrap_or(u64::MAX) >> PAGE_SHIFT
    }

    fn pieces(&self, space: &Self::Space, request: &Request<'_>, list: &mut PageList) -> Result {
        if !self.in_pieces {
            let start = self.start(space);

            // CAST: Never more than 64 bits.
            return list.push(start..start + request.pages() as u64);
        }
        space.iter().try_for_each(|block| {
            let start = block.offset() >> PAGE_SHIFT;

            list.push(start..start + (block.size() >> PAGE_SHIFT))
        })
    }

    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "buddy: {} of {} bytes free",
            self.buddy.avail(),
            self.buddy.size()
        )
    }
}
