//! Users: from their registration to their end.

mod changes;
mod deletion;
mod reading;
mod registration;
mod status;
