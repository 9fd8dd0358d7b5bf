//! The oracle finds what it is there to find, and nothing else.

use super::*;

/// No violation.
const NOTHING: [&str; 0] = [];

const KEEP: Wish = Wish { keep: true, history: false };
/// A user who is away.
const AWAY: usize = 0;

/// The channel.
const HALL: Place = 0;

fn oracle() -> Oracle {
    let names = |what: &str, count: usize| (0..count).map(|number| format!("{what}-{number}")).collect();
    Oracle::new(Names { senders: names("sender", 3), mailboxes: names("user", 4) })
}

struct Scene {
    oracle: Oracle,
    ids: u64,
}

impl Scene {
    fn new() -> Self {
        Self { oracle: oracle(), ids: 0 }
    }

    fn sent(&mut self, sender: usize) -> Number {
        let number = self.oracle.begin(Sender(sender), To::mailboxes([AWAY]), KEEP);
        self.oracle.answered(number, 200, false);
        number
    }

    fn arrives(&mut self, number: Number) {
        self.ids += 1;
        let id = self.ids;
        self.arrives_as(number, id);
    }

    fn arrives_as(&mut self, number: Number, id: u64) {
        let from = self.oracle.sender(number).to_owned();
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
    let one = scene.oracle.begin(Sender(0), To::mailboxes([AWAY]), KEEP);
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
    let number = scene.oracle.begin(Sender(0), To::mailboxes([AWAY]), KEEP);
    scene.oracle.answered(number, 200, true);
    assert_eq!(scene.oracle.violations.len(), 1);
}

#[test]
fn history_counts_what_was_acknowledged() {
    let mut oracle = oracle();
    let wish = Wish { keep: false, history: true };
    let number = oracle.begin(Sender(0), To::place(HALL), wish);
    oracle.answered(number, 200, false);
    oracle.begin(Sender(0), To::place(HALL), wish);
    oracle.begin(Sender(1), To::place(HALL), wish);
    assert_eq!(oracle.history_of(Sender(0)), (1, 2));
}

/// Two devices of one user.
const DEVICES: [Mailbox; 2] = [1, 2];

fn sent_to_devices(oracle: &mut Oracle) -> Number {
    let number = oracle.begin(Sender(0), To::mailboxes(DEVICES), KEEP);
    oracle.answered(number, 200, false);
    number
}

#[test]
fn each_device_is_owed_what_it_has_not_acked() {
    let mut oracle = oracle();
    let number = sent_to_devices(&mut oracle);
    oracle.delivered(DEVICES[0], None, "sender-0", 1, &format!("{number}:"));
    oracle.acking(DEVICES[0], number);
    oracle.settle(DEVICES[0], &BTreeSet::new(), true);
    assert_eq!(oracle.violations, NOTHING);
    oracle.settle(DEVICES[1], &BTreeSet::new(), true);
    assert_eq!(std::mem::take(&mut oracle.violations).len(), 1, "the other device lacks it");
    oracle.delivered(3, None, "sender-0", 1, &format!("{number}:"));
    assert_eq!(oracle.violations.len(), 1, "another user's device");
}

#[test]
fn a_new_device_is_owed_what_no_device_has_acked() {
    let mut oracle = oracle();
    let [acked, open] = [(); 2].map(|()| sent_to_devices(&mut oracle));
    oracle.acking(DEVICES[1], acked);
    oracle.acks_confirmed(DEVICES[1], &[acked]);
    let fresh = oracle.new_device("fresh".to_owned(), &DEVICES);
    assert_eq!(oracle.missing(fresh, &BTreeSet::new()), [open]);
    assert!(oracle.is_ack_confirmed(fresh, acked) && !oracle.is_ack_confirmed(fresh, open));
    assert_eq!(oracle.delivered(fresh, None, "sender-0", 1, &format!("{open}:")), Some(open));
    oracle.settle(fresh, &BTreeSet::from([open]), true);
    assert_eq!(oracle.violations, NOTHING);
}

#[test]
fn what_was_in_doubt_and_is_known_to_be_taken_is_owed() {
    let mut oracle = oracle();
    let number = oracle.begin(Sender(0), To::mailboxes([AWAY]), KEEP);
    oracle.killed();
    assert!(oracle.missing(AWAY, &BTreeSet::new()).is_empty());
    oracle.taken(number);
    assert_eq!(oracle.missing(AWAY, &BTreeSet::new()), [number]);
}

#[test]
fn a_group_has_members_and_an_order_of_its_own() {
    let mut oracle = oracle();
    let group = To::group(7, DEVICES);
    let first = oracle.begin(Sender(0), group, KEEP);
    oracle.answered(first, 200, false);
    let second = sent_to_devices(&mut oracle);
    oracle.delivered(DEVICES[0], None, "sender-0", 2, &format!("{second}:"));
    oracle.delivered(DEVICES[0], Some(7), "sender-0", 1, &format!("{first}:"));
    assert_eq!(oracle.violations, NOTHING);
    oracle.delivered(AWAY, Some(7), "sender-0", 1, &format!("{first}:"));
    oracle.delivered(DEVICES[1], None, "sender-0", 1, &format!("{first}:"));
    assert_eq!(oracle.violations.len(), 2, "no member, and not in the group");
}
