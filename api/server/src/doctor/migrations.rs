//! How a schema stands, whichever store has it.

use super::Finding;

/// How one migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Applied,
    Pending,
    Changed,
    Unknown,
}

/// Judges the migrations of a store, each with its number and name.
pub(super) fn judge(all: &[(Standing, u32, &str)]) -> Finding {
    const NAME: &str = "migrations";
    let named = |wanted: Standing| {
        let these = all.iter().filter(|(standing, ..)| *standing == wanted);
        these.map(|(_, number, name)| format!("{number:04}_{name}")).collect::<Vec<_>>().join(", ")
    };
    let has = |wanted: Standing| all.iter().any(|(standing, ..)| *standing == wanted);
    if has(Standing::Changed) {
        return Finding::fail(NAME, format!("applied with other text: {}", named(Standing::Changed)));
    }
    if has(Standing::Unknown) {
        return Finding::fail(NAME, format!("of a newer version: {}", named(Standing::Unknown)));
    }
    if has(Standing::Pending) {
        return Finding::ok(NAME, format!("the next start applies {}", named(Standing::Pending)));
    }
    Finding::ok(NAME, format!("all {} applied", all.len()))
}
