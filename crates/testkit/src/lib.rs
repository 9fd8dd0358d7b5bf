//! Starts servers and clients in tests.
//!
//! [`TestServer`] is a server in the test's own process, on a free port and in a directory of its own;
//! [`TestProcess`] is the real binary, which can be killed and started again. [`Http`] and [`TestServer::client`] speak
//! to them. Nothing here waits for a fixed time: [`eventually`] asks again until it is so.

mod apps;
mod eventual;
mod http;
mod process;
mod server;
mod tenant;

pub use apps::{
    APP, CALLBACK_SECRET, CERTIFICATE, CHAT, OPEN_APP, OTHER_APP, OTHER_CERTIFICATE, OTHER_CHAT, TestApp, token,
    token_006,
};
pub use eventual::{DEADLINE, eventually};
pub use http::{Http, Reply, exchange};
pub use process::{Ended, TestProcess, in_workspace};
pub use server::{TestServer, TestServerBuilder};
pub use stentor_callbacks::receiver::{Behaviour, Received, Receiver};
pub use stentor_core::clock::ManualClock;
pub use stentor_gateway_ws::client::{
    ChatAppName, ChatClient, ChatCredential, ChatEvent, ChatLogin, ChatMessage, ChatOutgoing, ChatType, Client,
    ClientError, ClientEvent, ClientLogin, ClientOptions,
};
pub use tenant::Tenant;

/// When a [`ManualClock`] of a test starts: Unix time in milliseconds.
pub const START_MS: u64 = 1_700_000_000_000;
