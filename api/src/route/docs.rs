//! What the developer of a client is told of an endpoint. `schemas/openapi.json` is made of it.
//!
//! A row of the table says it in the order in which it is read:
//!
//! ```text
//! Route::post("/v1/rooms", "createRoom", …)
//!     .about(Tag::Rooms, "Makes a room")
//!     .takes::<RoomCreate>()
//!     .gives::<Room>(201)
//!     .fails(&[ErrorCode::NotFound])
//! ```
//!
//! What follows from the row itself is not said again: that a token is needed and which codes that
//! adds, which names stand in the path, what a body that cannot be read is answered.

use super::Route;
use rookery_protocol::{ErrorCode, FileId, RoomId, SchemaOf, Seq, SessionId, UserId};
use schemars::JsonSchema;

/// Parameters of one endpoint: a page has four, a header may come on top.
const PARAMS: usize = 8;

/// Statuses of one endpoint that are no errors, and headers of one answer.
const ANSWERS: usize = 4;

/// What an endpoint is about: the groups in which documents list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// Registering, logging in and out, tokens.
    Accounts,
    /// Users, oneself among them.
    Users,
    /// Rooms and invitations to them.
    Rooms,
    /// Who is in a room.
    Members,
    /// Messages and what is done with them.
    Messages,
    /// Files and pictures.
    Files,
    /// Hearing what happens.
    Events,
    /// Whether the server is well.
    Probes,
    /// The description of this interface.
    Documents,
}

impl Tag {
    /// Every tag, in the order in which documents list them.
    pub const ALL: &'static [Self] = &[
        Self::Accounts,
        Self::Users,
        Self::Rooms,
        Self::Members,
        Self::Messages,
        Self::Files,
        Self::Events,
        Self::Probes,
        Self::Documents,
    ];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Users => "users",
            Self::Rooms => "rooms",
            Self::Members => "members",
            Self::Messages => "messages",
            Self::Files => "files",
            Self::Events => "events",
            Self::Probes => "probes",
            Self::Documents => "documents",
        }
    }

    /// Returns what is in it.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Accounts => "Registering, logging in and out, tokens",
            Self::Users => "Users, oneself among them",
            Self::Rooms => "Rooms and the ways into them",
            Self::Members => "Who is in a room, and as what",
            Self::Messages => "Messages and what is done with them",
            Self::Files => "Files and pictures",
            Self::Events => "Hearing what happens, as it happens",
            Self::Probes => "Whether the server is well",
            Self::Documents => "The description of this interface",
        }
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// After the question mark.
    Query,
    /// Among the headers.
    Header,
}

/// A parameter that is not in the path.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name on the wire.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it does, as one sentence.
    pub what: &'static str,
    /// Whether the endpoint refuses to do without.
    pub is_required: bool,
    /// Of its value.
    pub schema: SchemaOf,
}

/// A body, of a request or of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Content {
    /// Its media type.
    pub media_type: &'static str,
    /// Of what it holds.
    pub schema: SchemaOf,
    /// Whether a request may do without.
    pub is_optional: bool,
}

/// An answer that is no error.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// Its status.
    pub status: u16,
    /// Its body, if it has one.
    pub content: Option<Content>,
    /// Headers of its own: the name, and what it says.
    pub headers: [Option<(&'static str, &'static str)>; ANSWERS],
}

/// What is said of an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Docs {
    /// What it is about; `None` until the row says so, which a test asks for.
    pub tag: Option<Tag>,
    /// What it does, as one sentence without its full stop.
    pub summary: &'static str,
    /// What it may be told besides the path and the body.
    pub params: [Option<Param>; PARAMS],
    /// Whether a token is looked at that need not be there.
    pub takes_token: bool,
    /// The body of a request.
    pub takes: Option<Content>,
    /// The answers that are no errors.
    pub gives: [Option<Given>; ANSWERS],
    /// The codes of its own, besides those that follow from the row.
    pub fails: &'static [ErrorCode],
}

impl Docs {
    /// Nothing said.
    pub(super) const NONE: Self = Self {
        tag: None,
        summary: "",
        params: [None; PARAMS],
        takes_token: false,
        takes: None,
        gives: [None; ANSWERS],
        fails: &[],
    };
}

