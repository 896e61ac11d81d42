//! A frame between nodes: three bytes (version, kind, flags) and a `MessagePack` map with names.
//!
//! Fields that are not known are ignored, so a newer node may say more. A frame of another version or of
//! a kind that is not known is ignored whole, as are bytes that are no such map: while nodes of two
//! versions run side by side, each does without what the other does not say. What is read is bounded by
//! the frame's size, and by the depth that the codec allows.

use super::said::{
    Answered, Astray, Beacon, BlockChanged, Events, EventsOf, Follow, Followed, HeadMoved, LoginEnded, Pulse,
    Said, Signalled, Submit, SubmitOf, Unfollow, Unread, UserChanged, UserEnded,
};
use crate::presence::{PeopleAre, UnwatchPeople, WatchPeople};
use bytes::Bytes;
use rookery_engine::limits::BUS_FRAME;
use rookery_protocol::Codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of all frames; what an older node could misunderstand needs another.
const VERSION: u8 = 1;

/// Bytes before the map.
const HEADER: usize = 3;

/// Set where the home of a room has passed the frame on, so that nobody passes it on again.
const PASSED_ON: u8 = 1;

/// What has a number among frames.
pub(crate) trait Kind: Serialize {
    /// Its number, and its name in metrics.
    const KIND: (u8, &'static str);
}

macro_rules! kinds {
    ($($number:literal $name:literal $type:ident;)*) => {
        $(impl Kind for $type {
            const KIND: (u8, &'static str) = ($number, $name);
        })*

        fn body(kind: u8, bytes: &[u8]) -> Option<(&'static str, Said)> {
            match kind {
                $($number => map::<$type>(bytes).map(|body| ($name, Said::$type(body.into()))),)*
                _ => None,
            }
        }
    };
}

kinds! {
    1 "pulse" Pulse;
    2 "follow" Follow;
    3 "followed" Followed;
    4 "unfollow" Unfollow;
    5 "events" Events;
    6 "beacon" Beacon;
    7 "submit" Submit;
    8 "answered" Answered;
    9 "signal" Signalled;
    10 "heads" HeadMoved;
    11 "login_ended" LoginEnded;
    12 "user_changed" UserChanged;
    13 "block_changed" BlockChanged;
    14 "astray" Astray;
    15 "watch" WatchPeople;
    16 "unwatch" UnwatchPeople;
    17 "presence" PeopleAre;
    18 "user_ended" UserEnded;
}

impl Kind for EventsOf<'_> {
    const KIND: (u8, &'static str) = Events::KIND;
}

impl Kind for SubmitOf<'_> {
    const KIND: (u8, &'static str) = Submit::KIND;
}

/// Returns the frame of `said`, or `None` where it is larger than a frame may be.
pub(super) fn encode<K: Kind>(said: &K) -> Option<Bytes> {
    let mut frame = vec![VERSION, K::KIND.0, 0];
    frame.extend(Codec::MessagePack.encode(said).expect("what nodes say can be encoded"));
    (frame.len() <= BUS_FRAME).then(|| frame.into())
}

/// Returns the frame as its home passes it on.
pub(super) fn passed_on(frame: &Bytes) -> Bytes {
    let mut frame = frame.to_vec();
    if let Some(flags) = frame.get_mut(HEADER - 1) {
        *flags |= PASSED_ON;
    }
    frame.into()
}

/// Whether a home has passed the frame on.
pub(super) fn is_passed_on(frame: &[u8]) -> bool {
    frame.get(HEADER - 1).is_some_and(|flags| flags & PASSED_ON != 0)
}

/// Reads a frame: the name of its kind and what it says. `None` for what this version does not know,
/// and for whatever is no frame at all.
pub(super) fn decode(frame: &[u8]) -> Option<(&'static str, Said)> {
    let (header, bytes) = frame.split_at_checked(HEADER)?;
    if header[0] != VERSION || frame.len() > BUS_FRAME {
        return None;
    }
    let said = body(header[1], bytes);
    if said.is_none() && header[1] == Submit::KIND.0 {
        // Whoever wants something that only a newer version knows must not wait for an answer.
        return map(bytes).map(|Unread { asked }| (Submit::KIND.1, Said::NotUnderstood(asked)));
    }
    said
}

fn map<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    Codec::MessagePack.decode(bytes).ok()
}

#[cfg(test)]
mod tests;
