//! A snapshot taken while blocks go on, and restored; and what a peer may send instead.

use super::*;
use crate::store::{Base, Layers, StoreKey, disk::Disk, layers::Writes, pruning::Pruning};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use tendermint_proto::v0_38::abci;

struct Code(BTreeMap<[u8; 32], Vec<u8>>);

impl Blobs for Code {
    fn blob(&self, checksum: &[u8; 32]) -> Result<Vec<u8>, String> {
        self.0.get(checksum).cloned().ok_or("no such code".into())
    }
}

fn code() -> Code {
    let blobs = (0u8..3).map(|n| vec![n; 700_000]);
    Code(
        blobs
            .map(|b| (crate::store::merkle::sha256(&b), b))
            .collect(),
    )
}

fn block(disk: &Disk, height: u64, writes: Writes) {
    disk.commit(&disk.prepare(height, writes).unwrap()).unwrap();
}

fn write(n: u8, bytes: usize) -> ((StoreKey, Vec<u8>), Option<Vec<u8>>) {
    ((StoreKey::Wasm, vec![n, 0, n]), Some(vec![n; bytes]))
}

struct Taken {
    files: Files,
    disk: Disk,
    it: abci::Snapshot,
    app_hash: Vec<u8>,
}

/// A chain of ten heights whose snapshot of the fourth is taken after the tenth, although three are kept.
fn taken(dir: &Path) -> Taken {
    let files = Files::open(&dir.join("snapshots")).unwrap();
    let disk = Disk::open(&dir.join("a.db"), Pruning::KeepRecent(3)).unwrap();
    let big = (0u8..24).map(|n| write(n, 1 << 20));
    block(
        &disk,
        1,
        big.chain([((StoreKey::Auth, vec![1]), Some(vec![1]))])
            .collect(),
    );
    for height in 2..=4u8 {
        let gone = ((StoreKey::Wasm, vec![height, 0, height]), None);
        block(&disk, height.into(), [write(height + 100, 5), gone].into());
    }
    let app_hash = disk.meta().unwrap().app_hash;
    disk.hold(4);
    let held = disk.held();
    for height in 5..=10u8 {
        block(
            &disk,
            height.into(),
            [write(height, 9), write(height - 3, 9)].into(),
        );
    }
    let code = code();
    let checksums: Vec<_> = code.0.keys().copied().collect();
    let it = take(&disk, &files, &code, (4, &checksums), 2).unwrap();
    drop(held);
    assert_eq!(disk.oldest().unwrap(), 4);
    block(&disk, 11, Writes::new());
    block(&disk, 12, Writes::new());
    assert_eq!(
        disk.oldest().unwrap(),
        8,
        "two heights a block, until three are kept"
    );
    Taken {
        files,
        disk,
        it,
        app_hash,
    }
}

fn all(base: Arc<dyn Base>) -> Vec<(StoreKey, Vec<u8>, Vec<u8>)> {
    let layers = Layers::new(base);
    let scan = |s| {
        layers
            .scan(s, b"", None)
            .into_iter()
            .map(move |(k, v)| (s, k, v))
    };
    StoreKey::ALL.into_iter().flat_map(scan).collect()
}

#[test]
fn a_snapshot_is_the_state_of_its_height() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let from = taken(dir.path());
    assert_eq!(from.files.list(), std::slice::from_ref(&from.it));
    assert!(from.it.chunks > 2, "{} chunks", from.it.chunks);
    let mut restore =
        Restore::begin(to.path(), Pruning::Nothing, &from.it, &from.app_hash).unwrap();
    for n in 0..from.it.chunks {
        let chunk = from.files.chunk(4, 1, n).unwrap();
        let mut torn = chunk.clone();
        torn[0] ^= 1;
        assert!(matches!(restore.apply(n, &torn), Err(Refusal::Chunk(at)) if at == n));
        let last = n + 1 == from.it.chunks;
        let want = if last { Applied::Whole } else { Applied::More };
        assert_eq!(restore.apply(n, &chunk).unwrap(), want);
    }
    let code = code();
    assert!(restore.blobs().iter().eq(code.0.keys()));
    for (checksum, blob) in &code.0 {
        assert_eq!(restore.blob(checksum).unwrap(), *blob);
    }
    let disk = restore.finish(to.path()).unwrap();
    assert_eq!(disk.meta().unwrap().height, 4);
    assert_eq!(disk.meta().unwrap().app_hash, from.app_hash);
    drop(disk);
    // It is the node's own from now on, and the next blocks of both give equal hashes, with history and proofs.
    let disk = Disk::open(&to.path().join(DATABASE), Pruning::Nothing).unwrap();
    for height in 5..=10u8 {
        block(
            &disk,
            height.into(),
            [write(height, 9), write(height - 3, 9)].into(),
        );
    }
    assert_eq!(
        disk.meta().unwrap().app_hash,
        from.disk.meta().unwrap().app_hash
    );
    assert_eq!(
        all(disk.snapshot().unwrap()),
        all(from.disk.snapshot().unwrap())
    );
    let four = disk.at(4).unwrap().unwrap();
    let value = four.get(StoreKey::Wasm, &[103, 0, 103]);
    assert_eq!(value, Some(vec![103; 5]));
    assert_eq!(four.get(StoreKey::Wasm, &[3, 0, 3]), None);
    assert!(four.prove(StoreKey::Wasm, &[3, 0, 3]).unwrap().is_some());
    assert_eq!(disk.oldest().unwrap(), 4);
}

