//! `schemas/ts/`: the types for clients in TypeScript, of the types that are here.
//!
//! `UPDATE=1 cargo test -p rookery-protocol` writes them anew. `types.ts` holds what ts-rs makes of each
//! type, `index.ts` what the table of ops says: which fields and which reply belong to an op.

use crate::op::Op;
use crate::reply::ReplyBody;
use crate::server_event::ServerEvent;
use crate::{Empty, WireError};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use ts_rs::{Config, TS, TypeVisitor};

/// Opens both files.
const HEAD: &str =
    "// Made of the server's own types by `UPDATE=1 cargo test -p rookery-protocol`. Do not edit.\n";

/// Collects declarations by name, those that they refer to included.
struct Declarations {
    config: Config,
    found: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(&self.config);
        if self.found.contains_key(&name) {
            return;
        }
        let docs = T::docs().map(|docs| plain(&docs)).unwrap_or_default();
        let declaration = never_null(&plain(&T::decl(&self.config)));
        self.found.insert(name, format!("{docs}export {declaration}"));
        T::visit_dependencies(self);
    }
}

impl Declarations {
    fn all() -> BTreeMap<String, String> {
        // Every number on the wire is below 2^53, which is what a number of JavaScript holds.
        let mut all = Self { config: Config::new().with_large_int("number"), found: BTreeMap::new() };
        Op::visit_dependencies(&mut all);
        ReplyBody::visit_dependencies(&mut all);
        all.visit::<ServerEvent>();
        all.visit::<WireError>();
        all.visit::<Empty>();
        all.found
    }
}

/// Makes names of rustdoc's links, one line of a comment that has one, and no line that ends with a space.
fn plain(text: &str) -> String {
    let text = text.replace("[`", "`").replace("`]", "`");
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut plain = String::new();
    while !lines.is_empty() {
        let one_line = match lines[..] {
            ["/**", said, " */", ..] => said.strip_prefix(" * "),
            _ => None,
        };
        let taken = if let Some(said) = one_line {
            writeln!(plain, "/** {said} */").expect("a string takes every write");
            3
        } else {
            writeln!(plain, "{}", lines[0]).expect("a string takes every write");
            1
        };
        lines.drain(..taken);
    }
    plain
}

/// Takes `null` out of what may be absent: an absent field is left out.
fn never_null(declaration: &str) -> String {
    let mut parts = declaration.split("?: ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (kind, rest) = part.split_once(',').unwrap_or((part, ""));
        text.push_str("?: ");
        text.push_str(kind.trim_end_matches(" | null"));
        text.push(',');
        text.push_str(rest);
    }
    text
}

fn types() -> String {
    let declarations = Declarations::all();
    let body: Vec<_> = declarations.into_values().collect();
    format!("{HEAD}\n{}", body.join("\n"))
}

fn index() -> String {
    let mut text =
        format!("{HEAD}\nimport type * as Types from \"./types\";\n\nexport type * from \"./types\";\n");
    text.push_str("\n/** The fields of each op. */\nexport interface Fields {\n");
    for shape in Op::SHAPES {
        let fields = shape.fields.map_or("undefined".to_owned(), |(name, _)| format!("Types.{name}"));
        writeln!(text, "  \"{}\": {fields};", shape.name).expect("a string takes every write");
    }
    text.push_str("}\n\n/** What is in `ok` of the reply to each op. */\nexport interface Replies {\n");
    for shape in Op::SHAPES {
        writeln!(text, "  \"{}\": Types.{};", shape.name, shape.reply.0).expect("a string takes every write");
    }
    text.push_str(
        r#"}

/** The name of an op. */
export type OpName = keyof Fields;

/** One command: of any op, or of the one that is named. */
export type Command<O extends OpName = OpName> = {
  [Name in O]: Fields[Name] extends undefined
    ? { id: number; op: Name }
    : { id: number; op: Name; d: Fields[Name] };
}[O];

/** The one answer to a command. */
export type Reply<O extends OpName = OpName> =
  | { id: number; ok: Replies[O] }
  | { id: number; err: Types.WireError };

/** The name of an event. */
export type EventName = Types.ServerEvent["ev"];

/** The content of an event. */
export type EventOf<E extends EventName> = Extract<Types.ServerEvent, { ev: E }>["d"];

/** Whatever the server sends. */
export type ServerFrame = Reply | Types.ServerEvent;
"#,
    );
    text
}

/// Whether generated files are to be written anew and not compared.
#[expect(clippy::disallowed_methods, reason = "what a test is asked for comes by the environment")]
fn is_update() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

#[test]
fn the_types_for_typescript_are_up_to_date() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/ts");
    for (name, now) in [("types.ts", types()), ("index.ts", index())] {
        let path = folder.join(name);
        if is_update() {
            std::fs::create_dir_all(&folder).expect("make the folder");
            std::fs::write(&path, &now).expect("write the file");
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == now,
            "{name}: the types have changed: UPDATE=1 cargo test -p rookery-protocol writes it anew"
        );
    }
}

#[test]
fn what_may_be_absent_is_never_null_and_what_is_always_there_may_be() {
    let check = |before: &str, after: &str| assert_eq!(never_null(before), after);
    check("{ a?: string | null, b: X | null, }", "{ a?: string, b: X | null, }");
    check("{ a: number, }", "{ a: number, }");
}
