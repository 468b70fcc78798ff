//! What a client gives a tool: names and kinds as a table, the schema that says so, and reading by it.

use serde_json::{Map, Value, json};

use crate::cli::error::{CliError, Kind};

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Text.
    Text,
    /// A number, up to this one.
    Number(u64),
    /// True or false.
    Flag,
    /// One of these words.
    One(&'static [&'static str]),
}

/// A parameter of a tool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) is_required: bool,
    pub(super) what: &'static str,
}

/// The JSON Schema of these parameters. Only what every client's model takes: no types beside each other, no
/// formats.
pub(super) fn schema(parameters: &[Parameter]) -> Map<String, Value> {
    let mut properties = Map::new();
    for parameter in parameters {
        let mut property = match parameter.takes {
            Takes::Text => json!({"type": "string"}),
            Takes::Number(most) => json!({"type": "integer", "minimum": 0, "maximum": most}),
            Takes::Flag => json!({"type": "boolean"}),
            Takes::One(words) => json!({"type": "string", "enum": words}),
        };
        property["description"] = parameter.what.into();
        properties.insert(parameter.name.to_owned(), property);
    }
    let required = parameters.iter().filter(|parameter| parameter.is_required);
    let required: Vec<&str> = required.map(|parameter| parameter.name).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    schema.insert("required".to_owned(), required.into());
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// What was given.
#[derive(Debug)]
pub(super) struct Given(Map<String, Value>);

impl Given {
    /// Takes what was given by the table of what may be.
    ///
    /// # Errors
    /// What is unknown, missing, or of another kind. Null is as good as nothing.
    pub(super) fn new(
        mut given: Map<String, Value>,
        parameters: &[Parameter],
    ) -> Result<Self, CliError> {
        given.retain(|_, value| !value.is_null());
        let names = || {
            let names: Vec<&str> = parameters.iter().map(|known| known.name).collect();
            format!("it takes {}", names.join(", "))
        };
        for (name, value) in &given {
            let known = parameters.iter().find(|known| known.name == name);
            let Some(known) = known else {
                let message = format!("there is no parameter {name:?}");
                return Err(CliError::new(Kind::Usage, message).with_hint(names()));
            };
            let wanted = match known.takes {
                Takes::Text if value.is_string() => continue,
                Takes::Text => "text".to_owned(),
                Takes::Number(most) if number(value).is_some_and(|it| it <= most) => continue,
                Takes::Number(most) => format!("a number from 0 to {most}"),
                Takes::Flag if value.is_boolean() => continue,
                Takes::Flag => "true or false".to_owned(),
                Takes::One(words) if words.iter().any(|word| value == word) => continue,
                Takes::One(words) => format!("one of {}", words.join(", ")),
            };
            let message = format!("{name}: it must be {wanted}");
            return Err(CliError::new(Kind::Usage, message).with_hint(known.what));
        }
        let mut required = parameters.iter().filter(|parameter| parameter.is_required);
        match required.find(|parameter| !given.contains_key(parameter.name)) {
            Some(missing) => {
                let message = format!("{} is missing", missing.name);
                Err(CliError::new(Kind::Usage, message).with_hint(missing.what))
            }
            None => Ok(Self(given)),
        }
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        Some(self.0.get(name)?.as_str()?.to_owned())
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        number(self.0.get(name)?)
    }

    /// Whether something is so; not where nothing is said.
    pub(super) fn is_so(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }
}

/// A whole number, which some clients write as 20.0.
fn number(value: &Value) -> Option<u64> {
    let whole = |number: f64| {
        let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        fits.then_some(number as u64)
    };
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Parameter] = &[
        Parameter {
            name: "query",
            takes: Takes::Text,
            is_required: true,
            what: "what is looked for",
        },
        Parameter {
            name: "limit",
            takes: Takes::Number(100),
            is_required: false,
            what: "at most so many",
        },
        Parameter {
            name: "regex",
            takes: Takes::Flag,
            is_required: false,
            what: "whether it is a pattern",
        },
        Parameter {
            name: "in",
            takes: Takes::One(&["command", "notes"]),
            is_required: false,
            what: "where",
        },
    ];

    fn given(value: Value) -> Result<Given, String> {
        let Value::Object(members) = value else {
            unreachable!("objects only");
        };
        Given::new(members, TABLE).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_given_is_read_as_the_table_says() {
        let all = json!({"query": "x", "limit": 20.0, "regex": true, "in": "notes"});
        let all = given(all).unwrap();
        assert_eq!(all.text("query").as_deref(), Some("x"));
        assert_eq!(all.number("limit"), Some(20));
        assert!(all.is_so("regex"));
        let least = given(json!({"query": "x", "limit": null})).unwrap();
        assert_eq!((least.number("limit"), least.is_so("regex")), (None, false));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (value, problem) in [
            (json!({}), "query is missing"),
            (json!({"query": 1}), "query: it must be text"),
            (
                json!({"query": "", "to": 1}),
                "there is no parameter \"to\"",
            ),
            (
                json!({"query": "", "limit": 101}),
                "limit: it must be a number from 0 to 100",
            ),
            (
                json!({"query": "", "limit": -1}),
                "limit: it must be a number from 0 to 100",
            ),
            (
                json!({"query": "", "limit": 1.5}),
                "limit: it must be a number from 0 to 100",
            ),
            (
                json!({"query": "", "regex": "yes"}),
                "regex: it must be true or false",
            ),
            (
                json!({"query": "", "in": "output"}),
                "in: it must be one of command, notes",
            ),
        ] {
            assert_eq!(given(value).unwrap_err(), problem);
        }
    }

    #[test]
    fn the_schema_says_what_is_taken() {
        let schema = Value::Object(schema(TABLE));
        assert_eq!(schema["required"], json!(["query"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["limit"]["maximum"], 100);
        assert_eq!(
            schema["properties"]["in"],
            json!({"type": "string", "enum": ["command", "notes"], "description": "where"})
        );
    }
}
