// SPDX-License-Identifier: GPL-2.0 OR MIT

//! How to make an object.

use super::{
    BulkMove,
    DriverObject,
    Placement,
    Resv, //
};
use crate::sync::Arc;

/// How to make an [`Object`](super::Object).
///
/// # Examples
///
/// ```
/// use kernel::drm::ttm::{
///     test_device, BulkMove, Object, ObjectConfig, OperationCtx, Placement, Resv,
/// };
///
/// let dev = test_device::Device::new()?;
/// let bulk = BulkMove::new(&dev, Resv::new()?)?;
/// let config = ObjectConfig {
///     placement: Placement::VRAM,
///     bulk: Some(&bulk),
///     priority: 2,
///     ..ObjectConfig::default()
/// };
/// let obj = Object::<test_device::BufferData>::new(
///     dev.drm(),
///     0x1000,
///     &config,
///     &mut OperationCtx::new(),
///     test_device::Kind::Kept,
/// )?;
/// assert_eq!(obj.reserve().bulk_id(), Some(bulk.id()));
///
/// // The list begins with the lower priority, which is evicted first.
/// let low = dev.vram(0x1000)?;
/// assert_eq!(dev.order()?, [low.buffer().id(), obj.buffer().id()]);
/// # Ok::<(), Error>(())
/// ```
///
/// A config that contradicts itself, or the device, is refused:
///
/// ```
/// use kernel::drm::ttm::{
///     test_device, BulkMove, Object, ObjectConfig, OperationCtx, Placement, Resv,
/// };
///
/// type Config<'a> = ObjectConfig<'a, test_device::BufferData>;
///
/// let dev = test_device::Device::new()?;
/// let other = test_device::Device::new()?;
/// let bulk = BulkMove::new(&other, Resv::new()?)?;
/// let fails = |size, config: Config<'_>| {
///     let mut ctx = OperationCtx::new();
///     Object::new(dev.drm(), size, &config, &mut ctx, test_device::Kind::Kept).err()
/// };
///
/// assert_eq!(fails(0, Config::default()), Some(EINVAL));
/// assert_eq!(fails(1, Config { priority: 4, ..Config::default() }), Some(EINVAL));
/// assert_eq!(fails(1, Config { bulk: Some(&bulk), ..Config::default() }), Some(EXDEV));
///
/// // There is 1 MiB of VRAM.
/// let placement = Placement::VRAM;
/// assert_eq!(fails(1 << 21, Config { placement, ..Config::default() }), Some(ENOSPC));
/// # Ok::<(), Error>(())
/// ```
pub struct ObjectConfig<'a, T: DriverObject> {
    /// Its first place. By default, system memory.
    pub placement: Placement<'a>,

    /// The alignment of its place, in pages. By default, and with 0, any place will do.
    pub alignment: u32,

    /// Buffers with a lower priority are evicted first. Less than
    /// [`Object::PRIORITIES`](super::Object::PRIORITIES); 0 by default.
    pub priority: u32,

    /// A reservation to share. By default the object has one of its own, or that of `bulk`.
    pub resv: Option<&'a Arc<Resv>>,

    /// A bulk to join, and share the reservation of.
    pub bulk: Option<&'a BulkMove<T::Driver>>,
}

impl<T: DriverObject> Default for ObjectConfig<'_, T> {
    fn default() -> Self {
        Self {
            placement: Placement::SYSTEM,
            alignment: 0,
            priority: 0,
            resv: None,
            bulk: None,
        }
    }
}
