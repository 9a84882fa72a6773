//! The simulated disk keeps its promises, and breaks everything else.

use super::*;

fn survives(seed: u64, prepare: impl Fn(&dyn Storage)) -> Option<Vec<u8>> {
    let disk = SimulatedDisk::new(seed);
    prepare(&*disk.storage());
    disk.cut_power();
    disk.paths()
        .contains(&"f".to_owned())
        .then(|| disk.content("f"))
}

#[test]
fn what_was_synced_survives_a_power_cut() {
    for seed in 0..50 {
        let content = survives(seed, |storage| {
            let file = storage.create("f").unwrap();
            file.write_all_at(&[7; 2000], 0).unwrap();
            file.sync_data().unwrap();
            storage.sync_directory().unwrap();
        });
        assert_eq!(content, Some(vec![7; 2000]));
    }
}

#[test]
fn of_what_was_not_synced_any_sectors_survive() {
    let outcomes: std::collections::BTreeSet<_> = (0..100)
        .map(|seed| {
            let content = survives(seed, |storage| {
                let file = storage.create("f").unwrap();
                file.write_all_at(&[0; 1024], 0).unwrap();
                file.sync_data().unwrap();
                storage.sync_directory().unwrap();
                file.write_all_at(&[7; 1024], 0).unwrap();
            });
            content.map(|content| (content[0], content[1023]))
        })
        .collect();
    let expected = [(0, 0), (0, 7), (7, 0), (7, 7)].map(Some);
    assert_eq!(outcomes, expected.into_iter().collect());
}

#[test]
fn a_name_that_was_not_synced_may_be_lost() {
    let found = |seed| {
        let content = survives(seed, |storage| {
            let file = storage.create("f").unwrap();
            file.write_all_at(b"x", 0).unwrap();
            file.sync_data().unwrap();
        });
        content.is_some()
    };
    assert!((0..50).any(found));
    assert!(!(0..50).all(found));
}

#[test]
fn the_end_of_a_process_loses_nothing_but_its_files() {
    let disk = SimulatedDisk::new(1);
    let storage = disk.storage();
    let file = storage.create("f").unwrap();
    file.write_all_at(b"x", 0).unwrap();
    let held = storage.lock("lock").unwrap();
    disk.kill();
    assert_eq!(disk.content("f"), b"x");
    assert!(file.write_at(b"y", 0).is_err());
    assert!(storage.list().is_err());
    let _again = disk.storage().lock("lock").unwrap();
    drop(held);
    assert_eq!(
        disk.storage().lock("lock").unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
}

#[test]
fn a_full_disk_takes_what_fits() {
    let disk = SimulatedDisk::new(1);
    disk.set_capacity(10);
    let storage = disk.storage();
    let file = storage.create("f").unwrap();
    assert_eq!(file.write_at(&[1; 16], 0).unwrap(), 10);
    let error = file.write_at(&[1; 6], 10).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.write_at(&[2; 10], 0).unwrap(), 10);
    storage.remove("f").unwrap();
    assert_eq!(storage.free_bytes().unwrap(), 10);
}

#[test]
fn faults_strike_in_their_turn() {
    let disk = SimulatedDisk::new(1);
    disk.fail(Operation::SyncData, 1, 1, Errno::IO);
    let file = disk.storage().create("f").unwrap();
    let results = [file.sync_data(), file.sync_data(), file.sync_data()];
    assert_eq!(results.map(|result| result.is_ok()), [true, false, true]);
}

#[test]
fn short_transfers_are_taken_up() {
    let disk = SimulatedDisk::new(1);
    disk.set_transfer_max(3);
    let file = disk.storage().create("f").unwrap();
    file.write_all_at(b"0123456789", 0).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(file.read_full_at(&mut buffer, 1).unwrap(), 9);
    assert_eq!(&buffer[..9], b"123456789");
}

#[test]
fn directories_are_apart() {
    let disk = SimulatedDisk::new(1);
    let inner = disk.storage().directory("a").unwrap();
    inner.create("f").unwrap();
    disk.storage().create("f").unwrap();
    disk.storage().sync_directory().unwrap();
    assert_eq!(inner.list().unwrap(), ["f"]);
    disk.cut_power();
    assert!(disk.paths().contains(&"f".to_owned()));
}
