//! A checker for the part of JSON Schema that the contract's documents use. It panics on anything else.
//!
//! Patterns and formats are not checked: every value is also read by its Rust type.

use serde_json::Value;

/// Keywords that describe a value, or that its Rust type checks.
const IGNORED: [&str; 6] = ["description", "default", "examples", "format", "pattern", "title"];

/// Asserts that `value` fits `schema`. References of the schema point into `document`.
#[track_caller]
pub fn assert_fits(document: &Value, schema: &Value, value: &Value) {
    if let Err(wrong) = check(document, schema, value) {
        panic!("{wrong}\n{value:#}\ndoes not fit\n{schema:#}");
    }
}

fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Value::Object(rules) = schema else { return Ok(()) };
    for (keyword, rule) in rules {
        let holds = match keyword.as_str() {
            "$ref" => {
                let target = document.pointer(rule.as_str().unwrap_or_default().trim_start_matches('#'));
                check(document, target.ok_or(format!("{rule} points nowhere"))?, value).map(|()| true)?
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is_a(name, value)),
                name => is_a(name, value),
            },
            "const" => rule == value,
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap_or_default()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap_or_default()),
            "minLength" => chars(value).is_none_or(|chars| chars >= rule.as_u64().unwrap_or_default()),
            "maxLength" => chars(value).is_none_or(|chars| chars <= rule.as_u64().unwrap_or_default()),
            "required" => {
                items(rule).iter().all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
            }
            "oneOf" => items(rule).iter().filter(|one| check(document, one, value).is_ok()).count() == 1,
            "anyOf" => items(rule).iter().any(|one| check(document, one, value).is_ok()),
            "allOf" => items(rule).iter().try_for_each(|one| check(document, one, value)).map(|()| true)?,
            "items" => items(value).iter().try_for_each(|item| check(document, rule, item)).map(|()| true)?,
            "properties" => {
                let Value::Object(properties) = rule else { panic!("properties must be an object: {rule}") };
                for (name, rule) in properties {
                    let field = value.get(name).map_or(Ok(()), |field| check(document, rule, field));
                    field.map_err(|wrong| format!("{name}: {wrong}"))?;
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                let known = |name: &String| schema["properties"].get(name).is_some();
                value.as_object().is_none_or(|fields| fields.keys().all(known))
            }
            ignored if IGNORED.contains(&ignored) => true,
            unknown => panic!("this checker does not support {unknown} yet"),
        };
        if !holds {
            return Err(format!("{keyword}: {rule} does not hold of {value}"));
        }
    }
    Ok(())
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        unknown => panic!("this checker does not support the type {unknown}"),
    }
}

fn chars(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
