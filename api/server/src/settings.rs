//! The configuration as this process finds it: file, environment, flags.

use crate::cli::ServeArgs;
use anyhow::Result;
use rookery_api::Config;
use rookery_api::config::{ConfigError, ConfigErrors, Setting, Sources};
use std::collections::BTreeMap;
use std::ffi::OsString;

/// Reads and checks the configuration.
pub(crate) fn load(args: &ServeArgs) -> Result<(Config, Vec<Setting>)> {
    Ok(Config::load_with_settings(&sources(args)?)?)
}

fn sources(args: &ServeArgs) -> Result<Sources, ConfigErrors> {
    let flags = [
        ("server.listen", "--listen", &args.listen),
        ("server.admin_listen", "--admin-listen", &args.admin_listen),
        ("storage.data_dir", "--data-dir", &args.data_dir),
    ];
    Ok(Sources {
        file: args.config.clone(),
        env: environment(std::env::vars_os())?,
        flags: flags.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value.clone()?))).collect(),
    })
}

/// Returns the variables that are text. One that may be a setting and is not text is a mistake; others
/// are nobody's business.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigErrors> {
    let mut env = BTreeMap::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => drop(env.insert(name, value)),
            Err(_) if name.starts_with("ROOKERY_") => {
                return Err(ConfigErrors::from(ConfigError::Value {
                    key: "the value".to_owned(),
                    origin: name,
                    found: "bytes that are not UTF-8".to_owned(),
                    allowed: "text".to_owned(),
                }));
            }
            Err(_) => {}
        }
    }
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_setting_that_is_no_text_is_told_and_not_left_out() {
        let variable = |name: &str| (OsString::from(name), OsString::from_vec(b"/data/\xff".to_vec()));
        let told = environment([variable("ROOKERY_STORAGE__DATA_DIR")].into_iter()).unwrap_err().to_string();
        assert!(told.contains("ROOKERY_STORAGE__DATA_DIR") && told.contains("not UTF-8"), "{told}");
        assert_eq!(environment([variable("LS_COLORS")].into_iter()), Ok(BTreeMap::new()));
    }
}
