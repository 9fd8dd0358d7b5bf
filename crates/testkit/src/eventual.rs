//! Waiting for something to become so.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

/// Nothing in a test takes longer, on the slowest machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Asks again until the answer is `Ok`. For the outermost layer only, where nothing tells when it is so.
///
/// # Panics
/// When it is not so within [`DEADLINE`]; says the last answer.
pub async fn eventually<T, E: Debug, F: Future<Output = Result<T, E>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(not_yet) => {
                assert!(tokio::time::Instant::now() < deadline, "{what}: still {not_yet:?}");
                tokio::time::sleep(ASK_AGAIN).await;
            }
        }
    }
}
