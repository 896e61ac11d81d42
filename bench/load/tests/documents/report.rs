//! `report`, in each of its shapes.

use crate::{cli, expect_file, file, folder, sample};
use rookery_load::{Load, report};
use std::fs;

/// Returns what `report` writes about these runs.
fn reported(runs: &[&str], flags: &[&str]) -> anyhow::Result<String> {
    let folder = folder();
    let out = folder.join("out");
    let paths: Vec<String> = runs.iter().map(|run| file(run).display().to_string()).collect();
    let mut args = vec!["report", "--out", out.to_str().expect("a path of letters")];
    args.extend(paths.iter().map(String::as_str));
    args.extend(flags);
    let Load::Report(args) = cli(&args) else { panic!("not a report") };
    let done = report::run(&args).and_then(|()| Ok(fs::read_to_string(&out)?));
    fs::remove_dir_all(folder).expect("remove the folder");
    done
}

#[test]
fn a_run_is_told_in_every_shape() {
    let shapes: [(&str, &[&str]); 6] = [
        ("fanout.txt", &[]),
        ("fanout.md", &["--md"]),
        ("fanout.html", &["--html"]),
        ("fanout.csv", &["--csv"]),
        ("fanout.hgrm", &["--hgrm"]),
        ("fanout-ack.hgrm", &["--hgrm", "--of", "ack"]),
    ];
    for (name, flags) in shapes {
        expect_file(&file(name), &reported(&["fanout.json"], flags).unwrap());
    }
}

#[test]
fn several_runs_are_told_beside_each_other() {
    let runs = ["fanout.json", "slower.json"];
    expect_file(&file("two.txt"), &reported(&runs, &[]).unwrap());
    let csv = reported(&runs, &["--csv"]).unwrap();
    assert_eq!(csv.lines().filter(|line| line.starts_with("run,")).count(), 1, "one header");
    assert_eq!(csv.lines().count(), 1 + 2 * 4, "three phases and the whole of each");
    let cells = |line: &str| line.split(',').count();
    assert!(csv.lines().all(|line| cells(line) == cells(csv.lines().next().unwrap())));
    let error = reported(&runs, &["--hgrm"]).unwrap_err().to_string();
    assert_eq!(error, "--hgrm takes one run, not 2");
    let error = reported(&["fanout.json"], &["--hgrm", "--of", "resume"]).unwrap_err().to_string();
    assert_eq!(error, "the run has no latencies of resume; it has: ack, delivery, last_delivery");
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let page = reported(&["fanout.json", "slower.json"], &["--html"]).unwrap();
    for outside in ["http://", "https://", "<script", "<link", "<img", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(page.matches("<svg").count() >= 10, "six charts of each and one of both");
}

#[test]
fn what_is_wrong_with_a_run_is_told_first() {
    let mut run = sample::fanout(1.0);
    run.counts.lost = 2;
    run.verdict =
        rookery_load::result::Verdict::of(&run.counts, vec!["the server closed 1 connection".to_owned()]);
    run.client.warning = Some("95 % of a core".to_owned());
    run.source.is_dirty = true;
    let folder = folder();
    let (path, out) = (folder.join("run.json"), folder.join("out"));
    run.write(&path).unwrap();
    let Load::Report(args) = cli(&["report", path.to_str().unwrap(), "--out", out.to_str().unwrap()]) else {
        panic!("not a report")
    };
    report::run(&args).unwrap();
    let text = fs::read_to_string(&out).unwrap();
    fs::remove_dir_all(folder).unwrap();
    let first: Vec<&str> = text.lines().skip(1).take(4).collect();
    assert_eq!(
        first,
        [
            "! Wrong: 2 events lost",
            "! Wrong: the server closed 1 connection",
            "! The client: 95 % of a core",
            "! Measured with changes that are in no commit."
        ]
    );
}
