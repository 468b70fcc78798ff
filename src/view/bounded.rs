//! JSON for agents: without what a person would not see, and with an end to what is long.

use serde_json::{Map, Value};

use super::sanitize;

/// How many elements of a list are given, at first.
const ELEMENTS: usize = 200;
/// What a text is not cut below.
const LEAST_BYTES: usize = 16;

/// Takes out of every text what acts on a terminal or is invisible. Texts are cut to `text_bytes`, lists
/// to 200 elements, and both further until all is at most `most_bytes`. A text that was cut says so; beside a list
/// that was cut stands how many were left out (`NAME_left_out`).
pub fn for_agent(json: &mut Value, text_bytes: usize, most_bytes: usize) {
    clean(json);
    let (mut text_bytes, mut elements) = (text_bytes, ELEMENTS);
    loop {
        cut(json, text_bytes, elements);
        if json.to_string().len() <= most_bytes || text_bytes <= LEAST_BYTES {
            return;
        }
        text_bytes = (text_bytes / 2).max(LEAST_BYTES);
        elements = (elements / 2).max(1);
    }
}

fn clean(json: &mut Value) {
    match json {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(clean) = sanitize::for_agent(text) {
                *text = clean;
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(clean),
        Value::Object(members) => {
            // Names are recorded, too: those of variables.
            for (name, mut value) in std::mem::take(members) {
                clean(&mut value);
                members.insert(sanitize::for_agent(&name).into_owned(), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cut(json: &mut Value, text_bytes: usize, elements: usize) {
    match json {
        Value::String(text) => cut_text(text, text_bytes),
        Value::Array(list) => {
            list.truncate(elements);
            list.iter_mut()
                .for_each(|element| cut(element, text_bytes, elements));
        }
        Value::Object(members) => {
            let mut left_out = Map::new();
            for (name, value) in members.iter_mut() {
                let before = value.as_array().map_or(0, Vec::len);
                cut(value, text_bytes, elements);
                let after = value.as_array().map_or(0, Vec::len);
                if after < before {
                    left_out.insert(format!("{name}_left_out"), (before - after).into());
                }
            }
            for (name, count) in left_out {
                let known = members.get(&name).and_then(Value::as_u64);
                let count = count.as_u64().unwrap_or_default() + known.unwrap_or_default();
                members.insert(name, count.into());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Cuts a text between characters, and says how much is missing; what was said so before is not counted as
/// text.
fn cut_text(text: &mut String, most_bytes: usize) {
    const MARK: &str = " […";
    let before = text.rfind(MARK).and_then(|place| {
        let rest = text[place + MARK.len()..].strip_suffix(" more bytes]")?;
        Some((place, rest.parse::<usize>().ok()?))
    });
    let (length, missing) = before.unwrap_or((text.len(), 0));
    if length <= most_bytes {
        return;
    }
    let end = (0..=most_bytes)
        .rev()
        .find(|end| text.is_char_boundary(*end));
    let end = end.unwrap_or_default();
    let missing = missing + length - end;
    text.truncate(end);
    text.push_str(&format!("{MARK}{missing} more bytes]"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_is_invisible_goes_and_what_is_long_says_so() {
        let mut json = json!({
            "a\u{1b}[1mb": "x\u{202e}y\u{e0041}",
            "long": "é".repeat(20),
            "list": vec![1; 300],
            "number": 1.5,
        });
        for_agent(&mut json, 9, 10_000);
        assert_eq!(
            json,
            json!({
                "ab": "xy",
                "long": "éééé […32 more bytes]",
                "list": vec![1; 200],
                "list_left_out": 100,
                "number": 1.5,
            })
        );
    }

    #[test]
    fn what_was_cut_twice_counts_everything_that_is_missing() {
        let mut text = "a".repeat(100);
        cut_text(&mut text, 50);
        cut_text(&mut text, 20);
        assert_eq!(text, format!("{} […80 more bytes]", "a".repeat(20)));
        let mut json = json!({"list": vec!["x"; 100]});
        cut(&mut json, 10, 50);
        cut(&mut json, 10, 20);
        assert_eq!(json["list_left_out"], 80);
    }

    proptest! {
        #[test]
        fn any_list_of_texts_fits(texts in proptest::collection::vec(".{0,60}", 0..60)) {
            let mut json = json!({"deep": {"texts": texts}});
            for_agent(&mut json, 2048, 1000);
            prop_assert!(json.to_string().len() <= 1000, "{}", json.to_string().len());
        }
    }
}
