//! The sidecar's `mac`: shows that a sidecar was written on this machine by this user, and that
//! nobody has changed it since.
//!
//! HMAC-SHA256 (RFC 2104) over the sidecar's exact bytes with the 64 digits of the mac as zeros.
//! It doesn't stop somebody who is the same user and so can read the key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::session::Metadata;

/// Length of a key in bytes.
pub const KEY_BYTES: usize = 32;
/// The mac's place holder while the mac is computed.
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The user's key, worked into the digest already: that is done while the command starts.
#[derive(Clone)]
pub struct Key(Option<Hmac<Sha256>>);

/// What a sidecar's mac says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signature {
    /// Written with this key, and unchanged.
    Valid,
    /// It has a mac that doesn't fit it: changed since, or signed with another key.
    Altered,
    /// It has no mac, or there is no key.
    Unsigned,
}

impl Signature {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Valid, Self::Altered, Self::Unsigned];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Altered => "ALTERED",
            Self::Unsigned => "UNSIGNED",
        }
    }
}

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        // Never an error: HMAC takes keys of any length.
        Self(Hmac::<Sha256>::new_from_slice(&bytes).ok())
    }

    /// A key for another purpose, from which this one can't be told.
    #[must_use]
    pub fn derive(&self, purpose: &[u8]) -> Option<[u8; KEY_BYTES]> {
        Some(self.mac(&[purpose])?.finalize().into_bytes().into())
    }

    fn mac(&self, pieces: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = self.0.clone()?;
        for piece in pieces {
            mac.update(piece);
        }
        Some(mac)
    }
}

/// The text of a sidecar, signed where there is a key.
///
/// # Errors
/// As [`Metadata::to_json`].
pub fn signed_json(
    metadata: &mut Metadata,
    key: Option<&Key>,
) -> Result<String, serde_json::Error> {
    metadata.mac = key.map(|_| ZEROS.to_owned());
    let text = metadata.to_json()?;
    let Some(key) = key else { return Ok(text) };
    let digits = key
        .mac(&[text.as_bytes()])
        .map(|mac| hex::encode(mac.finalize().into_bytes()));
    metadata.mac.clone_from(&digits);
    let place = place_of_mac(&text, ZEROS);
    Ok(match (digits, place) {
        (Some(digits), Some(place)) => {
            format!("{}{digits}{}", &text[..place], &text[place + ZEROS.len()..])
        }
        _ => text,
    })
}

/// Checks the bytes of a sidecar that was read as `metadata`.
#[must_use]
pub fn check(bytes: &[u8], metadata: &Metadata, key: Option<&Key>) -> Signature {
    check_mac(bytes, metadata.mac.as_deref(), key)
}

/// Checks the bytes of a sidecar of any version, in which `mac` was found.
#[must_use]
pub fn check_mac(bytes: &[u8], mac: Option<&str>, key: Option<&Key>) -> Signature {
    let (Some(digits), Some(key)) = (mac, key) else {
        return Signature::Unsigned;
    };
    let verified = || {
        let text = std::str::from_utf8(bytes).ok()?;
        let place = place_of_mac(text, digits)?;
        let pieces = [
            &bytes[..place],
            ZEROS.as_bytes(),
            &bytes[place + digits.len()..],
        ];
        let expected = hex::decode(digits).ok()?;
        // One spelling only: upper-case digits would be a change that nobody notices.
        if hex::encode(&expected) != digits {
            return None;
        }
        key.mac(&pieces)?.verify_slice(&expected).ok()
    };
    match verified() {
        Some(()) => Signature::Valid,
        None => Signature::Altered,
    }
}

/// Where the mac's digits begin. The field's name in quotes can't occur inside a JSON string, whose
/// quotes are escaped; the last one counts, since it is the last field of the outermost object.
fn place_of_mac(text: &str, digits: &str) -> Option<usize> {
    let field = format!("\"mac\": \"{digits}\"");
    let place = text.rfind(&field)?;
    Some(place + "\"mac\": \"".len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    fn signed(key: &Key) -> (String, Metadata) {
        let mut metadata = minimal("ai-agent-20260305_132522-3216-2f587606");
        metadata.notes = Some("\"mac\": \"00\"".to_owned());
        let text = signed_json(&mut metadata, Some(key)).unwrap();
        let read = serde_json::from_str(&text).unwrap();
        (text, read)
    }

    #[test]
    fn what_was_signed_is_valid_with_the_same_key_only() {
        let key = Key::new([7; 32]);
        let (text, metadata) = signed(&key);
        let other = Key::new([8; 32]);
        let checked = |key| check(text.as_bytes(), &metadata, key);
        assert_eq!(checked(Some(&key)), Signature::Valid);
        assert_eq!(checked(Some(&other)), Signature::Altered);
        assert_eq!(checked(None), Signature::Unsigned);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let key = Key::new([7; 32]);
        let (text, _) = signed(&key);
        for index in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[index / 8] ^= 1 << (index % 8);
            let Ok(metadata) = serde_json::from_slice::<Metadata>(&bytes) else {
                continue;
            };
            let signature = check(&bytes, &metadata, Some(&key));
            assert_ne!(signature, Signature::Valid, "bit {index}");
        }
    }
}
