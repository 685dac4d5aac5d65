//! Times as people say them. Which day, which unit: plain arithmetic here; the words are the browser's.

use std::cell::{OnceCell, RefCell};

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use shared::Millis;
use wasm_bindgen::JsValue;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// The words of the page are English; clock times follow the reader's own habit (14:05 or 2:05 PM).
const LANGUAGE: &str = "en";

/// Ways to write a time. The browser's formatters are dear to make and cheap to use, so there is one of each.
#[derive(Clone, Copy)]
enum Style {
    Clock,
    Full,
    ShortDate,
    Date,
    DateWithYear,
}

impl Style {
    /// The language, where it is not the reader's own, and what is to be shown.
    fn options(self) -> (Option<&'static str>, &'static [(&'static str, &'static str)]) {
        match self {
            Style::Clock => (None, &[("hour", "numeric"), ("minute", "2-digit")]),
            Style::Full => (None, &[("dateStyle", "full"), ("timeStyle", "short")]),
            Style::ShortDate => (Some(LANGUAGE), &[("month", "short"), ("day", "numeric")]),
            Style::Date => (Some(LANGUAGE), &[("weekday", "long"), ("month", "long"), ("day", "numeric")]),
            Style::DateWithYear => {
                (Some(LANGUAGE), &[("year", "numeric"), ("month", "long"), ("day", "numeric")])
            }
        }
    }
}

thread_local! {
    static FORMATS: RefCell<[Option<Function>; 5]> = const { RefCell::new([const { None }; 5]) };
    static RELATIVE: OnceCell<Intl::RelativeTimeFormat> = const { OnceCell::new() };
}

/// "now", "5 min ago", "yesterday", and a date beyond a week.
pub fn relative(at: Millis, now: Millis) -> String {
    let (count, unit) = match passed(at, now) {
        Passed::Now => return "now".into(),
        Passed::Minutes(count) => (count, "minute"),
        Passed::Hours(count) => (count, "hour"),
        Passed::Days(count) => (count, "day"),
        Passed::Long => return format(at, Style::ShortDate),
    };
    let wishes = [("numeric", "auto"), ("style", "short")];
    RELATIVE.with(|format| {
        let format = format.get_or_init(|| Intl::RelativeTimeFormat::new(&only(LANGUAGE), &options(&wishes)));
        format.format(-(count as f64), unit).into()
    })
}

/// The time of day: "14:05".
pub fn clock(at: Millis) -> String {
    format(at, Style::Clock)
}

/// All of it, for those who want to know exactly.
pub fn full(at: Millis) -> String {
    format(at, Style::Full)
}

/// "Today", "Yesterday", "Monday, 3 March", and with the year where it is another.
pub fn day(at: Millis, now: Millis) -> String {
    let date = |at: Millis| Date::new(&(at as f64).into());
    match local_day(now) - local_day(at) {
        0 => "Today".into(),
        1 => "Yesterday".into(),
        _ if date(at).get_full_year() == date(now).get_full_year() => format(at, Style::Date),
        _ => format(at, Style::DateWithYear),
    }
}

/// For the `datetime` attribute.
pub fn machine_readable(at: Millis) -> String {
    Date::new(&(at as f64).into()).to_iso_string().into()
}

/// Numbers the days where the reader lives, so that two times of one day have one number.
pub fn local_day(at: Millis) -> i64 {
    let west_minutes = Date::new(&(at as f64).into()).get_timezone_offset() as Millis;
    day_number(at, west_minutes)
}

fn day_number(at: Millis, west_minutes: Millis) -> i64 {
    (at - west_minutes * MINUTE).div_euclid(DAY)
}

#[derive(Debug, PartialEq)]
enum Passed {
    Now,
    Minutes(i64),
    Hours(i64),
    Days(i64),
    Long,
}

/// A clock that is a little behind the server's sees the future as now.
fn passed(at: Millis, now: Millis) -> Passed {
    match now - at {
        millis if millis < MINUTE => Passed::Now,
        millis if millis < HOUR => Passed::Minutes(millis / MINUTE),
        millis if millis < DAY => Passed::Hours(millis / HOUR),
        millis if millis < 7 * DAY => Passed::Days(millis / DAY),
        _ => Passed::Long,
    }
}

fn format(at: Millis, style: Style) -> String {
    let words = FORMATS.with_borrow_mut(|formats| {
        let format = formats[style as usize].get_or_insert_with(|| {
            let (language, wishes) = style.options();
            let languages = language.map_or_else(Array::new, only);
            Intl::DateTimeFormat::new(&languages, &options(wishes)).format()
        });
        format.call1(&JsValue::UNDEFINED, &(at as f64).into())
    });
    words.ok().and_then(|words| words.as_string()).unwrap_or_default()
}

fn only(language: &str) -> Array {
    Array::of1(&language.into())
}

fn options(wishes: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (name, value) in wishes {
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_told_in_the_largest_unit_that_fits() {
        assert_eq!(passed(0, 59_999), Passed::Now);
        assert_eq!(passed(0, 60_000), Passed::Minutes(1));
        assert_eq!(passed(0, HOUR - 1), Passed::Minutes(59));
        assert_eq!(passed(0, DAY - 1), Passed::Hours(23));
        assert_eq!(passed(0, 7 * DAY - 1), Passed::Days(6));
        assert_eq!(passed(0, 7 * DAY), Passed::Long);
    }

    #[test]
    fn the_future_is_now() {
        assert_eq!(passed(5_000, 0), Passed::Now);
    }

    #[test]
    fn a_day_begins_at_midnight_where_the_reader_is() {
        let midnight_in_berlin = 23 * HOUR;
        assert_eq!(day_number(midnight_in_berlin - 1, -60), 0);
        assert_eq!(day_number(midnight_in_berlin, -60), 1);
        assert_eq!(day_number(-1, 0), -1);
    }
}
