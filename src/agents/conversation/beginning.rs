//! Members of a JSON object of which only the beginning may be there.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The texts of these members of an object, or of the object that is its member `within`; what stands behind a
/// cut or a mistake is not there. A name that is there twice tells nothing: readers differ on which counts.
pub(super) fn texts<const N: usize>(
    text: &str,
    within: Option<&str>,
    names: [&str; N],
) -> [Option<String>; N] {
    let mut found = [(); N].map(|()| Found::Nothing);
    let members = Members {
        within,
        names: &names,
        found: &mut found,
    };
    // That it ends too early is nothing new.
    let _ = members.deserialize(&mut serde_json::Deserializer::from_str(text));
    found.map(|found| match found {
        Found::Text(text) => Some(text),
        Found::Nothing | Found::Twice => None,
    })
}

/// What is known of a member.
enum Found {
    Nothing,
    Text(String),
    Twice,
}

struct Members<'a> {
    within: Option<&'a str>,
    names: &'a [&'a str],
    found: &'a mut [Found],
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut has_gone_in = false;
        while let Some(name) = map.next_key::<String>()? {
            if let Some(within) = self.within {
                if name != within {
                    map.next_value::<IgnoredAny>()?;
                } else if has_gone_in {
                    self.found
                        .iter_mut()
                        .for_each(|found| *found = Found::Twice);
                    return Err(A::Error::custom("a name that is there twice"));
                } else {
                    has_gone_in = true;
                    map.next_value_seed(Members {
                        within: None,
                        names: self.names,
                        found: &mut *self.found,
                    })?;
                }
                continue;
            }
            let Some(index) = self.names.iter().position(|wanted| *wanted == name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value::<Value>()?;
            let found = &mut self.found[index];
            *found = match (&*found, value) {
                (Found::Nothing, Value::String(text)) => Found::Text(text),
                _ => Found::Twice,
            };
        }
        Ok(())
    }
}
