//! The log.

use crate::CqlStore;
use rookery_engine::store::*;
use rookery_protocol::*;

pub(crate) fn unfinished<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>() -> Answer<'a, T, E> {
    Box::pin(async { Err(StoreError::Refused("not written yet".to_owned()).into()) })
}

impl Log for CqlStore {
    fn append(&self, _append: Append) -> Answer<'_, (), AppendError> {
        unfinished()
    }

    fn read(&self, _room: RoomId, _range: Range, _limit: usize) -> Answer<'_, Vec<Event>> {
        unfinished()
    }

    fn page(&self, _room: RoomId, _range: Range, _limit: usize, _reader: UserId) -> Answer<'_, Vec<Message>> {
        unfinished()
    }

    fn messages<'a>(&'a self, _room: RoomId, _seqs: &'a [Seq], _reader: UserId) -> Answer<'a, Vec<Message>> {
        unfinished()
    }

    fn find(&self, _room: RoomId, _by: UserId, _client_id: ClientId) -> Answer<'_, Option<Receipt>> {
        unfinished()
    }

    fn head(&self, _room: RoomId) -> Answer<'_, Option<Head>> {
        unfinished()
    }
}

impl Cursors for CqlStore {
    fn mark<'a>(&'a self, _room: RoomId, _marks: &'a [Mark]) -> Answer<'a, ()> {
        unfinished()
    }

    fn cursors(&self, _room: RoomId, _limit: usize) -> Answer<'_, Vec<MemberCursor>> {
        unfinished()
    }

    fn reached(&self, _room: RoomId, _kind: CursorKind, _seq: Seq, _limit: usize) -> Answer<'_, Reached> {
        unfinished()
    }
}

impl Notices for CqlStore {
    fn notices(&self, _after: Option<Notice>, _limit: usize) -> Answer<'_, Vec<Notice>> {
        unfinished()
    }

    fn forget_notices<'a>(&'a self, _notices: &'a [Notice]) -> Answer<'a, ()> {
        unfinished()
    }
}
