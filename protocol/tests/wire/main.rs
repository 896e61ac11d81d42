//! What is said on the wire, in both codecs: that it comes back as it was, looks as it did before,
//! and that no bytes at all do harm.

mod golden;
mod hostile;
mod roundtrip;
mod samples;
mod schema;
mod values;
