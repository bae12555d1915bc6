//! COMMAND: the table of commands, as clients ask for it, and HELP for all containers.

use super::super::resp::encode;
use super::table::{self, COMMANDS, Command, subcommand};
use super::{Call, Done, Effect};

/// The rows of the table.
#[rustfmt::skip]
pub(super) static SUBCOMMANDS: &[Command] = &[
    subcommand("command|count", 2, false, count, "server", "Counts the commands."),
    subcommand("command|docs", -2, false, docs, "server", "Describes commands in words."),
    subcommand("command|help", 2, false, help, "server", "Lists the subcommands."),
    subcommand("command|info", -2, false, info, "server", "Describes commands."),
    subcommand("command|list", 2, false, list, "server", "Returns the names of all commands."),
];

/// COMMAND: all rows.
pub(super) fn command(call: &mut Call<'_>) -> Done {
    encode::array(call.out, COMMANDS.len());
    for command in COMMANDS {
        describe(command, call.out);
    }
    Ok(Effect::None)
}

fn count(call: &mut Call<'_>) -> Done {
    call.count(COMMANDS.len())
}

fn list(call: &mut Call<'_>) -> Done {
    encode::array(call.out, COMMANDS.len());
    for command in COMMANDS {
        encode::bulk(call.out, command.name.as_bytes());
    }
    Ok(Effect::None)
}

/// COMMAND INFO [name ...]: nil for each name that is no command.
fn info(call: &mut Call<'_>) -> Done {
    if call.args.len() == 2 {
        return command(call);
    }
    let start = call.out.len();
    encode::array(call.out, call.args.len() - 2);
    for name in call.args.tail(2) {
        match named(name) {
            Some(command) => describe(command, call.out),
            None => encode::nil(call.out),
        }
        call.bounded(start)?;
    }
    Ok(Effect::None)
}

/// COMMAND DOCS [name ...]: names that are no commands are left out.
fn docs(call: &mut Call<'_>) -> Done {
    let named: Vec<&Command> = if call.args.len() == 2 {
        COMMANDS.iter().collect()
    } else {
        call.args.tail(2).filter_map(named).collect()
    };
    let start = call.out.len();
    encode::array(call.out, 2 * named.len());
    for command in named {
        document(command, call.out);
        call.bounded(start)?;
    }
    Ok(Effect::None)
}

/// A command, or a subcommand as `container|name`.
fn named(name: &[u8]) -> Option<&'static Command> {
    match name.iter().position(|&byte| byte == b'|') {
        Some(bar) => table::find(&name[..bar])?.subcommand(&name[bar + 1..]),
        None => table::find(name),
    }
}

/// The ten elements Redis 7 has for a command; access categories, tips and key specifications are
/// left empty.
fn describe(command: &Command, out: &mut Vec<u8>) {
    encode::array(out, 10);
    encode::bulk(out, command.name.as_bytes());
    encode::integer(out, command.arity.into());
    let flags = command.flags.names();
    encode::array(out, flags.clone().count());
    for flag in flags {
        encode::simple(out, flag);
    }
    let (first, last, step) = command.keys;
    for position in [first, last, step] {
        encode::integer(out, position.into());
    }
    for _ in 0..3 {
        encode::array(out, 0);
    }
    encode::array(out, command.subcommands.len());
    for subcommand in command.subcommands {
        describe(subcommand, out);
    }
}

/// A command's name and what there is to say of it.
fn document(command: &Command, out: &mut Vec<u8>) {
    let Command { name, summary, group, subcommands, .. } = command;
    encode::bulk(out, name.as_bytes());
    encode::array(out, if subcommands.is_empty() { 4 } else { 6 });
    encode::bulk(out, b"summary");
    encode::bulk(out, summary.as_bytes());
    encode::bulk(out, b"group");
    encode::bulk(out, group.as_bytes());
    if !subcommands.is_empty() {
        encode::bulk(out, b"subcommands");
        encode::array(out, 2 * subcommands.len());
        subcommands.iter().for_each(|subcommand| document(subcommand, out));
    }
}

/// HELP of any container.
pub(super) fn help(call: &mut Call<'_>) -> Done {
    let Some(container) = table::find(call.args.at(0)) else { return Ok(Effect::None) };
    let upper = container.name.to_ascii_uppercase();
    encode::array(call.out, 1 + 2 * container.subcommands.len());
    encode::simple(call.out, &format!("{upper} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for subcommand in container.subcommands {
        let (_, name) = subcommand.name.split_once('|').unwrap_or(("", subcommand.name));
        encode::simple(call.out, &name.to_ascii_uppercase());
        encode::simple(call.out, &format!("    {}", subcommand.summary));
    }
    Ok(Effect::None)
}
