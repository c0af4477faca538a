// SPDX-License-Identifier: GPL-2.0 OR MIT

#![cfg(CONFIG_RUST_DRM_TTM)]

//! TTM: buffers that live in several kinds of memory, and move between them.
//!
//! A [`Device`] has a [`Manager`] for each of its memory types. Its buffers are GEM objects, of
//! type [`Object`]; to change one, its reservation must be held ([`Reserved`]). A buffer that is
//! evictable is on the LRU list of the manager of its memory type. Buffers that are used together
//! share a reservation ([`Resv`]) and a [`BulkMove`], to go to the list's tail in one go.
//!
//! A [`Cursor`] walks a manager's list. A step needs the device's LRU lock; work on a buffer needs
//! it dropped. So a walk takes a reference to the buffer, parks a hitch in the list, drops the
//! lock, and continues from the hitch when it has the lock again. It returns every buffer that
//! stayed on the list meanwhile.
//!
//! ```
//! use core::pin::pin;
//! use kernel::drm::ttm::{test_device, MemType, OperationCtx};
//!
//! // A virtual device with 1 MiB of VRAM, and three buffers of 64 KiB there.
//! let dev = test_device::Device::new()?;
//! let buffers = [dev.vram(0x10000)?, dev.vram(0x10000)?, dev.vram(0x10000)?];
//!
//! // Evict all of them.
//! let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
//! let mut cursor = pin!(vram.cursor());
//! let mut walk = cursor.as_mut().lock();
//! let mut evicted = 0;
//! while let Some(res) = walk.next() {
//!     assert_eq!(res.size(), 0x10000);
//!     // Here the lock isn't held.
//!     let done = walk.with_buffer(|bo| bo.reserve().evict(&mut OperationCtx::new()));
//!     if let Some(Ok(())) = done {
//!         evicted += 1;
//!     }
//! }
//! drop(walk);
//!
//! assert_eq!(evicted, 3);
//! assert_eq!(buffers[0].reserve().mem_type(), Some(MemType::SYSTEM));
//! # Ok::<(), Error>(())
//! ```
//!
//! # Locks
//!
//! A buffer's reservation comes before the device's LRU lock, which is a spinlock: nothing may
//! sleep while a [`Walk`] or a [`Lru`] exists. In particular the last reference to a buffer must
//! not be dropped then; [`Walk::with_buffer`] drops its own reference before it takes the lock
//! again. A thread that takes two reservations without a [`transaction()`], or two LRU locks, can
//! deadlock; lockdep reports this. The LRU lock is taken by all that changes where a
//! buffer is on the lists (pinning and unpinning, bulks, moves, allocation, freeing), by
//! [`Manager::usage`], and by dropping a [`Cursor`].
//!
//! A drop never waits for a reservation: a [`Pinned`], a [`Mapping`] or the last reference to an
//! [`Object`] may be dropped while the thread holds the buffer's reservation. If the reservation
//! isn't free, a work item takes it and does the rest later.
//!
//! [`Documentation/gpu/ttm-rust.rst`](srctree/Documentation/gpu/ttm-rust.rst) says how to write a
//! driver, step by step.
//!
//! C headers: [`include/drm/ttm/`](srctree/include/drm/ttm/)

mod access;
mod buddy;
mod buffer;
mod bulk;
mod bytes;
mod clear;
mod contention;
mod cursor;
mod device;
mod dma;
mod dma_buf;
mod driver;
#[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
mod emulation;
mod fdinfo;
mod fence_slot;
mod imports;
mod late;
mod lru;
mod manager;
mod manager_ops;
mod mapping;
mod moves;
mod no_data;
mod object;
mod object_config;
mod order;
mod pieces;
mod pinned;
mod placement;
mod prime;
mod raw_device;
mod reach;
mod reclaim;
mod registration;
mod reserved;
mod reserved_walk;
mod resource;
mod resv;
mod setup;
mod suspend;
// Doctests, which are part of the kernel image, use it. Its symbols are not exported, so a module
// cannot link to it.
#[cfg(CONFIG_KUNIT = "y")]
#[doc(hidden)]
pub mod test_device;
#[cfg(CONFIG_KUNIT = "y")]
mod tests;
mod transaction;
mod tt;
mod validate;
mod window;

#[cfg(CONFIG_RUST_DRM_TTM_EMULATION)]
pub use self::emulation::{
    CopyJob,
    Job,
    JobBuilder,
    JobMemory, //
};
pub use self::{
    buddy::BuddyManager,
    buffer::{
        Buffer,
        BufferId, //
    },
    bulk::{
        BulkId,
        BulkMove, //
    },
    clear::{
        Clear,
        ClearBy, //
    },
    cursor::{
        Cursor,
        Walk, //
    },
    device::Device,
    dma::Dma,
    driver::{
        Driver,
        DriverObject, //
    },
    fdinfo::show_memory,
    fence_slot::{
        FenceSlot,
        FenceUsage, //
    },
    lru::{
        Lru,
        Node, //
    },
    manager::Manager,
    manager_ops::{
        ManagerOps,
        Request, //
    },
    mapping::Mapping,
    moves::{
        Move,
        MoveBy,
        Space, //
    },
    no_data::NoData,
    object::Object,
    object_config::ObjectConfig,
    pieces::{
        Address,
        Copies,
        Piece,
        Pieces, //
    },
    pinned::Pinned,
    placement::{
        Caching,
        MemType,
        OperationCtx,
        Place,
        Placement, //
    },
    reach::PageList,
    registration::{
        register,
        FauxRegistration, //
    },
    reserved::Reserved,
    reserved_walk::{
        LeftOut,
        ReservedBuffer,
        ReservedWalk, //
    },
    resource::Resource,
    resv::{
        AsBuffer,
        HasResv,
        Resv, //
    },
    setup::{
        Backing,
        Setup, //
    },
    suspend::Suspended,
    transaction::{
        transaction,
        Stop,
        Transaction, //
    },
    window::{
        Lender,
        Window, //
    },
};
