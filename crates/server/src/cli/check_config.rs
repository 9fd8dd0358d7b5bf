//! `stentor check-config`.

use super::{ServeArguments, say};
use crate::exit::{Exit, Failed};

pub(super) fn run(arguments: &ServeArguments) -> Result<Exit, Failed> {
    let config = arguments.load()?;
    if config.has_tls() {
        crate::server::open_tls(&config)?;
    }
    crate::server::push_services(&config)?;
    for warning in config.warnings() {
        say(format_args!("warning: {warning}"));
    }
    let apps = match config.apps.len() {
        0 => "no app: one is made up at the first start".to_owned(),
        1 => "1 app".to_owned(),
        count => format!("{count} apps"),
    };
    say(format_args!("configuration ok: {}, {apps}", config.server.listen.0));
    Ok(Exit::Ok)
}
