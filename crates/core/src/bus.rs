//! Node-to-node transport.
/// Node-to-node transport.
pub trait Bus: Send + Sync + std::fmt::Debug {}
/// The bus of a single process.
#[derive(Debug, Default)]
pub struct InProcessBus {}
impl Bus for InProcessBus {}
