//! What policy reads of bytes from outside that no codec has read: in reach of the fuzz targets and of nobody else.

use crate::{cluster, request};
use bytes::Bytes;

/// Reads a frame of another node.
pub fn frame(bytes: &[u8]) {
    let frame = Bytes::copy_from_slice(bytes);
    let was_read = cluster::reads(&frame);
    assert_eq!(was_read, cluster::reads(&frame), "a frame is read as it was the first time");
}

/// Reads the cursor of a list of rooms.
///
/// # Panics
/// When it is not written as it was read.
pub fn rooms_cursor(text: &str) {
    request::reads_rooms_cursor(text);
}
