// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The misuses: each of the things in each of the places.
//!
//! The program reads this file: an entry's number is its place in the list, and the words behind
//! its name are for it.
//!
//! - `device`: it keeps the device.
//! - `pending`: a thread waits until it is dropped.
//! - `waits`: dropping it waits for a foreign fence; or it is kept until that is signaled.
//! - `late`: when it was dropped, it takes until then.
//! - `exit`: the module's exit drops it.
//! - `own`: it has a device of its own.
//! - `guard`: it borrows, so it can only be forgotten.
//! - `locks`: lockdep reports, as it should, that a lock is held when the program continues.
//! - `lost`: the value there can't be dropped any more.
//!
//! Guards of spinlocks ([`Walk`] and [`Lru`]) are left out. As with all spinlocks, the next thread
//! to take a forgotten one spins for ever.
//!
//! [`Walk`]: kernel::drm::ttm::Walk
//! [`Lru`]: kernel::drm::ttm::Lru

macro_rules! numbered {
    ($(#[$attr:meta])* enum $name:ident {
        $($(#[$doc:meta])* $entry:ident: $($word:ident)*,)*
    }) => {
        $(#[$attr])*
        #[derive(Clone, Copy)]
        pub(crate) enum $name { $($(#[$doc])* $entry,)* }

        impl $name {
            const ALL: &[Self] = &[$(Self::$entry,)*];

            pub(crate) fn from_number(number: usize) -> Option<Self> {
                Self::ALL.get(number).copied()
            }
        }
    };
}

numbered! {
    /// The values of safe code.
    enum Thing {
        /// A buffer in VRAM.
        Object: device,
        /// One with pages.
        System: device,
        /// One that was swapped out.
        SwappedOut: device,
        /// One that a foreign fence keeps busy.
        Busy: device late,
        /// One that was evicted behind a foreign fence, and left a ghost.
        Ghost: device late,
        /// A pin.
        Pinned: device,
        /// A mapping for the kernel.
        Mapping: device,
        /// A VM as drivers have it, with a buffer that has a reference to it.
        Vm: device,
        /// A bulk without members.
        Bulk: device,
        /// A reservation.
        Resv: ,
        /// A fence that the driver has to signal, with a sync file that the program has.
        Pending: ,
        /// A fence that isn't published yet.
        Prepared: ,
        /// A timeline.
        Timeline: ,
        /// A fence that is signaled.
        Fence: ,
        /// Memory for a fence, with data.
        Allocation: ,
        /// A callback that a foreign fence has.
        Callback: ,
        /// A job that uses a buffer.
        Job: pending,
        /// A job that moves a buffer.
        CopyJob: device pending,
        /// A value that registers a device when it is dropped, a while after the module's exit has
        /// ended.
        Successor: ,
        /// A sync file that no program has.
        SyncFile: ,
        /// A work queue with an item that waits for a foreign fence.
        Queue: waits,
        /// The same, with a thread that waits.
        Thread: waits,
        /// The DRM device.
        Device: device,
        /// A second device.
        Registration: own,
        /// A second device's parent.
        Parent: own,
        /// A buffer of a second device that is gone.
        Orphan: own,
        /// A buffer whose pin was dropped with the reservation held: a work item gives it back.
        Unpinned: device,
        /// A callback and a waker that came too late: the fence was signaled, and has neither.
        TooLate: ,

        /// A buffer's reservation, held.
        Reserved: guard locks,
        /// A reservation without a buffer, held.
        ReservedResv: guard locks,
        /// A cursor on the heap, in the middle of a walk.
        Cursor: guard,
        /// A walk on the heap that hands out buffers, in the middle.
        ReservedWalk: guard,
        /// A buffer that such a walk has handed out.
        ReservedBuffer: guard locks,
        /// The same, where a manager of the driver's own has it.
        ReservedInOwn: guard locks,
        /// A buffer's reservation in a transaction.
        InTransaction: guard locks,
        /// A job that is being made.
        JobBuilder: guard,
        /// A device that isn't registered yet. It can't be sent to another thread.
        Unregistered: guard,
    }
}

numbered! {
    /// Where it is kept.
    enum Place {
        /// Dropped by the module, before the device is unregistered.
        Before: exit,
        /// Dropped by the module, after that.
        After: exit,
        /// Nowhere.
        Forgotten: lost,
        /// In a `static`.
        Static: lost,
        /// With an `Arc` that has a reference to itself.
        Cycle: lost,
        /// In the driver's part of a buffer, which goes after the device was unregistered.
        Buffer: exit,
        /// In the driver's part of a buffer that is a zombie until a foreign fence is signaled.
        Zombie: ,
        /// In the driver's part of the device.
        Device: ,
        /// In the driver's part of an open file.
        File: ,
        /// In a callback that waits for a foreign fence.
        Waker: waits,
        /// In an item of a work queue.
        Work: ,
        /// In an item that the module's exit enqueues, to a queue that it then forgets.
        Exit: exit,
    }
}
