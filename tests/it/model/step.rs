//! What is drawn: steps that name nothing that is there yet. A step is made a command where it
//! happens ("the third newest message"), so that a list of steps stays one when some are left out.

use super::world::World;
use crate::chat::name;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Devices that there are: two of the first user, two of the second, one of the third.
pub(super) const DEVICES: [usize; 5] = [0, 0, 1, 1, 2];

/// Commands that are asked at once, at most. The model tries every order of them.
const AT_ONCE: usize = 4;

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Commands at once, while the weather is like that.
    Ask(Weather, Vec<Ask>),
    /// A device opens a room.
    Open { device: usize, room: usize, from: From },
    /// A device closes a room.
    Close { device: usize, room: usize },
    /// A device goes, comes back, and resumes from its positions.
    HangUp { device: usize },
    /// Every room that nobody hears is passivated.
    Passivate,
}

/// From where a device opens a room.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    Head,
    Beginning,
    Position,
}

/// What goes wrong while commands are asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Weather {
    Calm,
    /// The store refuses every write.
    Refusing,
    /// The next write is lost, and nobody knows.
    Lost,
    /// The next write is done, and nobody knows.
    Unheard,
    /// The store draws faults of every kind.
    Raging,
    /// Whoever asks for the time next panics: as a rule the room, as it orders.
    Panic,
    /// The device goes without waiting for the answer. For one command that has a name.
    Cut,
}

/// One command.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) device: usize,
    pub(super) room: usize,
    pub(super) what: What,
    pub(super) pick: u16,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Send,
    Mention,
    Reply,
    Again,
    Edit,
    EditKnown,
    EditStale,
    Delete,
    React,
    Unreact,
    Pin,
    Unpin,
    Read,
    Delivered,
    Type,
    Add,
    Remove,
    Leave,
    Role,
    Update,
    Settings,
    Block,
    Unblock,
    Invite,
    Accept,
    Revoke,
}

