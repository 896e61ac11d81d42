//! A story that leaves something in every part of a store, told as a server tells it: what is written with an
//! event is what follows from it.

use super::super::files::{content, file, upload};
use super::super::fixture::{
    Change, Pen, START, account, append, body, client_id, open_room, room, second, session_id, user,
};
use crate::store::{
    AddressConfirmed, AvatarOf, Book, CursorKind, Entry, Invite, LoginSession, Mark, Notice, NoticeKind,
    ProfileChange, Projection, RefreshToken, SettingsChange, SignIn, Store, Upload,
};
use fastrand::Rng;
use rookery_protocol::{
    Attachment, DeleteBody, EditBody, Event, EventBody, FileId, Mention, MessageBody, Notify, Role, RoomId,
    RoomKind, Seq, UserId,
};
use serde_json::json;
use uuid::Uuid;

pub(super) const USERS: u128 = 6;
pub(super) const ROOMS: u128 = 3;
pub(super) const FILES: u128 = 40;

/// One room and its messages.
struct Told {
    pen: Pen,
    messages: Vec<Seq>,
}

struct Teller<'a> {
    store: &'a dyn Store,
    random: Rng,
    step: u32,
    rooms: Vec<Told>,
}

/// Tells the store, which must be empty, a story of `steps` steps drawn from `seed`, with something in every
/// part of it.
///
/// # Panics
/// When the store does not take it.
pub async fn tell_a_full_story(store: &dyn Store, seed: u64, steps: u32) {
    let mut teller = Teller { store, random: Rng::with_seed(seed), step: 0, rooms: Vec::new() };
    teller.begin().await;
    for _ in 0..steps {
        teller.step += 1;
        match teller.random.u8(0..20) {
            0..6 => teller.say().await,
            6..12 => teller.change().await,
            12 => teller.come_or_go().await,
            13 => teller.mark().await,
            14 => teller.file().await,
            15 => teller.log_in_or_out().await,
            16 => teller.invite().await,
            17 => teller.picture().await,
            _ => teller.people().await,
        }
    }
}

