//! The command reference, `docs/cli.md`, written from the arguments themselves so that it cannot be
//! out of date: `mcpwatch man --markdown > docs/cli.md`.

use clap::{Arg, Command};
use std::fmt::Write;

/// The whole reference as Markdown.
pub fn markdown(mut command: Command) -> String {
    command.build();
    let mut text = String::from(
        "# The commands\n\nWritten by `mcpwatch man --markdown`; a test holds that it is current.\n\n",
    );
    let _ = writeln!(text, "{}\n", about(&command));
    let _ = writeln!(text, "| command | |\n|---|---|");
    for sub in visible(&command) {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "| [`{0}`](#mcpwatch-{0}) | {about} |", sub.get_name());
    }
    let common: Vec<&Arg> = options(&command).filter(|arg| arg.is_global_set()).collect();
    let _ = writeln!(text, "\n## Common options\n");
    common.iter().for_each(|arg| option(&mut text, arg));
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(text, "\n```text\n{after}\n```");
    }
    for sub in visible(&command) {
        section(&mut text, sub, "mcpwatch");
    }
    text
}

fn section(text: &mut String, command: &Command, parent: &str) {
    let name = format!("{parent} {}", command.get_name());
    let _ = writeln!(text, "\n## {name}\n\n{}\n", about(command));
    let positional: String = command.get_positionals().map(|arg| format!(" {arg}")).collect();
    let _ = writeln!(text, "```text\n{name} [OPTIONS]{positional}\n```\n");
    for arg in command.get_positionals() {
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "- `{arg}`: {}", one_line(&help));
    }
    options(command).filter(|arg| !arg.is_global_set()).for_each(|arg| option(text, arg));
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(text, "\n{after}");
    }
    for sub in visible(command) {
        section(text, sub, &name);
    }
}

fn option(text: &mut String, arg: &Arg) {
    let names: Vec<String> = arg
        .get_short()
        .map(|short| format!("-{short}"))
        .into_iter()
        .chain(arg.get_long().map(|long| format!("--{long}")))
        .collect();
    let value = match arg.get_value_names() {
        Some(values) if arg.get_action().takes_values() => format!(" <{}>", values.join("> <")),
        _ => String::new(),
    };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let words: Vec<String> = match arg.get_action().takes_values() {
        true => arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect(),
        false => Vec::new(),
    };
    let words = if words.is_empty() { String::new() } else { format!(" One of {}.", words.join(", ")) };
    let _ = writeln!(text, "- `{}{value}`: {}{words}", names.join("`, `"), full_stop(&one_line(&help)));
}

fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_ours = |arg: &&Arg| !arg.is_hide_set() && arg.get_id() != "help" && arg.get_id() != "version";
    command.get_arguments().filter(|arg| !arg.is_positional()).filter(is_ours)
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

fn about(command: &Command) -> String {
    command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn full_stop(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}
