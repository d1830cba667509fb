//! Digests for `States.Hash` and `$hash`.

use sha2::Digest;

/// The digest of a text as lower-case hex; none if the service has no such algorithm.
pub fn hex(text: &str, algorithm: &str) -> Option<String> {
    let data = text.as_bytes();
    Some(match algorithm {
        "MD5" => format!("{:x}", md5::compute(data)),
        "SHA-1" => sha1_smol::Sha1::from(data).digest().to_string(),
        "SHA-256" => join(&sha2::Sha256::digest(data)),
        "SHA-384" => join(&sha2::Sha384::digest(data)),
        "SHA-512" => join(&sha2::Sha512::digest(data)),
        _ => return None,
    })
}

fn join(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
