//! Frames survive the way there, and whatever else arrives is no frame.

use super::*;
use crate::cluster::said::{Asked, Group, Implied, Outcome, Signal};
use crate::presence::Whereabouts;
use crate::room::Action;
use rookery_engine::bus::NodeId;
use rookery_engine::limits::PEOPLE_PER_FRAME;
use rookery_engine::store::{Membership, Notice, NoticeKind, RoomRecord};
use rookery_protocol::{
    ClientId, Event, EventBody, MessageBody, MessageSend, PresenceState, Role, RoomId, RoomKind, Sent, Seq,
    SessionId, Timestamp, Typing, UserId, WireError,
};
use uuid::Uuid;

const ROOM: RoomId = RoomId(Uuid::from_u128(1));
const USER: UserId = UserId(Uuid::from_u128(2));
const NODE: NodeId = NodeId(Uuid::from_u128(3));
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const ASKED: Asked = Asked { room: ROOM, run: 7, number: 1 };

fn send() -> Action {
    Action::Send(Box::new(MessageSend {
        room: ROOM,
        client_id: ClientId(Uuid::from_u128(9)),
        attempt: None,
        body: MessageBody::text("hello"),
        reply_to: Some(Seq(4)),
    }))
}

fn events() -> Events {
    let event = Event {
        room: ROOM,
        seq: Seq(5),
        ord: 3,
        at: Timestamp(1_790_000_000_000),
        by: USER,
        client_id: Some(ClientId(Uuid::from_u128(9))),
        target: None,
        reply_to: None,
        body: EventBody::Message(MessageBody::text("hello")),
    };
    let record = RoomRecord {
        room: ROOM,
        kind: RoomKind::Group,
        title: Some("Tea".to_owned()),
        about: None,
        avatar: None,
        created_at: Timestamp(5),
        members: 2,
        rev: Seq(5),
    };
    let member = Membership {
        room: ROOM,
        user: USER,
        role: Some(Role::Owner),
        joined: Seq(1),
        joined_ord: 0,
        rev: Seq(5),
    };
    let implied = vec![Implied::Room(record), Implied::Member(member)];
    Events { room: ROOM, groups: vec![Group { events: vec![event], implied, trace: None }] }
}

fn traced(mut events: Events) -> Events {
    events.groups[0].trace = Some(TRACE.to_owned());
    events
}

fn whereabouts(status: &str) -> Whereabouts {
    Whereabouts {
        state: Some(PresenceState::Invisible),
        last_seen: Some(Timestamp(1_790_000_000_000)),
        status: Some((u64::MAX, status.to_owned())),
        left: vec![SessionId(Uuid::from_u128(4))],
    }
}

fn frames() -> Vec<Bytes> {
    let heads = vec![(ROOM, Seq(1 << 40))];
    let rooms = vec![ROOM];
    let notice =
        Notice { user: USER, room: ROOM, seq: Seq(1), kind: NoticeKind::Added, by: USER, at: Timestamp(1) };
    let submit = |action| Submit { asked: ASKED, as_of: 12, by: USER, action, trace: None };
    let answered = |outcome| Answered { asked: ASKED, outcome };
    let sent = Sent { seq: Seq(5), ord: 3, at: Timestamp(1), duplicate: false };
    let refused = WireError::new(rookery_protocol::ErrorCode::Forbidden, "no");
    vec![
        encode(&Pulse { beat: 5, homes: vec![NODE], hears: vec![] }),
        encode(&Follow { rooms: rooms.clone() }),
        encode(&Followed { heads: heads.clone() }),
        encode(&Unfollow { rooms }),
        encode(&events()),
        encode(&Beacon { heads }),
        encode(&submit(send())),
        encode(&submit(Action::Notice(notice))),
        encode(&submit(Action::Join)),
        encode(&Submit { trace: Some(TRACE.to_owned()), ..submit(Action::Join) }),
        encode(&traced(events())),
        encode(&answered(Outcome::Sent(sent))),
        encode(&answered(Outcome::Refused(refused))),
        encode(&answered(Outcome::NotTaken)),
        encode(&Signalled { room: ROOM, signal: Signal::Types(USER, Typing::default()) }),
        encode(&Signalled { room: ROOM, signal: Signal::Read(vec![(USER, Seq(4))]) }),
        encode(&HeadMoved { room: ROOM, seq: Seq(4), members: Some(vec![USER]) }),
        encode(&LoginEnded { session: SessionId(Uuid::from_u128(4)), code: 4503 }),
        encode(&UserEnded { user: USER, code: 4504 }),
        encode(&UserChanged { user: USER }),
        encode(&Astray { room: ROOM }),
        encode(&BlockChanged { one: USER, other: USER }),
        encode(&WatchPeople { number: 7, is_all: true, users: vec![USER] }),
        encode(&UnwatchPeople { users: vec![USER] }),
        encode(&PeopleAre {
            answers: Some(7),
            people: vec![(USER, whereabouts(""))],
            ..PeopleAre::default()
        }),
    ]
    .into_iter()
    .map(|frame| frame.unwrap())
    .collect()
}

