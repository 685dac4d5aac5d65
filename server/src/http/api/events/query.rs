//! The query of a pull: the part of the topic.

use contract::{Described, Operation, Place};
use realtime::Range;
use serde::Deserialize;
use serde_json::json;
use shared::{Epoch, Malformed, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Problem, Seq};

use crate::http::error::ApiError;

/// The fields of the query as text, so that each is read with an error of its own. A field that is given twice is kept
/// twice.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct EventsQuery(Vec<(String, String)>);

impl EventsQuery {
    /// Returns the text of a field; `None` if it was not given.
    fn field(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut given = self.0.iter().filter(|(field, _)| field == name).map(|(_, text)| text.as_str());
        match (given.next(), given.next()) {
            (only, None) => Ok(only),
            (_, Some(_)) => Err(ApiError::field(name, Malformed("must be given only once"))),
        }
    }

    /// Reads a field that is a whole number. `rule` is the error's text.
    fn number(&self, name: &str, rule: &'static str) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.field(name)? else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Some).ok_or_else(|| ApiError::field(name, Malformed(rule)))
    }
}

impl Described for EventsQuery {
    fn describe(operation: &mut Operation<'_>) {
        let seq = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
        let described = |about: &str| {
            let mut seq = seq.clone();
            seq["description"] = about.into();
            seq
        };
        // An object whose fields are parameters, so that the document can say that only one may be given.
        let position = json!({
            "type": "object",
            "properties": {
                "after": described("The events with a larger seq."),
                "before": described("The events just below it."),
            },
            "not": { "required": ["after", "before"] },
        });
        operation.takes(
            Place::Query,
            "position",
            position,
            "Which events, ascending: the newest when neither is given.",
        );
        let limit = json!({
            "type": "integer", "minimum": 1, "maximum": PAGE_LIMIT_MAX, "default": PAGE_LIMIT_DEFAULT,
        });
        operation.takes(Place::Query, "limit", limit, "How many events at most.");
        let epoch = operation.schema_of::<Epoch>();
        operation.takes(
            Place::Query,
            "epoch",
            epoch,
            "The epoch that you know; if the log has another, you get the newest page.",
        );
        let about = "The newest seq that you were told of: the page is no older.";
        operation.takes(Place::Query, "heard", seq, about);
    }
}

/// Reads the range, and the newest seq that the reader was told of.
pub fn read(query: &EventsQuery) -> Result<(Range, Seq), ApiError> {
    let seq = |field| -> Result<_, ApiError> {
        Ok(query.number(field, "must be a seq: a whole number from 0")?.map(Seq))
    };
    let part = match (seq("after")?, seq("before")?) {
        (None, None) => Part::Newest,
        (Some(after), None) => Part::After(after),
        (None, Some(before)) => Part::Before(before),
        (Some(_), Some(_)) => {
            return Err(Problem::invalid_field("before", "must not be given together with after").into());
        }
    };
    let rule = "must be a whole number from 1 to 500";
    let limit = match query.number("limit", rule)? {
        None => PAGE_LIMIT_DEFAULT,
        Some(limit) if (1..=u64::from(PAGE_LIMIT_MAX)).contains(&limit) => limit as u32,
        Some(_) => return Err(ApiError::field("limit", Malformed(rule))),
    };
    let epoch = query.field("epoch")?.map(|text| Epoch::try_from(text.to_owned())).transpose();
    let range = Range { part, epoch: epoch.map_err(|error| ApiError::field("epoch", error))?, limit };
    Ok((range, seq("heard")?.unwrap_or_default()))
}
