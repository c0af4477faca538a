// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Errors when a device or a buffer is made.

use super::{
    super::{
        Backing,
        Setup, //
    },
    *, //
};
use crate::debugfs;

const SIZE: usize = 0x1000;

/// The result of doing `f` twice when a device is made.
fn twice(mut f: impl FnMut(&mut Setup<'_>) -> Result) -> Result<(Result, Result)> {
    let mut results = (Ok(()), Ok(()));

    Device::with(|setup| {
        results = (f(setup), f(setup));
        Ok(())
    })?;
    Ok(results)
}

/// The result of making a buffer with `config`.
fn made(dev: &Device, config: &ObjectConfig<'_, BufferData>) -> Result {
    let mut ctx = OperationCtx::new();

    Object::new(dev.drm(), SIZE, config, &mut ctx, Kind::Kept).map(|_| ())
}

#[kunit_tests(rust_ttm_refusals)]
mod cases {
    use super::*;

    #[test]
    fn a_memory_type_has_one_manager() -> Result {
        let managers = twice(|setup| setup.range_manager(MemType::PRIV, SIZE, Backing::Emulated))?;

        assert_eq!(managers, (Ok(()), Err(EEXIST)));
        Ok(())
    }

    #[test]
    fn a_device_has_one_shrinker() -> Result {
        assert_eq!(twice(|setup| setup.shrinker())?, (Ok(()), Err(EEXIST)));
        Ok(())
    }

    #[test]
    fn a_device_has_one_folder_in_debugfs() -> Result {
        let dir = debugfs::Dir::new(c"ttm-refusals");
        let folders = twice(|setup| setup.debugfs(&dir, c"managers"))?;

        assert_eq!(folders, (Ok(()), Err(EEXIST)));
        Ok(())
    }

    #[test]
    fn a_buffer_has_one_reservation() -> Result {
        let dev = Device::new()?;
        let (resv, other) = (Resv::new()?, Resv::new()?);
        let bulk = BulkMove::new(&dev, resv.clone())?;
        let with = |resv| ObjectConfig {
            bulk: Some(&bulk),
            resv: Some(resv),
            ..ObjectConfig::default()
        };

        assert_eq!(made(&dev, &with(&other)), Err(EINVAL));
        assert_eq!(made(&dev, &with(&resv)), Ok(()));
        Ok(())
    }

    // No buffer was made, not even temporarily.
    #[test]
    fn a_bulk_of_another_device() -> Result {
        let (dev, other) = (Device::new()?, Device::new()?);
        let bulk = BulkMove::new(&other, Resv::new()?)?;
        let config = ObjectConfig {
            bulk: Some(&bulk),
            ..ObjectConfig::default()
        };

        assert_eq!(made(&dev, &config), Err(EXDEV));
        assert_eq!(dev.driver_data().deletions(), 0);
        Ok(())
    }
}
