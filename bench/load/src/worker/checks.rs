//! The client against a server that does as it is told, also wrong: every fault is found, and nothing else is one.

mod fake;

use super::order::{Goal, Ground, Pace, Person, Plan, RoomToLoad, Window, WireCodec};
use crate::clock;
use crate::crew::{Coming, Counted, Crew};
use crate::verify::Faults;
use fake::{Fake, ROOM, Step, event};

const BOTH: [WireCodec; 2] = [WireCodec::MessagePack, WireCodec::Json];

/// Milliseconds for what never comes.
const SOON: u64 = 200;

/// Milliseconds for what comes.
const LATE: u64 = 10_000;

fn crew(fake: &Fake, codec: WireCodec, people: u32) -> Crew {
    let ground = Ground { number: 0, server: fake.address, codec, sources: 1, is_floor: false, seed: 7 };
    let mut crew = Crew::start(1, &ground).unwrap();
    crew.add_rooms(&[RoomToLoad { id: ROOM, is_timed: true }]).unwrap();
    let person = Person { token: "token".to_owned(), rooms: vec![0], stops: false };
    crew.add_people((0..people).map(|_| person.clone())).unwrap();
    crew.measure(Window { from: 0, until: u64::MAX }).unwrap();
    let (connected, _) = crew.connect((0, people), Coming::AtATime(1), Goal::Open).unwrap();
    assert_eq!((connected.ready, connected.failed.len()), (people.into(), 0));
    crew
}

/// Plays what each connection is told, up to this head, and returns what was counted.
fn hear(codec: WireCodec, told: &[Vec<Step>], head: u64, within_ms: u64) -> Counted {
    let fake = Fake::start(codec, told.to_vec());
    let mut crew = crew(&fake, codec, u32::try_from(told.len()).unwrap());
    crew.settle(&[(0, head)], within_ms).unwrap();
    crew.report().unwrap()
}

#[test]
fn a_whole_stream_is_clean_and_every_delivery_is_counted() {
    for codec in BOTH {
        let stream: Vec<Step> = (1..=100).map(|seq| event(seq, seq)).collect();
        let counted = hear(codec, &[stream.clone(), stream], 100, LATE);
        assert!(counted.sum.faults.is_clean(), "{:?}", counted.sum);
        assert_eq!((counted.sum.whole.deliveries, counted.delivery.count()), (200, 200));
        assert!(counted.fans.values().all(|fan| fan.seen == 2 && fan.last >= fan.due));
        assert!(counted.sum.noticed.is_empty() && counted.sum.broken == 0, "{:?}", counted.sum.noticed);
    }
}

#[test]
fn what_is_lost_doubled_reordered_or_damaged_is_found() {
    let cases: [(&str, Vec<Step>, Faults); 7] = [
        ("in the middle", vec![event(1, 1), event(3, 3)], Faults { lost: 1, ..Faults::default() }),
        ("at the end", vec![event(1, 1), event(2, 2)], Faults { lost: 1, ..Faults::default() }),
        ("all", vec![], Faults { lost: 3, ..Faults::default() }),
        (
            "twice",
            vec![event(1, 1), event(2, 2), event(2, 2), event(3, 3)],
            Faults { doubled: 1, ..Faults::default() },
        ),
        ("late", vec![event(2, 2), event(1, 1), event(3, 3)], Faults { reordered: 1, ..Faults::default() }),
        (
            "another text",
            vec![event(1, 1), Step::Damaged { seq: 2, number: 2 }, event(3, 3)],
            Faults { damaged: 1, ..Faults::default() },
        ),
        (
            "lost and late and twice",
            vec![event(2, 2), event(1, 1), event(1, 1)],
            Faults { lost: 1, doubled: 1, reordered: 1, damaged: 0 },
        ),
    ];
    for codec in BOTH {
        for (what, told, faults) in &cases {
            let counted = hear(codec, std::slice::from_ref(told), 3, SOON);
            assert_eq!(counted.sum.faults, *faults, "{what}, {codec:?}");
        }
    }
}

#[test]
fn two_who_are_told_different_things_at_one_position_are_found() {
    for codec in BOTH {
        let counted = hear(codec, &[vec![event(1, 1)], vec![event(1, 2)]], 1, LATE);
        assert_eq!(counted.sum.faults, Faults { damaged: 1, ..Faults::default() });
    }
}

