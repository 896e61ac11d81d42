//! A store that is in use while it is read: nothing in a backup refers to what is not there.

use crate::cast::{START, account, content, file, room, second, upload, user};
use crate::keyspace::Keyspace;
use futures_util::future::{Either, select};
use rookery_engine::MemoryStore;
use rookery_engine::store::{
    Accounts, Append, Batch, Export, Files, Implied, Import, Invite, Invites, Log, Membership, Notice,
    NoticeKind, People, ProfileChange, Progress, Projection, Reading, Record,
};
use rookery_protocol::{Attachment, DeleteBody, Event, EventBody, FileId, MessageBody, Role, Seq, UserId};
use rookery_store_cql::{CqlSource, CqlStore};
use serde_json::json;
use std::collections::BTreeSet;
use std::pin::pin;
use uuid::Uuid;

/// Appends to one room, each time by somebody new who carries a new file.
struct Busy<'a> {
    store: &'a CqlStore,
    number: u128,
    head: Seq,
    ord: u64,
    /// What it has said and not taken back.
    messages: Vec<Seq>,
}

impl Busy<'_> {
    fn event(&mut self, by: UserId, target: Option<Seq>, body: EventBody) -> Event {
        self.head = self.head.next();
        self.ord += u64::from(matches!(body, EventBody::Message(_)));
        let (seq, ord) = (self.head, self.ord);
        Event { room: room(1), seq, ord, at: START, by, client_id: None, target, reply_to: None, body }
    }

    async fn step(&mut self) {
        self.number += 1;
        let (number, expected) = (self.number, self.head);
        let who = user(number);
        let made = account(number, &format!("{number}@example.org"), &format!("user{number}"));
        self.store.create_account(made).await.expect("an account");
        self.store.begin_upload(upload(number, who), u64::MAX).await.expect("an upload");
        self.store.complete_upload(file(number), content(), second(1)).await.expect("a file");
        let hash = [u8::try_from(number % 251).unwrap_or(0); 32];
        let invite =
            Invite { hash, room: room(1), by: who, created_at: START, expires_at: None, uses: Some(1) };
        self.store.create_invite(invite).await.expect("an invite");
        self.store.use_invite(hash, who, START).await.expect("a use");

        let joined = json!({ "user": who, "change": "added", "role": "member" }).to_string();
        let joined = self.event(who, None, EventBody::from_json("member", &joined).expect("a change"));
        let (joined_at, joined_ord) = (joined.seq, joined.ord);
        let attachments = vec![attachment(file(number))];
        let body = MessageBody { attachments, ..MessageBody::text(format!("the {number}th")) };
        let said = self.event(who, None, EventBody::Message(body));
        let (seq, ord) = (said.seq, said.ord);
        let mut events = vec![joined, said];
        let notice = Notice { user: who, room: room(1), seq, kind: NoticeKind::Mention, by: who, at: START };
        let mut projections = vec![
            Projection::Member(Membership {
                room: room(1),
                user: who,
                role: Some(Role::Member),
                joined: joined_at,
                joined_ord,
                rev: joined_at,
            }),
            Projection::Read { user: who, seq, ord },
            Projection::Attach { seq, files: vec![file(number)], rev: seq },
            Projection::Notice(notice),
        ];
        if number.is_multiple_of(4) {
            // A message from long ago, so that its content is read before, during or after this.
            let target = self.messages.swap_remove(self.messages.len() / 2);
            let gone = self.event(who, Some(target), EventBody::Delete(DeleteBody {}));
            projections.push(Projection::Deleted { target, rev: gone.seq });
            projections.push(Projection::Attach { seq: target, files: vec![], rev: gone.seq });
            events.push(gone);
        }
        self.messages.push(seq);
        let append =
            Append { room: room(1), expected, events: events.into(), projections: projections.into() };
        self.store.append(append).await.expect("an append");
        let change = ProfileChange { handle: Some(format!("other{number}")), ..ProfileChange::default() };
        self.store.change_profile(who, change, START).await.expect("a change");
    }
}

fn attachment(id: FileId) -> Attachment {
    let (name, mime) = ("a.png".to_owned(), "image/png".to_owned());
    Attachment { id, name, mime, size: 10_000, width: None, height: None, duration_ms: None, thumb: None }
}

async fn all(source: &dyn Export) -> Vec<Record> {
    let (mut reading, mut all) = (Reading::of(source), Vec::new());
    while let Some(records) = reading.next().await.expect("a read") {
        all.extend(records);
    }
    all
}

