//! Which uploads are under way: one at a time of each, few of one user, not too many of all.

use rookery_protocol::{FileId, UserId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Uploads of all users at a time.
///
/// Each holds at most one part of what is stored, which is 5 MiB on its way to a bucket: 320 MiB.
const AT_ONCE: usize = 64;

/// Uploads of one user at a time: what one line carries, and no more than a sixteenth of all.
const AT_ONCE_BY_USER: usize = 4;

/// The uploads under way.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<Mutex<HashMap<FileId, UserId>>>);

/// Why an upload has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupied {
    /// It is under way already.
    Same,
    /// Too many others are.
    Others,
}

/// An upload under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    uploads: UnderWay,
    file: FileId,
}

impl UnderWay {
    pub(super) fn enter(&self, file: FileId, user: UserId) -> Result<Place, Occupied> {
        let mut uploads = self.lock();
        if uploads.contains_key(&file) {
            return Err(Occupied::Same);
        }
        let own = uploads.values().filter(|of| **of == user).count();
        if uploads.len() >= AT_ONCE || own >= AT_ONCE_BY_USER {
            return Err(Occupied::Others);
        }
        uploads.insert(file, user);
        Ok(Place { uploads: self.clone(), file })
    }

    /// Returns whether an upload is under way.
    pub(super) fn has(&self, file: FileId) -> bool {
        self.lock().contains_key(&file)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<FileId, UserId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.uploads.lock().remove(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn each_upload_is_under_way_once_and_few_of_one_user() {
        let (file, user) = (|n| FileId(Uuid::from_u128(n)), |n| UserId(Uuid::from_u128(n)));
        let uploads = UnderWay::default();
        let mut places: Vec<_> = (0..4).map(|n| uploads.enter(file(n), user(1)).unwrap()).collect();
        assert_eq!(uploads.enter(file(0), user(2)).unwrap_err(), Occupied::Same);
        assert_eq!(uploads.enter(file(9), user(1)).unwrap_err(), Occupied::Others);
        places.pop();
        assert!(!uploads.has(file(3)) && uploads.enter(file(9), user(1)).is_ok());
        let all = (100..).map_while(|n| uploads.enter(file(n), user(n)).ok()).collect::<Vec<_>>();
        assert_eq!(all.len() + places.len(), AT_ONCE);
    }
}
