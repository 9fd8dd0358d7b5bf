//! The oracle finds what it is there to find, and nothing else.

use super::*;

/// No violation.
const NOTHING: [&str; 0] = [];

const KEEP: Wish = Wish { keep: true, history: false };
/// A user who is away.
const AWAY: usize = 0;

struct Scene {
    oracle: Oracle,
    ids: u64,
}

impl Scene {
    fn new() -> Self {
        Self { oracle: Oracle::default(), ids: 0 }
    }

    fn sent(&mut self, sender: usize) -> Number {
        let number = self.oracle.begin(Sender::rest(sender), To::User(AWAY), KEEP);
        self.oracle.answered(number, 200, false);
        number
    }

    fn arrives(&mut self, number: Number) {
        self.ids += 1;
        let id = self.ids;
        self.arrives_as(number, id);
    }

    fn arrives_as(&mut self, number: Number, id: u64) {
        let from = self.oracle.messages[number].sender.name();
        self.oracle.delivered(AWAY, None, &from, id, &format!("{number}:xx"));
    }

    fn settled(&mut self, inbox: impl IntoIterator<Item = Number>) -> Vec<String> {
        self.oracle.settle(AWAY, &inbox.into_iter().collect(), false);
        std::mem::take(&mut self.oracle.violations)
    }
}

#[test]
fn what_is_in_the_inbox_is_not_lost() {
    let mut scene = Scene::new();
    let (one, two) = (scene.sent(0), scene.sent(1));
    scene.arrives(one);
    scene.arrives(two);
    assert_eq!(scene.settled([one, two]), NOTHING);
    // It was not acked, so it must still be there the next time.
    assert_eq!(scene.settled([one]).len(), 2, "lost, and the inbox was not full");
}

#[test]
fn what_was_acked_may_be_gone_and_may_come_again() {
    let mut scene = Scene::new();
    let one = scene.sent(0);
    scene.arrives_as(one, 7);
    scene.oracle.acking(AWAY, one);
    assert_eq!(scene.settled([]), NOTHING);
    scene.arrives_as(one, 7);
    assert_eq!(scene.oracle.counts.repeated, 1);
    assert_eq!(scene.settled([one]), NOTHING);
}

#[test]
fn two_hundred_newer_ones_replace_the_oldest() {
    let mut scene = Scene::new();
    let numbers: Vec<_> = (0..INBOX + 3).map(|_| scene.sent(0)).collect();
    assert_eq!(scene.settled(numbers[3..].iter().copied()), NOTHING);
    assert_eq!(scene.oracle.counts.replaced, 3);
}

#[test]
fn a_newer_one_must_not_go_before_an_older_one() {
    let mut scene = Scene::new();
    let numbers: Vec<_> = (0..INBOX + 1).map(|_| scene.sent(0)).collect();
    let wrong = numbers.iter().copied().filter(|number| *number != numbers[1]);
    assert_eq!(scene.settled(wrong).len(), 1);
}

#[test]
fn an_inbox_of_more_than_two_hundred_is_noticed() {
    let mut scene = Scene::new();
    let numbers: Vec<_> = (0..=INBOX).map(|_| scene.sent(0)).collect();
    assert_eq!(scene.settled(numbers).len(), 1);
}

#[test]
fn what_is_in_doubt_may_be_there_or_not() {
    let mut scene = Scene::new();
    let one = scene.oracle.begin(Sender::rest(0), To::User(AWAY), KEEP);
    scene.oracle.killed();
    assert_eq!(scene.settled([]), NOTHING);
    scene.arrives(one);
    assert_eq!(scene.settled([one]), NOTHING);
    assert_eq!(scene.oracle.counts.in_doubt, 1);
}

#[test]
fn wrong_deliveries_are_noticed() {
    let mut scene = Scene::new();
    let (one, two) = (scene.sent(0), scene.sent(0));
    scene.arrives(two);
    scene.arrives(one);
    assert_eq!(std::mem::take(&mut scene.oracle.violations).len(), 1, "order");
    scene.arrives(one);
    assert_eq!(std::mem::take(&mut scene.oracle.violations).len(), 1, "another ID");
    scene.oracle.delivered(AWAY, None, "sender-0", 99, "17:");
    assert_eq!(std::mem::take(&mut scene.oracle.violations).len(), 1, "never sent");
    scene.oracle.delivered(AWAY + 1, None, "sender-0", 100, &format!("{one}:"));
    assert_eq!(std::mem::take(&mut scene.oracle.violations).len(), 1, "somebody else's");
    scene.oracle.delivered(AWAY, None, "sender-1", 101, &format!("{one}:"));
    assert_eq!(std::mem::take(&mut scene.oracle.violations).len(), 1, "another sender");
}

#[test]
fn delivered_needs_an_ack() {
    let mut scene = Scene::new();
    let number = scene.oracle.begin(Sender::rest(0), To::User(AWAY), KEEP);
    scene.oracle.answered(number, 200, true);
    assert_eq!(scene.oracle.violations.len(), 1);
}

#[test]
fn history_counts_what_was_acknowledged() {
    let mut oracle = Oracle::default();
    let wish = Wish { keep: false, history: true };
    let number = oracle.begin(Sender::rest(0), To::Channel(0), wish);
    oracle.answered(number, 200, false);
    oracle.begin(Sender::rest(0), To::Channel(0), wish);
    oracle.begin(Sender::rest(1), To::Channel(0), wish);
    assert_eq!(oracle.history_of(Sender::rest(0)), (1, 2));
}
