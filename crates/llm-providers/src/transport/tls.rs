//! Whom we trust, and the TLS settings made of it.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use llm_types::{Error, ErrorKind, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::options::TransportOptions;

/// TLS settings, built when the first `https` host is reached: loading the system's certificates takes
/// milliseconds that a gateway without such hosts does not need. Shared by all transports of a process.
#[derive(Debug)]
pub(super) struct Tls {
    verify: bool,
    http2: bool,
    own_roots: Vec<CertificateDer<'static>>,
    config: OnceLock<Configs>,
}

/// One setting for hosts that may speak HTTP/2, one for those that must, one for tunnels and hosts that may not.
#[derive(Debug, Clone)]
struct Configs {
    alpn: Arc<ClientConfig>,
    h2: Arc<ClientConfig>,
    plain: Arc<ClientConfig>,
}

impl Tls {
    /// Reads the operator's own certificates at once, so that a wrong file is found at the start.
    pub(super) fn new(options: &TransportOptions) -> Result<Self> {
        let own_roots = options.root_certificates.as_deref().map(read_pem).transpose()?.unwrap_or_default();
        Ok(Self { verify: options.verify_tls, http2: options.http2, own_roots, config: OnceLock::new() })
    }

    /// The settings for servers: `alpn` tells whether HTTP/2 may be offered.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a root certificate cannot be used.
    pub(super) fn config(&self, alpn: bool) -> Result<Arc<ClientConfig>> {
        let configs = self.configs()?;
        Ok(Arc::clone(if alpn { &configs.alpn } else { &configs.plain }))
    }

    /// The settings for servers that must speak HTTP/2.
    ///
    /// # Errors
    /// As [`Tls::config`].
    pub(super) fn h2(&self) -> Result<Arc<ClientConfig>> {
        Ok(Arc::clone(&self.configs()?.h2))
    }

    fn configs(&self) -> Result<&Configs> {
        if let Some(configs) = self.config.get() {
            return Ok(configs);
        }
        let built = self.build()?;
        Ok(self.config.get_or_init(|| built))
    }

    fn build(&self) -> Result<Configs> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("TLS settings", &error))?;
        let plain = if self.verify {
            builder.with_root_certificates(self.roots()?).with_no_client_auth()
        } else {
            let verifier = Arc::new(AcceptAll(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        };
        let mut alpn = plain.clone();
        if self.http2 {
            alpn.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        let mut h2 = plain.clone();
        h2.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Configs { alpn: Arc::new(alpn), h2: Arc::new(h2), plain: Arc::new(plain) })
    }

    /// The public roots, the system's, and the operator's own. The system's store may hold certificates
    /// that cannot be used; those are left out, the operator's own may not be.
    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in &self.own_roots {
            roots
                .add(certificate.clone())
                .map_err(|error| unusable("a certificate of `SSL_CERT_FILE`", &error))?;
        }
        Ok(roots)
    }
}

fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let what = format!("certificate file `{}`", path.display());
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(&what, &error))?.collect();
    let certificates = certificates.map_err(|error| unusable(&what, &error))?;
    if certificates.is_empty() {
        return Err(Error::new(ErrorKind::Internal, format!("{what} holds no certificate in PEM form")));
    }
    Ok(certificates)
}

fn unusable(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, format!("cannot use {what}: {error}"))
}

/// Accepts every certificate: what `SSL_VERIFY=false` asks for. Signatures are still checked.
#[derive(Debug)]
struct AcceptAll(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAll {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
