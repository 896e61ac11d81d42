//! Everything that both stores can be asked at the end of a chapter.

use super::super::fixture::{room, session_id, user};
use super::{ROOMS, Story, USERS, same};
use crate::store::{Accounts, CursorKind, Cursors, Log, Notices, Range, Rooms, Store};
use rookery_protocol::Seq;

impl Story {
    pub(super) async fn compare_everything(&mut self, store: &dyn Store) {
        let all = Range::After(Seq::ZERO);
        let users: Vec<_> = (1..=USERS).map(user).collect();
        for room in (0..ROOMS).map(room) {
            let log = same!(self, store.read(room, all, usize::MAX)).unwrap_or_default();
            drop(same!(self, store.head(room)));
            drop(same!(self, store.room(room)));
            drop(same!(self, store.members(room, None, usize::MAX)));
            drop(same!(self, store.room_states(room, &users)));
            drop(same!(self, store.cursors(room, usize::MAX)));
            for user in &users {
                drop(same!(self, store.page(room, all, usize::MAX, *user)));
                drop(same!(self, store.room_state(room, *user)));
            }
            for event in log.iter().step_by(7) {
                for kind in [CursorKind::Read, CursorKind::Delivered] {
                    drop(same!(self, store.reached(room, kind, event.seq, 3)));
                }
                if let Some(client_id) = event.client_id {
                    drop(same!(self, store.find(room, event.by, client_id)));
                }
            }
        }
        drop(same!(self, store.notices(None, usize::MAX)));
        for (number, user) in (1..=USERS).zip(users) {
            drop(same!(self, store.rooms_of(user, None, usize::MAX)));
            drop(same!(self, store.total_unread(user)));
            drop(same!(self, store.session(session_id(number))));
            self.compare_files(store, user).await;
        }
    }
}
