//! How each format frames its data: the walks shared by probing and by the
//! structure check.

pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod riff;
