//! `rookery config`: check, show, schema.

use crate::cli::{ConfigAction, ServeArgs};
use crate::output::line;
use crate::settings;
use anyhow::Result;
use rookery_api::config::json_schema;

/// Runs one of the three.
pub(crate) fn run(action: ConfigAction, args: &ServeArgs) -> Result<()> {
    match action {
        ConfigAction::Check => {
            settings::load(args)?;
            line("the configuration is valid")
        }
        ConfigAction::Show { json } => {
            let (_, settings) = settings::load(args)?;
            if json {
                return line(serde_json::to_string_pretty(&settings)?);
            }
            for setting in settings {
                line(format_args!("{} = {}  # {}", setting.key, setting.value, setting.origin))?;
            }
            Ok(())
        }
        ConfigAction::Schema => line(serde_json::to_string_pretty(&json_schema())?),
    }
}
