//! Signed tokens (RFC 7515, RFC 7519): ES256 for APNs and Web Push, RS256 for FCM.

use std::fmt;

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::encoding::EcPublicKeyUncompressedBin;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;

use crate::error::{BadSetup, PushError};

/// A key that signs tokens. `Debug` hides it.
pub(crate) enum SigningKey {
    /// ES256: a key on the curve P-256.
    Es256(EcdsaKeyPair),
    /// RS256: an RSA key.
    Rs256(RsaKeyPair),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// Reads a P-256 key from PEM (PKCS #8 or SEC 1).
    pub(crate) fn es256_pem(pem: &str, what: &'static str) -> Result<Self, BadSetup> {
        let bad = || BadSetup::Credential(what);
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| bad())?;
        let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_der());
        Ok(Self::Es256(key.map_err(|_| bad())?))
    }

    /// Reads a P-256 key from its 32 bytes and the 65 bytes of its public key.
    pub(crate) fn es256_raw(private: &[u8], public: &[u8], what: &'static str) -> Result<Self, BadSetup> {
        let key = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, private, public);
        Ok(Self::Es256(key.map_err(|_| BadSetup::Credential(what))?))
    }

    /// Reads an RSA key from PEM (PKCS #8 or PKCS #1).
    pub(crate) fn rs256_pem(pem: &str, what: &'static str) -> Result<Self, BadSetup> {
        let bad = || BadSetup::Credential(what);
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| bad())? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(bad()),
        };
        Ok(Self::Rs256(key.map_err(|_| bad())?))
    }

    /// The public key of a P-256 key: 65 bytes, not compressed. `None`: it is an RSA key.
    pub(crate) fn public_point(&self) -> Option<Vec<u8>> {
        let Self::Es256(key) = self else { return None };
        let point: EcPublicKeyUncompressedBin<'_> = key.public_key().as_be_bytes().ok()?;
        Some(point.as_ref().to_vec())
    }

    /// Signs claims. The header is `alg`, `typ` and, if there is one, `kid`.
    pub(crate) fn sign(&self, kid: Option<&str>, claims: &Value) -> Result<String, PushError> {
        let alg = match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        };
        let mut header = serde_json::json!({"alg": alg, "typ": "JWT"});
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let mut token = format!("{}.{}", encode(&header), encode(claims));
        let signature =
            self.signature(token.as_bytes()).map_err(|_| PushError::credentials("the key does not sign"))?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(key) => Ok(key.sign(&random, message)?.as_ref().to_vec()),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}
