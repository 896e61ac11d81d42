//! The behaviour tests: one binary, one module an area, each through the outermost surface that
//! shows the fact.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

// Registering, logging in, refreshing, logging out, and what none of it tells.
mod accounts;
mod admin;
// The descriptions for programs: OpenAPI, AsyncAPI.
mod spec;
// What is written about the code is true.
mod docs;
// The HTTP edge as bytes on a socket.
mod http;
// The tree keeps its own rules: layers, sizes, names, links, lists.
mod tidy;
// Codes that a login asks for besides a password.
mod factor;
// Logging in by an identity elsewhere, at a provider that lies and at a real one.
mod providers;
// The keys that sign tokens, and how they change.
mod keys;
// What proves who somebody is, and when it stops to.
mod tokens;
// Who may what: a row for every op and every route, each cell played.
mod authorisation;
// The real binary, backed up and restored.
mod backup;
// Bad input over the socket.
mod bad_input;
// Who wants nothing to do with whom.
mod blocks;
// The bus through networks that break.
mod bus;
// What tests of the chat say and look at.
mod chat;
// Changes of messages that meet.
mod changes;
// The checker catches what it is there for.
mod checker;
// The client: its login, its place, its way back.
mod client;
// Several nodes over one store.
mod cluster;
// A disk that fails when a test says so.
mod disk;
// The real binary, asked how a cluster stands.
mod doctor;
// A folder that goes with its test.
mod fleet;
mod folder;
// Files: sent, carried, fetched, gone.
mod files;
// Faults of the store and of our own code.
mod faults;
// Notices in the inbox.
mod inbox;
// The real binary, killed and on a disk that fails.
mod kill;
// Rows of the fault matrix.
mod matrix;
// Whoever means harm with bytes of its own.
mod attackers;
// What becomes of a message.
mod messages;
// What is counted is what was done.
mod metrics;
// Random interleavings of all ops, against a model.
mod model;
// A client of the other codec.
mod msgpack;
// Links that lead into rooms.
mod invites;
// Members: roles, succession, and what is left to whom who has gone.
mod members;
// Who is there, and who is told.
mod presence;
// Sessions whose actors do not run.
mod rest;
// Joining a room's stream.
mod open;
// Profiles, handles, finding people.
mod people;
// How far members have come.
mod recall;
mod receipts;
// A room of more listeners than its actor tells.
mod relays;
// What a review of the core found: interleavings that lost, leaked or blocked something.
mod review;
// Run by somebody: probes, drains, reloads, the log, systemd, descriptors, pressure.
mod operation;
// What admins of the server do, and that it is written down.
mod office;
// A user's rooms, and word of those not open.
mod room_list;
// Rooms and members.
mod rooms;
// Messages found by their words.
mod search;
// Who speaks on a socket, how long, and how it ends.
mod servers;
mod sessions;
// A reader that does not keep up.
mod slow;
// How much may be done in a second.
mod limits;
// Messages: order, exactly once, refusals.
mod send;
// TLS without a proxy.
mod tls;
// Who is told what a message spent its time with.
mod traces;
// Who is typing.
mod typing;
