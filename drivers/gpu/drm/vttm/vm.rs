// SPDX-License-Identifier: GPL-2.0 OR MIT

//! VMs: buffers that are used together.

use crate::{
    driver::{
        VttmDevice,
        VttmDriver, //
    },
    file::File,
    gem::Late,
    gpu::Hardware, //
};
use kernel::{
    drm::{
        self,
        ttm::{
            BulkMove,
            Resv, //
        },
        Registered, //
    },
    prelude::*,
    rbtree::RBTree,
    sync::Arc,
    uapi, //
};

/// A VM. Its buffers share a reservation, and move to the tails of their LRU lists together.
pub(crate) struct Vm {
    /// The number that the LRU lists show to programs.
    pub(crate) id: u64,
    pub(crate) bulk: BulkMove<VttmDriver>,
    pub(crate) late: Arc<Late>,
}

/// The VMs of a file.
pub(crate) struct Vms {
    by_id: RBTree<u32, Arc<Vm>>,
    last_id: u32,
}

impl Vms {
    pub(crate) fn new() -> Self {
        Self {
            by_id: RBTree::new(),
            last_id: 0,
        }
    }

    fn add(&mut self, vm: Arc<Vm>) -> Result<u32> {
        // An id isn't reused, so that a program can't mistake a new VM for an old one.
        let id = self.last_id.checked_add(1).ok_or(ENOSPC)?;

        self.by_id.try_create_and_insert(id, vm, GFP_KERNEL)?;
        self.last_id = id;
        Ok(id)
    }

    pub(crate) fn get(&self, id: u32) -> Result<Arc<Vm>> {
        self.by_id.get(&id).cloned().ok_or(ENOENT)
    }
}

impl File {
    pub(crate) fn vm_create(
        dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_vm_create,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.flags != 0 {
            return Err(EINVAL);
        }
        let vm = Arc::new(
            Vm {
                id: dev.next_id(),
                bulk: BulkMove::new(dev, Resv::new()?)?,
                late: Late::new()?,
            },
            GFP_KERNEL,
        )?;

        args.vm_id = file.inner().vms.lock().add(vm)?;
        Ok(0)
    }

    pub(crate) fn vm_destroy(
        _dev: &VttmDevice<Registered>,
        _data: &Hardware,
        args: &mut uapi::drm_vttm_vm_destroy,
        file: &drm::File<Self>,
    ) -> Result<u32> {
        if args.pad != 0 {
            return Err(EINVAL);
        }
        // Not dropped with the lock held.
        let vm = file.inner().vms.lock().by_id.remove(&args.vm_id);
        vm.map(|_| 0).ok_or(ENOENT)
    }
}
