//! What a story does with files.

use super::super::files::{content, file, upload};
use super::super::fixture::room;
use super::{ROOMS, Story, same};
use crate::store::{AvatarOf, Files, Store, Upload};
use rookery_protocol::UserId;

/// Files of a story.
pub(super) const FILES: u128 = 12;

impl Story {
    pub(super) async fn file(&mut self, store: &dyn Store) {
        let (who, now) = (self.user(), self.now());
        let number = self.random.u128(0..FILES);
        match self.random.u8(0..8) {
            0 | 1 => {
                let expires_at = now.plus_millis(self.random.i64(0..90_000));
                let upload = Upload { expires_at, ..upload(number, who) };
                drop(same!(self, store.begin_upload(upload.clone(), 40_000)));
            }
            2 | 3 => {
                let content = content(self.random.u8(0..2));
                drop(same!(self, store.complete_upload(file(number), content.clone(), now)));
            }
            4 => drop(same!(self, store.hold_avatar(AvatarOf::User(who), Some(file(number)), now))),
            5 => {
                let of = AvatarOf::Room(room(self.random.u128(0..ROOMS)));
                let held = self.random.bool().then(|| file(number));
                drop(same!(self, store.hold_avatar(of, held, now)));
            }
            6 => {
                // In no particular order: those that a lost answer named come again.
                let mut doomed = store.doom_files(now, 2).await.expect("doom");
                let mut expected = self.model.doom_files(now, 2).await.expect("doom");
                doomed.sort_unstable();
                expected.sort_unstable();
                assert_eq!(doomed, expected, "doom_files in step {} of seed {}", self.step, self.seed);
                drop(same!(self, store.forget_files(&doomed)));
            }
            _ => self.compare_files(store, who).await,
        }
    }

    pub(super) async fn compare_files(&mut self, store: &dyn Store, who: UserId) {
        let (all, now): (Vec<_>, _) = ((0..FILES).map(file).collect(), self.now());
        let mut found = store.readable_files(who, &all, now).await.expect("read");
        found.sort_by_key(|record| record.upload.file);
        let expected = self.model.readable_files(who, &all, now).await.expect("read");
        assert_eq!(found, expected, "readable_files in step {} of seed {}", self.step, self.seed);
        for file in all {
            drop(same!(self, store.file(file, now)));
        }
    }
}
