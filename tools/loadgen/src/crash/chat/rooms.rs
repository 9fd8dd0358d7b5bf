//! Knows which rooms are active and what was broadcast, sees what their histories hold and what clients in them get.

use std::collections::HashMap;

use crate::crash::counts::Broadcasts;

/// A broadcast's number: what its text has behind [`MARK`].
pub(super) type Number = usize;

/// What the text of a broadcast begins with.
pub(super) const MARK: char = 'b';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// No answer.
    InDoubt,
    Acknowledged,
}

#[derive(Debug)]
struct Broadcast {
    fate: Fate,
    began: u64,
    /// Nobody waits for the answer any more.
    over: bool,
    settled: bool,
}

/// A room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) id: String,
    /// The number of the client that watches it.
    pub(super) watcher: Option<usize>,
    /// When its first message had been answered.
    active: Option<u64>,
    /// IDs of the broadcasts' messages: those in the history, and those that the watcher saw.
    stored: HashMap<Number, u64>,
    seen: HashMap<Number, u64>,
    /// The newest ID in the history when the room was last settled. What comes later has a greater one.
    pub(super) settled_up_to: u64,
    read_up_to: u64,
    /// The watcher was told of a hole since then.
    hole: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    clock: u64,
    rooms: Vec<Room>,
    broadcasts: Vec<Broadcast>,
    pub(super) counts: Broadcasts,
    pub(super) violations: Vec<String>,
}

impl Rooms {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// A room was made.
    pub(super) fn made(&mut self, id: String, watcher: Option<usize>) -> usize {
        self.rooms.push(Room {
            id,
            watcher,
            active: None,
            stored: HashMap::new(),
            seen: HashMap::new(),
            settled_up_to: 0,
            read_up_to: 0,
            hole: false,
        });
        self.rooms.len() - 1
    }

    /// Its first message was answered.
    pub(super) fn active(&mut self, room: usize) {
        self.rooms[room].active = Some(self.tick());
        self.counts.rooms += 1;
    }

