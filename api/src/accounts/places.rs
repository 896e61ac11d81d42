//! Where somebody logs in from: a login from elsewhere than ever before is told to whoever owns the account.
//!
//! A device is what its client names. One that is not named is known by its network, so that nobody stays unseen
//! by naming none.

use super::{Accounts, Asker, secret};
use crate::addresses::party;
use crate::mail::About;
use rookery_engine::store::{Account, StoreError, TokenHash};
use rookery_protocol::{DeviceId, UserId};

/// Places of one account that are known: more devices than anybody has. Those noted first go first.
const PLACES: usize = 32;

/// How often a list that changed meanwhile is written again.
const TRIES: u32 = 4;

impl Accounts {
    /// Takes note of where `account` was just logged in from and tells its owner where that is new. The login does
    /// not depend on it. The first place of all is where the account was made, more or less, and is not told.
    pub(super) async fn note_place(&self, account: &Account, device: Option<DeviceId>, asker: &Asker) {
        if !self.mailer.is_on() {
            return;
        }
        match self.is_new_place(account.user.id, place(account.user.id, device, asker)).await {
            Ok(true) => self.tell(&account.email, About::NewLogin, asker).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "where a login is from was not noted"),
        }
    }

    async fn is_new_place(&self, user: UserId, place: u64) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            let before = self.kept::<Vec<u64>>(places_key(user)).await?;
            let version = before.as_ref().map(|places| places.version);
            let mut places = before.map(|places| places.what).unwrap_or_default();
            if places.contains(&place) {
                return Ok(false);
            }
            places.drain(..(places.len() + 1).saturating_sub(PLACES));
            places.push(place);
            if self.keep(places_key(user), version, &places, None).await? {
                return Ok(version.is_some());
            }
        }
        Err(StoreError::Refused("the places change all the time".to_owned()))
    }
}

/// Names a place. Of a network that is two bytes of a hash, which as many networks share as there are for it to be
/// no record of where people are; one in two thousand logins from elsewhere is taken for a known one.
fn place(user: UserId, device: Option<DeviceId>, asker: &Asker) -> u64 {
    let (named, bytes) = match device {
        Some(device) => (format!("device {device}"), 8),
        None => (format!("network {user} {:x}", party(asker.address)), 2),
    };
    secret::hash(&named)[..bytes].iter().fold(0, |place, byte| (place << 8) | u64::from(*byte))
}

pub(super) fn places_key(user: UserId) -> TokenHash {
    secret::hash(&format!("places {user}"))
}
