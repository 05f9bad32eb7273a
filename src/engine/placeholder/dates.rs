//! The narrow forms of dates and moments that `${date}` and `${timestamp}` stand for.
//!
//! Promises: only digits, the closed lists of month and weekday names and fixed punctuation pass; a
//! date exists in the calendar and lies in the years 2000 to 2099. A year alone is the current one,
//! and a bare count of seconds or milliseconds lies within [`EPOCH_SPAN`] of now: a number says too
//! little about itself to be free.

/// How far from now a bare count of (milli)seconds may be, in milliseconds: 400 days.
const EPOCH_SPAN: u64 = 400 * DAY;

/// One day in milliseconds.
const DAY: u64 = 86_400_000;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub year: u32,
    pub month: u32,
    pub day: u32,
}

/// The lengths of the dates at the start of a text.
pub(super) fn date_lengths(text: &str, now: u64) -> Vec<usize> {
    let forms: [fn(&mut Cursor<'_>) -> Option<()>; 8] =
        [iso, slashed, dotted, compact, month_first, day_first, month_of_year, weekday_date];
    let mut lengths: Vec<usize> = forms.iter().filter_map(|form| run(text, form)).collect();
    lengths.extend(run(text, |cursor| year_alone(cursor, now)));
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// The lengths of the moments at the start of a text.
pub(super) fn timestamp_lengths(text: &str, now: u64) -> Vec<usize> {
    let forms: [fn(&mut Cursor<'_>) -> Option<()>; 4] = [iso_moment, mail_moment, js_moment, ctime_moment];
    let mut lengths: Vec<usize> = Vec::new();
    for form in forms {
        lengths.extend(run(text, form));
    }
    // The same without the zone, which some forms write and a pattern may have as literal text.
    lengths.extend(run(text, iso_clock));
    lengths.extend(run(text, |cursor| epoch(cursor, now)));
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// The date of a moment in UTC.
pub(super) fn civil(now: u64) -> Civil {
    // Howard Hinnant's days-to-civil, for days after 1970.
    let days = now / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Civil { year: small(year), month: small(month), day: small(day) }
}

/// `2026-11-21`.
pub(super) fn spell_date(now: u64) -> String {
    let Civil { year, month, day } = civil(now);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-21T08:14:51.937Z`.
pub(super) fn spell_timestamp(now: u64) -> String {
    let (clock, milliseconds) = (now % DAY / 1000, now % 1000);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z", spell_date(now))
}

/// Runs a form over a text; what it read must not end within a number.
fn run(text: &str, form: impl Fn(&mut Cursor<'_>) -> Option<()>) -> Option<usize> {
    let mut cursor = Cursor { rest: text };
    form(&mut cursor)?;
    let ends = !cursor.rest.starts_with(|c: char| c.is_ascii_digit());
    ends.then_some(text.len() - cursor.rest.len())
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn text(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn maybe(&mut self, text: &str) -> bool {
        self.text(text).is_some()
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<u64> {
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits < least {
            return None;
        }
        let number = self.rest[..digits].parse().ok()?;
        self.rest = &self.rest[digits..];
        Some(number)
    }

    fn small(&mut self, least: usize, most: usize) -> Option<u32> {
        u32::try_from(self.number(least, most)?).ok()
    }

    /// A name of a list, whole or its first three letters; its place from 1.
    fn name(&mut self, names: &[&str]) -> Option<u32> {
        for (place, name) in (1..).zip(names) {
            for spelling in [*name, &name[..3]] {
                let after = self.rest.strip_prefix(spelling);
                if let Some(after) = after.filter(|after| !after.starts_with(char::is_alphabetic)) {
                    self.rest = after;
                    return Some(place);
                }
            }
        }
        None
    }

    fn weekday(&mut self) -> Option<()> {
        self.name(&WEEKDAYS).map(|_| ())
    }
}

fn exists(year: u32, month: u32, day: u32) -> Option<()> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    ((2000..=2099).contains(&year) && (1..=days).contains(&day)).then_some(())
}

fn iso(cursor: &mut Cursor<'_>) -> Option<()> {
    let year = cursor.small(4, 4)?;
    let separator = if cursor.rest.starts_with('/') { "/" } else { "-" };
    cursor.text(separator)?;
    let month = cursor.small(2, 2)?;
    cursor.text(separator)?;
    exists(year, month, cursor.small(2, 2)?)
}

/// `11/21/2026` and `21/11/2026`.
fn slashed(cursor: &mut Cursor<'_>) -> Option<()> {
    let first = cursor.small(1, 2)?;
    cursor.text("/")?;
    let second = cursor.small(1, 2)?;
    cursor.text("/")?;
    let year = cursor.small(4, 4)?;
    exists(year, first, second).or_else(|| exists(year, second, first))
}

fn dotted(cursor: &mut Cursor<'_>) -> Option<()> {
    let day = cursor.small(1, 2)?;
    cursor.text(".")?;
    let month = cursor.small(1, 2)?;
    cursor.text(".")?;
    exists(cursor.small(4, 4)?, month, day)
}

fn compact(cursor: &mut Cursor<'_>) -> Option<()> {
    let number = cursor.small(8, 8)?;
    exists(number / 10_000, number / 100 % 100, number % 100)
}

/// `November 21, 2026` and `Nov 21 2026`.
fn month_first(cursor: &mut Cursor<'_>) -> Option<()> {
    let month = cursor.name(&MONTHS)?;
    cursor.text(" ")?;
    let day = cursor.small(1, 2)?;
    cursor.maybe(",");
    cursor.text(" ")?;
    exists(cursor.small(4, 4)?, month, day)
}

/// `21 November 2026`.
fn day_first(cursor: &mut Cursor<'_>) -> Option<()> {
    let day = cursor.small(1, 2)?;
    cursor.text(" ")?;
    let month = cursor.name(&MONTHS)?;
    cursor.text(" ")?;
    exists(cursor.small(4, 4)?, month, day)
}

/// `November 2026`.
fn month_of_year(cursor: &mut Cursor<'_>) -> Option<()> {
    let month = cursor.name(&MONTHS)?;
    cursor.text(" ")?;
    exists(cursor.small(4, 4)?, month, 1)
}

/// `Saturday, November 21, 2026`, `Sat Nov 21 2026`, `Sat, 21 Nov 2026`.
fn weekday_date(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.weekday()?;
    cursor.maybe(",");
    cursor.text(" ")?;
    if cursor.rest.starts_with(|c: char| c.is_ascii_digit()) {
        day_first(cursor)
    } else {
        month_first(cursor)
    }
}

/// The current year, also around its turn.
fn year_alone(cursor: &mut Cursor<'_>, now: u64) -> Option<()> {
    let year = cursor.small(4, 4)?;
    [now.saturating_sub(DAY), now, now + DAY].iter().any(|moment| civil(*moment).year == year).then_some(())
}

fn clock(cursor: &mut Cursor<'_>) -> Option<()> {
    let hour = cursor.number(2, 2)?;
    cursor.text(":")?;
    let minute = cursor.number(2, 2)?;
    let second = if cursor.maybe(":") { cursor.number(2, 2)? } else { 0 };
    if cursor.rest.starts_with('.') && cursor.rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        cursor.text(".")?;
        cursor.number(1, 9)?;
    }
    (hour < 24 && minute < 60 && second < 61).then_some(())
}

/// `+09:00`, `-0330`.
fn offset(cursor: &mut Cursor<'_>) -> Option<()> {
    if !cursor.maybe("+") {
        cursor.text("-")?;
    }
    let hours = cursor.number(2, 2)?;
    cursor.maybe(":");
    let minutes = cursor.number(2, 2)?;
    (hours < 15 && minutes < 60).then_some(())
}

fn iso_clock(cursor: &mut Cursor<'_>) -> Option<()> {
    iso(cursor)?;
    if !cursor.maybe("T") {
        cursor.text(" ")?;
    }
    clock(cursor)
}

/// `2026-11-21T08:14:51.937Z`, `2026-11-21 08:14:51+09:00`, `… UTC`.
fn iso_moment(cursor: &mut Cursor<'_>) -> Option<()> {
    iso_clock(cursor)?;
    if cursor.maybe("Z") || cursor.maybe(" UTC") || cursor.maybe(" GMT") {
        return Some(());
    }
    offset(cursor)
}

/// `Sat, 21 Nov 2026 08:14:51 GMT`.
fn mail_moment(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.weekday()?;
    cursor.text(", ")?;
    day_first(cursor)?;
    cursor.text(" ")?;
    clock(cursor)?;
    cursor.text(" ")?;
    if cursor.maybe("GMT") || cursor.maybe("UTC") { Some(()) } else { offset(cursor) }
}

/// `Sat Nov 21 2026 08:14:51 GMT+0000 (Coordinated Universal Time)`.
fn js_moment(cursor: &mut Cursor<'_>) -> Option<()> {
    weekday_date(cursor)?;
    cursor.text(" ")?;
    clock(cursor)?;
    cursor.text(" GMT")?;
    offset(cursor)?;
    cursor.maybe(" (Coordinated Universal Time)");
    Some(())
}

/// `Sat Nov 21 08:14:51 2026`.
fn ctime_moment(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.weekday()?;
    cursor.text(" ")?;
    let month = cursor.name(&MONTHS)?;
    cursor.text(" ")?;
    cursor.maybe(" ");
    let day = cursor.small(1, 2)?;
    cursor.text(" ")?;
    clock(cursor)?;
    cursor.text(" ")?;
    exists(cursor.small(4, 4)?, month, day)
}

fn epoch(cursor: &mut Cursor<'_>, now: u64) -> Option<()> {
    let digits = cursor.rest.bytes().take_while(u8::is_ascii_digit).count();
    let moment = match digits {
        10 => cursor.number(10, 10)? * 1000,
        13 => cursor.number(13, 13)?,
        _ => return None,
    };
    (moment.abs_diff(now) <= EPOCH_SPAN).then_some(())
}
