//! `rookery context`: list, use, forget.

use crate::cli::ContextAction;
use crate::context::ContextFile;
use crate::output::line;
use anyhow::Result;

/// Runs one of the three; listing when none is named.
pub(crate) fn run(action: Option<ContextAction>) -> Result<()> {
    let mut file = ContextFile::lock()?;
    match action.unwrap_or(ContextAction::List) {
        ContextAction::List => {
            for (name, login) in &file.contexts.logins {
                let mark = if file.contexts.current.as_ref() == Some(name) { '*' } else { ' ' };
                line(format_args!("{mark} {name}  {}  {}", login.user.id, login.url))?;
            }
        }
        ContextAction::Use { name } => {
            let name = file.contexts.name(Some(&name))?;
            file.contexts.current = Some(name);
            file.save()?;
        }
        ContextAction::Forget { name } => {
            let name = file.contexts.name(Some(&name))?;
            file.contexts.forget(&name);
            file.save()?;
        }
    }
    Ok(())
}
