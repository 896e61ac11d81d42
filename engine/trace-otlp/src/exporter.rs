//! The bounded queue of spans, and the task that empties it in batches.

use crate::encode;
use crate::options::{OtlpOptions, Service};
use crate::send::{OpenError, Receiver};
use prost::Message;
use rookery_engine::Tasks;
use rookery_engine::metrics::{By, Counter};
use rookery_engine::trace::{Span, Spans};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Spans that wait at most: a thousand messages' worth, some 1.5 MiB.
const QUEUE: usize = 8192;

/// Spans in one request; the collector's own exporters send as many.
const BATCH: usize = 512;

/// How long the first span of a batch waits for others.
const GATHER: Duration = Duration::from_millis(500);

/// How long the last batches may take when the server ends. It is given a second for all of its ports.
const FLUSH_WITHIN: Duration = Duration::from_millis(800);

/// Takes spans, and has them sent by a task of its own.
#[derive(Debug)]
pub struct OtlpExporter {
    queue: mpsc::Sender<Span>,
    counted: By<Counter>,
}

impl OtlpExporter {
    /// Returns an exporter whose task runs on `tasks` until those are stopped; what waits by then is sent, if the
    /// receiver takes it at once. `counted` is told what becomes of each span: `exported`, `full` or `refused`.
    /// Nothing is connected to before the first span.
    ///
    /// # Errors
    /// When the endpoint is no URL, or the system's certificates cannot be used.
    pub fn start(options: OtlpOptions, counted: By<Counter>, tasks: &Tasks) -> Result<Arc<Self>, OpenError> {
        let OtlpOptions { endpoint, headers, service } = options;
        let receiver = Receiver::open(&endpoint, headers)?;
        let (queue, spans) = mpsc::channel(QUEUE);
        let worker = Worker { spans, receiver, service, counted: counted.clone() };
        let stopping = tasks.clone();
        tasks.spawn(async move { worker.run(&stopping).await });
        Ok(Arc::new(Self { queue, counted }))
    }
}

impl Spans for OtlpExporter {
    fn finished(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.counted.of("full").increment(1);
        }
    }
}

struct Worker {
    spans: mpsc::Receiver<Span>,
    receiver: Receiver,
    service: Service,
    counted: By<Counter>,
}

impl Worker {
    async fn run(mut self, tasks: &Tasks) {
        let mut batch = Vec::with_capacity(BATCH);
        // What is under way when the tasks stop is in `batch`, and goes first.
        tokio::select! {
            () = tasks.stopped() => {}
            () = self.export(&mut batch) => {}
        }
        self.spans.close();
        drop(timeout(FLUSH_WITHIN, self.flush(&mut batch)).await);
        let mut left = batch.len();
        while self.spans.try_recv().is_ok() {
            left += 1;
        }
        self.counted.of("refused").increment(left as u64);
    }

    /// Sends what comes, until nobody is left to send any.
    async fn export(&mut self, batch: &mut Vec<Span>) {
        while self.gather(batch).await {
            self.send(batch).await;
        }
    }

    /// Sends what is left.
    async fn flush(&mut self, batch: &mut Vec<Span>) {
        loop {
            if batch.is_empty() && self.spans.recv_many(batch, BATCH).await == 0 {
                return;
            }
            self.send(batch).await;
        }
    }

    /// Fills a batch. Returns whether there is one.
    async fn gather(&mut self, batch: &mut Vec<Span>) -> bool {
        if self.spans.recv_many(batch, BATCH).await == 0 {
            return false;
        }
        let until = Instant::now() + GATHER;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            match timeout_at(until, self.spans.recv_many(batch, room)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        true
    }

    /// Sends a batch, which is empty then; cancelled before that, it is whole.
    async fn send(&mut self, batch: &mut Vec<Span>) {
        let request = encode::request(&self.service, batch).encode_to_vec();
        let refused =
            self.receiver.send(request.into()).await.map_or(batch.len(), |refused| {
                usize::try_from(refused).unwrap_or(usize::MAX).min(batch.len())
            });
        self.counted.of("exported").increment((batch.len() - refused) as u64);
        self.counted.of("refused").increment(refused as u64);
        batch.clear();
    }
}
