//! The tree keeps its own rules, so that no reviewer has to.
//!
//! A rule is a plain function from the [`tree::Tree`] to its findings. Each has two tests: the
//! work tree is free of findings, and a small bad sample is not; a rule that cannot fail is a
//! defect.

mod code;
mod crates;
mod metrics;
mod pages;
mod paths;
pub(crate) mod tree;

/// Fails with one line a finding.
#[track_caller]
fn expect_clean(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}\n", findings.join("\n  "));
}
