//! Files and search: what is beside the log.

use super::buckets::SECONDS;
use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::{Bytes, Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

const UPLOAD_RESULTS: &[&str] = &["stored", "repeated", "refused", "broken", "busy", "failed"];
const BLOB_OUTCOMES: &[&str] = &["done", "not_found", "refused", "unknown", "broken"];

subject! {
    /// Counts files.
    FileMetrics {
        uploads: By<Counter> = Row::of("rookery_uploads_total", Count, "Uploads that were sent, by what became of them.").by(&["result"], Each(UPLOAD_RESULTS));
        upload_bytes: Counter = Row::of("rookery_upload_bytes_total", Bytes, "Bytes of uploads received.");
        download_bytes: Counter = Row::of("rookery_download_bytes_total", Bytes, "Bytes of files and small pictures sent.");
        blobs: By<Counter> = Row::of("rookery_blob_calls_total", Count, "Calls to the place of the bytes of files, by outcome.").by(&["outcome"], Each(BLOB_OUTCOMES));
        deleted: Counter = Row::of("rookery_files_deleted_total", Count, "Files deleted because nothing referred to them.");
    }
}

subject! {
    /// Counts searches.
    SearchMetrics {
        seconds: Histogram = Row::of("rookery_search_duration_seconds", Seconds, "Time to answer a search that was allowed.").over(SECONDS);
        indexed: Counter = Row::of("rookery_search_indexed_total", Count, "Events of the log that the search index has taken in.");
        behind: Gauge = Row::of("rookery_search_behind", Count, "Events of the log that the search index has not taken in yet.");
    }
}
