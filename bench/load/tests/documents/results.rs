//! `RESULTS.md` is what the prose, the scenarios and the committed runs make of it.

use crate::{expect_file, file, folder, sample};
use rookery_load::result::{RunResult, Verdict};
use rookery_load::results::page;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder as `bench/` is one, with these runs.
fn bench(prose: &str, runs: &[(&str, RunResult)]) -> PathBuf {
    let folder = folder();
    for below in ["scenarios", "runs"] {
        fs::create_dir(folder.join(below)).expect("make a folder");
    }
    fs::write(folder.join("RESULTS.in.md"), prose).expect("write the prose");
    fs::copy(file("fanout.toml"), folder.join("scenarios/fanout.toml")).expect("write the scenario");
    for (name, run) in runs {
        run.write(&folder.join("runs").join(name)).expect("write a run");
    }
    folder
}

/// What becomes of the prose with these runs.
fn made(prose: &str, runs: &[(&str, RunResult)]) -> Result<String, String> {
    let folder = bench(prose, runs);
    let page = page(&folder).map_err(|error| format!("{error:#}"));
    fs::remove_dir_all(folder).expect("remove the folder");
    page
}

const PROSE: &str =
    "# Results\n\nSaid by people.\n\n<!-- promises -->\n\n## Runs\n\n<!-- runs -->\n\nThe end.\n";

#[test]
fn the_results_are_those_of_the_committed_runs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("bench/");
    expect_file(&folder.join("RESULTS.md"), &page(folder).unwrap());
}

#[test]
fn a_promise_stands_beside_what_was_measured() {
    let none = made(PROSE, &[]).unwrap();
    expect_file(&file("results-none.snapshot"), &none);
    assert!(none.contains("not measured yet") && none.contains("No run is committed yet."));
    let runs =
        [("a.json", sample::fanout(1.0)), ("b.json", sample::fanout(1.04)), ("c.json", sample::fanout(1.02))];
    expect_file(&file("results.snapshot"), &made(PROSE, &runs).unwrap());
}

#[test]
fn a_promise_that_is_broken_is_told_to_be() {
    let kept = made(PROSE, &[("a.json", sample::fanout(1.0))]).unwrap();
    assert!(kept.contains("| at most 1.50 x | 1.36 x | yes |"), "{kept}");
    let broken = made(PROSE, &[("a.json", sample::fanout(1.2))]).unwrap();
    assert!(broken.contains("| at most 1.50 x | 1.63 x | **no** |"), "{broken}");
    let mut wrong = sample::fanout(1.0);
    wrong.counts.doubled = 4;
    wrong.verdict = Verdict::of(&wrong.counts, Vec::new());
    let told = made(PROSE, &[("a.json", wrong)]).unwrap();
    assert!(told.contains("**Wrong: 4 events doubled**") && told.contains("| **no** |"), "{told}");
}

#[test]
fn what_the_page_cannot_be_made_of_is_an_error() {
    let run = sample::fanout(1.0);
    assert!(made("# Results\n\n<!-- runs -->\n", &[]).unwrap_err().contains("0 lines `<!-- promises -->`"));
    let mut other = sample::fanout(1.0);
    other.scenario.parameters.insert("rate".to_owned(), 40.into());
    let error = made(PROSE, &[("a.json", run), ("b.json", other)]).unwrap_err();
    assert!(error.contains("b.json is no repetition of"), "{error}");
    let folder = bench(PROSE, &[]);
    fs::write(folder.join("runs/broken.json"), "{}").unwrap();
    assert!(page(&folder).unwrap_err().to_string().contains("broken.json is no result of a run"));
    fs::remove_dir_all(folder).unwrap();
}
