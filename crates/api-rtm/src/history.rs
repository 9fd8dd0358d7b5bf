//! History: messages that were sent with `enable_historical_messaging`, seven days long (RTM history documents, 2020).
//!
//! A query is posted and answered with a handle; the handle gets the messages. Nothing is kept between the two: the
//! handle carries the query, signed, and the query runs when the handle is used.

pub mod count;
pub mod filter;
pub mod handle;
pub mod query;
pub mod result;
pub mod time;
