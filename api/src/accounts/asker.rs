//! Who asks for something before it has proved anything.

use std::net::IpAddr;

/// Where a request came from, and the language of whoever made it.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The address.
    pub address: IpAddr,
    /// Its `Accept-Language`.
    pub language: Option<String>,
}

impl From<IpAddr> for Asker {
    fn from(address: IpAddr) -> Self {
        Self { address, language: None }
    }
}