#[test]
fn a_ping_is_answered_and_a_frame_in_pieces_is_put_together() {
    for codec in BOTH {
        let told = vec![Step::Ping, event(1, 1), Step::Piecewise { seq: 2, number: 2 }, event(3, 3)];
        let fake = Fake::start(codec, vec![told]);
        let mut crew = crew(&fake, codec, 1);
        crew.settle(&[(0, 3)], LATE).unwrap();
        assert!(crew.report().unwrap().sum.faults.is_clean());
        fake.wait_to_hear("pong");
    }
}

#[test]
fn who_is_cut_off_comes_back_to_the_position_it_had() {
    for codec in BOTH {
        let told = vec![vec![event(1, 1), event(2, 2), Step::Close(4001)], vec![event(3, 3)]];
        let fake = Fake::start(codec, told);
        let mut crew = crew(&fake, codec, 1);
        crew.settle(&[(0, 3)], LATE).unwrap();
        let counted = crew.report().unwrap();
        assert!(counted.sum.faults.is_clean(), "{:?}", counted.sum.faults);
        assert_eq!((counted.sum.broken, counted.sum.resumed), (1, 1));
        assert_eq!(counted.sum.noticed.get("close 4001"), Some(&1));
        assert_eq!(fake.heard("after 2"), 1);
    }
}

#[test]
fn a_reset_is_a_loss() {
    for codec in BOTH {
        let told = vec![vec![event(1, 1), Step::Close(4001)], vec![Step::Reset { from: 5 }]];
        let fake = Fake::start(codec, told);
        let mut crew = crew(&fake, codec, 1);
        crew.settle(&[(0, 4)], LATE).unwrap();
        let counted = crew.report().unwrap();
        assert_eq!(counted.sum.faults, Faults { lost: 3, ..Faults::default() });
        assert_eq!(counted.sum.noticed.get("reset"), Some(&1));
    }
}

#[test]
fn what_is_refused_for_now_is_sent_again_and_acked_once() {
    for codec in BOTH {
        let fake = Fake::start(codec, vec![vec![Step::RefuseOnce]]);
        let mut crew = crew(&fake, codec, 1);
        let pace = Pace::Count { each: 20, outstanding: 4 };
        let window = Window { from: 0, until: u64::MAX };
        crew.publish(&Plan { publishers: vec![(0, 0)], pace, window, bytes: 100 }).unwrap();
        assert_eq!(crew.finish(LATE).unwrap(), [(0, 20)]);
        crew.settle(&[(0, 20)], LATE).unwrap();
        let counted = crew.report().unwrap();
        assert!(counted.sum.faults.is_clean(), "{:?}", counted.sum.faults);
        assert_eq!((counted.sum.whole.sent, counted.sum.whole.acked, counted.sum.unanswered), (20, 20, 0));
        assert_eq!((counted.ack.count(), counted.delivery.count()), (20, 20));
        assert_eq!((counted.sum.noticed.get("busy"), fake.heard("attempt 2")), (Some(&1), 1));
    }
}

#[test]
fn latency_counts_from_the_intended_moment() {
    let fake = Fake::start(WireCodec::MessagePack, vec![vec![]]);
    let mut crew = crew(&fake, WireCodec::MessagePack, 1);
    // A schedule that began a second ago: whoever takes the moment of the send for it sees microseconds.
    let from = clock::now() - clock::SECOND;
    let window = Window { from, until: from + clock::SECOND / 2 };
    crew.measure(window).unwrap();
    let plan = Plan { publishers: vec![(0, 0)], pace: Pace::Open { per_second: 100.0 }, window, bytes: 64 };
    crew.publish(&plan).unwrap();
    let heads = crew.finish(LATE).unwrap();
    crew.settle(&heads, LATE).unwrap();
    let counted = crew.report().unwrap();
    assert_eq!((counted.sum.whole.sent, counted.ack.count(), counted.delivery.count()), (50, 50, 50));
    let least = counted.ack.quantile_us(0.0).min(counted.delivery.quantile_us(0.0));
    assert!(least >= 499_000, "{least} µs");
    assert!(counted.sum.late_us >= 999_000, "the client says that it was late: {} µs", counted.sum.late_us);
}
