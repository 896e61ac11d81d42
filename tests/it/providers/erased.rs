//! Who is erased is not known by an identity elsewhere any more, and what it was known by is in no file.

use super::Stage;
use crate::folder::Folder;
use crate::office::{erase, found};
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use std::sync::Arc;

/// What the provider knows one of them by.
const SUBJECT: &str = "canarysubject";

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_user_is_not_known_by_its_identity_any_more() {
    let (folder, settings) = (Folder::new("erased-identity"), "erased-identity-providers");
    let store = Arc::new(SqliteStore::open(&SqliteOptions::in_dir(&folder.0)).unwrap());
    let stage = Stage::over(store, settings).await;
    for (subject, handle) in [(SUBJECT, "alice"), ("other", "bob")] {
        let token = stage.register(subject, handle).await;
        let me = stage.get("/v1/me", &token).await["id"].as_str().unwrap().to_owned();
        assert!(!found(&folder.0, subject).is_empty(), "it is found while it is there");
        erase(&stage.node, &me).await;
    }
    let again = stage.log_in("other").await;
    assert_eq!(again.status, 202, "whoever comes by it is somebody new: {}", again.text());
    stage.node.stop().await;
    assert_eq!(found(&folder.0, SUBJECT), [""; 0]);
}