fn sorted(records: &[Record]) -> Vec<String> {
    let mut lines: Vec<String> = records.iter().map(|record| format!("{record:?}")).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_store_in_use_refers_to_nothing_that_is_not_there() {
    let keyspace = Keyspace::new("running", 50).await;
    let store = keyspace.open().await;
    let mut busy = Busy { store: &store, number: 0, head: Seq::ZERO, ord: 0, messages: vec![] };
    for _ in 0..60 {
        busy.step().await;
    }
    for _ in 0..3 {
        let acked = busy.head;
        let source = CqlSource::open(&keyspace.options).await.expect("open").expect("it is there");
        let writing = async {
            loop {
                busy.step().await;
            }
        };
        let records = match select(pin!(all(&source)), pin!(writing)).await {
            Either::Left((records, _)) => records,
            Either::Right(((), _)) => unreachable!("it writes for ever"),
        };
        check(&records, acked);

        // What was read is what another store then has: neither less nor twice, but for what the log itself
        // takes back.
        let other = MemoryStore::new();
        let progress = Progress { backup: Uuid::nil(), done: 1 };
        other.import(&records, progress).await.expect("an import");
        let (there, expected) = (sorted(&all(&other).await), sorted(&taken_back(records)));
        let differ = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|line| those.binary_search(line).is_err()).cloned().collect()
        };
        assert_eq!(differ(&there, &expected), Vec::<String>::new(), "the other store has more");
        assert_eq!(differ(&expected, &there), Vec::<String>::new(), "the other store has less");
        assert_eq!(there.len(), expected.len(), "something is there twice");
        // What was interrupted is settled by whoever comes next.
        let head = store.head(room(1)).await.expect("a head").expect("it has events");
        (busy.head, busy.ord) = (head.seq, head.ord);
    }
    keyspace.end().await;
}

fn batches(records: &[Record]) -> impl Iterator<Item = &Batch> {
    records.iter().filter_map(|record| if let Record::Batch(batch) = record { Some(batch) } else { None })
}

/// Returns the messages that the logs say are deleted.
fn deleted(records: &[Record]) -> BTreeSet<Seq> {
    let events = batches(records).flat_map(|batch| &batch.events);
    let deletes = events.filter(|event| matches!(event.body, EventBody::Delete(_)));
    deletes.filter_map(|event| event.target).collect()
}

/// Returns the records as whoever has them all keeps them: a message that was read with its content, and then
/// deleted before its log was through, loses the content and the file to that delete.
fn taken_back(mut records: Vec<Record>) -> Vec<Record> {
    let deleted = deleted(&records);
    let mut gone = BTreeSet::new();
    for record in &mut records {
        let Record::Batch(batch) = record else { continue };
        for event in batch.events.iter_mut().filter(|event| deleted.contains(&event.seq)) {
            event.body = event.body.clone().emptied();
        }
        batch.implied.retain(|implied| match implied {
            Implied::Attach { seq, files, .. } if !files.is_empty() && deleted.contains(seq) => {
                gone.extend(files.iter().copied());
                false
            }
            _ => true,
        });
    }
    records.retain(|record| !matches!(record, Record::File(file) if gone.contains(&file.upload.file)));
    records
}

fn check(records: &[Record], acked: Seq) {
    let events: Vec<&Event> = batches(records).flat_map(|batch| &batch.events).collect();
    let head = events.last().expect("there are events").seq;
    assert!(head >= acked, "{head} is read, {acked} was acknowledged before");
    let (mut users, mut files) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        match record {
            Record::Account(account) => drop(users.insert(account.user.id)),
            Record::File(file) => assert!(files.insert(file.upload.file), "a file twice"),
            _ => {}
        }
    }
    let deleted = deleted(records);
    for event in &events {
        assert!(users.contains(&event.by), "{} has no account", event.by);
        let is_emptied = matches!(event.body, EventBody::Emptied(_));
        assert!(!is_emptied || deleted.contains(&event.seq), "{} is empty for no reason", event.seq);
    }
    let implied = batches(records).flat_map(|batch| &batch.implied);
    let carried = implied
        .filter_map(|implied| if let Implied::Attach { files, .. } = implied { Some(files) } else { None });
    for file in carried.flatten() {
        assert!(files.contains(file), "the file {file} is missing");
    }
    for record in records {
        if let Record::Cursor { read, user, .. } = record {
            assert!(*read <= head, "{user} has read up to {read} of {head}");
        }
    }
}
