// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Sync files: DMA fences as files.
//!
//! C header: [`include/linux/sync_file.h`](srctree/include/linux/sync_file.h)

use crate::{
    bindings,
    dma_fence::Fence,
    fs::file::{
        File,
        FileDescriptorReservation, //
    },
    prelude::*,
    sync::aref::ARef,
    task::Task, //
};
use core::ptr::NonNull;

/// A file that stands for a fence: programs can wait for it, and give it to other drivers.
///
/// # Examples
///
/// ```
/// use kernel::{
///     dma_fence::DriverFence,
///     fs::file::{flags, FileDescriptorReservation},
///     sync_file::SyncFile, //
/// };
///
/// // Do first what can fail ...
/// let fd = FileDescriptorReservation::get_unused_fd_flags(flags::O_CLOEXEC)?;
/// let work = DriverFence::new(c"my-driver", c"ring 0")?;
/// let file = SyncFile::new(&work.fence())?;
///
/// // ... and when the work is under way, this doesn't.
/// let number = i32::try_from(fd.reserved_fd())?;
/// file.install(fd);
///
/// // A program passes it to a driver, which begins when the work is done.
/// let fence = SyncFile::fence_of(number)?;
/// assert!(!fence.is_signaled());
/// work.signal(Ok(()));
/// assert!(fence.is_signaled());
///
/// # // SAFETY: It was installed above.
/// # unsafe { kernel::bindings::close_fd(u32::try_from(number)?) };
/// assert_eq!(SyncFile::fence_of(number).err(), Some(EINVAL));
/// # Ok::<(), Error>(())
/// ```
pub struct SyncFile(ARef<File>);

impl SyncFile {
    /// Makes a file for a fence.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn new(fence: &Fence) -> Result<Self> {
        // SAFETY: The fence is valid. The file takes a reference to it.
        let sync_file = unsafe { bindings::sync_file_create(fence.as_raw()) };
        if sync_file.is_null() {
            return Err(ENOMEM);
        }

        // SAFETY: It was just made, with a file, whose only reference is given away here. It has no
        // descriptor, so no thread is changing its position.
        Ok(Self(unsafe {
            ARef::from_raw(NonNull::new_unchecked((*sync_file).file.cast()))
        }))
    }

    /// Installs it in the calling program, which doesn't fail.
    pub fn install(self, fd: FileDescriptorReservation) {
        fd.fd_install(self.0);
    }

    /// The fence of the sync file `fd` of the calling program.
    ///
    /// It may be a container of several fences.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if `fd` is no sync file, or if the program has ended and has no files any more.
    pub fn fence_of(fd: i32) -> Result<ARef<Fence>> {
        // SAFETY: The current task is valid, and only it changes which files it has.
        if unsafe { (*Task::current_raw()).files }.is_null() {
            return Err(EINVAL);
        }
        // SAFETY: The task has files, as was just checked.
        let fence = unsafe { bindings::sync_file_get_fence(fd) };

        // CAST: `Fence` is transparent.
        let fence = NonNull::new(fence.cast()).ok_or(EINVAL)?;
        // SAFETY: It is a valid fence, with a reference that is given away here.
        Ok(unsafe { ARef::from_raw(fence) })
    }
}
