//! The ledger finds what it is there to find, and nothing else.

use super::*;

/// Two rooms, of which the first is watched.
fn rooms() -> Rooms {
    let mut rooms = Rooms::default();
    for (id, watcher) in [("1", Some(0)), ("2", None)] {
        let room = rooms.made(id.to_owned(), watcher);
        rooms.active(room);
    }
    rooms
}

fn broadcast(rooms: &mut Rooms) -> Number {
    let number = rooms.begin();
    rooms.answered(number, 200);
    number
}

fn comes(rooms: &mut Rooms, number: Number) {
    for (room, id) in [(0, 10), (1, 11)] {
        rooms.stored(room, &format!("b{number}:x"), id);
    }
    rooms.seen(0, &format!("b{number}:x"), 10);
}

fn settled(rooms: &mut Rooms) -> usize {
    rooms.settle();
    std::mem::take(&mut rooms.violations).len()
}

#[test]
fn what_is_in_all_rooms_is_fine_also_when_it_comes_again() {
    let mut rooms = rooms();
    let number = broadcast(&mut rooms);
    assert_eq!((rooms.not_stored(), rooms.not_seen()), (2, 1));
    comes(&mut rooms, number);
    comes(&mut rooms, number);
    assert_eq!((rooms.not_stored(), rooms.not_seen()), (0, 0));
    assert_eq!((settled(&mut rooms), rooms.counts.repeated), (0, 1));
    assert_eq!(settled(&mut rooms), 0);
}

#[test]
fn a_room_that_lacks_it_and_a_client_that_does_are_found() {
    let mut rooms = rooms();
    let number = broadcast(&mut rooms);
    rooms.stored(0, &format!("b{number}:"), 10);
    assert_eq!(settled(&mut rooms), 2);
}

#[test]
fn two_ids_and_unknown_ones_are_found() {
    let mut rooms = rooms();
    let number = broadcast(&mut rooms);
    comes(&mut rooms, number);
    rooms.stored(1, &format!("b{number}:"), 12);
    assert_eq!(std::mem::take(&mut rooms.violations).len(), 1, "stored twice");
    rooms.seen(0, &format!("b{number}:"), 13);
    assert_eq!(std::mem::take(&mut rooms.violations).len(), 1, "seen twice");
    rooms.stored(0, "b7:", 14);
    rooms.seen(0, "hello", 15);
    assert_eq!(std::mem::take(&mut rooms.violations).len(), 2, "never sent");
}

#[test]
fn what_is_in_doubt_is_in_all_rooms_or_in_none() {
    let mut rooms = rooms();
    let number = rooms.begin();
    rooms.killed();
    assert_eq!((settled(&mut rooms), rooms.counts.in_doubt, rooms.not_stored()), (0, 1, 0));
    rooms.stored(1, &format!("b{number}:"), 11);
    assert_eq!(rooms.not_stored(), 1);
    assert_eq!(settled(&mut rooms), 2, "neither in the first room nor at its client");
}

#[test]
fn a_hole_that_the_client_was_told_of_excuses_the_client_alone() {
    let mut rooms = rooms();
    broadcast(&mut rooms);
    rooms.missed(0, 1);
    assert_eq!(rooms.not_seen(), 0);
    assert_eq!(settled(&mut rooms), 1, "it is not in the history");
    broadcast(&mut rooms);
    assert_eq!(rooms.not_seen(), 1, "the hole was of before");
}

#[test]
fn a_room_that_becomes_active_later_may_have_it() {
    let mut rooms = rooms();
    let number = broadcast(&mut rooms);
    let late = rooms.made("3".to_owned(), None);
    rooms.active(late);
    comes(&mut rooms, number);
    assert_eq!(settled(&mut rooms), 0);
    let next = broadcast(&mut rooms);
    comes(&mut rooms, next);
    assert_eq!(settled(&mut rooms), 1, "it was active before the next");
}

#[test]
fn a_refusal_is_found() {
    let mut rooms = rooms();
    let number = rooms.begin();
    rooms.answered(number, 503);
    assert_eq!(rooms.violations.len(), 1);
}