/// A command as it is on the wire.
pub(super) type Command = (&'static str, Value);

impl Ask {
    #[expect(clippy::too_many_lines, reason = "one arm for each op reads like a table")]
    /// Returns the command that this is in `world`, of whose users it is asked by the one at `by`.
    pub(super) fn command(&self, world: &World, users: &[String], asked: &[(String, Command)]) -> Command {
        let by = &users[DEVICES[self.device]];
        let pick = usize::from(self.pick);
        let room = &world.rooms[self.room % world.rooms.len()];
        let user = &users[pick % users.len()];
        let target = {
            let said: Vec<_> =
                room.log.iter().rev().filter(|event| event.kind == "message").take(6).collect();
            match (pick % 9, said.len()) {
                (8, _) | (_, 0) => pick as u64 % (room.head() + 3),
                (_, count) => said[pick / 9 % count].seq,
            }
        };
        let text = |mentions: Value| {
            let mut body = json!({ "kind": "text", "text": format!("text {pick}") });
            if mentions != json!([]) {
                body["mentions"] = mentions;
            }
            body
        };
        let some = if pick % 3 == 0 { json!(["all"]) } else { json!([user]) };
        let mut d = json!({ "room": room.id });
        let mut with = |fields: Value| {
            fields.as_object().unwrap().iter().for_each(|(name, value)| d[name] = value.clone());
            d.clone()
        };
        let on = !matches!(self.what, What::Unreact | What::Unpin | What::Unblock);
        let role = ["reader", "member", "member", "admin", "owner"][pick / 3 % 5];
        let rev = room.shown(target, by).map_or(json!(1), |shown| shown["rev"].clone());
        match self.what {
            What::Send => ("message.send", with(json!({ "client_id": name(), "body": text(json!([])) }))),
            What::Mention => ("message.send", with(json!({ "client_id": name(), "body": text(some) }))),
            What::Reply => {
                let fields = json!({ "client_id": name(), "body": text(json!([])), "reply_to": target });
                ("message.send", with(fields))
            }
            What::Again => {
                let mine: Vec<_> = asked.iter().rev().filter(|(user, _)| user == by).take(4).collect();
                match mine.len() {
                    0 => ("typing.set", with(json!({ "on": false }))),
                    count => mine[pick % count].1.clone(),
                }
            }
            What::Edit => {
                let body = text(if pick % 2 == 0 { some } else { json!([]) });
                ("message.edit", with(json!({ "client_id": name(), "target": target, "body": body })))
            }
            What::EditKnown | What::EditStale => {
                let rev =
                    if matches!(self.what, What::EditKnown) { rev } else { json!(rev.as_u64().unwrap() + 1) };
                let body = text(json!([]));
                (
                    "message.edit",
                    with(json!({ "client_id": name(), "target": target, "body": body, "rev": rev })),
                )
            }
            What::Delete => ("message.delete", with(json!({ "client_id": name(), "target": target }))),
            What::React | What::Unreact => {
                let emoji = ["👍", "🫖", "🍪"][pick % 3];
                let fields = json!({ "client_id": name(), "target": target, "emoji": emoji, "on": on });
                ("reaction.set", with(fields))
            }
            What::Pin | What::Unpin => {
                ("pin.set", with(json!({ "client_id": name(), "target": target, "on": on })))
            }
            What::Read => ("read.mark", with(json!({ "seq": target + pick as u64 % 3 }))),
            What::Delivered => ("delivered.mark", with(json!({ "seq": target + pick as u64 % 3 }))),
            What::Type => ("typing.set", with(json!({ "on": pick % 3 > 0 }))),
            What::Add => {
                let all: Vec<_> =
                    users.iter().filter(|user| pick % 4 == 0 || *user == &users[pick % 3]).collect();
                ("member.add", with(json!({ "users": all, "role": role })))
            }
            What::Remove => ("member.remove", with(json!({ "user": user }))),
            What::Leave => ("member.remove", with(json!({ "user": by }))),
            What::Role => ("member.role", with(json!({ "user": user, "role": role }))),
            What::Update => ("room.update", with(json!({ "title": format!("title {pick}") }))),
            What::Settings => {
                let notify = ["all", "mentions", "none"][pick % 3];
                let fields = match pick % 4 {
                    0 => json!({ "notify": notify, "archived": pick % 8 == 0 }),
                    1 => json!({ "muted_until": 1_900_000_000_000_u64 + pick as u64 }),
                    2 => json!({ "muted_until": 0 }),
                    _ => json!({ "pinned": pick % 8 == 3 }),
                };
                ("room.settings", with(fields))
            }
            What::Block | What::Unblock => {
                let index = users.iter().position(|one| one == by).unwrap() + 1 + pick % 2;
                ("user.block", json!({ "user": users[index % users.len()], "on": on }))
            }
            What::Invite if pick % 2 == 0 => ("invite.create", with(json!({ "uses": 1 + pick % 3 }))),
            What::Invite => ("invite.create", d),
            What::Accept | What::Revoke => {
                let invite = match world.invites.len() {
                    0 => json!("AAAAAAAAAAAAAAAAAAAAAA"),
                    count => json!(world.invites[count - 1 - pick % count.min(3)].text),
                };
                match self.what {
                    What::Accept => ("invite.accept", json!({ "invite": invite })),
                    _ => ("invite.revoke", with(json!({ "invite": invite }))),
                }
            }
        }
    }
}

/// Draws one step.
pub(super) fn steps() -> BoxedStrategy<Step> {
    let device = 0..DEVICES.len();
    let at = (device.clone(), 0..3_usize);
    let from = prop_oneof![Just(From::Head), Just(From::Beginning), Just(From::Position)];
    prop_oneof![
        24 => (weathers(), prop::collection::vec(asks(), 1..=AT_ONCE)).prop_map(|(weather, asks)| Step::Ask(weather, asks)),
        5 => (at.clone(), from).prop_map(|((device, room), from)| Step::Open { device, room, from }),
        1 => at.prop_map(|(device, room)| Step::Close { device, room }),
        2 => device.prop_map(|device| Step::HangUp { device }),
        2 => Just(Step::Passivate),
    ]
    .boxed()
}

fn weathers() -> impl Strategy<Value = Weather> {
    prop_oneof![
        8 => Just(Weather::Calm),
        1 => Just(Weather::Refusing),
        1 => Just(Weather::Lost),
        1 => Just(Weather::Unheard),
        2 => Just(Weather::Raging),
        1 => Just(Weather::Panic),
        1 => Just(Weather::Cut),
    ]
}

fn asks() -> impl Strategy<Value = Ask> {
    let often = [What::Send, What::Mention, What::Reply, What::Edit, What::Delete, What::React, What::Read];
    let what = prop_oneof![
        3 => prop::sample::select(often.to_vec()),
        2 => prop::sample::select(vec![
            What::Again, What::EditKnown, What::EditStale, What::Unreact, What::Pin, What::Unpin,
            What::Delivered, What::Type, What::Update, What::Settings, What::Unblock, What::Accept,
        ]),
        1 => prop::sample::select(vec![
            What::Add, What::Add, What::Add, What::Remove, What::Leave, What::Role, What::Role,
            What::Block, What::Invite, What::Revoke,
        ]),
    ];
    (0..DEVICES.len(), 0..3_usize, what, any::<u16>()).prop_map(|(device, room, what, pick)| Ask {
        device,
        room,
        what,
        pick,
    })
}
