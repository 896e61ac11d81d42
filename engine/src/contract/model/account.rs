//! What a story does with accounts, sessions and tickets.

use super::super::fixture::{account, session, session_id, user};
use super::{Story, USERS, same};
use crate::store::{Accounts, RefreshToken, Store, StoreError, Ticket};

impl Story {
    pub(super) async fn account(&mut self, store: &dyn Store) {
        let now = self.now();
        let number = self.random.u128(1..=USERS);
        let [old, new, third] = [(); 3].map(|()| self.random.u8(0..12));
        let until = |number: u8, seconds: i64| RefreshToken {
            hash: [number; 32],
            expires_at: now.plus_millis(seconds * 1000),
        };
        match self.random.u8(0..11) {
            0 => {
                let account = account(number, &format!("{old}@example.org"), &format!("user{new}"));
                drop(same!(self, store.create_account(account.clone())));
            }
            1 => drop(same!(self, store.account_by_email(&format!("{old}@example.org")))),
            2 => {
                drop(same!(self, store.replace_password(user(number), &format!("{old}"), &format!("{new}"))));
            }
            3 => drop(same!(self, store.users(&[user(number), user(2), user(9)]))),
            4 => drop(same!(self, store.begin_session(session(number), until(old, 200)))),
            5 => drop(same!(self, store.session(session_id(number)))),
            6 | 7 if old != new => {
                drop(same!(self, store.rotate([old; 32], until(new, i64::from(third) * 20), now)));
            }
            8 => drop(same!(self, store.revoke(session_id(number), now))),
            9 => drop(same!(self, store.purge(now.plus_millis(-50_000)))),
            _ => self.ticket(store, old, new).await,
        }
    }

    async fn ticket(&mut self, store: &dyn Store, put: u8, take: u8) {
        let expires_at = self.now().plus_millis(30_000);
        let ticket = Ticket { hash: [put; 32], user: user(1), session: session_id(1), expires_at };
        drop(same!(self, store.put_ticket(ticket)));
        let taken = store.take_ticket([take; 32], self.now()).await;
        let expected = self.model.take_ticket([take; 32], self.now()).await;
        // A taker who did not hear the answer cannot ask again.
        if !matches!(taken, Err(StoreError::Unknown(_))) {
            assert_eq!(taken, expected, "take_ticket in step {} of seed {}", self.step, self.seed);
        }
    }
}
