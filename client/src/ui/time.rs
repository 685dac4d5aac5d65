//! Times as text. The day and the unit are computed here; the browser formats them.

use std::cell::{OnceCell, RefCell};

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use shared::Millis;
use wasm_bindgen::JsValue;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// The language of dates, as of all texts of the app. Clock times follow the user's own locale (14:05 or 2:05 PM).
const LANGUAGE: &str = "en";

/// The styles of a time. The browser's formatters are expensive to create and cheap to use, so there is one of each.
#[derive(Clone, Copy)]
enum Style {
    Clock,
    Full,
    ShortDate,
    Date,
    DateWithYear,
}

impl Style {
    /// The language, unless it is the user's own, and the options of `Intl.DateTimeFormat`.
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

/// Formats a time relative to `now`: "now", "5 min ago", "yesterday"; as a date beyond a week.
pub fn relative(at: Millis, now: Millis) -> String {
    let (count, unit) = match age(at, now) {
        Age::Now => return "now".into(),
        Age::Ago(count, unit) => (count, unit),
        Age::Long => return format(at, Style::ShortDate),
    };
    let style = [("numeric", "auto"), ("style", "short")];
    RELATIVE.with(|format| {
        let format = format.get_or_init(|| Intl::RelativeTimeFormat::new(&only(LANGUAGE), &options(&style)));
        format.format(-(count as f64), unit).into()
    })
}

/// Formats the time of day: "14:05".
pub fn clock(at: Millis) -> String {
    format(at, Style::Clock)
}

/// Formats the full date and time.
pub fn full(at: Millis) -> String {
    format(at, Style::Full)
}

/// Formats the day: "Today", "Yesterday", "Monday, 3 March", with the year if it is not the present one.
pub fn day(at: Millis, now: Millis) -> String {
    let date = |at: Millis| Date::new(&(at as f64).into());
    match local_day(now) - local_day(at) {
        0 => "Today".into(),
        1 => "Yesterday".into(),
        _ if date(at).get_full_year() == date(now).get_full_year() => format(at, Style::Date),
        _ => format(at, Style::DateWithYear),
    }
}

/// Formats a time for the `datetime` attribute.
pub fn machine_readable(at: Millis) -> String {
    Date::new(&(at as f64).into()).to_iso_string().into()
}

/// The number of the day in the user's time zone: two times of one day have the same number.
pub fn local_day(at: Millis) -> i64 {
    let west_minutes = Date::new(&(at as f64).into()).get_timezone_offset() as Millis;
    day_number(at, west_minutes)
}

fn day_number(at: Millis, west_minutes: Millis) -> i64 {
    (at - west_minutes * MINUTE).div_euclid(DAY)
}

#[derive(Debug, PartialEq)]
enum Age {
    Now,
    /// The number of units, and the unit as `Intl.RelativeTimeFormat` names it.
    Ago(i64, &'static str),
    Long,
}

/// The time since `at`, in the largest unit that fits. A time in the future counts as now: the clock may be behind.
fn age(at: Millis, now: Millis) -> Age {
    match now - at {
        millis if millis < MINUTE => Age::Now,
        millis if millis < HOUR => Age::Ago(millis / MINUTE, "minute"),
        millis if millis < DAY => Age::Ago(millis / HOUR, "hour"),
        millis if millis < 7 * DAY => Age::Ago(millis / DAY, "day"),
        _ => Age::Long,
    }
}

fn format(at: Millis, style: Style) -> String {
    let text = FORMATS.with_borrow_mut(|formats| {
        let format = formats[style as usize].get_or_insert_with(|| {
            let (language, style_options) = style.options();
            let languages = language.map_or_else(Array::new, only);
            Intl::DateTimeFormat::new(&languages, &options(style_options)).format()
        });
        format.call1(&JsValue::UNDEFINED, &(at as f64).into())
    });
    text.ok().and_then(|text| text.as_string()).unwrap_or_default()
}

fn only(language: &str) -> Array {
    Array::of1(&language.into())
}

fn options(pairs: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (name, value) in pairs {
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_the_largest_unit_that_fits() {
        assert_eq!(age(0, 59_999), Age::Now);
        assert_eq!(age(0, 60_000), Age::Ago(1, "minute"));
        assert_eq!(age(0, HOUR - 1), Age::Ago(59, "minute"));
        assert_eq!(age(0, DAY - 1), Age::Ago(23, "hour"));
        assert_eq!(age(0, 7 * DAY - 1), Age::Ago(6, "day"));
        assert_eq!(age(0, 7 * DAY), Age::Long);
    }

    #[test]
    fn a_time_in_the_future_counts_as_now() {
        assert_eq!(age(5_000, 0), Age::Now);
    }

    #[test]
    fn a_day_begins_at_midnight_in_the_users_time_zone() {
        let midnight_in_berlin = 23 * HOUR;
        assert_eq!(day_number(midnight_in_berlin - 1, -60), 0);
        assert_eq!(day_number(midnight_in_berlin, -60), 1);
        assert_eq!(day_number(-1, 0), -1);
    }
}
