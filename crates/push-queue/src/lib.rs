//! From a message that found its receiver away to the push provider.

pub mod certificates;
pub mod route;
