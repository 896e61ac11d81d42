//! `rookery config`: check, show, schema.

use crate::cli::{ConfigAction, ServeArgs};
use crate::settings;
use anyhow::Result;
use rookery_api::config::json_schema;

/// Runs one of the three.
pub(crate) fn run(action: ConfigAction, args: &ServeArgs) -> Result<()> {
    match action {
        ConfigAction::Check => {
            settings::load(args)?;
            println!("the configuration is valid");
        }
        ConfigAction::Show { json } => {
            let (_, settings) = settings::load(args)?;
            if json {
                println!("{}", serde_json::to_string_pretty(&settings)?);
            } else {
                for setting in settings {
                    println!("{} = {}  # {}", setting.key, setting.value, setting.origin);
                }
            }
        }
        ConfigAction::Schema => println!("{}", serde_json::to_string_pretty(&json_schema())?),
    }
    Ok(())
}
