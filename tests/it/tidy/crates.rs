//! Rules for the crates: the edges between them are those of docs/ARCHITECTURE.md, drivers are
//! named where it says, lints and versions are the workspace's.

use super::expect_clean;
use super::tree::{ROOT, Tree, table, ticked};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const PICTURE: &str = "docs/ARCHITECTURE.md";

/// One crate as cargo sees it.
#[derive(Debug)]
struct Package {
    /// From the root.
    folder: String,
    /// Folders of the crates of this workspace that it depends on, for tests and builds too.
    edges: BTreeSet<String>,
    /// Crates of others that it depends on.
    libraries: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let root = metadata["workspace_root"].as_str().expect("a workspace has a root");
    let from_root = |path: &str| path.strip_prefix(root).unwrap_or(path).trim_matches('/').to_owned();
    let package = |package: &Value| {
        let manifest = package["manifest_path"].as_str().expect("a package has a manifest");
        let dependencies = package["dependencies"].as_array().expect("a package has a list of dependencies");
        let (ours, others): (Vec<_>, Vec<_>) = dependencies.iter().partition(|one| one["path"].is_string());
        Package {
            folder: from_root(manifest.trim_end_matches("Cargo.toml")),
            edges: ours.iter().filter_map(|one| one["path"].as_str()).map(from_root).collect(),
            libraries: others.iter().filter_map(|one| one["name"].as_str()).map(str::to_owned).collect(),
        }
    };
    metadata["packages"].as_array().expect("a workspace has packages").iter().map(package).collect()
}

fn sample(folder: &str, edges: &[&str], libraries: &[&str]) -> Package {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Package { folder: folder.to_owned(), edges: owned(edges), libraries: owned(libraries) }
}

/// The table "Layers": folder, then the folders that it imports.
fn other_edges(picture: &str, packages: &[Package]) -> Vec<String> {
    let drawn: Vec<(&str, BTreeSet<String>)> = table(picture, "## Layers")
        .iter()
        .filter_map(|row| Some((*ticked(row[0]).first()?, row[1])))
        .map(|(folder, imports)| (folder, ticked(imports).into_iter().map(str::to_owned).collect()))
        .collect();
    let mut findings = Vec::new();
    for package in packages {
        let Some((_, edges)) = drawn.iter().find(|(folder, _)| *folder == package.folder) else {
            findings.push(format!("{} is not in the table of layers", package.folder));
            continue;
        };
        let folder = &package.folder;
        let new = package.edges.difference(edges);
        findings.extend(new.map(|edge| format!("{folder} imports {edge}, which the table does not allow")));
        let unused = edges.difference(&package.edges);
        findings.extend(unused.map(|edge| format!("{folder} does not import {edge}, as the table says")));
    }
    let gone = drawn.iter().filter(|(folder, _)| !packages.iter().any(|package| package.folder == *folder));
    findings.extend(gone.map(|(folder, _)| format!("{folder} is in the table of layers and no crate")));
    findings
}

/// The table "Who names a driver": library, then the folders that may depend on it.
fn strayed_drivers(picture: &str, packages: &[Package]) -> Vec<String> {
    let rows = table(picture, "### Who names a driver");
    let mut findings = Vec::new();
    if rows.is_empty() {
        findings.push("the table of drivers is missing".to_owned());
    }
    for row in rows {
        let allowed: BTreeSet<&str> = ticked(row[1]).into_iter().collect();
        for library in ticked(row[0]) {
            let used: BTreeSet<&str> = packages
                .iter()
                .filter(|package| package.libraries.contains(library))
                .map(|package| package.folder.as_str())
                .collect();
            if used != allowed {
                findings.push(format!("{library} is used in {used:?}; the table says {allowed:?}"));
            }
        }
    }
    findings
}

fn own_lints(tree: &Tree) -> Vec<String> {
    manifests(tree)
        .filter(|(_, text)| !text.contains("\n[lints]\nworkspace = true\n"))
        .map(|(path, _)| format!("{path} does not inherit the lints: [lints] workspace = true"))
        .collect()
}

