// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The lock of a device's LRU lists.
//!
//! C header: [`include/drm/ttm/ttm_resource.h`](srctree/include/drm/ttm/ttm_resource.h)

use super::{
    Device,
    Driver,
    MemType,
    Resource, //
};
use crate::{
    bindings,
    container_of,
    sync::lock::{
        spinlock::SpinLockBackend,
        Guard, //
    },
    types::NotThreadSafe, //
};
use core::ffi::c_void;

/// The lock of a device's LRU lists is held, and no cursor is between a step and its pause.
///
/// The device lends this ([`Device::lru`]), or a walk ([`Walk::lru`]). Forgetting it leaks the
/// device's lock, but not a walk's, which the walk drops.
///
/// [`Walk::lru`]: super::Walk::lru
///
/// # Examples
///
/// ```
/// use core::pin::pin;
/// use kernel::drm::ttm::{test_device, MemType, Node};
///
/// let dev = test_device::Device::new()?;
/// let obj = dev.vram(0x1000)?;
///
/// // Nothing may be allocated while the lock is held.
/// let mut picture = KVec::with_capacity(4, GFP_KERNEL)?;
///
/// let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());
/// let mut walk = cursor.as_mut().lock();
/// assert!(walk.next().is_some());
///
/// // The walk's own hitch is behind the buffer that it returned last.
/// walk.lru().visit(MemType::VRAM, |node| {
///     let _ = picture.push_within_capacity(match node {
///         Node::Resource(_) => b'x',
///         Node::Hitch => b'H',
///     });
/// });
/// assert_eq!(&picture[..], b"xH");
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// The LRU lock of `dev` is held for `'a`, and while `self` exists, only its owner changes the
/// lists. No cursor is advanced without being paused.
pub struct Lru<'a, T: Driver> {
    dev: &'a Device<T>,
    _guard: Option<Guard<'a, (), SpinLockBackend>>,
    _not_send: NotThreadSafe,
}

/// A node of an LRU list.
pub enum Node<'a> {
    /// The resource of a buffer.
    Resource(&'a Resource),
    /// The hitch of a walk.
    Hitch,
}

impl<'a, T: Driver> Lru<'a, T> {
    /// Takes the lock.
    pub(super) fn lock(dev: &'a Device<T>) -> Self {
        // INVARIANT: The lock is held as long as the guard is there.
        Self {
            dev,
            _guard: Some(dev.lru_lock().lock()),
            _not_send: NotThreadSafe,
        }
    }

    /// # Safety
    ///
    /// The caller must have established the type invariants.
    pub(super) unsafe fn assume_locked(dev: &'a Device<T>) -> Self {
        // INVARIANT: By the function's requirements.
        Self {
            dev,
            _guard: None,
            _not_send: NotThreadSafe,
        }
    }

    /// The device.
    pub fn device(&self) -> &'a Device<T> {
        self.dev
    }

    /// Calls `visit` for all nodes on the lists of a memory type, in the order of a walk.
    ///
    /// This holds the lock all the time, so use it for tests and pictures only.
    pub fn visit(&mut self, mem_type: MemType, mut visit: impl FnMut(Node<'_>)) {
        let Some(man) = self.dev.manager(mem_type) else {
            return;
        };

        let visit_item = |item: *const bindings::ttm_lru_item| {
            // SAFETY: The LRU lock is held by the type invariants, so the item is valid.
            if unsafe { is_hitch(item) } {
                return visit(Node::Hitch);
            }

            // SAFETY: It is embedded in a resource, which is valid as long as the lock is held.
            let res = unsafe {
                Resource::from_raw(container_of!(item, bindings::ttm_resource, lru).cast_mut())
            };
            visit(Node::Resource(res));
        };
        // SAFETY: By the type invariants the lock is held, and `man` is one of the device's.
        unsafe { visit_raw(man.as_raw(), visit_item) };
    }
}

/// Tells hitches from resources.
///
/// # Safety
///
/// `item` must be valid, and the LRU lock be held.
pub(super) unsafe fn is_hitch(item: *const bindings::ttm_lru_item) -> bool {
    let hitch = u64::from(bindings::ttm_lru_item_type_TTM_LRU_HITCH);

    // SAFETY: `item` is valid, and the LRU lock, under which its state changes, is held, by the
    // function's requirements.
    unsafe { (*item).state & hitch != 0 }
}

/// Calls `visit` for all items on the lists of `man`.
///
/// # Safety
///
/// `man` must be a valid manager, and the LRU lock of its device be held. The latter is asserted by
/// lockdep.
pub(super) unsafe fn visit_raw<F>(man: *mut bindings::ttm_resource_manager, mut visit: F)
where
    F: FnMut(*const bindings::ttm_lru_item),
{
    /// # Safety
    ///
    /// `item` must be valid; `arg` must be a valid pointer to an `F` that no other code uses.
    unsafe extern "C" fn callback<F>(item: *const bindings::ttm_lru_item, arg: *mut c_void)
    where
        F: FnMut(*const bindings::ttm_lru_item),
    {
        // SAFETY: `arg` is a valid pointer to an `F` that no other code uses, by the function's
        // requirements; the borrow ends with this call.
        let visit = unsafe { &mut *arg.cast::<F>() };

        visit(item);
    }

    // SAFETY: `man` is a valid manager and the LRU lock of its device is held, by the function's
    // requirements. No other code uses `visit` during the call, and it is an `F`, as `callback`
    // requires.
    unsafe {
        bindings::ttm_resource_manager_visit_lru(man, Some(callback::<F>), (&raw mut visit).cast())
    };
}
