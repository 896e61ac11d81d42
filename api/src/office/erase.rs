//! Erasure: a user out of the store. What it wrote loses its content where it stands, so that every log keeps its
//! positions; what is about it alone goes.
//!
//! Each step may be done twice. The content goes by the same way as a message that its author deletes: out of the
//! events, their edits, previews, pages in memory, search, and the files that they carry.

use super::Office;
use super::job::{Job, Step};
use super::jobs::Trouble;
use crate::accounts::settle;
use crate::docket::Known;
use rookery_engine::store::{AvatarOf, ProfileChange, Range, TextChange};
use rookery_protocol::{ClientId, CloseCode, ErrorCode, Event, EventBody, RoomId, RoomKind, Seq, UserId};
use uuid::Uuid;

/// Events that are looked at in one step.
const EVENTS: usize = 200;

/// Files whose life is taken in one step.
const FILES: usize = 100;

/// The name of whoever is gone.
const NAME: &str = "Deleted account";

/// What no password hash is, so that no password matches it.
const NO_PASSWORD: &str = "!";

impl Office {
    /// Does the next step of an erasure. Returns whether there is another one.
    pub(super) async fn erase_step(&self, known: &mut Known<Job>) -> Result<bool, Trouble> {
        let user = known.what.user;
        known.what.step = match known.what.step.clone() {
            Step::Account => {
                self.note_names(known).await?;
                self.blank(user).await?;
                Step::Rooms { after: None, seq: Seq::ZERO }
            }
            Step::Rooms { after, seq } => match self.store().rooms_ever(user, after, 1).await?.pop() {
                None => Step::Files,
                Some(room) => match self.empty(known, room, seq).await? {
                    Some(seq) => Step::Rooms { after, seq },
                    None => Step::Rooms { after: Some(room), seq: Seq::ZERO },
                },
            },
            Step::Files => {
                let files = self.store().files_of(user, None, FILES).await?;
                for file in &files {
                    settle(|| self.store().doom_file(file.upload.file)).await?;
                }
                if files.is_empty() { Step::Traces } else { Step::Files }
            }
            Step::Traces => {
                self.forget_rest(known).await?;
                self.files.clean_up().await;
                return Ok(false);
            }
        };
        self.hold(known).await?;
        Ok(true)
    }

    /// Writes down under which handle and which address the user is known, so that both can be let go of afterwards.
    async fn note_names(&self, known: &mut Known<Job>) -> Result<(), Trouble> {
        let Some(account) = self.store().account(known.what.user).await? else { return Ok(()) };
        let user = known.what.user;
        let job = &mut known.what;
        for (names, name, blank) in [
            (&mut job.handles, account.user.handle, handle_of(user)),
            (&mut job.addresses, account.email, address_of(user)),
        ] {
            if name != blank && !names.contains(&name) {
                names.push(name);
            }
        }
        self.hold(known).await
    }

    /// Logs the user out for good and takes its name, its address and its password away.
    async fn blank(&self, user: UserId) -> Result<(), Trouble> {
        let now = self.now();
        self.change_standing(user, |standing| {
            standing.erased_at = Some(standing.erased_at.unwrap_or(now));
            (standing.ban, standing.is_admin) = (None, false);
        })
        .await?;
        self.end_logins(user, CloseCode::AccountDisabled).await?;
        let Some(account) = self.store().account(user).await? else { return Ok(()) };
        let address = address_of(user);
        if account.email != address {
            let change = (account.email.as_str(), address.as_str());
            settle(|| self.store().confirm_address(user, change, now)).await?;
        }
        settle(|| self.store().replace_password(user, &account.password, NO_PASSWORD)).await?;
        let change = ProfileChange {
            name: Some(NAME.to_owned()),
            handle: Some(handle_of(user)),
            about: TextChange::Clear,
            avatar: TextChange::Clear,
        };
        settle(|| self.store().change_profile(user, change.clone(), now)).await?;
        settle(|| self.store().hold_avatar(AvatarOf::User(user), None, now)).await?;
        self.node.forget_user(user);
        Ok(())
    }

    /// Takes away what the user wrote in a room after `seq`, a page of events; all of its own inbox. Returns where
    /// to go on, or `None` at the end of the log.
    async fn empty(&self, known: &mut Known<Job>, room: RoomId, seq: Seq) -> Result<Option<Seq>, Trouble> {
        let user = known.what.user;
        let record = self.store().room(room).await?;
        let is_inbox = record.is_some_and(|record| record.kind == RoomKind::Inbox);
        let events = self.store().read(room, Range::After(seq), EVENTS).await?;
        let Some(last) = events.last().map(|event| event.seq) else { return Ok(None) };
        let is_theirs =
            |event: &&Event| (is_inbox || event.by == user) && matches!(event.body, EventBody::Message(_));
        for event in events.iter().filter(is_theirs) {
            // By a name that follows from what is deleted, so that it is one event however often it is tried.
            let name = Uuid::new_v5(&room.0, format!("erase {}", event.seq).as_bytes());
            match self.node.take_down(room, event.seq, ClientId(name)).await {
                Ok(()) => known.what.count += 1,
                // It is gone already.
                Err(error) if error.code == ErrorCode::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(last))
    }
}

/// Returns the address of whoever is gone, which no mail server takes (RFC 2606, section 2).
fn address_of(user: UserId) -> String {
    format!("{user}@erased.invalid")
}

/// Returns the handle of whoever is gone.
fn handle_of(user: UserId) -> String {
    let id = user.0.simple().to_string();
    format!("gone.{}", &id[id.len() - 16..])
}
