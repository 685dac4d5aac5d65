//! The query: which part of the topic.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use shared::{Epoch, Malformed, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Problem, Seq};

use crate::http::{ApiError, Described, Operation, Place};
use crate::realtime::Range;

/// The query's fields, as text: each is read with an error of its own.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Asked(BTreeMap<String, String>);

impl Described for Asked {
    fn describe(operation: &mut Operation<'_>) {
        let seq = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
        let described = |about: &str| {
            let mut seq = seq.clone();
            seq["description"] = about.into();
            seq
        };
        // An object whose fields are parameters of their own: so the document can say that only one may be given.
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
            "The life of the log that you know; of another, you get the newest page.",
        );
        let about = "The newest seq that you were told of: the page is no older.";
        operation.takes(Place::Query, "heard", seq, about);
    }
}

/// The part that is asked for, and the newest seq that the reader was told of.
pub fn read(query: &Asked) -> Result<(Range, Seq), ApiError> {
    let number = |field: &str| query.0.get(field).map(|text| text.parse::<u64>());
    let seq = |field: &str, parsed: Option<Result<u64, _>>| {
        let rule = Malformed("must be a seq: a whole number from 0");
        parsed.transpose().map_err(|_| ApiError::field(field, rule)).map(|number| number.map(Seq))
    };
    let part = match (seq("after", number("after"))?, seq("before", number("before"))?) {
        (None, None) => Part::Newest,
        (Some(after), None) => Part::After(after),
        (None, Some(before)) => Part::Before(before),
        (Some(_), Some(_)) => {
            return Err(Problem::invalid_field("before", "must not be given together with after").into());
        }
    };
    let limit = match number("limit") {
        None => PAGE_LIMIT_DEFAULT,
        Some(Ok(limit)) if (1..=u64::from(PAGE_LIMIT_MAX)).contains(&limit) => limit as u32,
        Some(_) => return Err(ApiError::field("limit", Malformed("must be a whole number from 1 to 500"))),
    };
    let epoch = query.0.get("epoch").map(|text| Epoch::try_from(text.clone())).transpose();
    let range = Range { part, epoch: epoch.map_err(|error| ApiError::field("epoch", error))?, limit };
    Ok((range, seq("heard", number("heard"))?.unwrap_or_default()))
}