fn own_versions(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in manifests(tree) {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line.trim_matches(['[', ']']);
                let (table, name) = section.rsplit_once('.').unwrap_or(("", section));
                if table.ends_with("dependencies") {
                    findings.push(format!("{path}: write {name} as one line of [{table}]"));
                }
            } else if section.ends_with("dependencies") && line.contains('=') && !is_inherited(line) {
                findings.push(format!("{path}: `{line}` is not taken from the workspace"));
            }
        }
    }
    findings
}

fn is_inherited(line: &str) -> bool {
    line.contains(".workspace = true")
        || line.contains("workspace = true,")
        || line.contains("workspace = true }")
}

fn outside_the_workspace(tree: &Tree, packages: &[Package]) -> Vec<String> {
    manifests(tree)
        .map(|(path, _)| path.trim_end_matches("/Cargo.toml"))
        .filter(|folder| !packages.iter().any(|package| package.folder == *folder))
        .map(|folder| format!("{folder} is not a member of the workspace"))
        .collect()
}

fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.files("/Cargo.toml")
}

#[test]
fn crates_import_what_the_layers_allow_and_no_more() {
    let tree = Tree::read();
    expect_clean("layers", &other_edges(tree.required(PICTURE), &packages()));
}

#[test]
fn an_edge_too_many_one_too_few_and_a_crate_without_a_row_are_found() {
    let picture = "## Layers\n\n| crate | imports |\n|---|---|\n| `a` | |\n| `b` | `a` |\n| `gone` | |\n";
    let good = [sample("a", &[], &[]), sample("b", &["a"], &[]), sample("gone", &[], &[])];
    assert!(other_edges(picture, &good).is_empty());
    let bad = [sample("a", &["b"], &[]), sample("b", &[], &[]), sample("c", &[], &[])];
    assert_eq!(other_edges(picture, &bad).len(), 4);
    assert_eq!(other_edges("## Other\n", &good).len(), 3);
}

#[test]
fn a_driver_is_named_only_by_its_adapter() {
    let tree = Tree::read();
    expect_clean("drivers", &strayed_drivers(tree.required(PICTURE), &packages()));
    let picture = "### Who names a driver\n| library | in |\n|---|---|\n| `sql` | `store` |\n";
    assert!(strayed_drivers(picture, &[sample("store", &[], &["sql"])]).is_empty());
    assert_eq!(
        strayed_drivers(picture, &[sample("store", &[], &["sql"]), sample("api", &[], &["sql"])]).len(),
        1
    );
    assert_eq!(strayed_drivers(picture, &[sample("store", &[], &[])]).len(), 1);
    assert_eq!(strayed_drivers("", &[]).len(), 1);
}

#[test]
fn every_crate_has_the_lints_and_the_versions_of_the_workspace() {
    let tree = Tree::read();
    expect_clean("lints", &own_lints(&tree));
    expect_clean("versions", &own_versions(&tree));
    expect_clean("members", &outside_the_workspace(&tree, &packages()));
}

#[test]
fn a_crate_with_lints_or_versions_of_its_own_is_found() {
    let good = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n\n[dependencies]\nb.workspace = true\n\
                c = { workspace = true, features = [\"d\"] }\n";
    let bad = "[package]\nname = \"a\"\n\n[lints.rust]\nunsafe_code = \"allow\"\n\n[dev-dependencies]\nb = \"1\"\n\n\
               [target.'cfg(unix)'.dependencies]\nc = { version = \"1\" }\n\n[dependencies.d]\nversion = \"1\"\n";
    let tree = Tree::of(&[("a/Cargo.toml", good), ("b/Cargo.toml", bad)]);
    assert_eq!(own_lints(&tree).len(), 1);
    assert_eq!(own_versions(&tree).len(), 3);
    assert_eq!(outside_the_workspace(&tree, &[sample("a", &[], &[])]).len(), 1);
}
