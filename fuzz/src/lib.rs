//! Fuzz targets: one for each decoder of bytes from outside.
//!
//! | module | what |
//! |---|---|
//! | `frames` | what clients and servers say, in both codecs |
//! | `backup` | backup files, with and without the sums that make them whole |
//! | `bus` | what nodes tell each other |
//! | `cursors` | where a page goes on |
//!
//! The edge's own (requests, bodies, tokens, files) are where it reads them, in `rookery_api::outside`.
//!
//! A target takes any bytes and returns; what must not be is a panic. `seeds` feeds each with its seeds and with
//! changes of them, on any toolchain. `guided` has libFuzzer do so, led by the coverage, for as long as one
//! likes. Neither is a part of a server.

mod backup;
mod bus;
mod cursors;
mod frames;
#[cfg(test)]
mod seeds;

/// One decoder, or a few that read the same.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of the folder of its seeds.
    pub name: &'static str,
    /// Takes bytes.
    ///
    /// # Panics
    /// When it has found something.
    pub run: fn(&[u8]),
    /// The longest bytes that are worth a try.
    pub bytes: usize,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "frames-json", run: frames::json, bytes: 4096 },
    Target { name: "frames-msgpack", run: frames::message_pack, bytes: 4096 },
    Target { name: "request", run: |bytes| text(bytes, rookery_api::outside::request), bytes: 2048 },
    Target { name: "body", run: rookery_api::outside::body, bytes: 2048 },
    Target { name: "token", run: |bytes| text(bytes, rookery_api::outside::token), bytes: 1024 },
    Target { name: "cursor", run: |bytes| text(bytes, cursors::run), bytes: 256 },
    Target { name: "bus", run: bus::run, bytes: 4096 },
    Target { name: "backup", run: backup::run, bytes: 16_384 },
    Target { name: "file", run: rookery_api::outside::file, bytes: 4096 },
];

/// Returns the target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

fn text(bytes: &[u8], run: fn(&str)) {
    run(&String::from_utf8_lossy(bytes));
}