    pub(super) fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// A room by its ID.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.rooms.iter().position(|room| room.id == id)
    }

    /// A broadcast is about to be asked for. Its text must begin with the mark, the number and a colon.
    pub(super) fn begin(&mut self) -> Number {
        let began = self.tick();
        self.broadcasts.push(Broadcast { fate: Fate::InDoubt, began, over: false, settled: false });
        self.broadcasts.len() - 1
    }

    /// It was answered.
    pub(super) fn answered(&mut self, number: Number, status: u16) {
        self.broadcasts[number].over = true;
        if status == 200 {
            self.broadcasts[number].fate = Fate::Acknowledged;
            self.counts.acknowledged += 1;
        } else {
            self.violations.push(format!("broadcast {number} was refused with {status}"));
        }
    }

    /// The server was killed: what has no answer gets none.
    pub(super) fn killed(&mut self) {
        for broadcast in self.broadcasts.iter_mut().rev().take_while(|broadcast| !broadcast.settled) {
            self.counts.in_doubt += u64::from(!broadcast.over);
            broadcast.over = true;
        }
    }

    /// The history of a room was read up to this ID.
    pub(super) fn read_up_to(&mut self, room: usize, id: u64) {
        let read = &mut self.rooms[room].read_up_to;
        *read = id.max(*read);
    }

    /// The history of a room has a text with a mark.
    pub(super) fn stored(&mut self, room: usize, text: &str, id: u64) {
        let Some(number) = self.read(room, text, id) else { return };
        match self.rooms[room].stored.insert(number, id) {
            None => self.counts.stored += 1,
            Some(before) if before == id => {}
            Some(before) => self.twice("the history has", room, number, [before, id]),
        }
    }

    /// The client that watches a room got a text with a mark.
    pub(super) fn seen(&mut self, room: usize, text: &str, id: u64) {
        let Some(number) = self.read(room, text, id) else { return };
        match self.rooms[room].seen.insert(number, id) {
            None => self.counts.seen += 1,
            Some(before) if before == id => self.counts.repeated += 1,
            Some(before) => self.twice("a client got", room, number, [before, id]),
        }
    }

    /// Which broadcast it is.
    fn read(&mut self, room: usize, text: &str, id: u64) -> Option<Number> {
        let number = text.strip_prefix(MARK).and_then(|text| text.split(':').next()).and_then(|one| one.parse().ok());
        let number = number.filter(|number| *number < self.broadcasts.len());
        if number.is_none() {
            self.violations.push(format!("room {room} got message ID {id}, which nobody broadcast: {text:.40}"));
        }
        number
    }

    fn twice(&mut self, what: &str, room: usize, number: Number, ids: [u64; 2]) {
        self.violations.push(format!("{what} broadcast {number} in room {room} under two IDs: {ids:?}"));
    }

    /// The client that watches a room was told of messages that it does not get.
    pub(super) fn missed(&mut self, room: usize, count: u64) {
        self.rooms[room].hole = true;
        self.counts.missed += count;
    }

    /// Whether a broadcast that began then must be in a room.
    fn owed(room: &Room, broadcast: &Broadcast) -> bool {
        room.active.is_some_and(|active| active < broadcast.began)
    }

    fn open(&self) -> impl Iterator<Item = (Number, &Broadcast)> {
        // Some are not known to be settled for long: those in doubt that were never carried out.
        self.broadcasts.iter().enumerate().filter(|(_, broadcast)| !broadcast.settled)
    }

    /// Broadcasts that are certainly carried out: those that were answered, and those that some room has.
    fn carried_out(&self) -> impl Iterator<Item = (Number, &Broadcast)> {
        let somewhere = |number: &Number| self.rooms.iter().any(|room| room.stored.contains_key(number));
        self.open().filter(move |(number, broadcast)| broadcast.fate == Fate::Acknowledged || somewhere(number))
    }

    /// How many messages the histories of rooms lack.
    pub(super) fn not_stored(&self) -> usize {
        let lacks = |number: &Number, broadcast: &Broadcast| {
            self.rooms.iter().filter(|room| Self::owed(room, broadcast) && !room.stored.contains_key(number)).count()
        };
        self.carried_out().map(|(number, broadcast)| lacks(&number, broadcast)).sum()
    }

    /// How many messages the clients that watch rooms lack.
    pub(super) fn not_seen(&self) -> usize {
        self.rooms.iter().map(|room| self.unseen(room).count()).sum()
    }

    fn unseen<'a>(&'a self, room: &'a Room) -> impl Iterator<Item = Number> + 'a {
        let watched = room.watcher.is_some() && !room.hole;
        let lacks = move |number: &Number, broadcast: &Broadcast| {
            watched && Self::owed(room, broadcast) && !room.seen.contains_key(number)
        };
        self.carried_out().filter(move |(number, broadcast)| lacks(number, broadcast)).map(|(number, _)| number)
    }

    /// Everything that is to come has come: what is missing now is lost.
    pub(super) fn settle(&mut self) {
        let mut found = Vec::new();
        for (number, broadcast) in self.carried_out() {
            let answered = broadcast.fate == Fate::Acknowledged;
            let owed = |room: &&Room| Self::owed(room, broadcast) && !room.stored.contains_key(&number);
            let lacking: Vec<_> = self.rooms.iter().filter(owed).map(|room| room.id.as_str()).collect();
            if let Some(first) = lacking.first() {
                let count = lacking.len();
                found.push(format!("broadcast {number} (answered: {answered}) is not in {count} rooms, as {first}"));
            }
        }
        for (at, room) in self.rooms.iter().enumerate() {
            found.extend(
                self.unseen(room).map(|number| format!("the client in room {at} never got broadcast {number}")),
            );
            let differs = |number: &&Number| room.stored.get(number).is_some_and(|id| *id != room.seen[number]);
            if let Some(number) = room.seen.keys().find(differs) {
                found.push(format!("the client in room {at} got broadcast {number} under another ID than the history"));
            }
        }
        self.violations.append(&mut found);
        let done: Vec<_> = self.carried_out().map(|(number, _)| number).collect();
        for number in done {
            self.counts.taken += u64::from(self.broadcasts[number].fate == Fate::InDoubt);
            self.broadcasts[number].settled = true;
        }
        for room in &mut self.rooms {
            room.hole = false;
            room.settled_up_to = room.read_up_to;
        }
    }
}

#[cfg(test)]
mod tests;
