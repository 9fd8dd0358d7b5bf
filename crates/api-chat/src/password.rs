//! Passwords: kept as argon2id hashes, made and checked on threads of their own and not too many at once.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::ChatError;

/// Hashes in progress: each takes 19 MiB and some 20 ms of a core.
const AT_ONCE: usize = 2;

/// Requests that wait for their turn; one more is refused with 503.
const WAITING: usize = 256;

/// Makes and checks password hashes.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(AT_ONCE + WAITING)) }
    }
}

/// OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

impl Passwords {
    /// The hash of a password, with a salt of its own, in the PHC format.
    ///
    /// # Errors
    /// When too many wait, or the system gives no random numbers.
    pub async fn hash(&self, password: &str) -> Result<String, ChatError> {
        let password = password.to_owned();
        self.run(move || argon2().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string()))
            .await?
            .ok_or_else(ChatError::internal)
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash the time is taken all the same, so that
    /// nobody learns who is registered.
    ///
    /// # Errors
    /// When too many wait.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, ChatError> {
        const NOBODYS: &str =
            "$argon2id$v=19$m=19456,t=2,p=1$c3RlbnRvcnN0ZW50b3I$SnL4dFxP9bJ2PGJmQ4Q2ZGSgf1L9pX0ZKHqFMu3DAnk";
        let (password, known) = (password.to_owned(), hash.is_some());
        let hash = hash.unwrap_or(NOBODYS).to_owned();
        let same = self
            .run(move || {
                PasswordHash::new(&hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(same && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ChatError> {
        let _place = self.places.try_acquire().map_err(|_full| ChatError::unavailable())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_closed| ChatError::internal())?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_panicked| ChatError::internal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_of_one_password_and_salted() {
        let passwords = Passwords::default();
        let hash = passwords.hash("secret").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("secret").await.unwrap());
        assert!(passwords.verify("secret", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("Secret", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("secret", None).await.unwrap());
        assert!(!passwords.verify("secret", Some("nonsense")).await.unwrap());
    }
}
