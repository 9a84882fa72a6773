//! TLS towards clients: a certificate and its key, read once at start-up.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem;
use rustls::pki_types::pem::PemObject;
use tokio_rustls::TlsAcceptor;

/// What a listener proves to be: TLS 1.2 and 1.3, HTTP/1.1, no client certificates.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls")
    }
}

/// Why certificate and key cannot be used. Each names the file to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is damaged.
    #[error("`{}` is no valid PEM file", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        source: pem::Error,
    },
    /// The file for the certificate has none.
    #[error(
        "`{}` holds no certificate: it needs a block that begins with BEGIN CERTIFICATE, \
         the server's own first, then those of its authorities",
        .path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file for the key has none.
    #[error("`{}` holds no private key: it needs a block that begins with BEGIN PRIVATE KEY", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is protected by a passphrase, which nobody is there to type.
    #[error(
        "the private key in `{}` is encrypted; store it without a passphrase: \
         openssl pkey -in OLD -out NEW",
        .path.display()
    )]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The key belongs to another certificate.
    #[error(
        "the private key in `{}` does not belong to the first certificate in `{}`",
        .key.display(),
        .certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate or the kind of key is not supported.
    #[error("`{}` and its key cannot be used for TLS", .certificate.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl ServerTls {
    /// Reads a certificate chain, leaf first, and the leaf's private key from PEM files.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = read_chain(certificate)?;
        let private_key = read_key(key)?;
        let config = ServerConfig::builder().with_no_client_auth();
        let mut config =
            config
                .with_single_cert(chain, private_key)
                .map_err(|source| match source {
                    rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
                        certificate: certificate.to_owned(),
                        key: key.to_owned(),
                    },
                    _ => TlsError::Unusable {
                        certificate: certificate.to_owned(),
                        source,
                    },
                })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.0
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|source| TlsError::Malformed {
        path: path.to_owned(),
        source,
    })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|source| {
        let path = path.to_owned();
        match source {
            pem::Error::NoItemsFound if is_encrypted(&text) => TlsError::EncryptedKey { path },
            pem::Error::NoItemsFound => TlsError::NoKey { path },
            source => TlsError::Malformed { path, source },
        }
    })
}

fn is_encrypted(text: &[u8]) -> bool {
    let label = b"BEGIN ENCRYPTED PRIVATE KEY";
    text.windows(label.len()).any(|window| window == label)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
