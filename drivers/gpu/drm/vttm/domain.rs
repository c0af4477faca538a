// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Domains: the memory types that a program allows for a buffer.

use kernel::{
    drm::ttm::{
        MemType,
        Place,
        Placement, //
    },
    prelude::*,
    uapi, //
};

/// A set of domains, with at least one.
///
/// # Invariants
///
/// No other bits than those in [`Self::ALL`] are set, and at least one is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Domains(u32);

impl Domains {
    const ALL: u32 = uapi::VTTM_DOMAIN_SYSTEM | uapi::VTTM_DOMAIN_GTT | uapi::VTTM_DOMAIN_VRAM;

    // INVARIANT: These are domains, and there is at least one.
    pub(crate) const SYSTEM: Self = Self(uapi::VTTM_DOMAIN_SYSTEM);
    pub(crate) const GTT: Self = Self(uapi::VTTM_DOMAIN_GTT);
    pub(crate) const VRAM: Self = Self(uapi::VTTM_DOMAIN_VRAM);
    /// The domains of imported buffers.
    pub(crate) const PAGES: Self = Self(uapi::VTTM_DOMAIN_SYSTEM | uapi::VTTM_DOMAIN_GTT);
    /// The domains that the GPU reaches.
    const GPU: Self = Self(uapi::VTTM_DOMAIN_GTT | uapi::VTTM_DOMAIN_VRAM);

    pub(crate) fn new(bits: u32) -> Result<Self> {
        if bits == 0 || bits & !Self::ALL != 0 {
            return Err(EINVAL);
        }
        // INVARIANT: Just checked.
        Ok(Self(bits))
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The domains in `wanted`, if all of them are in this set; all of this set if `wanted` is 0.
    pub(crate) fn choose(self, wanted: u32) -> Result<Self> {
        if wanted == 0 {
            return Ok(self);
        }
        let wanted = Self::new(wanted)?;
        self.contains(wanted).then_some(wanted).ok_or(EINVAL)
    }

    /// The domains of the set that the GPU reaches.
    pub(crate) fn of_gpu(self) -> Result<Self> {
        Self::new(self.0 & Self::GPU.0)
    }

    /// The domain of the set, if it has only one.
    pub(crate) fn single(self) -> Result<MemType> {
        match self {
            Self::SYSTEM => Ok(MemType::SYSTEM),
            Self::GTT => Ok(MemType::TT),
            Self::VRAM => Ok(MemType::VRAM),
            _ => Err(EINVAL),
        }
    }

    /// The domain that a buffer belongs to: the first choice.
    pub(crate) fn home(self) -> MemType {
        if self.contains(Self::VRAM) {
            MemType::VRAM
        } else if self.contains(Self::GTT) {
            MemType::TT
        } else {
            MemType::SYSTEM
        }
    }

    /// Whether one of these domains is `mem_type`.
    pub(crate) fn include(self, mem_type: Option<MemType>) -> bool {
        mem_type.is_some_and(|mem_type| self.0 & Self::of(mem_type) != 0)
    }

    /// The domain of a memory type, as programs know it.
    pub(crate) fn of(mem_type: MemType) -> u32 {
        match mem_type {
            MemType::VRAM => uapi::VTTM_DOMAIN_VRAM,
            MemType::TT => uapi::VTTM_DOMAIN_GTT,
            _ => uapi::VTTM_DOMAIN_SYSTEM,
        }
    }

    /// The first domain if it has room. Otherwise the buffer stays, if its domain is in the set.
    /// Otherwise room is made in the first domain, or else in the next one.
    pub(crate) fn placement(self) -> Placement<'static> {
        const SYSTEM: Place = Place::SYSTEM.fallback();
        const GTT: Place = Place::TT.fallback();

        let places: &[Place] = match (
            self.contains(Self::VRAM),
            self.contains(Self::GTT),
            self.contains(Self::SYSTEM),
        ) {
            (true, true, true) => &[Place::VRAM, GTT, SYSTEM],
            (true, true, false) => &[Place::VRAM, GTT],
            (true, false, true) => &[Place::VRAM, SYSTEM],
            (true, false, false) => &[Place::VRAM],
            (false, true, true) => &[Place::TT, SYSTEM],
            (false, true, false) => &[Place::TT],
            // By the type invariant, there is one.
            (false, false, _) => &[Place::SYSTEM],
        };
        // The list isn't empty.
        Placement::new(places).unwrap_or(Placement::SYSTEM)
    }
}
