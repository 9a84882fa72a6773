//! TLS towards destinations: whom we trust, and what went wrong, for people.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::CertificateError;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How destinations prove who they are. Made once and shared by all sinks: TLS 1.2 and 1.3, and the
/// certificate authorities this machine trusts.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    authorities: usize,
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientTls({} authorities)", self.authorities)
    }
}

impl ClientTls {
    /// Trusts what the machine trusts: its certificate store, or the files that `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name. Reads files: for start-up, not for the request path.
    ///
    /// An empty store is no error here, since plain HTTP works without one; connecting then says so.
    pub fn from_system() -> Self {
        let loaded = rustls_native_certs::load_native_certs();
        for error in &loaded.errors {
            tracing::warn!(%error, "a certificate authority of this machine cannot be read");
        }
        Self::trusting(loaded.certs)
    }

    /// Trusts these certificate authorities and no others; what is no certificate is left out.
    pub fn trusting(authorities: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities);
        let authorities = roots.len();
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            config: Arc::new(config),
            authorities,
        }
    }

    /// Shakes hands over `stream` with a server that must prove to be `host`.
    pub(super) async fn handshake(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, HandshakeError> {
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            return Err(HandshakeError::Name);
        };
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector
            .connect(name, stream)
            .await
            .map_err(|error| self.explain(error))
    }

    fn explain(&self, error: io::Error) -> HandshakeError {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(tls) = tls else {
            return HandshakeError::Connection(error);
        };
        match tls {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)
                if self.authorities == 0 =>
            {
                HandshakeError::NoAuthorities
            }
            rustls::Error::InvalidCertificate(flaw) => match flaw {
                CertificateError::UnknownIssuer => HandshakeError::Untrusted,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    HandshakeError::Expired
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => HandshakeError::OtherName,
                _ => HandshakeError::Other(tls.clone()),
            },
            rustls::Error::InvalidMessage(_) => HandshakeError::NotTls,
            _ => HandshakeError::Other(tls.clone()),
        }
    }
}

/// Why a TLS connection did not come about; reads on after "`HOST` ".
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error("is no name a certificate can be for")]
    Name,
    #[error(
        "cannot be trusted: this machine has no certificate authorities; \
         install its `ca-certificates` or set SSL_CERT_FILE"
    )]
    NoAuthorities,
    #[error(
        "has a certificate of an authority this machine does not trust; \
         if it is yours, add the authority to the machine's certificates or set SSL_CERT_FILE"
    )]
    Untrusted,
    #[error("has a certificate that has expired; renew it there, or set this machine's clock")]
    Expired,
    #[error("has a certificate for another name; use the name the certificate is for")]
    OtherName,
    #[error(
        "does not answer with TLS; \
         is its URL meant to begin with http:// or to have another port?"
    )]
    NotTls,
    #[error("cannot be agreed with on TLS: {0}")]
    Other(rustls::Error),
    #[error("broke off while TLS was set up: {0}")]
    Connection(io::Error),
}
