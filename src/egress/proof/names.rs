//! JSON in which a name that an object has twice is noticed. Which of the values counts is open (RFC 8259,
//! section 4), so two readers may see two documents.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A value, and a name that some object in it has twice.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) value: Value,
    pub(super) twice: Option<String>,
}

/// A document: an array's values are told apart.
#[derive(Debug)]
pub(super) enum Document {
    Array(Vec<Named>),
    Other(Named),
}

impl Document {
    fn plain(value: Value) -> Self {
        Self::Other(Named { value, twice: None })
    }

    fn whole(self) -> Named {
        let values = match self {
            Self::Other(named) => return named,
            Self::Array(values) => values,
        };
        let mut twice = None;
        let mut plain = Vec::with_capacity(values.len());
        for named in values {
            twice = twice.or(named.twice);
            plain.push(named.value);
        }
        Named {
            value: Value::Array(plain),
            twice,
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Document;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::plain(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Document, E> {
        Ok(Document::plain(Value::Bool(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Document, E> {
        Ok(Document::plain(Value::Number(value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Document, E> {
        Ok(Document::plain(Value::Number(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Document, E> {
        let number = Number::from_f64(value).map_or(Value::Null, Value::Number);
        Ok(Document::plain(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Document, E> {
        Ok(Document::plain(Value::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Document, A::Error> {
        let mut array = Vec::new();
        while let Some(value) = values.next_element::<Document>()? {
            array.push(value.whole());
        }
        Ok(Document::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Document, A::Error> {
        let (mut object, mut twice) = (Map::new(), None);
        while let Some(name) = fields.next_key::<String>()? {
            let inner = fields.next_value::<Document>()?.whole();
            twice = twice.or(inner.twice);
            if object.contains_key(&name) {
                twice = twice.or_else(|| Some(name.clone()));
            }
            object.insert(name, inner.value);
        }
        Ok(Document::Other(Named {
            value: Value::Object(object),
            twice,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_noticed_that_an_object_has_twice() {
        for (text, twice) in [
            (r#"{"a":1,"b":{"a":[1,-2,2.5,null,true,"x"]}}"#, None),
            (r#"{"a":1,"b":2,"a":1}"#, Some("a")),
            (r#"{"a":{"b":[{"c":1,"\u0063":2}]}}"#, Some("c")),
            (r#"{"a":{"b":1,"b":2},"a":1}"#, Some("b")),
        ] {
            let Document::Other(named) = serde_json::from_str(text).unwrap() else {
                panic!("{text}");
            };
            assert_eq!(named.twice.as_deref(), twice, "{text}");
            assert_eq!(named.value, serde_json::from_str::<Value>(text).unwrap());
        }
        let Document::Array(records) = serde_json::from_str(r#"[{"a":1},{"a":1,"a":2}]"#).unwrap()
        else {
            panic!("an array");
        };
        let twice: Vec<_> = records.iter().map(|one| one.twice.as_deref()).collect();
        assert_eq!(twice, [None, Some("a")]);
    }
}
