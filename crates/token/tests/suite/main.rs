//! Tests of the public functions, linked once.

// `cfg(test)` tells clippy that helpers in these files are test code too.
#[cfg(test)]
mod access;
#[cfg(test)]
mod common;
#[cfg(test)]
mod dynamic;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod v006;
#[cfg(test)]
mod v007;
#[cfg(test)]
mod v007_damage;
