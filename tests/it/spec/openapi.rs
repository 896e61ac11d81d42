//! `schemas/openapi.json`: the route table as OpenAPI 3.1.

use super::examples::Golden;
use super::schemas::Schemas;
use crate::tidy::tree::Tree;
use rookery_api::{Content, Given, PROBLEM, Param, Place, RouteInfo, Tag, path_parameter, route_infos};
use rookery_protocol::ErrorCode;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What every answer carries, and what errors add.
const REQUEST_ID: &str = "X-Request-Id";

/// The one media type that a body is refused for not having.
const JSON: &str = "application/json";

/// Makes the document.
pub(super) fn document(tree: &Tree) -> Value {
    let mut schemas = Schemas::new();
    let golden = Golden::read(tree);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut tags = BTreeSet::new();
    for route in route_infos().filter(|route| route.is_public) {
        tags.extend(route.docs.tag);
        let mut operation = operation(&route, &mut schemas, &golden);
        // Where one method gives it all, the document says it at the method.
        let method = route.method.to_lowercase();
        operation["operationId"] = json!(route.operation);
        paths.entry(route.path).or_default().insert(method, operation);
    }
    let problem = schemas.of(PROBLEM);
    assert_eq!(problem["$ref"], "#/components/schemas/Problem");
    let tags: Vec<_> = Tag::ALL.iter().filter(|tag| tags.contains(tag)).collect();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Rookery",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A realtime messaging engine: the requests",
            "description": "Everything that is said over the WebSocket `GET /v1/ws` is in `/asyncapi.json`; \
                most of it can be asked for here too. Errors are problems (RFC 9457) with the codes of the \
                WebSocket. Every answer carries `X-Request-Id`, which the server's log knows.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The server that gave this document"}],
        "tags": tags.iter().map(|tag| json!({"name": tag.name(), "description": tag.what()})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "From `POST /v1/auth/login` and `POST /v1/auth/refresh`.",
                },
            },
            "headers": headers(),
            "schemas": schemas.take(),
        },
    })
}

fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({"description": description, "schema": schema});
    json!({
        REQUEST_ID: header("What the server's log knows the request by.", json!({"type": "string"})),
        "Retry-After": header("Seconds to wait before the same again.", json!({"type": "integer", "minimum": 0})),
        "RateLimit": header("What is left of the rule that refused, and seconds until there is more \
            (draft-ietf-httpapi-ratelimit-headers).", json!({"type": "string"})),
        "RateLimit-Policy": header("The rule: how many in how many seconds.", json!({"type": "string"})),
        "WWW-Authenticate": header("`Bearer`.", json!({"type": "string"})),
    })
}

fn operation(route: &RouteInfo, schemas: &mut Schemas, golden: &Golden) -> Value {
    let docs = route.docs;
    let tag = docs.tag.expect("a test of the route table asks for it");
    let mut operation = json!({"tags": [tag.name()], "summary": docs.summary, "security": security(route)});
    let mut parameters: Vec<_> = names(route.path).map(|name| in_path(name, schemas)).collect();
    parameters.extend(docs.params.iter().flatten().map(|param| beside(param, schemas)));
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(content) = &docs.takes {
        operation["requestBody"] = json!({
            "description": room_for(route.body_bytes),
            "required": !content.is_optional,
            "content": {content.media_type: body(content, schemas, golden)},
        });
    }
    operation["responses"] = responses(route, schemas, golden);
    operation
}

/// Says how much a body may hold; the streamed ones have their bounds elsewhere.
fn room_for(body_bytes: usize) -> String {
    match body_bytes {
        usize::MAX => "The bytes as they are, as many as were announced.".to_owned(),
        bytes => format!("At most {bytes} bytes."),
    }
}

fn security(route: &RouteInfo) -> Value {
    if route.needs_token {
        json!([{"accessToken": []}])
    } else if route.docs.takes_token {
        json!([{}, {"accessToken": []}])
    } else {
        json!([])
    }
}

/// Returns the names in a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.trim_start_matches('*')))
}

fn in_path(name: &str, schemas: &mut Schemas) -> Value {
    let (schema, what) = path_parameter(name).expect("a test of the route table asks for it");
    json!({"name": name, "in": "path", "required": true, "description": what, "schema": schemas.of(schema)})
}

fn beside(param: &Param, schemas: &mut Schemas) -> Value {
    let place = match param.place {
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({
        "name": param.name,
        "in": place,
        "required": param.is_required,
        "description": param.what,
        "schema": schemas.of(param.schema),
    })
}

fn body(content: &Content, schemas: &mut Schemas, golden: &Golden) -> Value {
    let schema = schemas.of(content.schema);
    let name = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next()).map(str::to_owned);
    let mut body = json!({"schema": schema});
    if let Some(example) = name.and_then(|name| golden.shape(&name)) {
        body["example"] = example;
    }
    body
}

