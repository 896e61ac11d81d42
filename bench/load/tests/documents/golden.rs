//! A committed document is read as what it was written from; one that is broken says how.

use crate::{expect_file, file, folder, sample};
use rookery_load::result::{FORMAT, RunResult};
use std::fs;

#[test]
fn a_run_is_written_and_read_as_it_always_was() {
    for (name, run) in [("fanout.json", sample::fanout(1.0)), ("slower.json", sample::fanout(1.3))] {
        expect_file(&file(name), &run.to_json().unwrap());
        assert!(RunResult::read(&file(name)).unwrap() == run, "{name} is read as something else");
    }
}

#[test]
fn a_run_is_written_whole_and_read_back() {
    let folder = folder();
    let path = folder.join("run.json");
    let run = sample::fanout(1.0);
    run.write(&path).unwrap();
    assert!(RunResult::read(&path).unwrap() == run);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_broken_file_says_what_is_wrong_and_where() {
    let folder = folder();
    let good = sample::fanout(1.0).to_json().unwrap();
    let said = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        let error = RunResult::read(&path).unwrap_err().to_string();
        assert!(error.contains(name), "{error} does not name the file");
        error
    };
    assert!(said("cut.json", &good[..good.len() / 2]).contains("EOF while parsing"));
    assert!(said("words.json", "latency 5 ms").contains("line 1 column 1"));
    assert!(said("other.json", "{\"format\": 1}").contains("missing field `started_at`"));
    let later = good.replacen(&format!("\"format\": {FORMAT}"), "\"format\": 99", 1);
    assert!(said("later.json", &later).contains("format 99; this build reads up to 1"));
    let unknown = good.replacen("\"started_at\"", "\"began\": 1, \"started_at\"", 1);
    assert!(said("unknown.json", &unknown).contains("unknown field `began`"));
    let damaged = good.replacen("\"hdr\": \"", "\"hdr\": \"AAAA", 1);
    assert!(said("damaged.json", &damaged).contains("latencies of"));
    assert!(RunResult::read(&folder.join("none.json")).unwrap_err().to_string().contains("none.json"));
    fs::remove_dir_all(folder).unwrap();
}
