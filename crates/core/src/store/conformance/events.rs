//! Sessions, rooms and the event queues.

use bytes::Bytes;

use super::{app, ok, user};
use crate::events::{EVENTS_KEPT, Event, EventKind, EventType, Transition};
use crate::id::{DeviceId, RoomId, SessionId};
use crate::records::RecordKind;
use crate::store::{Change, OpenSession, Scan, Store};

use EventType::{Join, Leave, Login, Logout};

fn change(event_type: EventType, session: u64, room: &str, at_ms: u64) -> Transition {
    Transition {
        event_type,
        user: user(&format!("user{session}")),
        device: DeviceId::only(),
        session: SessionId(session),
        room: (!room.is_empty()).then(|| RoomId::from_trusted(room)),
        at_ms,
        forced: false,
        last: false,
        changes: Vec::new(),
    }
}

async fn record(store: &dyn Store, changes: impl IntoIterator<Item = Transition>) {
    ok(store.record(&app("app"), changes.into_iter().collect(), EVENTS_KEPT).await);
}

async fn pull(store: &dyn Store, kind: EventKind, max: usize) -> Vec<Event> {
    ok(store.pull_events(&app("app"), kind, max).await)
}

fn brief(events: &[Event]) -> Vec<(EventType, u64)> {
    events.iter().map(|e| (e.event_type, e.at_ms)).collect()
}

async fn sessions(store: &dyn Store) -> Vec<OpenSession> {
    let mut open = ok(store.open_sessions().await);
    open.iter_mut().for_each(|s| s.rooms.sort());
    open.sort_by_key(|s| (s.app.clone(), s.session));
    open
}

/// Only the first login and the first logout of a session are events.
pub async fn a_session_logs_in_and_out_once(store: &dyn Store) {
    record(store, [change(Logout, 1, "", 1)]).await;
    record(store, [change(Login, 1, "", 2)]).await;
    record(store, [change(Login, 1, "", 3)]).await;
    record(store, [change(Login, 2, "", 4)]).await;
    record(store, [change(Logout, 1, "", 5)]).await;
    record(store, [change(Logout, 1, "", 6)]).await;
    record(store, [change(Login, 1, "", 7)]).await;
    let events = pull(store, EventKind::User, 100).await;
    assert_eq!(brief(&events), [(Login, 2), (Login, 4), (Logout, 5), (Login, 7)]);
    assert_eq!(events[0], Event { event_type: Login, user: user("user1"), room: None, at_ms: 2 });
    assert_eq!(pull(store, EventKind::Room, 100).await, []);
}

/// Only the first join and the first leave of a session and a room are events.
pub async fn a_room_is_joined_and_left_once(store: &dyn Store) {
    record(store, [change(Login, 1, "", 1), change(Login, 2, "", 2)]).await;
    record(store, [change(Leave, 1, "room", 3), change(Join, 1, "room", 4), change(Join, 1, "room", 5)]).await;
    record(store, [change(Join, 2, "room", 6), change(Leave, 1, "other", 7)]).await;
    record(store, [change(Leave, 1, "room", 8), change(Leave, 1, "room", 9)]).await;
    let events = pull(store, EventKind::Room, 100).await;
    assert_eq!(brief(&events), [(Join, 4), (Join, 6), (Leave, 8)]);
    let room = Some(RoomId::from_trusted("room"));
    assert_eq!(events[1], Event { event_type: Join, user: user("user2"), room, at_ms: 6 });
}

/// What a transition brings along is written if it changes anything, in the same step.
pub async fn a_transition_brings_its_records(store: &dyn Store) {
    let with = |key: &str, transition: Transition| {
        let put = Change::Put { kind: RecordKind::Callback, key: key.to_owned(), value: Bytes::from_static(b"x") };
        Transition { changes: vec![put], ..transition }
    };
    record(store, [with("in vain", change(Logout, 1, "", 1)), with("login", change(Login, 1, "", 2))]).await;
    record(store, [with("twice", change(Login, 1, "", 3)), with("logout", change(Logout, 1, "", 4))]).await;
    let found = ok(store.scan_records(&app("app"), Scan::of(RecordKind::Callback, "", 9)).await);
    assert_eq!(found.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), ["login", "logout"]);
}

/// A logout takes the session's memberships with it, without events of their own.
pub async fn a_logout_ends_the_memberships(store: &dyn Store) {
    record(store, [change(Login, 1, "", 1), change(Join, 1, "room", 2), change(Logout, 1, "", 3)]).await;
    record(store, [change(Leave, 1, "room", 4), change(Login, 1, "", 5)]).await;
    assert_eq!(brief(&pull(store, EventKind::Room, 100).await), [(Join, 2)]);
    assert_eq!(sessions(store).await[0].rooms, []);
    record(store, [change(Join, 1, "room", 6)]).await;
    assert_eq!(brief(&pull(store, EventKind::Room, 100).await), [(Join, 6)]);
}

/// A session that is not open, or is another user's or device's, changes nothing; nor does a join without room.
pub async fn only_open_sessions_join(store: &dyn Store) {
    record(store, [change(Join, 1, "room", 1), change(Login, 1, "", 2), change(Join, 1, "", 3)]).await;
    let other_user = Transition { user: user("other"), ..change(Join, 1, "room", 4) };
    let other_device = Transition { device: DeviceId::from_trusted("other"), ..change(Logout, 1, "", 5) };
    record(store, [other_user, other_device]).await;
    assert_eq!(pull(store, EventKind::Room, 100).await, []);
    assert_eq!(brief(&pull(store, EventKind::User, 100).await), [(Login, 2)]);
    assert_eq!(sessions(store).await.len(), 1);
}

