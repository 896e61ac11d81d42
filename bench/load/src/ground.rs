//! Where a run takes place: a server of its own or one that runs already, accounts and rooms on it, and the cores.
//!
//! | file | what |
//! |---|---|
//! | `ground/server.rs` | the real binary as a child process |
//! | `ground/http.rs` | as much HTTP as the setup needs |
//! | `ground/cast.rs` | accounts and rooms, made over the API as anybody's are |
//! | `ground/cores.rs` | who runs on which core, and how many descriptors there may be |

mod cast;
pub(crate) mod cores;
mod http;
mod server;

pub(crate) use cast::{Account, Cast};
pub(crate) use http::Http;
pub(crate) use server::Server;
