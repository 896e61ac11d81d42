//! The contract of the blob port, run against a bucket: a service of this test's own that speaks as much of
//! S3's REST API as the adapter uses (Amazon S3 API Reference). It does not check signatures.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

use rookery_blobs_object::{ObjectBlobs, S3Options};
use rookery_engine::contract::blobs_pass;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the bucket holds.
#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    /// By upload and number.
    parts: BTreeMap<(String, u32), Vec<u8>>,
    uploads: u32,
}

/// One request.
#[derive(Debug)]
struct Request {
    method: String,
    path: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

/// One answer: status, headers, body.
type Reply = (u16, Vec<(&'static str, String)>, Vec<u8>);

impl Bucket {
    fn answer(&mut self, request: Request) -> Reply {
        let Request { method, path, query, headers, body } = request;
        let tag = || ("etag", "\"tag\"".to_owned());
        let xml =
            |text: String| (200, vec![("content-type", "application/xml".to_owned())], text.into_bytes());
        let upload = query.get("uploadId").cloned();
        match (method.as_str(), upload) {
            ("POST", None) if query.contains_key("uploads") => {
                self.uploads += 1;
                let id = self.uploads;
                xml(format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            ("PUT", Some(upload)) => {
                let number = query["partNumber"].parse().unwrap();
                self.parts.insert((upload, number), body);
                (200, vec![tag()], vec![])
            }
            ("POST", Some(upload)) => {
                let of = |(key, _): &(&(String, u32), &Vec<u8>)| key.0 == upload;
                let whole = self.parts.iter().filter(of).flat_map(|(_, part)| part.clone()).collect();
                self.parts.retain(|key, _| key.0 != upload);
                self.objects.insert(path, whole);
                let result =
                    "<CompleteMultipartUploadResult><ETag>\"tag\"</ETag></CompleteMultipartUploadResult>";
                xml(result.to_owned())
            }
            ("DELETE", Some(upload)) => {
                self.parts.retain(|key, _| key.0 != upload);
                (204, vec![], vec![])
            }
            ("PUT", None) => {
                self.objects.insert(path, body);
                (200, vec![tag()], vec![])
            }
            ("DELETE", None) => {
                self.objects.remove(&path);
                (204, vec![], vec![])
            }
            ("GET", None) => match self.objects.get(&path) {
                None => (404, vec![], b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
                Some(object) => {
                    let bounds = headers["range"].strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                    let (first, last): (usize, usize) =
                        (bounds.0.parse().unwrap(), bounds.1.parse().unwrap());
                    let last = last.min(object.len() - 1);
                    let range = format!("bytes {first}-{last}/{}", object.len());
                    let modified = "Sat, 21 Nov 2026 08:00:00 GMT".to_owned();
                    let headers = vec![tag(), ("content-range", range), ("last-modified", modified)];
                    (206, headers, object[first..=last].to_vec())
                }
            },
            other => panic!("{other:?} is not spoken here"),
        }
    }
}

/// Serves one connection until its peer ends it.
async fn serve(mut stream: TcpStream, bucket: Arc<Mutex<Bucket>>) {
    let mut read = Vec::new();
    loop {
        let head = loop {
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break String::from_utf8(read.drain(..at + 4).collect()).unwrap();
            }
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next().unwrap().split(' ');
        let (method, target) = (first.next().unwrap().to_owned(), first.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |text: &str| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (key.to_owned(), value.to_owned())
        };
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        while read.len() < length {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = read.drain(..length).collect();
        let (path, query) = (path.to_owned(), query.split('&').map(pair).collect());
        let reply = bucket.lock().unwrap().answer(Request { method, path, query, headers, body });
        let (status, headers, body) = reply;
        let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let lines = lines.concat();
        let head = format!("HTTP/1.1 {status} So\r\ncontent-length: {}\r\n{lines}\r\n", body.len());
        let sent = [head.as_bytes(), &body].concat();
        if stream.write_all(&sent).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the service is what the test stands before, not part of it")]
async fn a_bucket_passes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let bucket = Arc::new(Mutex::new(Bucket::default()));
    let held = Arc::clone(&bucket);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&held)));
        }
    });
    let options = S3Options {
        bucket: "rookery".to_owned(),
        endpoint: Some(endpoint),
        region: "anywhere".to_owned(),
        access_key: "who".into(),
        secret_key: "proof".into(),
    };
    blobs_pass(&ObjectBlobs::in_bucket(&options).unwrap()).await;
    let bucket = bucket.lock().unwrap();
    assert!(bucket.uploads > 0, "large blobs go in parts");
    assert_eq!(bucket.objects.len(), 0);
    // What was given up in the middle is the bucket's own to clear away, as the operator's page says.
    assert!(bucket.parts.len() <= 1, "{:?}", bucket.parts.keys());
}
