//! Host names → addresses.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

/// A name being resolved.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Turns a host into addresses. Asked once for each new connection; what it answers is checked and
/// then connected to, so a name cannot change its mind in between.
pub trait Resolve: Send + Sync + fmt::Debug {
    /// The addresses of `host`, a name or an address without brackets, each with `port`.
    fn resolve(&self, host: &str, port: u16) -> Resolving;
}

/// The resolver of the machine: `/etc/hosts`, DNS, whatever it is set up for.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}
