//! `STENTOR_…` variables: `STENTOR_SERVER_LISTEN` is `server.listen`, `STENTOR_APPS_0_APP_ID` is `app_id` of the
//! first app, `STENTOR_APPS_0_LIMITS_…` one of its limits. A variable that names nothing is an error.

use super::reader::{Origin, Problem, Reader};
use super::section::List;
use super::value::Raw;
use super::{AppConfig, Config};

const PREFIX: &str = "STENTOR_";

/// Read elsewhere: the file to read, by the command line.
const CONFIG_FILE: &str = "STENTOR_CONFIG";

/// Short for `STENTOR_LOG_FILTER`.
const LOG: &str = "STENTOR_LOG";

impl Reader {
    /// Overrides what the variables name.
    pub(crate) fn environment(&mut self, config: &mut Config, variables: &[(String, String)]) {
        let mut variables: Vec<_> = variables.iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        // By name, so that app 0 is there before app 1, and STENTOR_LOG_FILTER overrides STENTOR_LOG.
        variables.sort();
        for (name, value) in variables {
            if name == CONFIG_FILE {
                continue;
            }
            let origin = Origin::Variable(name.clone());
            if name == LOG {
                self.set(&mut config.log, "log", "filter", Raw::Text(value), origin);
                continue;
            }
            let key = name[PREFIX.len()..].to_ascii_lowercase();
            if let Some(rest) = key.strip_prefix("apps_") {
                self.app_variable(config, rest, value, origin);
            } else if let Some((section, key)) = split(&key, &Config::SECTIONS)
                && let Some(target) = config.section(section)
            {
                self.set(target, section, key, Raw::Text(value), origin);
            } else {
                let message = format!("names no key; sections are {} and apps", Config::SECTIONS.join(", "));
                self.problems.push(Problem { origin, key: String::new(), message });
            }
        }
    }

    fn app_variable(&mut self, config: &mut Config, rest: &str, value: &str, origin: Origin) {
        let number = rest.split_once('_').and_then(|(number, key)| Some((number.parse::<usize>().ok()?, key)));
        let Some((number, key)) = number.filter(|(number, _)| *number <= config.apps.len()) else {
            let message = format!("expected STENTOR_APPS_<number>_<key>, the number at most {}", config.apps.len());
            self.problems.push(Problem { origin, key: String::new(), message });
            return;
        };
        let path = format!("apps[{number}]");
        if number == config.apps.len() {
            config.apps.push(AppConfig::default());
            self.origins.insert(path.clone(), origin.clone());
        }
        let app = &mut config.apps[number];
        if let Some((list, rest)) = split(key, &AppConfig::LISTS)
            && let Some(list) = app.list(list).map(|found| (list, found))
        {
            self.list_variable(list, &path, rest, value, origin);
            return;
        }
        match split(key, &AppConfig::SECTIONS) {
            Some((section, key)) if app.section(section).is_some() => {
                let Some(target) = app.section(section) else { return };
                self.set(target, &format!("{path}.{section}"), key, Raw::Text(value), origin);
            }
            _ => self.set(&mut app.app, &path, key, Raw::Text(value), origin),
        }
    }

    /// `0_url` of a list: the URL of its first section.
    fn list_variable(&mut self, list: (&str, &mut dyn List), path: &str, rest: &str, value: &str, origin: Origin) {
        let (name, list) = list;
        let number = rest.split_once('_').and_then(|(number, key)| Some((number.parse::<usize>().ok()?, key)));
        let Some((number, key)) = number.filter(|(number, _)| *number <= list.count()) else {
            let name = name.to_ascii_uppercase();
            let message = format!("expected …_{name}_<number>_<key>, the number at most {}", list.count());
            self.problems.push(Problem { origin, key: String::new(), message });
            return;
        };
        let path = format!("{path}.{name}[{number}]");
        if number == list.count() {
            list.add();
            self.origins.insert(path.clone(), origin.clone());
        }
        if let Some(section) = list.at(number) {
            self.set(section, &path, key, Raw::Text(value), origin);
        }
    }
}

/// `server_listen` → (`server`, `listen`). `chat_limits_x` is `x` of `chat_limits`, not `limits_x` of `chat`.
fn split<'a>(key: &'a str, sections: &[&'static str]) -> Option<(&'static str, &'a str)> {
    let found = sections.iter().filter_map(|section| Some((*section, key.strip_prefix(section)?.strip_prefix('_')?)));
    found.max_by_key(|(section, _)| section.len())
}
