//! What a story asks now and then.

use super::super::fixture::{client_id, room};
use super::{ROOMS, Story, same};
use crate::store::{CursorKind, Cursors, Log, Range, Rooms, RoomsCursor, Store};
use rookery_protocol::Seq;

impl Story {
    pub(super) async fn read(&mut self, store: &dyn Store) {
        let room = room(self.random.u128(0..=ROOMS));
        let seq = Seq(self.random.u64(0..150));
        let limit = self.random.usize(0..20);
        let (who, other) = (self.user(), self.user());
        match self.random.u8(0..15) {
            0 => drop(same!(self, store.read(room, Range::After(seq), limit))),
            1 => drop(same!(self, store.read(room, Range::Before(seq), limit))),
            2 => drop(same!(self, store.page(room, Range::After(seq), limit, who))),
            3 => drop(same!(self, store.page(room, Range::Before(seq), limit, who))),
            4 => {
                let seqs: Vec<_> = (0..limit).map(|_| Seq(self.random.u64(0..150))).collect();
                drop(same!(self, store.messages(room, &seqs, who)));
            }
            5 => drop(same!(self, store.head(room))),
            6 => drop(same!(self, store.room(room))),
            7 => drop(same!(self, store.room_state(room, who))),
            8 => drop(same!(self, store.room_states(room, &[who, other, who]))),
            9 => drop(same!(self, store.members(room, Some(who), limit))),
            10 => drop(same!(self, store.total_unread(who))),
            11 => drop(same!(self, store.cursors(room, limit / 4))),
            12 => {
                let kind = if self.random.bool() { CursorKind::Read } else { CursorKind::Delivered };
                drop(same!(self, store.reached(room, kind, seq, limit / 4)));
            }
            13 => {
                let name =
                    client_id((u128::from(self.random.u32(0..=self.step)) << 32) | u128::from(seq.0 % 20));
                drop(same!(self, store.find(room, who, name)));
            }
            _ => {
                let page = same!(self, store.rooms_of(who, None, limit)).unwrap_or_default();
                if let Some(last) = page.last() {
                    let cursor = RoomsCursor { at: last.head.at, room: last.record.room };
                    drop(same!(self, store.rooms_of(who, Some(cursor), limit)));
                }
            }
        }
    }
}