fn responses(route: &RouteInfo, schemas: &mut Schemas, golden: &Golden) -> Value {
    let mut responses = Map::new();
    for given in route.docs.gives.iter().flatten() {
        responses.insert(given.status.to_string(), done(given, schemas, golden));
    }
    for (status, codes) in refusals(route) {
        responses.entry(status.to_string()).or_insert_with(|| refused(status, &codes));
    }
    Value::Object(responses)
}

fn done(given: &Given, schemas: &mut Schemas, golden: &Golden) -> Value {
    let mut headers = Map::new();
    headers.insert(REQUEST_ID.to_owned(), json!({"$ref": format!("#/components/headers/{REQUEST_ID}")}));
    for (name, what) in given.headers.iter().flatten() {
        headers.insert((*name).to_owned(), json!({"description": what, "schema": {"type": "string"}}));
    }
    let mut response = json!({"description": status_words(given.status), "headers": headers});
    if let Some(content) = &given.content {
        response["content"] = json!({content.media_type: body(content, schemas, golden)});
    }
    response
}

fn status_words(status: u16) -> &'static str {
    match status {
        101 => "The connection is a WebSocket from here on.",
        200 => "Done.",
        201 => "Made.",
        202 => "Taken.",
        204 => "Done; there is nothing to say.",
        206 => "A part.",
        304 => "Nothing has changed.",
        503 => "Not now.",
        other => panic!("say here what {other} means"),
    }
}

/// The codes that a route may be refused with, by status: those of its own, and those that follow from
/// what it asks for.
fn refusals(route: &RouteInfo) -> BTreeMap<u16, Vec<ErrorCode>> {
    let docs = route.docs;
    let mut all: Vec<(u16, ErrorCode)> = docs.fails.iter().map(|code| (code.http_status(), *code)).collect();
    let mut add = |codes: &[ErrorCode]| all.extend(codes.iter().map(|code| (code.http_status(), *code)));
    if route.needs_token {
        add(&[ErrorCode::Unauthenticated, ErrorCode::TokenExpired]);
    }
    if route.path.contains('{') {
        add(&[ErrorCode::NotFound]);
    }
    if docs.params.iter().flatten().any(|param| param.place == Place::Query) {
        add(&[ErrorCode::Invalid]);
    }
    if docs.params.iter().flatten().any(|param| param.place == Place::Header && param.is_required) {
        add(&[ErrorCode::BadRequest]);
    }
    if docs.takes.is_some() {
        add(&[ErrorCode::BadRequest, ErrorCode::TooLarge, ErrorCode::Invalid]);
    }
    if !matches!(docs.tag, Some(Tag::Probes | Tag::Documents)) {
        add(&[ErrorCode::Busy, ErrorCode::StoreUnavailable]);
    }
    // Any address may ask too often; those who watch over a server have their routes on both listeners.
    if route.is_limited {
        add(&[ErrorCode::RateLimited]);
    }
    add(&[ErrorCode::Internal]);
    if let Some(content) = &docs.takes {
        all.push((408, ErrorCode::BadRequest));
        if content.media_type == JSON {
            all.push((415, ErrorCode::Unsupported));
        }
    }
    if docs.gives.iter().flatten().any(|given| given.status == 206) {
        all.push((416, ErrorCode::Invalid));
    }
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for (status, code) in all {
        let codes = by_status.entry(status).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    by_status
}

fn refused(status: u16, codes: &[ErrorCode]) -> Value {
    let mut headers = vec![REQUEST_ID];
    match status {
        401 => headers.push("WWW-Authenticate"),
        429 => headers.extend(["Retry-After", "RateLimit", "RateLimit-Policy"]),
        503 => headers.push("Retry-After"),
        _ => {}
    }
    let headers: Map<String, Value> = headers
        .into_iter()
        .map(|name| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
        .collect();
    let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    json!({
        "description": format!("`{}`", codes.join("`, `")),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "x-codes": codes,
    })
}

#[test]
fn the_document_is_up_to_date() {
    super::expect_up_to_date("openapi.json", &document(&Tree::read()));
}

#[test]
fn its_operations_are_the_public_routes() {
    let document = document(&Tree::read());
    let paths = document["paths"].as_object().unwrap();
    let written: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let there: BTreeSet<(String, String)> = route_infos()
        .filter(|route| route.is_public)
        .map(|route| (route.method.to_owned(), route.path.to_owned()))
        .collect();
    assert_eq!(written, there);
}
