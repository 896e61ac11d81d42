//! `compare`: breaches both ways, several runs of a side, and what cannot be compared.

use crate::{cli, expect_file, file, folder, parsed, sample};
use rookery_load::Load;
use rookery_load::compare::{Comparison, compare};
use rookery_load::result::{RunResult, Verdict};
use std::fs;

/// Returns what `compare` says of two sides of runs.
fn compared(a: &[RunResult], b: &[RunResult], flags: &[&str]) -> anyhow::Result<Comparison> {
    let folder = folder();
    let side = |name: &str, runs: &[RunResult]| {
        let write = |(number, run): (usize, &RunResult)| {
            let path = folder.join(format!("{name}{number}.json"));
            run.write(&path).expect("write a run");
            path.display().to_string()
        };
        runs.iter().enumerate().map(write).collect::<Vec<_>>().join(",")
    };
    let (a, b) = (side("a", a), side("b", b));
    let Load::Compare(args) = cli(&[&["compare", &a, &b], flags].concat()) else { panic!("no comparison") };
    let done = compare(&args);
    fs::remove_dir_all(folder).expect("remove the folder");
    done
}

#[test]
fn two_runs_are_told_beside_each_other() {
    let (a, b) = (file("fanout.json"), file("slower.json"));
    let mut args = vec!["compare", a.to_str().unwrap(), b.to_str().unwrap()];
    args.extend(["--fail-on", "p99>+10%", "--fail-on", "cpu_s_per_million_deliveries>+40%"]);
    let Load::Compare(plain) = cli(&args) else { panic!("no comparison") };
    let comparison = compare(&plain).unwrap();
    assert!(!comparison.is_kept);
    expect_file(&file("compare.txt"), &comparison.text);
    args.push("--md");
    let Load::Compare(markdown) = cli(&args) else { panic!("no comparison") };
    expect_file(&file("compare.md"), &compare(&markdown).unwrap().text);
}

#[test]
fn a_condition_holds_one_way_and_breaks_the_other() {
    let (fast, slow) = ([sample::fanout(1.0)], [sample::fanout(1.3)]);
    for (condition, from_fast, from_slow) in [
        ("p99>+10%", false, true),
        ("delivery_p50 > +1ms", true, true),
        ("delivery_p50_us>+500us", false, true),
        ("cpu_s_per_million_deliveries>+5%", false, true),
        ("deliveries_per_second<-5%", true, true),
        ("floor_ratio>1.5x", false, true),
        ("last_delivery_p99.9 <= 34ms", true, true),
        ("steady:ack_p99>+10%", false, true),
        ("connect:p99>+10%", true, true),
    ] {
        let flags = ["--fail-on", condition];
        assert_eq!(compared(&fast, &slow, &flags).unwrap().is_kept, from_fast, "{condition}, slower");
        assert_eq!(compared(&slow, &fast, &flags).unwrap().is_kept, from_slow, "{condition}, faster");
    }
    assert!(compared(&fast, &slow, &[]).unwrap().is_kept, "nothing was asked");
}

#[test]
fn several_runs_of_a_side_are_judged_by_their_medians() {
    let runs = |all: [f64; 3]| all.map(sample::fanout);
    let flags = ["--fail-on", "cpu_s_per_million_deliveries>+10%"];
    let one_slow = compared(&runs([1.0, 1.02, 1.01]), &runs([1.0, 1.6, 1.02]), &flags).unwrap();
    assert!(one_slow.is_kept, "one of three is an accident");
    let row = one_slow.text.lines().find(|line| line.contains("floor_ratio")).unwrap();
    assert!(
        row.contains("1.36 x 1.39 x") && row.contains("1.36 x 2.18 x") && row.ends_with("the same"),
        "{row}"
    );
    let all_slow = compared(&runs([1.0, 1.02, 1.01]), &runs([1.4, 1.6, 1.5]), &flags).unwrap();
    assert!(!all_slow.is_kept);
    let row = all_slow.text.lines().find(|line| line.contains("floor_ratio")).unwrap();
    assert!(row.ends_with("worse"), "{row}");
}

type Change = fn(&mut RunResult);

#[test]
fn what_spoils_a_comparison_is_said_and_with_strict_it_is_an_error() {
    let a = [sample::fanout(1.0)];
    let changes: [(Change, &str); 8] = [
        (|run| run.machine.cpu_model = "Another".to_owned(), "CPUs: A CPU of 2.2 GHz and Another"),
        (|run| run.machine.kernel = "Linux 5.4".to_owned(), "kernels:"),
        (|run| run.server.as_mut().unwrap().cores = vec![], "cores that the server was pinned to"),
        (|run| drop(run.scenario.parameters.insert("rate".to_owned(), 40.into())), "rate was 20 and is 40"),
        (|run| run.scenario.config_hash = "other".to_owned(), "configured in different ways"),
        (|run| run.source.is_dirty = true, "B was measured with changes that are in no commit"),
        (
            |run| run.client.warning = Some("97 %".to_owned()),
            "the client may be what was measured in B: 97 %",
        ),
        (|run| run.machine.before.load_1m = 4.5, "the machine was busy before B: load 4.50 on 2 cores"),
    ];
    for (change, said) in changes {
        let mut b = sample::fanout(1.0);
        change(&mut b);
        let b = [b];
        let comparison = compared(&a, &b, &[]).unwrap();
        assert!(comparison.is_kept && comparison.text.contains(said), "{said}: {}", comparison.text);
        let error = compared(&a, &b, &["--strict"]).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let same = compared(&a, &a, &["--strict"]).unwrap();
    assert!(!same.text.contains("not quite comparable"));
}

#[test]
fn a_run_that_lost_something_breaks_every_comparison() {
    let (good, mut bad) = (sample::fanout(1.0), sample::fanout(0.5));
    bad.counts.lost = 1;
    bad.verdict = Verdict::of(&bad.counts, Vec::new());
    let comparison = compared(&[good], &[bad], &[]).unwrap();
    assert!(!comparison.is_kept && comparison.text.contains("B is not correct: 1 events lost"));
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let run = [sample::fanout(1.0)];
    let error = |b: &[RunResult], flags: &[&str]| compared(&run, b, flags).unwrap_err().to_string();
    let mut other = sample::fanout(1.0);
    other.scenario.name = "idle".to_owned();
    assert!(error(&[other], &[]).contains("A is of the scenario fanout and B of idle"));
    let mut changed = sample::fanout(1.0);
    changed.scenario.parameters.insert("rate".to_owned(), 40.into());
    assert!(error(&[sample::fanout(1.0), changed], &[]).contains("is no repetition of"));
    assert!(
        error(&run, &["--fail-on", "speed>+1%"]).contains("there is no figure speed; there are: cpu_s_per")
    );
    assert!(error(&run, &["--fail-on", "storm:p99>+1%"]).contains("no figure storm:p99"));
    assert!(error(&run, &["--fail-on", "p99>5KiB"]).contains("is not counted in KiB"));
    let no_condition = parsed(&["compare", "a", "b", "--fail-on", "p99"]);
    assert!(no_condition.unwrap_err().to_string().contains("compares nothing"));
    let Load::Compare(gone) = cli(&["compare", "gone.json", "gone.json"]) else { panic!("no comparison") };
    assert!(compare(&gone).unwrap_err().to_string().contains("gone.json"));
}
