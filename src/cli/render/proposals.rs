//! Proposed placeholders in words: what each stands for here, in which items, the text around it, and
//! which values of this machine get none.
//!
//! Promises: the text around a placeholder is the server's and is shown neutralised; like proposals are
//! told once, with the number of places that are not shown.

use super::human::{BOLD, DIM, YELLOW, count, paint};
use crate::engine::placeholder::{Found, Name, Placeholder};
use crate::engine::review::Role;
use crate::engine::show;
use crate::engine::surface::ItemKey;
use crate::survey::pins::{self, Draft};
use crate::survey::proposals::{self, Placing, Proposed, Withheld};

/// The most places of one proposal that are shown where nothing is asked.
const FEW: usize = 2;

/// The most places of one proposal that are shown with its question.
const MANY: usize = 12;

/// The most characters of a value that are shown.
const VALUE: usize = 256;

/// Everything about placeholders that a person should see of a draft.
pub fn draft(draft: &Draft) -> Vec<String> {
    let (proposed, withheld) = (proposals::grouped(draft, |_| true), draft.withheld.clone());
    let mut lines = placing(&Placing { proposed, withheld });
    for (key, paths) in &draft.unexplained {
        let at = paths.first().map(|path| show::line(&path.to_string(), 80)).unwrap_or_default();
        let words = "reads differently each time at";
        lines.push(paint(
            YELLOW,
            &format!("  · {} {words} {at}; it will show up as a change", pins::describe(key)),
        ));
    }
    lines
}

/// What is put in and what is not, as it is told where nothing is asked.
pub fn placing(placing: &Placing) -> Vec<String> {
    let mut lines: Vec<String> = placing.proposed.iter().flat_map(few).collect();
    lines.extend(placing.withheld.iter().map(|withheld| note(&withheld_words(withheld))));
    lines
}

/// One proposal, as it is told where nothing is asked.
fn few(proposed: &Proposed) -> Vec<String> {
    let mut lines = vec![note(&format!("{}, in {}", words(proposed), in_items(proposed)))];
    lines.extend(places(proposed, FEW));
    lines
}

/// One proposal, as it is asked about.
pub fn question(proposed: &Proposed) -> Vec<String> {
    let mut lines = vec![paint(BOLD, &format!("{}, in {}", words(proposed), in_items(proposed)))];
    lines.extend(places(proposed, MANY));
    let cause = match (&proposed.placeholder, proposed.differs()) {
        (_, false) => "both readings have it; no author writes it by chance".to_owned(),
        (Placeholder::Date | Placeholder::Timestamp, true) => {
            format!("read a second time, the server wrote {} there", show::line(&proposed.elsewhere, VALUE))
        }
        (Placeholder::Value(_), true) => "read from elsewhere, the server wrote what it is there".to_owned(),
        (Placeholder::Set(..), true) => {
            "read a second time, the server wrote them in another order".to_owned()
        }
    };
    lines.push(note(&cause));
    lines
}

/// What was accepted without a question: "${home} for /home/me, this account's home folder, in 3 items".
pub fn accepted(proposed: &Proposed) -> String {
    format!("{}, in {}", words(proposed), count(proposed.items().len(), "item", "items"))
}

/// A value that gets no placeholder, and why.
pub fn withheld_words(withheld: &Withheld) -> String {
    format!(
        "{} stands in {} and gets no placeholder, since it {}: {}; the text is pinned as it is",
        of_name(withheld.name),
        pins::describe(&withheld.item),
        withheld.why,
        show::line(&withheld.value, 80),
    )
}

fn words(proposed: &Proposed) -> String {
    let value = show::line(&proposed.value, VALUE);
    match &proposed.placeholder {
        Placeholder::Value(name) => format!("{} for {value}, {}", proposed.placeholder, of_name(*name)),
        Placeholder::Date => format!("{} for {value}, any date", proposed.placeholder),
        Placeholder::Timestamp => format!("{} for {value}, any moment", proposed.placeholder),
        Placeholder::Set(..) => {
            let set = show::line(&proposed.placeholder.to_string(), VALUE);
            format!("{set} for the same words in any order")
        }
    }
}

fn of_name(name: Name) -> &'static str {
    match name {
        Name::Home => "this account's home folder",
        Name::Cwd => "the folder it is started in",
        Name::User => "this account's name",
        Name::Host => "this machine's name",
        Name::Tz => "this machine's time zone",
        Name::Shell => "this account's shell",
        Name::Tmp => "the folder for temporary files",
        Name::App => "the package's own folder",
    }
}

fn in_items(proposed: &Proposed) -> String {
    let items: Vec<&ItemKey> = proposed.items().into_iter().collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => pins::describe(one),
        [first, rest @ ..] => {
            format!("{} and {}", pins::describe(first), count(rest.len(), "more item", "more items"))
        }
    }
}

/// The text around a proposal, the same only once.
fn places(proposed: &Proposed, most: usize) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut hidden = 0;
    for (key, found) in &proposed.places {
        let text = around(found);
        if texts.iter().any(|line| line.ends_with(&text)) {
            continue;
        }
        if texts.len() < most {
            texts.push(format!("{}: {text}", pins::describe(key)));
        } else {
            hidden += 1;
        }
    }
    let mut lines: Vec<String> = texts.iter().map(|text| format!("      {text}")).collect();
    if hidden > 0 {
        let words = count(hidden, "other surrounding", "other surroundings");
        lines.push(paint(DIM, &format!("      … and in {words}")));
    }
    lines
}

fn around(found: &Found) -> String {
    let side = |text: &str| show::line(text, usize::MAX);
    let placeholder = paint(YELLOW, &show::line(&found.placeholder.to_string(), VALUE));
    format!("…{}{placeholder}{}…", side(&found.before), side(&found.after))
}

fn note(words: &str) -> String {
    paint(DIM, &format!("{}{words}", Role::Note.gutter()))
}
