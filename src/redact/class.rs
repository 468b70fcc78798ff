//! Sets of bytes, made at compile time from a short description.

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class([u64; 4]);

/// ASCII letters and digits.
pub(super) const ALNUM: Class = Class::of("A-Za-z0-9");
/// The alphabet of base64 (RFC 4648, section 4) with padding.
pub(super) const BASE64: Class = Class::of("A-Za-z0-9+/=");
/// Control characters but tab: they end whatever they stand in.
pub(super) const CONTROL: Class = Class::of("\0-\x08\n-\x1f\x7f");
/// What tokens are made of, and what percent-encoding adds.
pub(super) const TOKEN: Class = Class::of("A-Za-z0-9_.~+/=%-");

/// The class that the table of rules calls by this name.
pub(super) fn named(name: &str) -> Option<Class> {
    Some(match name {
        "digit" => Class::of("0-9"),
        "hex" => Class::of("0-9a-f"),
        "uuid" => Class::of("0-9a-fA-F-"),
        "capital" => Class::of("A-Z0-9"),
        "small" => Class::of("a-z0-9"),
        "alnum" => ALNUM,
        "word" => Class::of("A-Za-z0-9_"),
        // RFC 4648: sections 6, 4 and 5.
        "base32" => Class::of("A-Z2-7"),
        "base64" => BASE64,
        "base64url" => Class::of("A-Za-z0-9_-"),
        "dotted" => Class::of("A-Za-z0-9_.-"),
        "base58" => Class::of("1-9A-HJ-NP-Za-km-z"),
        // BIP 173, in capitals.
        "bech32" => Class::of("AC-HJ-NP-Z02-9"),
        // crypt(5).
        "crypt" => Class::of("A-Za-z0-9./"),
        _ => return None,
    })
}

impl Class {
    /// Makes a class of single bytes and ranges such as `a-z`; a dash at the end stands for itself.
    pub(super) const fn of(description: &str) -> Self {
        let bytes = description.as_bytes();
        let mut class = Self([0; 4]);
        let mut index = 0;
        while index < bytes.len() {
            let is_range = index + 2 < bytes.len() && bytes[index + 1] == b'-';
            let last = if is_range {
                bytes[index + 2]
            } else {
                bytes[index]
            };
            let mut byte = bytes[index];
            while byte <= last {
                class.0[byte as usize >> 6] |= 1 << (byte & 63);
                byte += 1;
            }
            index += if is_range { 3 } else { 1 };
        }
        class
    }

    /// The bytes of either class.
    pub(super) const fn or(self, other: Self) -> Self {
        let (one, other) = (self.0, other.0);
        Self([
            one[0] | other[0],
            one[1] | other[1],
            one[2] | other[2],
            one[3] | other[3],
        ])
    }

    /// Every byte that is not in this class.
    pub(super) const fn others(self) -> Self {
        Self([!self.0[0], !self.0[1], !self.0[2], !self.0[3]])
    }

    /// Whether a byte is in the class.
    #[inline]
    pub(super) const fn has(self, byte: u8) -> bool {
        self.0[byte as usize >> 6] >> (byte & 63) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(class: Class) -> String {
        let members = (0..=u8::MAX).filter(|byte| class.has(*byte));
        members.map(char::from).collect()
    }

    #[test]
    fn a_class_is_what_its_description_says() {
        for (name, expected) in [
            ("hex", "0123456789abcdef"),
            ("base32", "234567ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            ("bech32", "023456789ACDEFGHJKLMNPQRSTUVWXYZ"),
        ] {
            assert_eq!(members(named(name).unwrap()), expected);
        }
        assert_eq!(members(named("base58").unwrap()).len(), 58);
        assert_eq!(members(Class::of("_.-")), "-._");
        assert_eq!(members(Class::of("a-c-")), "-abc");
        assert_eq!(members(ALNUM.others()).chars().count(), 256 - 62);
        assert_eq!(named("letters"), None);
    }
}
