//! Reports: what users want the office to look at.

use super::Office;
use crate::docket::{self, Known};
use rookery_engine::store::{Book, StoreError};
use rookery_protocol::{RoomId, Seq, Timestamp, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct About {
    /// A room that the reporter is in; with `seq`, a message there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) room: Option<RoomId>,
    /// The message's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<Seq>,
    /// A user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<UserId>,
}

/// How far a report has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportState {
    /// Nobody has decided yet.
    #[default]
    Open,
    /// Something was done.
    Upheld,
    /// Nothing is to be done.
    Dismissed,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it came.
    pub(crate) at: Timestamp,
    /// Who reports.
    pub(crate) by: UserId,
    /// What.
    pub(crate) about: About,
    /// Why.
    pub(crate) reason: String,
    /// How far it has come.
    pub(crate) state: ReportState,
    /// Who has decided, where somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decided_by: Option<String>,
}

impl Office {
    /// Takes a report and returns its id.
    pub(crate) async fn report(&self, by: UserId, about: About, reason: String) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        let state = ReportState::Open;
        let report = Report { at: self.now(), by, about, reason, state, decided_by: None };
        docket::begin(self.store(), Book::Reports, id, &report).await?;
        Ok(id)
    }

    /// Returns at most `limit` reports from before `before`, the newest first.
    pub(crate) async fn reports(
        &self,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Known<Report>>, StoreError> {
        docket::page(self.store(), Book::Reports, before, limit).await
    }

    /// Returns one report.
    pub(crate) async fn find_report(&self, id: Uuid) -> Result<Option<Known<Report>>, StoreError> {
        docket::read(self.store(), Book::Reports, id).await
    }

    /// Decides on a report; `false` where somebody else has changed it meanwhile.
    pub(crate) async fn decide(&self, mut known: Known<Report>) -> Result<bool, StoreError> {
        docket::replace(self.store(), Book::Reports, &mut known).await
    }
}
