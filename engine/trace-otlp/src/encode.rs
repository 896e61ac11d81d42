//! Spans as OTLP has them (opentelemetry-proto 1.x, `trace.proto`).

use crate::options::Service;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as OtlpSpan, Status};
use rookery_engine::trace::{About, Span, Step};
use std::time::Duration;

/// What names our spans among those of other libraries in one process.
const SCOPE: &str = "rookery";

/// The flag of a span that is sampled (W3C Trace Context, section 3.2.2.5).
const SAMPLED: u32 = 1;

/// Returns the request that exports `spans` of `service`.
pub(crate) fn request(service: &Service, spans: &[Span]) -> ExportTraceServiceRequest {
    let attributes = vec![
        text("service.name", &service.name),
        text("service.instance.id", &service.instance),
        text("service.version", &service.version),
    ];
    let scope = InstrumentationScope {
        name: SCOPE.to_owned(),
        version: service.version.clone(),
        ..Default::default()
    };
    let scope_spans =
        ScopeSpans { scope: Some(scope), spans: spans.iter().map(encode).collect(), ..Default::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Default::default() }),
            scope_spans: vec![scope_spans],
            ..Default::default()
        }],
    }
}

fn encode(span: &Span) -> OtlpSpan {
    let kind = if span.step == Step::Receive { SpanKind::Server } else { SpanKind::Internal };
    let status = span.error.map(|_| Status { code: StatusCode::Error.into(), ..Default::default() });
    OtlpSpan {
        trace_id: span.context.trace.to_bytes().to_vec(),
        span_id: span.context.span.to_bytes().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.to_bytes().to_vec()).unwrap_or_default(),
        flags: SAMPLED,
        name: span.step.name().to_owned(),
        kind: kind.into(),
        start_time_unix_nano: nanos(span.start),
        end_time_unix_nano: nanos(span.end),
        attributes: attributes(span),
        status,
        ..Default::default()
    }
}

fn attributes(span: &Span) -> Vec<KeyValue> {
    let About { op, room, seq, connection } = span.about;
    let about = [
        op.map(|op| text("rookery.op", op)),
        room.map(|room| text("rookery.room", &room.to_string())),
        seq.map(|seq| number("rookery.seq", seq.0)),
        connection.map(|connection| number("rookery.connection", connection.0)),
        span.error.map(|code| text("error.type", code)),
    ];
    let numbers = span.numbers.iter().map(|(what, count)| number(what.name(), *count));
    about.into_iter().flatten().chain(numbers).collect()
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: u64) -> KeyValue {
    pair(key, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

fn nanos(since_epoch: Duration) -> u64 {
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
