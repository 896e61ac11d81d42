//! How far each room of a stream has been told, and all of it as one event id.
//!
//! An id is `rooms.seq.seq…`: eight hex digits that stand for the rooms in their order, then the
//! position in each of them, `-` where none is known yet. So whoever comes back with an id gets every
//! room from exactly there, and an id of other rooms is refused and not taken for theirs.

use crate::problem::Problem;
use rookery_protocol::{RoomId, Seq};
use std::fmt::Write;

/// Rooms of one stream.
///
/// Each may be under way to be opened at once, and a connection has 32 credits; an id of 32 positions
/// is at most 550 bytes, which each event carries.
pub(crate) const ROOMS: usize = 32;

/// The rooms of a stream in the order asked for, each with the last position that was told.
#[derive(Debug)]
pub(crate) struct Positions {
    places: Vec<(RoomId, Option<Seq>)>,
    rooms: String,
}

impl Positions {
    /// Reads `id:after,id,…`: 1 to [`ROOMS`] different rooms; one without a position is heard from its
    /// head on.
    ///
    /// # Errors
    /// `invalid`, with the field `rooms`.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |why: String| Problem::field("rooms", why);
        let mut places: Vec<(RoomId, Option<Seq>)> = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (room, after) = match part.split_once(':') {
                Some((room, after)) => (room, after.parse().map(Some)),
                None => (part, Ok(None)),
            };
            let (Ok(room), Ok(after)) = (room.parse(), after) else {
                return Err(wrong(
                    "rooms are named as `id` or `id:position`, with commas between".to_owned(),
                ));
            };
            if places.iter().any(|(known, _)| *known == room) {
                return Err(wrong(format!("the room {room} is named twice")));
            }
            if places.len() == ROOMS {
                return Err(wrong(format!("a stream has at most {ROOMS} rooms")));
            }
            places.push((room, after));
        }
        if places.is_empty() {
            return Err(wrong("name at least one room".to_owned()));
        }
        let ids: Vec<u8> = places.iter().flat_map(|(room, _)| *room.0.as_bytes()).collect();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &ids);
        let rooms = digest.as_ref()[..4].iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes text");
            hex
        });
        Ok(Self { places, rooms })
    }

    /// Goes on where the event of this id was.
    ///
    /// # Errors
    /// `invalid`, with the field `Last-Event-ID`, for an id that no stream of these rooms has given.
    pub(crate) fn resume(&mut self, id: &str) -> Result<(), Problem> {
        let wrong = || Problem::field("Last-Event-ID", "this is no event id of a stream of these rooms");
        let mut parts = id.split('.');
        if parts.next() != Some(self.rooms.as_str()) {
            return Err(wrong());
        }
        let seen: Option<Vec<Option<Seq>>> =
            parts.map(|part| if part == "-" { Some(None) } else { part.parse().ok().map(Some) }).collect();
        let seen = seen.filter(|seen| seen.len() == self.places.len()).ok_or_else(wrong)?;
        for ((_, after), seen) in self.places.iter_mut().zip(seen) {
            // A room that had not been opened yet begins where the URL says.
            *after = seen.or(*after);
        }
        Ok(())
    }

    /// Returns the rooms in their order.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.places.iter().map(|(room, _)| *room)
    }

    /// Returns which one `room` is.
    pub(crate) fn index(&self, room: RoomId) -> Option<usize> {
        self.places.iter().position(|(known, _)| *known == room)
    }

    /// Returns the room of this index and the last position that was told of it.
    pub(crate) fn get(&self, index: usize) -> Option<(RoomId, Option<Seq>)> {
        self.places.get(index).copied()
    }

    /// Takes note that everything up to `seq` has been told.
    pub(crate) fn set(&mut self, index: usize, seq: Seq) {
        if let Some((_, seen)) = self.places.get_mut(index) {
            *seen = Some(seq);
        }
    }

    /// Writes the id of an event told now.
    pub(crate) fn write_id(&self, text: &mut String) {
        text.push_str(&self.rooms);
        for (_, seen) in &self.places {
            match seen {
                Some(seq) => write!(text, ".{seq}").expect("a string takes text"),
                None => text.push_str(".-"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "00000000-0000-7000-8000-000000000001";
    const TWO: &str = "00000000-0000-7000-8000-000000000002";

    fn id(positions: &Positions) -> String {
        let mut text = String::new();
        positions.write_id(&mut text);
        text
    }

    #[test]
    fn an_id_brings_every_room_back_to_where_it_was() {
        let mut before = Positions::parse(&format!("{ONE}:7,{TWO}")).unwrap();
        assert!(id(&before).ends_with(".7.-"));
        before.set(0, Seq(9));
        let mut after = Positions::parse(&format!("{ONE}:7,{TWO}:3")).unwrap();
        after.resume(&id(&before)).unwrap();
        assert_eq!((after.get(0).unwrap().1, after.get(1).unwrap().1), (Some(Seq(9)), Some(Seq(3))));
    }

    #[test]
    fn an_id_of_other_rooms_or_of_nothing_is_refused() {
        let mut positions = Positions::parse(&format!("{ONE},{TWO}")).unwrap();
        let turned = id(&Positions::parse(&format!("{TWO},{ONE}")).unwrap());
        let own = id(&positions);
        let digits = own.split('.').next().unwrap();
        for bad in [
            turned.as_str(),
            "",
            "x",
            digits,
            &format!("{digits}.1"),
            &format!("{digits}.1.2.3"),
            &format!("{digits}.1.x"),
            &format!("{digits}.1.9007199254740992"),
        ] {
            assert!(positions.resume(bad).is_err(), "{bad}");
        }
        assert!(positions.resume(&own).is_ok());
    }

    #[test]
    fn rooms_are_named_once_and_are_not_too_many() {
        let named = |count: u128| {
            let ids = (0..count).map(|number| uuid::Uuid::from_u128(number).to_string());
            ids.collect::<Vec<_>>().join(",")
        };
        assert!(Positions::parse(&named(32)).is_ok());
        for bad in [
            named(33),
            String::new(),
            ",".to_owned(),
            format!("{ONE},{ONE}"),
            format!("{ONE}:"),
            "x".to_owned(),
        ] {
            assert!(Positions::parse(&bad).is_err(), "{bad}");
        }
    }
}
