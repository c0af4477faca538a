// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A sync file gets one descriptor.

use kernel::{
    fs::file::FileDescriptorReservation,
    sync_file::SyncFile, //
};

fn case(file: SyncFile, a: FileDescriptorReservation, b: FileDescriptorReservation) {
    file.install(a);
    #[cfg(not(control))]
    file.install(b); //~ error[E0382]: use of moved value: `file`
}
