//! Whatever call fails, and however: the next delivery ends in the same state as if nothing had happened.

use std::time::Duration;

use track::PlaceError;

use crate::deliver;
use crate::http::{Fault, Reply};
use crate::run::whole;
use crate::stub::{Held, Manner, Stub};

fn outage(error: &PlaceError) -> bool {
    matches!(error, PlaceError::Outage { .. })
}

/// What can be compared: an update of the status may be asked for twice.
fn comparable(mut held: Held) -> Held {
    for run in &mut held.runs {
        run.statuses.clear();
    }
    held
}

#[test]
fn every_call_may_fail_in_every_way() {
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    let calm = Stub::start(Manner::default());
    calm.server.fail(|_, _| None);
    deliver(folder.path(), &calm.server.url).unwrap();
    let (calls, expected) = (calm.server.asked().len(), comparable(calm.held()));
    assert!(calls > 30, "{calls}");
    let garbage = Reply::text(200, "<html>Please log in to the network</html>");
    let faults = [
        Fault::Dies,
        Fault::DiesAfterwards,
        Fault::DiesMidway,
        Fault::Answers(Reply::text(500, "oh")),
        Fault::Answers(garbage),
    ];
    for at in 0..calls {
        for fault in &faults {
            std::fs::remove_dir_all(folder.path().join("track")).unwrap();
            let stub = Stub::start(Manner::default());
            let this = fault.clone();
            stub.server.fail(move |call, _| (call == at).then(|| this.clone()));
            match deliver(folder.path(), &stub.server.url) {
                Err(error) => assert!(outage(&error), "call {at}, {fault:?}: {error}"),
                Ok(_) => panic!("call {at}, {fault:?} was not noticed"),
            }
            deliver(folder.path(), &stub.server.url).unwrap_or_else(|error| panic!("call {at}, {fault:?}: {error}"));
            assert_eq!(comparable(stub.held()), expected, "call {at}, {fault:?}");
            // Its thread goes on listening; what it holds need not stay.
            stub.held.lock().unwrap().files.clear();
        }
    }
}

#[test]
fn a_server_says_how_long_it_wants_to_be_left_alone() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    whole(folder.path());
    for (status, after, expected) in [(429, "7", Some(7)), (503, "86400", Some(900)), (503, "soon", None)] {
        stub.server.fail(move |_, _| {
            let mut reply = Reply::text(status, "not now");
            reply.headers.push(("Retry-After", after.to_owned()));
            Some(Fault::Answers(reply))
        });
        match deliver(folder.path(), &stub.server.url) {
            Err(PlaceError::Outage { retry_after, message }) => {
                assert_eq!(retry_after, expected.map(Duration::from_secs));
                assert!(message.contains("not now"), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nobody_there_is_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    whole(folder.path());
    let error = deliver(folder.path(), "http://127.0.0.1:1").unwrap_err();
    assert!(outage(&error) && error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[test]
fn a_slow_server_is_waited_for() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    whole(folder.path());
    stub.server.fail(|call, _| (call % 10 == 3).then_some(Fault::Sleeps(Duration::from_millis(300))));
    deliver(folder.path(), &stub.server.url).unwrap();
    assert_eq!(stub.run().status, "FINISHED");
}
