//! The store: appends, every other call, and what its adapters do with the disk and the network.

use super::buckets::{BATCH, BYTES, COARSE, QUEUE, SECONDS};
use super::handle::{By, Registrar};
use super::row::{
    Row,
    Values::{Cross, Each},
    subject,
};
use metrics::Unit::{Bytes, Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

const APPENDED: &[&str] = &["applied", "stale", "refused", "unknown", "fatal"];

/// How a call ended, in the order of [`CallOutcome`].
const CALLED: &[&str] = &["answered", "refused", "unknown", "fatal"];

const CQL_ANSWERS: &[&str] = &["answered", "failed"];

const DELIVERED: &[&str] = &["delivered", "failed"];

/// How a call of the store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// With what was asked for, or that it is not so.
    Answered,
    /// `StoreError::Refused`.
    Refused,
    /// `StoreError::Unknown`.
    Unknown,
    /// `StoreError::Fatal`.
    Fatal,
}

/// The calls of the store port, in the order of [`StoreCall`].
macro_rules! calls {
    ($($call:ident = $name:literal,)+) => {
        /// A call of the store port.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is a method of the port, whose doc says what it does")]
        pub enum StoreCall { $($call,)+ }

        const CALLS: &[&str] = &[$($name),+];
    };
}

calls! {
    Activation = "activation",
    Opening = "opening",
    Login = "login",
    Append = "append",
    Read = "read",
    Page = "page",
    Messages = "messages",
    Find = "find",
    Head = "head",
    Room = "room",
    RoomState = "room_state",
    RoomStates = "room_states",
    ChangeSettings = "change_settings",
    RoomsOf = "rooms_of",
    TotalUnread = "total_unread",
    Members = "members",
    Mark = "mark",
    Cursors = "cursors",
    Reached = "reached",
    Notices = "notices",
    ForgetNotices = "forget_notices",
    CreateAccount = "create_account",
    AccountByEmail = "account_by_email",
    ReplacePassword = "replace_password",
    Users = "users",
    BeginSession = "begin_session",
    Session = "session",
    Rotate = "rotate",
    Revoke = "revoke",
    PutTicket = "put_ticket",
    TakeTicket = "take_ticket",
    Purge = "purge",
    Account = "account",
    SessionsOf = "sessions_of",
    ConfirmAddress = "confirm_address",
    PutProof = "put_proof",
    TakeProof = "take_proof",
    PutMail = "put_mail",
    MailsDue = "mails_due",
    DelayMail = "delay_mail",
    ForgetMail = "forget_mail",
    SignIn = "sign_in",
    PutSignIn = "put_sign_in",
    Seen = "seen",
    LastSeen = "last_seen",
    ChangeProfile = "change_profile",
    UsersByHandle = "users_by_handle",
    Block = "block",
    Unblock = "unblock",
    BlocksBetween = "blocks_between",
    CreateInvite = "create_invite",
    Invite = "invite",
    RevokeInvite = "revoke_invite",
    UseInvite = "use_invite",
    BeginUpload = "begin_upload",
    CompleteUpload = "complete_upload",
    File = "file",
    ReadableFiles = "readable_files",
    HoldAvatar = "hold_avatar",
    DoomFiles = "doom_files",
    ForgetFiles = "forget_files",
    PutEntry = "put_entry",
    Entry = "entry",
    Entries = "entries",
    ForgetEntry = "forget_entry",
    RoomsEver = "rooms_ever",
    FilesOf = "files_of",
    BlocksOf = "blocks_of",
    DoomFile = "doom_file",
    ForgetTraces = "forget_traces",
    Probe = "probe",
    Close = "close",
}

subject! {
    /// Counts what the store does.
    StoreMetrics {
        appends: By<Counter> = Row::of("rookery_appends_total", Count, "Batches sent to the store, by outcome.").by(&["outcome"], Each(APPENDED));
        append_events: Histogram = Row::of("rookery_append_events", Count, "Events in a batch.").over(BATCH);
        append_bytes: Histogram = Row::of("rookery_append_bytes", Bytes, "Bytes of the bodies of the events in a batch, as its bound counts them.").over(BYTES);
        append_seconds: Histogram = Row::of("rookery_append_duration_seconds", Seconds, "Time from sending a batch to the store until it is durable.").over(SECONDS);
        calls: By<Counter> = Row::of("rookery_store_calls_total", Count, "Calls of the store, by operation and outcome; an append that is stale was answered.").by(&["operation", "outcome"], Cross(CALLS, CALLED));
        call_seconds: By<Histogram> = Row::of("rookery_store_call_duration_seconds", Seconds, "Time of a call of the store, by operation.").by(&["operation"], Each(CALLS)).over(COARSE);
        commit_seconds: Histogram = Row::of("rookery_store_commit_duration_seconds", Seconds, "Time of a commit of the embedded store, which is one fsync.").over(SECONDS);
        commit_writes: Histogram = Row::of("rookery_store_commit_writes", Count, "Writes in a commit of the embedded store.").over(QUEUE);
        cql_requests: By<Counter> = Row::of("rookery_cql_requests_total", Count, "Requests to the database of a cluster, by outcome.").by(&["outcome"], Each(CQL_ANSWERS));
        cql_seconds: Histogram = Row::of("rookery_cql_request_duration_seconds", Seconds, "Time of a request to the database of a cluster.").over(SECONDS);
        notices: By<Counter> = Row::of("rookery_notices_total", Count, "Notices that the courier took to inboxes, by what came of it; a failed one is tried again.").by(&["result"], Each(DELIVERED));
        notices_waiting: Gauge = Row::of("rookery_notices_waiting", Count, "Notices in the hands of the courier; a page at a time.");
    }
}

impl StoreMetrics {
    /// Returns handles that count nowhere.
    pub fn none() -> Self {
        Self::register(&Registrar { recorder: &metrics::NoopRecorder, routes: &[] })
    }

    /// Counts a call that took `seconds`.
    pub fn called(&self, call: StoreCall, outcome: CallOutcome, seconds: f64) {
        self.calls.cross(call as usize, outcome as usize).increment(1);
        self.call_seconds.at(call as usize).record(seconds);
    }
}
