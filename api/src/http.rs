//! The endpoints: one file each, with its route, its errors and its handler.

pub(crate) mod add_members;
pub(crate) mod begin_upload;
pub(crate) mod change_role;
pub(crate) mod create_room;
pub(crate) mod direct_room;
pub(crate) mod get_file;
pub(crate) mod get_room;
pub(crate) mod history;
pub(crate) mod list_members;
pub(crate) mod list_rooms;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod metrics;
pub(crate) mod probes;
pub(crate) mod put_upload;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod remove_member;
pub(crate) mod send_message;
pub(crate) mod socket;
pub(crate) mod ticket;
pub(crate) mod update_room;
pub(crate) mod version;