impl Teller<'_> {
    async fn begin(&mut self) {
        for number in 1..=USERS {
            let email = format!("{number}@example.org");
            let account = account(number, &email, &format!("user{number}"));
            self.store.create_account(account).await.expect("a write");
            if number.is_multiple_of(2) {
                let confirmed = self.store.confirm_address(user(number), (&email, &email), START).await;
                assert_eq!(confirmed, Ok(AddressConfirmed::Confirmed));
            }
        }
        let all: Vec<_> = (1..=USERS).map(user).collect();
        for (number, kind) in (1..=ROOMS).zip([RoomKind::Group, RoomKind::Channel, RoomKind::Inbox]) {
            let pen = open_room(self.store, room(number), kind, &all).await;
            self.rooms.push(Told { pen, messages: vec![] });
        }
    }

    fn user(&mut self) -> UserId {
        user(self.random.u128(1..=USERS))
    }

    fn told(&mut self) -> usize {
        self.random.usize(0..self.rooms.len())
    }

    fn words(&mut self) -> MessageBody {
        let mentions = match self.random.u8(0..6) {
            0 => vec![Mention::All],
            1 | 2 => vec![Mention::User(self.user()), Mention::User(self.user())],
            _ => vec![],
        };
        let count = self.random.usize(0..3).saturating_sub(1);
        let attachments = (0..count).map(|_| attachment(file(self.random.u128(0..FILES)))).collect();
        let text = "a bird \u{1f426} ".repeat(self.random.usize(1..400));
        MessageBody { mentions, attachments, ..MessageBody::text(format!("{} {text}", self.step)) }
    }

    async fn say(&mut self) {
        let (by, body, chosen) = (self.user(), self.words(), self.told());
        let is_noticed = self.random.bool();
        let Told { pen, messages } = &mut self.rooms[chosen];
        let name = client_id((u128::from(self.step) << 32) | u128::from(pen.seq.0));
        let event = pen.event(by, Some(name), EventBody::Message(body.clone()));
        let Event { seq, ord, .. } = event;
        let mut projections = vec![Projection::Read { user: by, seq, ord }];
        projections.extend(mentioned(&body, seq));
        projections.extend(attached(&body, seq, seq));
        if is_noticed {
            let notice = Notice { user: by, room: pen.room, seq, kind: NoticeKind::Mention, by, at: pen.at };
            projections.push(Projection::Notice(notice));
        }
        messages.push(seq);
        append(self.store, vec![event], projections).await;
    }

    /// Changes a message that is not deleted; a deleted one is not changed again.
    async fn change(&mut self) {
        let (by, body, chosen) = (self.user(), self.words(), self.told());
        let emoji = ["+1", "\u{1f426}", "\u{2764}\u{fe0f}"][self.random.usize(0..3)];
        let drawn = self.random.u8(0..14);
        let Told { pen, messages } = &mut self.rooms[chosen];
        if messages.is_empty() {
            return;
        }
        let index = self.random.usize(0..messages.len());
        let target = messages[index];
        let (event, projections) = match drawn {
            0..4 => {
                let edit = EventBody::Edit(EditBody { body: body.clone() });
                let event = Event { target: Some(target), ..pen.event(by, None, edit) };
                let (rev, at) = (event.seq, event.at);
                let mut projections =
                    vec![Projection::Edited { target, rev, at, body: Box::new(body.clone()) }];
                projections.extend(mentioned(&body, target));
                let files = body.attachments.iter().map(|attachment| attachment.id).collect();
                projections.push(Projection::Attach { seq: target, files, rev });
                (event, projections)
            }
            4 | 5 => {
                messages.swap_remove(index);
                let event = pen.event(by, None, EventBody::Delete(DeleteBody {}));
                let rev = event.seq;
                let gone = Projection::Attach { seq: target, files: vec![], rev };
                let event = Event { target: Some(target), ..event };
                (event, vec![Projection::Deleted { target, rev }, gone])
            }
            drawn => {
                let change = match drawn {
                    6..10 => Change::React(emoji),
                    10 | 11 => Change::Unreact(emoji),
                    12 => Change::Pin,
                    _ => Change::Unpin,
                };
                let (event, projection) = pen.change(by, target, &change);
                (event, vec![projection])
            }
        };
        append(self.store, vec![event], projections).await;
    }

    async fn come_or_go(&mut self) {
        let (by, who, chosen) = (self.user(), self.user(), self.told());
        let role = self.random.choice([None, Some(Role::Member), Some(Role::Admin)]).flatten();
        let pen = &mut self.rooms[chosen].pen;
        let change = role.map_or_else(
            || json!({ "user": who, "change": "left" }),
            |role| json!({ "user": who, "change": "added", "role": role }),
        );
        let event = pen.event(by, None, body(&json!({ "type": "member", "body": change })));
        let kind = [RoomKind::Group, RoomKind::Channel, RoomKind::Inbox][chosen];
        let record = Projection::Room(pen.record(kind, 6));
        append(self.store, vec![event], vec![pen.membership(who, role), record]).await;
    }

    async fn mark(&mut self) {
        let (who, chosen) = (self.user(), self.told());
        let (at, head) = (self.rooms[chosen].pen.room, self.rooms[chosen].pen.seq.0);
        let kind = if self.random.bool() { CursorKind::Read } else { CursorKind::Delivered };
        let mark = Mark { user: who, kind, seq: Seq(self.random.u64(0..=head)) };
        self.store.mark(at, &[mark]).await.expect("a write");
        let change = SettingsChange {
            notify: self.random.bool().then_some(Notify::Mentions),
            muted_until: self.random.bool().then(|| Some(second(i64::from(self.step)))),
            pinned: Some(self.random.bool()),
            archived: None,
        };
        self.store.change_settings(at, who, change).await.expect("a write");
        let some = self.store.notices(None, 2).await.expect("a read");
        self.store.forget_notices(&some[..some.len().min(1)]).await.expect("a write");
    }

    async fn file(&mut self) {
        let (who, number) = (self.user(), self.random.u128(0..FILES));
        let upload = Upload { expires_at: second(1_000_000), ..upload(number, who) };
        self.store.begin_upload(upload, 1 << 40).await.expect("a write");
        if self.random.u8(0..5) > 0 {
            let content = content(self.random.u8(..));
            self.store.complete_upload(file(number), content, second(1)).await.expect("a write");
        }
        if self.random.u8(0..5) == 0 {
            self.store.doom_files(second(1), 1).await.expect("a write");
        }
    }

    async fn picture(&mut self) {
        let (who, number) = (self.user(), self.random.u128(0..FILES));
        let at: RoomId = room(self.random.u128(1..=ROOMS));
        let of = if self.random.bool() { AvatarOf::User(who) } else { AvatarOf::Room(at) };
        let held = (self.random.u8(0..4) > 0).then(|| file(number));
        self.store.hold_avatar(of, held, second(1)).await.expect("a write");
    }

    async fn log_in_or_out(&mut self) {
        let number = self.random.u128(1..=USERS);
        let now = second(i64::from(self.step));
        let token = |number: u8| RefreshToken { hash: [number; 32], expires_at: second(9_000) };
        let (old, new) = (self.random.u8(..), self.random.u8(..));
        let session = LoginSession {
            session: session_id(number),
            user: user(number),
            device: None,
            device_name: self.random.bool().then(|| "a \u{1f4f1}".to_owned()),
            created_at: now,
            expires_at: second(90_000),
            revoked_at: None,
        };
        self.store.begin_session(session, token(old)).await.expect("a write");
        if old != new {
            self.store.rotate(token(old).hash, token(new), now).await.expect("a write");
        }
        if self.random.u8(0..8) == 0 {
            self.store.revoke(session_id(number), now).await.expect("a write");
        }
    }

    async fn invite(&mut self) {
        let (by, now) = (self.user(), second(i64::from(self.step)));
        let [hash, other] = [(); 2].map(|()| [self.random.u8(..); 32]);
        let at = room(self.random.u128(1..=ROOMS));
        let uses = self.random.bool().then_some(2);
        let expires_at = self.random.bool().then_some(second(100_000));
        let invite = Invite { hash, room: at, by, created_at: now, expires_at, uses };
        self.store.create_invite(invite).await.expect("a write");
        // Who has used one that is for everybody a store may keep or not.
        let kept = self.store.invite(hash).await.expect("a read");
        let is_counted = kept.is_some_and(|invite| invite.uses.is_some());
        for who in (1..=3).filter(|_| is_counted) {
            self.store.use_invite(hash, user(who), now).await.expect("a write");
        }
        self.store.revoke_invite(at, other, now).await.expect("a write");
    }

    async fn people(&mut self) {
        let (who, other, now) = (self.user(), self.user(), second(i64::from(self.step)));
        let handle = self.random.bool().then(|| format!("handle{}", self.random.u8(0..20)));
        let name = Some(format!("as of {}", self.step));
        let change = ProfileChange { name, handle, ..ProfileChange::default() };
        self.store.change_profile(who, change, now).await.expect("a write");
        self.store.block(who, other, now).await.expect("a write");
        if self.random.u8(0..3) == 0 {
            self.store.unblock(other, who).await.expect("a write");
        }
        self.store.seen(&[(who, now)]).await.expect("a write");
        let (key, expires_at) =
            ([self.random.u8(0..20); 32], self.random.bool().then(|| now.plus_millis(60_000)));
        let old = self.store.sign_in(key, now).await.expect("a read").map(|record| record.version);
        let version = Uuid::from_u128(u128::from(self.step));
        let record = SignIn { key, version, body: format!("as of {}", self.step), expires_at };
        self.store.put_sign_in(old, record, now).await.expect("a write");
        let (book, rev) = (Book::ALL[self.random.usize(0..Book::ALL.len())], 1);
        let (id, body) =
            (Uuid::from_u128(u128::from(self.step) << 80), format!("{{\"step\":{}}}", self.step));
        self.store.put_entry(Entry { book, id, rev, body }).await.expect("a write");
    }
}

fn attachment(id: FileId) -> Attachment {
    Attachment {
        id,
        name: "a.png".to_owned(),
        mime: "image/png".to_owned(),
        size: 9_000,
        width: Some(640),
        height: None,
        duration_ms: None,
        thumb: None,
    }
}

/// What the room writes of whom a body mentions.
fn mentioned(body: &MessageBody, seq: Seq) -> Vec<Projection> {
    let of = |mention: &Mention| match mention {
        Mention::All => Projection::Mention { user: None, seq },
        Mention::User(user) => Projection::Mention { user: Some(*user), seq },
    };
    // One of two is not a member, say.
    body.mentions.iter().take(1).map(of).collect()
}

fn attached(body: &MessageBody, seq: Seq, rev: Seq) -> Option<Projection> {
    let files: Vec<_> = body.attachments.iter().map(|attachment| attachment.id).collect();
    (!files.is_empty()).then_some(Projection::Attach { seq, files, rev })
}
