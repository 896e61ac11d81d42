//! Scenarios: the committed ones, what breaks their thresholds, and what is wrong in a file.

use crate::{cli, file, folder, sample};
use rookery_load::Load;
use rookery_load::scenario::Scenario;
use std::fs;
use std::path::Path;

/// Returns what `run` says of a scenario that it cannot play.
fn refused(text: &str, options: &[&str]) -> String {
    let folder = folder();
    let path = folder.join("bad.toml");
    fs::write(&path, text).expect("write a scenario");
    let load = cli(&[&["run", path.to_str().expect("a path of letters")], options].concat());
    let error = format!("{:#}", rookery_load::run(&load).expect_err("it cannot be played"));
    fs::remove_dir_all(folder).expect("remove the folder");
    assert!(error.contains("bad.toml is no scenario: "), "{error} does not name the file");
    error
}

#[test]
fn every_committed_scenario_can_be_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let scenarios = Scenario::read_all(&folder).unwrap();
    assert!(scenarios.iter().flat_map(|scenario| &scenario.thresholds).count() >= 1);
    for scenario in scenarios {
        scenario.check().unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_threshold_is_kept_or_it_is_not() {
    let scenario = Scenario::read(&file("fanout.toml")).unwrap();
    let kept = |slower: f64| {
        let all = scenario.judge(&sample::fanout(slower)).unwrap();
        all.into_iter().map(|threshold| (threshold.text, threshold.is_kept)).collect::<Vec<_>>()
    };
    let expected = |kept: [bool; 3]| {
        let texts = ["floor_ratio <= 1.5", "delivery_p99 <= 25ms", "deliveries_per_second >= 250_000/s"];
        texts.map(str::to_owned).into_iter().zip(kept).collect::<Vec<_>>()
    };
    assert_eq!(kept(1.0), expected([true, true, false]));
    assert_eq!(kept(1.2), expected([false, true, false]));
    assert_eq!(kept(3.0), expected([false, false, false]));
    let mut run = sample::fanout(1.0);
    run.figures.remove("floor_ratio");
    let first = scenario.judge(&run).unwrap().remove(0);
    assert!(!first.is_kept && first.measured.is_none(), "what was not measured was not kept");
}

#[test]
fn a_wrong_line_is_told_by_its_number() {
    let good = "name = \"bad\"\nabout = \"a\"\n\n[quick.fanout]\nconnections = 10\n";
    let error = refused(&good.replace("about", "abuot"), &[]);
    assert!(error.contains("line 2") && error.contains("unknown field `abuot`"), "{error}");
    let error = refused(&good.replace("connections = 10", "rate = 5\nconections = 10"), &[]);
    assert!(error.contains("line 6: unexpected argument '--conections' found"), "{error}");
    assert!(error.contains("'--connections'"), "{error} has no proposal");
    let error = refused(&good.replace("= 10", "= \"many\""), &[]);
    assert!(error.contains("line 5: invalid value 'many' for '--connections"), "{error}");
    let error = refused(&good.replace("= 10", "= { a = 1 }"), &[]);
    assert!(error.contains("line 5: connections is neither a word nor a number"), "{error}");
    let error = refused(&good.replace("quick.fanout", "quick.fan"), &[]);
    assert!(error.contains("unrecognized subcommand 'fan'"), "{error}");
    let error = refused(good, &["--conections", "5"]);
    assert!(error.contains("unexpected argument '--conections' found"), "{error}");
    assert!(refused("name = \"bad\"\nabout = \"a\"\n[quick]\n", &[]).contains("it plays 0 things"));
    assert!(
        refused(&good.replace("\"bad\"", "\"good\""), &[]).contains("its name is good, that of the file bad")
    );
    let phases = "name = \"bad\"\nabout = \"a\"\n\n[[phases.rooms]]\nname = \"r\"\nmembers = 2\n\n[[phases.phase]]\n\
                  name = \"p\"\nseconds = 1.0\nsend = { rate = 1.0 }\n";
    assert!(refused(&phases.replace("rate", "rte"), &[]).contains("line 11"));
    assert!(refused(&phases.replace("seconds", "second"), &[]).contains("line 10"));
    assert!(refused(&format!("{phases}into = \"q\"\n"), &[]).contains("phase p: there are no rooms q"));
    assert!(
        refused(&format!("{phases}senders = 3\n"), &[])
            .contains("phase p: there are more senders than members")
    );
    assert!(refused(&phases.replace("1.0\n", "0.0\n"), &[]).contains("phase p: it takes no time"));
    assert!(refused(&format!("{phases}\n[quick.fanout]\n"), &[]).contains("it plays 2 things"));
    assert!(
        refused(&format!("{phases}\n[options]\nprocesses = 0\n"), &[]).contains("line 14: invalid value '0'")
    );
    let with = |threshold: &str| refused(&format!("{good}\n[[threshold]]\nholds = \"{threshold}\"\n"), &[]);
    assert!(with("p99").contains("line 8") && with("p99").contains("compares nothing"));
    assert!(with("floor_ratio > +10%").contains("there is nothing to compare with here"));
    assert!(with("floor_ratio <= 5ms").contains("floor_ratio is not counted in ms"));
    assert!(matches!(cli(&["run", "a.toml", "--steady", "5", "--pin"]), Load::Run(_)));
}
