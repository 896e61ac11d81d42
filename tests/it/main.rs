//! The behaviour tests: one binary, one module an area, each through the outermost surface that
//! shows the fact.

// Registering, logging in, refreshing, logging out, and what none of it tells.
mod accounts;
// What is written about the code is true.
mod docs;
// The HTTP edge as bytes on a socket.
mod http;
// The tree keeps its own rules: layers, sizes, names, links, lists.
mod tidy;
// What proves who somebody is, and when it stops to.
mod tokens;
// Faults of the store and of our own code.
mod faults;
// A client of the other codec.
mod msgpack;
// Joining a room's stream.
mod open;
// Rooms and members.
mod rooms;
// Who speaks on a socket, how long, and how it ends.
mod sessions;
// Messages: order, exactly once, refusals.
mod send;