#[test]
fn the_same_state_gives_the_same_snapshot() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = dirs.each_ref().map(|d| taken(d.path()).it);
    assert_eq!(one, two);
}

#[test]
fn what_is_not_the_offered_state_is_refused() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let from = taken(dir.path());
    let begin =
        |it: &abci::Snapshot, hash: &[u8]| Restore::begin(to.path(), Pruning::Nothing, it, hash);
    let other = |change: fn(&mut abci::Snapshot)| {
        let mut it = from.it.clone();
        change(&mut it);
        begin(&it, &from.app_hash).err().unwrap().to_string()
    };
    assert!(other(|s| s.format = 2).contains("format 1, got 2"));
    assert!(other(|s| s.chunks += 1).contains("chunks' hashes"));
    assert!(other(|s| s.hash = vec![1; 32].into()).contains("chunks' hashes"));
    assert!(other(|s| s.metadata = vec![255].into()).contains("metadata"));
    assert!(other(|s| *s = format::described(4, Vec::new())).contains("chunks' hashes"));

    // Another app hash than the light client's.
    let mut restore = begin(&from.it, &[7; 32]).unwrap();
    let chunks: Vec<_> = (0..from.it.chunks)
        .map(|n| from.files.chunk(4, 1, n).unwrap())
        .collect();
    let mut end = Ok(Applied::More);
    for (n, chunk) in (0..).zip(&chunks) {
        end = restore.apply(n, chunk);
    }
    assert!(end.unwrap_err().to_string().contains("app hash"));
    // Out of order.
    let mut restore = begin(&from.it, &from.app_hash).unwrap();
    assert!(
        restore
            .apply(1, &chunks[1])
            .unwrap_err()
            .to_string()
            .contains("expected chunk 0, got 1")
    );

    // Streams that a lying peer made, with hashes to match.
    let stream = |items: &[format::Item]| {
        let mut bytes = Vec::new();
        items.iter().for_each(|i| format::put(&mut bytes, i));
        let it = format::described(4, vec![crate::store::merkle::sha256(&bytes).to_vec()]);
        let mut restore = begin(&it, &from.app_hash).unwrap();
        restore.apply(0, &bytes).unwrap_err().to_string()
    };
    use format::Item::{Blob, End, Pair, Store};
    let (a, bank) = (|| Pair(vec![1], vec![1]), || Store(StoreKey::Bank));
    assert!(stream(&[a(), End]).contains("before any store"));
    assert!(stream(&[bank(), a(), a(), End]).contains("a key is out of order"));
    assert!(stream(&[bank(), Store(StoreKey::Auth), End]).contains("store acc is out of order"));
    assert!(stream(&[bank(), bank(), End]).contains("store bank is out of order"));
    assert!(stream(&[bank(), Blob(vec![1]), a(), End]).contains("out of order"));
    assert!(stream(&[bank(), Blob(vec![1]), Blob(vec![1]), End]).contains("blob is out of order"));
    assert!(stream(&[bank(), a()]).contains("middle of the stream"));
    assert!(stream(&[End, a()]).contains("follows the end"));
    assert!(stream(&[bank(), a(), End]).contains("app hash"));
}

#[test]
fn what_a_kill_left_half_done_goes_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let from = taken(dir.path());
    let half = dir.path().join("snapshots/9.part");
    std::fs::create_dir(&half).unwrap();
    let restore = Restore::begin(dir.path(), Pruning::Nothing, &from.it, &from.app_hash).unwrap();
    drop(restore);
    assert!(dir.path().join("restore").exists());
    Restore::clear(dir.path()).unwrap();
    assert_eq!(
        Files::open(&dir.path().join("snapshots"))
            .unwrap()
            .list()
            .len(),
        1
    );
    assert!(!half.exists() && !dir.path().join("restore").exists());
}
