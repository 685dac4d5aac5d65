//! The query: which part of the topic.

use std::collections::BTreeMap;

use shared::{Epoch, Malformed, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Problem, Seq};

use crate::http::ApiError;
use crate::realtime::Range;

/// The query's fields, as text: each is read with an error of its own.
pub type Asked = BTreeMap<String, String>;

/// The part that is asked for, and the newest seq that the reader was told of.
pub fn read(query: &Asked) -> Result<(Range, Seq), ApiError> {
    let number = |field: &str| query.get(field).map(|text| text.parse::<u64>());
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
    let epoch = query.get("epoch").map(|text| Epoch::try_from(text.clone())).transpose();
    let range = Range { part, epoch: epoch.map_err(|error| ApiError::field("epoch", error))?, limit };
    Ok((range, seq("heard", number("heard"))?.unwrap_or_default()))
}
