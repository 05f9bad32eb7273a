//! Asks a person about proposed placeholders, or says which a script accepted.
//!
//! Promises: one question for each placeholder and text, with the items and the text around it shown
//! before; what is refused stays the literal text it was.

use super::app::App;
use super::error::Error;
use super::prompt::{Choice, Terminal};
use super::render::proposals as words;
use crate::engine::show;
use crate::survey::proposals::{Proposed, Refused, Withheld};

/// Asks about each proposal; what was refused.
pub fn ask(terminal: &mut Terminal, server: &str, proposed: &[Proposed]) -> Result<Refused, Error> {
    let choices = [
        Choice { key: 'y', label: "yes" },
        Choice { key: 'n', label: "no, keep the text" },
        Choice { key: 'a', label: "yes to all" },
    ];
    let mut refused = Refused::default();
    for (index, one) in proposed.iter().enumerate() {
        show_one(terminal, one)?;
        let at = format!("{} placeholder {}/{}", show::name(server), index + 1, proposed.len());
        match terminal.ask(&format!("{at}: put it in?"), &choices)? {
            'n' => refused.add(one),
            'a' => {
                let rest = &proposed[index + 1..];
                rest.iter().try_for_each(|one| show_one(terminal, one))?;
                if rest.is_empty() || terminal.confirm("Put in all of these?")? {
                    break;
                }
            }
            _ => {}
        }
    }
    Ok(refused)
}

fn show_one(terminal: &mut Terminal, proposed: &Proposed) -> Result<(), Error> {
    let text: String = words::question(proposed).iter().map(|line| format!("    {line}\n")).collect();
    terminal.show(&format!("\n{text}"))
}

/// Says which placeholders were put in without a question, and what gets none.
pub fn say(app: &App, server: &str, proposed: &[Proposed], withheld: &[Withheld]) {
    let server = show::name(server);
    for one in proposed {
        app.out.say(&format!("{server}: accepted {}.", words::accepted(one)));
    }
    for one in withheld {
        app.out.say(&format!("{server}: {}.", words::withheld_words(one)));
    }
}