/// Returns the schema of what stands in a path for `{name}`, and what it is; `None` for a name that is
/// not said here yet.
pub fn path_parameter(name: &str) -> Option<(SchemaOf, &'static str)> {
    Some(match name {
        "room" => (schema_of::<RoomId>(), "The room."),
        "user" => (schema_of::<UserId>(), "The user."),
        "seq" => (schema_of::<Seq>(), "The position of the message."),
        "file" => (schema_of::<String>(), "The name of the file."),
        "id" => (schema_of::<FileId>(), "The file."),
        "emoji" => (schema_of::<String>(), "The emoji, as percent-encoded UTF-8."),
        "session" => (schema_of::<SessionId>(), "The login."),
        "provider" => (schema_of::<String>(), "The name of the provider."),
        "identity" => (schema_of::<String>(), "The name of the identity."),
        "invite" => (schema_of::<String>(), "The text of the invite."),
        _ => return None,
    })
}

/// Returns the schema of a type, or a reference to it.
const fn schema_of<T: JsonSchema>() -> SchemaOf {
    |generator| generator.subschema_for::<T>()
}

/// Returns the first free place of a list.
///
/// # Panics
/// When there is none, which is when this crate is compiled.
const fn free<T: Copy>(list: &[Option<T>]) -> usize {
    let mut at = 0;
    while list[at].is_some() {
        at += 1;
    }
    at
}

impl Route {
    /// Says what the endpoint is about, and what it does as a sentence without its full stop.
    pub(crate) const fn about(mut self, tag: Tag, summary: &'static str) -> Self {
        self.docs.tag = Some(tag);
        self.docs.summary = summary;
        self
    }

    /// Adds a value of the query that may be left out.
    pub(crate) const fn query<T: JsonSchema>(self, name: &'static str, what: &'static str) -> Self {
        self.param(Param { name, place: Place::Query, what, is_required: false, schema: schema_of::<T>() })
    }

    /// Adds a header that may be left out.
    pub(crate) const fn header<T: JsonSchema>(self, name: &'static str, what: &'static str) -> Self {
        self.param(Param { name, place: Place::Header, what, is_required: false, schema: schema_of::<T>() })
    }

    const fn param(mut self, param: Param) -> Self {
        self.docs.params[free(&self.docs.params)] = Some(param);
        self
    }

    /// Makes the parameter before it one that cannot be left out.
    pub(crate) const fn required(mut self) -> Self {
        if let Some(param) = &mut self.docs.params[free(&self.docs.params) - 1] {
            param.is_required = true;
        }
        self
    }

    /// Looks at an access token where there is one.
    pub(crate) const fn token_or_not(mut self) -> Self {
        self.docs.takes_token = true;
        self
    }

    /// Takes a body of JSON.
    pub(crate) const fn takes<T: JsonSchema>(self) -> Self {
        self.takes_as::<T>("application/json")
    }

    /// Takes a body of a media type; of [`serde_json::Value`] where it has no shape.
    pub(crate) const fn takes_as<T: JsonSchema>(mut self, media_type: &'static str) -> Self {
        self.docs.takes = Some(Content { media_type, schema: schema_of::<T>(), is_optional: false });
        self
    }

    /// Lets a request do without its body.
    pub(crate) const fn or_nothing(mut self) -> Self {
        if let Some(content) = &mut self.docs.takes {
            content.is_optional = true;
        }
        self
    }

    /// Gives JSON with this status.
    pub(crate) const fn gives<T: JsonSchema>(self, status: u16) -> Self {
        self.gives_as::<T>(status, "application/json")
    }

    /// Gives a body of a media type; of [`serde_json::Value`] where it has no shape.
    pub(crate) const fn gives_as<T: JsonSchema>(self, status: u16, media_type: &'static str) -> Self {
        let content = Content { media_type, schema: schema_of::<T>(), is_optional: false };
        self.answers(status, Some(content))
    }

    /// Answers with this status and without a body.
    pub(crate) const fn gives_nothing(self, status: u16) -> Self {
        self.answers(status, None)
    }

    const fn answers(mut self, status: u16, content: Option<Content>) -> Self {
        self.docs.gives[free(&self.docs.gives)] = Some(Given { status, content, headers: [None; ANSWERS] });
        self
    }

    /// Adds a header to the answer before it, and what it says.
    pub(crate) const fn with(mut self, name: &'static str, what: &'static str) -> Self {
        if let Some(given) = &mut self.docs.gives[free(&self.docs.gives) - 1] {
            given.headers[free(&given.headers)] = Some((name, what));
        }
        self
    }

    /// Names the codes of the endpoint's own. A token, a body, a query and a path add theirs.
    pub(crate) const fn fails(mut self, codes: &'static [ErrorCode]) -> Self {
        self.docs.fails = codes;
        self
    }
}
