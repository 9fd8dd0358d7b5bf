//! One try to send a push, and whether it is still to be sent.

use stentor_core::id::UserId;
use stentor_core::push::{Binding, NotPushed};
use stentor_push::Line;

use crate::delivery::Delivery;
use crate::queue::{Inner, PushQueue};
use crate::settle::Tried;
use crate::standing::{FRESH_MS, Standing};

/// Why a device is not told after all: it was unbound meanwhile. The documents' word for nobody bound.
const UNBOUND: &str = "no push binding";

impl PushQueue {
    /// Sends a push once, if the device is still to be told. What has waited for a while is looked at again.
    pub(crate) async fn attempt(&self, line: &Line, delivery: &mut Delivery) -> Tried {
        let now_ms = self.0.now_ms();
        if delivery.left_ms(now_ms) == 0 {
            return Tried::Needless("expire message".to_owned());
        }
        let mut reworded = false;
        if delivery.attempts > 0 || delivery.wait_ms > 0 || now_ms.saturating_sub(delivery.sent_at_ms) > FRESH_MS {
            match self.look_again(delivery).await {
                Ok(worded) => reworded = worded,
                Err(reason) => return Tried::Needless(reason),
            }
        }
        let push = delivery.push(now_ms);
        Tried::Asked { outcome: line.send(&push).await, whole: line.part(&push).is_empty(), reworded }
    }

    /// The user may have come or been deactivated, the device may be bound with another token or not at all, and the message
    /// may have been edited. A store that fails now says nothing: rather once too often than not at all. Whether the push
    /// was worded anew; if the device is not to be told any more, why.
    async fn look_again(&self, delivery: &mut Delivery) -> Result<bool, String> {
        let (inner, user) = (&self.0, UserId::from_trusted(&delivery.user));
        let mut edited = None;
        if !delivery.direct {
            match inner.standing(&user, delivery.message()).await {
                Standing::Waits(message) => {
                    edited = message.filter(|message| message.marks.edits != delivery.edits);
                }
                Standing::Gone(reason) => return Err(reason.to_owned()),
            }
            if let Ok(Some(found)) = inner.node.find_user(&inner.app, &user).await
                && !found.active
            {
                return Err(NotPushed::Deactivated.to_string());
            }
        }
        if let Ok(bindings) = inner.node.push_bindings(&inner.app, &user).await {
            let mut same = bindings.into_iter();
            let same = same.find(|binding| binding.device == delivery.device && binding.notifier == delivery.notifier);
            let Some(binding) = same else { return Err(UNBOUND.to_owned()) };
            (delivery.token, delivery.bound_ms) = (binding.token, binding.bound_ms);
        }
        match edited {
            Some(message) => self.word_again(&message, &user, delivery).await,
            None => Ok(false),
        }
    }
}

impl Inner {
    /// Forgets a token that the provider does not know any more, unless the device was bound again since.
    pub(crate) async fn forget(&self, delivery: &Delivery, since_ms: Option<u64>) {
        let Delivery { notifier, token, bound_ms, .. } = delivery;
        if !self.routes.may_forget(notifier) {
            return;
        }
        let user = UserId::from_trusted(&delivery.user);
        let dead = Binding::Dead { notifier, token, bound_up_to_ms: since_ms.unwrap_or(*bound_ms) };
        if let Err(error) = self.node.change_push_bindings(&self.app, &user, &dead).await {
            tracing::warn!(app = %self.app.id(), %user, %error, "a dead token is not forgotten yet");
        }
    }
}
