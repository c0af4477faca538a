// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Space in a memory type.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    BufferId,
    BulkId,
    MemType, //
};
use crate::{
    bindings,
    types::Opaque, //
};

/// The space of a buffer in a memory type, on an LRU list.
///
/// A resource enters the list before its manager has allocated the space. So this doesn't show
/// where the space begins.
///
/// # Invariants
///
/// `self.0` is a valid `struct ttm_resource` on an LRU list, and the LRU lock of its device is
/// held, as long as there is a reference to `self`.
#[repr(transparent)]
pub struct Resource(Opaque<bindings::ttm_resource>);

impl Resource {
    /// # Safety
    ///
    /// `res` must be as the type's invariants say, for `'a`.
    #[inline]
    pub(super) unsafe fn from_raw<'a>(res: *mut bindings::ttm_resource) -> &'a Self {
        // CAST: `Self` is transparent.
        // INVARIANT: By the function's requirements.
        // SAFETY: `res` is valid for `'a` and as the type's invariants say, by the function's
        // requirements. `Self` is a transparent wrapper of a resource, in an `Opaque`, so that C
        // may write to it.
        unsafe { &*res.cast() }
    }

    /// Its size in bytes.
    #[inline]
    pub fn size(&self) -> usize {
        // SAFETY: By the type invariants the resource is valid. Its size doesn't change while it is
        // on a list.
        unsafe { (*self.0.get()).size }
    }

    /// Its memory type.
    #[inline]
    pub fn mem_type(&self) -> MemType {
        // SAFETY: By the type invariants the resource is valid. Its memory type doesn't change
        // while it is on a list.
        let n = unsafe { (*self.0.get()).mem_type };

        MemType::new(n).unwrap_or(MemType::SYSTEM)
    }

    /// The priority of the list that it is on.
    #[inline]
    pub fn priority(&self) -> u32 {
        // SAFETY: By the type invariants the resource is valid, and the LRU lock, which protects
        // its state, is held.
        unsafe { bindings::ttm_lru_item_priority(&raw const (*self.0.get()).lru) }
    }

    /// The buffer that it belongs to, if any.
    #[inline]
    pub fn buffer_id(&self) -> Option<BufferId> {
        // SAFETY: By the type invariants the resource is valid, and the LRU lock, which protects
        // its pointer to a buffer, is held.
        let bo = unsafe { (*self.0.get()).bo };

        (!bo.is_null()).then(|| BufferId::new(bo))
    }

    /// The bulk in whose range it is, if it is in one.
    #[inline]
    pub fn bulk_id(&self) -> Option<BulkId> {
        let res = self.0.get();

        // SAFETY: By the type invariants the resource is valid, and the LRU lock, which protects
        // its state, is held.
        if !unsafe { bindings::ttm_lru_item_in_range(&raw const (*res).lru) } {
            return None;
        }

        // SAFETY: By the type invariants the resource is valid. A resource in a range belongs to a
        // buffer, which is valid as long as its resource is on a list. The LRU lock, which protects
        // its bulk, is held.
        BulkId::new(unsafe { (*(*res).bo).bulk_move })
    }
}

/// Whether the space of `res` is made of the buffer's pages.
///
/// # Safety
///
/// `res` must be a valid resource of a buffer.
pub(super) unsafe fn uses_pages(res: *const bindings::ttm_resource) -> bool {
    // SAFETY: `res` is a valid resource of a buffer, which is valid as long as that, by the
    // function's requirements. Its memory type has a manager on the buffer's device, which
    // allocated it; neither they nor `use_tt` change.
    unsafe {
        let bdev = (*(*res).bo).bdev;

        (*(*bdev).man_drv[(*res).mem_type as usize]).use_tt
    }
}
