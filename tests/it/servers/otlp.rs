//! A real receiver of traces: OpenTelemetry's own messages behind HTTP, which `tests/servers/otlp` starts.

use crate::http::call;
use rookery_engine::Tasks;
use rookery_engine::trace::{Tracer, TracerParts};
use rookery_engine::{SystemClock, SystemRandom};
use rookery_trace_otlp::{OtlpExporter, OtlpOptions, Service};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The script that starts one.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/otlp");

/// How long spans are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A receiver that ends with the test.
#[derive(Debug)]
pub(crate) struct Otlp {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// A span as it was received.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Received {
    pub(crate) trace: String,
    pub(crate) span: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) status: u8,
    pub(crate) attributes: HashMap<String, Value>,
    pub(crate) resource: HashMap<String, Value>,
}

impl Otlp {
    /// Starts one on a port of its choice.
    pub(crate) fn start() -> Self {
        Self::at(0)
    }

    /// Starts one on this port.
    pub(crate) fn at(port: u16) -> Self {
        let mut child = Command::new(SCRIPT)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash is there");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("ADDR=").expect("tests/servers/otlp has said why there is none");
        Self { child, address: address.parse().unwrap() }
    }

    /// What is set where traces go here.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a tracer of so many messages of `node`, whose spans come here.
    pub(crate) fn tracer(&self, node: &str, ratio: f64) -> Tracer {
        self.tracer_on(&Tasks::new(), node, ratio)
    }

    /// As [`Otlp::tracer`], by a task of `tasks`.
    pub(crate) fn tracer_on(&self, tasks: &Tasks, node: &str, ratio: f64) -> Tracer {
        let service =
            Service { name: "rookery".to_owned(), instance: node.to_owned(), version: "0.0.0".to_owned() };
        let headers = [(http::HeaderName::from_static("x-key"), http::HeaderValue::from_static("secret"))];
        let options = OtlpOptions { endpoint: self.url(), headers: headers.into_iter().collect(), service };
        let counted = rookery_api::exporter().0.process.trace_spans;
        let spans = OtlpExporter::start(options, counted, tasks).unwrap();
        let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
        Tracer::new(TracerParts { spans, clock, random, ratio })
    }

    async fn get(&self, path: &str) -> Value {
        call(self.address, "GET", path, &[], &Value::Null).await.json()
    }

    /// Returns the headers of every request, taken or not.
    pub(crate) async fn requests(&self) -> Vec<HashMap<String, String>> {
        serde_json::from_value(self.get("/requests").await).unwrap()
    }

    /// Returns every span that has come.
    pub(crate) async fn spans(&self) -> Vec<Received> {
        serde_json::from_value(self.get("/spans").await).unwrap()
    }

    /// Has the next requests answered like this: `status`, `times`, `rejected`.
    pub(crate) async fn answer(&self, query: &str) {
        call(self.address, "POST", &format!("/answer?{query}"), &[], &Value::Null).await;
    }

    /// Waits until the spans that have come are as they must be.
    pub(crate) async fn until(&self, is_so: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let spans = self.spans().await;
                if is_so(&spans) {
                    return spans;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let Ok(spans) = waited.await else { panic!("these are not all: {:#?}", self.spans().await) };
        spans
    }

    /// Waits until a trace has this many spans, where one of them is a `receive` of `op`, and returns them in the
    /// order in which their steps began. Fails where it has more.
    pub(crate) async fn trace_of(&self, op: &str, spans: usize) -> Vec<Received> {
        let of = |all: &[Received]| -> Vec<Received> {
            let is_first = |span: &&Received| span.name == "receive" && span.attributes["rookery.op"] == op;
            let first = all.iter().find(is_first).map(|span| span.trace.clone());
            all.iter().filter(|span| Some(&span.trace) == first.as_ref()).cloned().collect()
        };
        let all = self.until(|all| of(all).len() >= spans).await;
        let mut trace = of(&all);
        assert_eq!(trace.len(), spans, "{trace:#?}");
        trace.sort_by_key(|span| (span.start, rank(&span.name)));
        trace
    }
}

/// Returns the number of a step, from 0.
pub(crate) fn rank(step: &str) -> usize {
    STEPS.iter().position(|known| *known == step).unwrap_or_else(|| panic!("{step} is no step"))
}

/// The eight steps, in their order.
pub(crate) const STEPS: [&str; 8] =
    ["receive", "decode", "authorise", "order", "persist", "encode", "fan_out", "write"];

impl Drop for Otlp {
    fn drop(&mut self) {
        // Its input ends with it.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