#[test]
fn every_frame_survives_the_way_there() {
    for frame in frames() {
        let (kind, said) = decode(&frame).unwrap();
        // What was read is written as it was.
        let again = match said {
            Said::Pulse(said) => encode(&said),
            Said::Follow(said) => encode(&said),
            Said::Followed(said) => encode(&said),
            Said::Unfollow(said) => encode(&said),
            Said::Events(said) => encode(&*said),
            Said::Beacon(said) => encode(&said),
            Said::Submit(said) => encode(&*said),
            Said::Answered(said) => encode(&said),
            Said::Astray(said) => encode(&said),
            Said::Signalled(said) => encode(&said),
            Said::HeadMoved(said) => encode(&said),
            Said::LoginEnded(said) => encode(&said),
            Said::UserEnded(said) => encode(&said),
            Said::UserChanged(said) => encode(&said),
            Said::BlockChanged(said) => encode(&said),
            Said::WatchPeople(said) => encode(&said),
            Said::UnwatchPeople(said) => encode(&said),
            Said::PeopleAre(said) => encode(&said),
            Said::NotUnderstood(_) => panic!("{kind} is not understood"),
        };
        assert_eq!(again.unwrap(), frame, "{kind}");
    }
}

#[test]
fn what_is_borrowed_is_written_like_what_is_owned() {
    let (owned, trace) = (traced(events()), Some(TRACE.to_owned()));
    let submit = Submit { asked: ASKED, as_of: 1, by: USER, action: send(), trace: trace.clone() };
    let groups = owned.groups.iter().map(|group| crate::cluster::said::GroupOf {
        events: group.events.iter().collect(),
        implied: &group.implied,
        trace: group.trace.clone(),
    });
    assert_eq!(encode(&EventsOf { room: ROOM, groups: groups.collect() }), encode(&owned));
    let borrowed = SubmitOf { asked: ASKED, as_of: 1, by: USER, action: &submit.action, trace };
    assert_eq!(encode(&borrowed), encode(&submit));
}

#[test]
fn what_is_not_traced_is_said_as_it_was_before_there_were_traces() {
    #[derive(Serialize)]
    struct Older {
        asked: Asked,
        as_of: u64,
        by: UserId,
        action: Action,
    }
    impl Kind for Older {
        const KIND: (u8, &'static str) = Submit::KIND;
    }
    let older = encode(&Older { asked: ASKED, as_of: 1, by: USER, action: send() }).unwrap();
    let now = Submit { asked: ASKED, as_of: 1, by: USER, action: send(), trace: None };
    assert_eq!(encode(&now).unwrap(), older);
}

#[test]
fn cut_and_flipped_frames_are_refused_or_read_and_nothing_else() {
    let mut chance = fastrand::Rng::with_seed(1);
    for frame in frames() {
        for length in 0..frame.len() {
            assert!(decode(&frame[..length]).is_none(), "a part of a frame is none");
        }
        for _ in 0..2000 {
            let mut bytes = frame.to_vec();
            for _ in 0..chance.usize(1..4) {
                let at = chance.usize(..bytes.len());
                bytes[at] = chance.u8(..);
            }
            drop(decode(&bytes));
        }
    }
    for _ in 0..20_000 {
        let kind = chance.u8(..16);
        let bytes: Vec<u8> =
            [VERSION, kind, 0].into_iter().chain((0..chance.usize(..64)).map(|_| chance.u8(..))).collect();
        drop(decode(&bytes));
    }
}

#[test]
fn a_word_of_as_many_people_as_it_may_have_with_the_longest_status_fits() {
    let status = "\u{10ffff}".repeat(rookery_protocol::limits::STATUS_CHARS);
    let people = vec![(USER, whereabouts(&status)); PEOPLE_PER_FRAME];
    assert!(encode(&PeopleAre { people, ..PeopleAre::default() }).is_some());
    let users = vec![USER; PEOPLE_PER_FRAME];
    assert!(encode(&WatchPeople { number: u64::MAX, is_all: true, users }).is_some());
}

#[test]
fn another_version_another_kind_and_one_too_large_are_ignored() {
    let frame = encode(&UserChanged { user: USER }).unwrap();
    for (at, byte) in [(0, VERSION + 1), (1, 200)] {
        let mut other = frame.to_vec();
        other[at] = byte;
        assert!(decode(&other).is_none());
    }
    let many = vec![(ROOM, Seq(u64::MAX >> 1)); BUS_FRAME / 20];
    assert_eq!(encode(&Beacon { heads: many }), None);
    assert!(decode(&vec![VERSION; BUS_FRAME + 1]).is_none());
}

#[test]
fn a_submit_of_what_is_not_known_yet_can_be_answered() {
    #[derive(Serialize)]
    struct Newer {
        asked: Asked,
        as_of: u64,
        by: UserId,
        action: &'static str,
        more: u8,
    }
    impl Kind for Newer {
        const KIND: (u8, &'static str) = Submit::KIND;
    }
    let newer = Newer { asked: ASKED, as_of: 1, by: USER, action: "Teleport", more: 1 };
    let frame = encode(&newer).unwrap();
    assert!(matches!(decode(&frame), Some((_, Said::NotUnderstood(asked))) if asked == ASKED));
}

#[test]
fn a_home_marks_what_it_passes_on() {
    let frame = encode(&events()).unwrap();
    let passed = passed_on(&frame);
    assert_eq!((is_passed_on(&frame), is_passed_on(&passed)), (false, true));
    assert!(matches!(decode(&passed), Some((_, Said::Events(said))) if *said == events()));
}