/// Every open session of every app is listed with the rooms it is in.
pub async fn open_sessions_are_listed_with_their_rooms(store: &dyn Store) {
    record(store, (1..=3).map(|session| change(Login, session, "", 1))).await;
    record(store, ["a", "b", "c"].map(|room| change(Join, 1, room, 2))).await;
    record(store, [change(Leave, 1, "b", 3), change(Join, 2, "a", 3), change(Logout, 3, "", 3)]).await;
    let elsewhere = Transition { device: DeviceId::from_trusted("tv"), ..change(Login, 9, "", 4) };
    ok(store.record(&app("app2"), vec![elsewhere], EVENTS_KEPT).await);
    let open = |app_name: &str, session: u64, device: &str, rooms: &[&str]| OpenSession {
        app: app(app_name),
        user: user(&format!("user{session}")),
        device: DeviceId::from_trusted(device),
        session: SessionId(session),
        rooms: rooms.iter().map(|room| RoomId::from_trusted(room)).collect(),
    };
    let expected = [open("app", 1, "", &["a", "c"]), open("app", 2, "", &["a"]), open("app2", 9, "tv", &[])];
    assert_eq!(sessions(store).await, expected);
}

/// The transitions of one call apply in the order given.
pub async fn transitions_apply_in_order(store: &dyn Store) {
    let flapping = (1..=10).map(|n| change(if n % 2 == 1 { Login } else { Logout }, 1, "", n));
    record(store, flapping).await;
    let events = pull(store, EventKind::User, 100).await;
    assert_eq!(events.iter().map(|e| e.at_ms).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert_eq!(sessions(store).await, []);
}

/// A pull takes the oldest, at most `max`; what it took is gone, what comes later is behind the rest.
pub async fn a_pull_takes_at_most_max(store: &dyn Store) {
    record(store, (1..=5).map(|n| change(Login, n, "", n))).await;
    assert_eq!(pull(store, EventKind::User, 0).await, []);
    assert_eq!(brief(&pull(store, EventKind::User, 2).await), [(Login, 1), (Login, 2)]);
    record(store, [change(Logout, 1, "", 6)]).await;
    assert_eq!(brief(&pull(store, EventKind::User, 2).await), [(Login, 3), (Login, 4)]);
    assert_eq!(brief(&pull(store, EventKind::User, usize::MAX).await), [(Login, 5), (Logout, 6)]);
    assert_eq!(pull(store, EventKind::User, 2).await, []);
    record(store, [change(Logout, 2, "", 7)]).await;
    assert_eq!(brief(&pull(store, EventKind::User, 2).await), [(Logout, 7)]);
}

/// The two queues of an app, and the queues of two apps, have nothing to do with each other.
pub async fn queues_are_apart(store: &dyn Store) {
    record(store, [change(Login, 1, "", 1), change(Join, 1, "room", 2)]).await;
    ok(store.record(&app("app2"), vec![change(Login, 2, "", 3)], EVENTS_KEPT).await);
    assert_eq!(brief(&pull(store, EventKind::Room, 10).await), [(Join, 2)]);
    assert_eq!(brief(&pull(store, EventKind::User, 10).await), [(Login, 1)]);
    assert_eq!(brief(&ok(store.pull_events(&app("app2"), EventKind::User, 10).await)), [(Login, 3)]);
}

/// A full queue gives up its oldest event; the other queue is not touched.
pub async fn queues_keep_the_newest(store: &dyn Store) {
    record(store, [change(Login, 1, "", 0), change(Join, 1, "room", 0)]).await;
    for start in (1..=2500).step_by(100) {
        let flapping = (start..start + 100).map(|n| change(if n % 2 == 1 { Logout } else { Login }, 1, "", n));
        record(store, flapping).await;
    }
    let events = pull(store, EventKind::User, 5000).await;
    assert_eq!(events.iter().map(|e| e.at_ms).collect::<Vec<_>>(), (501..=2500).collect::<Vec<_>>());
    assert_eq!(pull(store, EventKind::Room, 10).await.len(), 1);
    ok(store.record(&app("app"), (1..=4).map(|n| change(Join, 1, &n.to_string(), n)).collect(), 3).await);
    assert_eq!(brief(&pull(store, EventKind::Room, 10).await), [(Join, 2), (Join, 3), (Join, 4)]);
}

/// Pulls that wait together share the events out: none is given twice, none is lost.
pub async fn no_event_is_pulled_twice(store: &dyn Store) {
    record(store, (1..=100).map(|n| change(Login, n, "", n))).await;
    let pulls: Vec<_> = (0..8).map(|_| store.pull_events(&app("app"), EventKind::User, 15)).collect();
    let mut seen = Vec::new();
    for events in pulls {
        let events = ok(events.await);
        assert!(events.len() <= 15 && events.is_sorted_by_key(|e| e.at_ms));
        seen.extend(events.iter().map(|e| e.at_ms));
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=100).collect::<Vec<_>>());
}
