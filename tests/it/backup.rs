//! The real binary: backed up while it serves, killed, restored elsewhere, and nobody notices.

mod cluster;
mod talk;

use crate::folder::Folder;
use rookery_tests::server::{Server, rookery};
use rookery_tests::wire::Wire;
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Output, Stdio};
use talk::{Talk, bytes, named};

/// Runs `rookery` with these arguments on the data in `dir`.
fn run(dir: &Path, arguments: &[&str]) -> Output {
    run_with(dir, &[], arguments)
}

/// The same with settings in the environment.
fn run_with(dir: &Path, env: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = rookery();
    command.args(arguments).arg("--data-dir").arg(dir).envs(env.iter().copied());
    command.stdin(Stdio::null()).output().unwrap()
}

/// Begins a restore from a pipe that has had `begin` of a backup.
fn restore_from_pipe(dir: &Path, env: &[(&str, &str)], flags: &[&str], begin: &[u8]) -> (Child, ChildStdin) {
    let mut command = rookery();
    command.args(["restore", "-", "--data-dir"]).arg(dir).args(flags).envs(env.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // One that was refused does not read to the end.
    pipe.write_all(begin).ok();
    (child, pipe)
}

fn done(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
    told
}

fn failed(output: &Output, why: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(why), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_backed_up_while_it_serves_goes_on_elsewhere_and_nobody_notices() {
    let folder = Folder::new("backup");
    let (here, there, backup) = (folder.at("here"), folder.at("there"), folder.at("a.backup"));
    let file = backup.to_str().unwrap();
    let server = Server::start(&here, &[]);
    let mut talk = Talk::tell(server.http).await;
    let seen = talk.seen(server.http).await;
    assert!(seen.iter().any(|page| page.to_string().contains("the first")), "{seen:?}");

    done(&run(&here, &["backup", "--dry-run", file]));
    assert!(!backup.exists());
    let told = done(&run(&here, &["backup", file]));
    assert!(told.contains("3 accounts") && told.contains("1 files"), "{told}");
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    failed(&run(&here, &["backup", file]), "it is there already");
    failed(&run(&here, &["restore", file]), "another process has this store open");
    drop(server);
    failed(&run(&here, &["restore", file]), "it is not empty");

    done(&run(&there, &["restore", "--dry-run", file]));
    assert!(!there.exists());
    done(&run(&there, &["restore", file]));
    done(&run(&there, &["restore", "--verify", file]));
    let server = Server::start(&there, &[]);
    talk.alice.refresh(server.http).await;
    talk.bob.refresh(server.http).await;
    assert_eq!(talk.seen(server.http).await, seen);
    assert_eq!(bytes(server.http, &talk.bob.token, &talk.file).await, talk.content);

    // And it goes on where it was.
    let mut a = Wire::log_in(server.http, &talk.alice.token).await;
    let head = a.ok("room.open", json!({ "room": talk.room })).await["head"]["seq"].as_u64().unwrap();
    let say = named(json!({ "room": talk.room, "body": { "kind": "text", "text": "on" } }));
    assert_eq!(a.ok("message.send", say).await["seq"], head + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_or_cut_off_serves_nobody_until_it_is_resumed() {
    let folder = Folder::new("resume");
    let (here, there, backup) = (folder.at("here"), folder.at("there"), folder.at("a.backup"));
    let file = backup.to_str().unwrap();
    let server = Server::start(&here, &[]);
    Talk::tell(server.http).await;
    drop(server);
    done(&run(&here, &["backup", file]));
    let whole = std::fs::read(&backup).unwrap();

    let (child, pipe) = restore_from_pipe(&there, &[], &[], &whole[..whole.len() / 2]);
    drop(pipe);
    failed(&child.wait_with_output().unwrap(), "cut off");
    failed(
        &run(&there, &["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]),
        "has not come to its end",
    );
    failed(&run(&there, &["restore", file]), "--resume");
    failed(&run(&there, &["backup", &format!("{file}2")]), "has not come to its end");
    for part in 1..8 {
        // Wherever it is by then.
        let (mut child, _pipe) =
            restore_from_pipe(&there, &[], &["--resume"], &whole[..whole.len() * part / 8]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    done(&run(&there, &["restore", "--resume", file]));
    done(&run(&there, &["restore", "--verify", file]));
    assert!(Server::start(&there, &[]).probe("/readyz").0 == 200);

    let mut damaged = whole;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&backup, &damaged).unwrap();
    let nowhere = folder.at("nowhere");
    for flags in [&["restore", file][..], &["restore", "--dry-run", file]] {
        failed(&run(&nowhere, flags), "damaged");
        assert!(!nowhere.exists(), "nothing was written");
    }
}
