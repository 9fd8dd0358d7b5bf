//! What users publish of themselves: per device a number, and one text. Not whether they are there
//! ([`crate::presence`]), though coming and going changes it.

use crate::id::{DeviceId, UserId};

/// A user's status, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedStatus {
    /// Whose.
    pub user: UserId,
    /// Per device: 0 offline, 1 online, other numbers mean what the app wants.
    pub devices: Vec<(DeviceId, i32)>,
    /// A text of the app's choice.
    pub ext: String,
    /// When the user published it, came or went last: Unix time in milliseconds; 0 for never.
    pub changed_ms: u64,
}
