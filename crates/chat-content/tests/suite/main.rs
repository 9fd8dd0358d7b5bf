//! Tests of the public functions, linked once.

// `cfg(test)` tells clippy that helpers in these files are test code too.
#[cfg(test)]
mod fields;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod normal;
#[cfg(test)]
mod payload;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod size;
