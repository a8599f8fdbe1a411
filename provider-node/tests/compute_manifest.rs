//! The job format: canonical form and refusals, each naming its node.
#![allow(clippy::unwrap_used, reason = "tests")]

mod compute_common;

use compute_common::{head, small};
use ember_provider_node::compute::null::NullDevice;
use ember_provider_node::compute::{Device, Hash};
use ember_provider_node::job::{self, Exactness, JobDir, Manifest, check};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn manifest() -> Manifest {
    let text = head("u32") + "@compute @workgroup_size(1) fn main() { y[0] = x[0]; }";
    small(&text, Exactness::E0, &[0; 16], 64, 1).manifest
}

#[test]
fn the_canonical_form_is_the_only_one() {
    let bytes = manifest().to_canonical();
    assert_eq!(Manifest::from_canonical(&bytes).unwrap(), manifest());
    assert_eq!(manifest().hash(), Hash::of(&bytes));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with(r#"{"version":1,"name":"small","profile":"portable1","exactness":"E0","modules":[{"name""#), "{text}");
    for other in [
        text.replace("\"version\":1,", "\"version\": 1,"),
        text.clone() + "\n",
        text.replace(
            "\"version\":1,\"name\":\"small\",",
            "\"name\":\"small\",\"version\":1,",
        ),
        text.replace("\"checkpoints\":[],", ""),
        text.replace("\"version\":1,", "\"version\":1,\"extra\":0,"),
        text.replace("\"version\":1,", "\"version\":1.0,"),
        text.replace("[1,1,1]", "[1,1,-1]"),
        text.replace("\"small\"", "\"\\u0073mall\""),
    ] {
        assert_ne!(other, text);
        assert!(
            Manifest::from_canonical(other.as_bytes()).is_err(),
            "{other}"
        );
    }
    assert!(Manifest::from_canonical(&vec![b' '; 2 << 20]).is_err());
}

/// Changes one place of the manifest by JSON pointer.
fn with(pointer: &str, value: Value) -> Result<(), String> {
    let mut json = serde_json::to_value(manifest()).unwrap();
    *json
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer}")) = value;
    let manifest: Manifest = serde_json::from_value(json).map_err(|e| e.to_string())?;
    check::check(&manifest).map_err(|e| e.to_string())
}

#[test]
fn refusals_name_their_node() {
    check::check(&manifest()).unwrap();
    let dispatch = serde_json::to_value(&manifest().graph[0]).unwrap();
    let copy = |size: u64, to: u64| json!([{"copy":{"src":"y","src_offset":0,"dst":"y","dst_offset":to,"size":size}}]);
    let repeat = |times: u32, body: Value| json!([{"repeat":{"times":times,"counter":{"buffer":"y","offset":0},"body":body}}]);
    for (pointer, value, want) in [
        ("/version", json!(2), "version: expected 1, got 2"),
        ("/name", json!("../x"), "name: expected"),
        (
            "/buffers/1/name",
            json!("x"),
            "buffers[1].name: \"x\" is taken",
        ),
        (
            "/buffers/1/size",
            json!(6),
            "buffers[1].size: expected a multiple of 4",
        ),
        (
            "/buffers/1/size",
            json!((128u64 << 20) + 4),
            "buffers[1].size: expected 4 to 134217728",
        ),
        (
            "/buffers/0/size",
            json!(8),
            "buffers[0].init: blob \"x\" has 16 bytes, the buffer only 8",
        ),
        (
            "/buffers/0/init",
            json!({"blob":"w"}),
            "buffers[0].init: no blob named \"w\"",
        ),
        ("/graph", json!([]), "graph: expected 1 to"),
        (
            "/graph/0/dispatch/module",
            json!("z"),
            "graph[0].dispatch.module: no module named \"z\"",
        ),
        (
            "/graph/0/dispatch/groups/1",
            json!(0),
            "graph[0].dispatch.groups[1]: expected 1 to 65535, got 0",
        ),
        (
            "/graph/0/dispatch/groups",
            json!([65535, 65535, 65535]),
            "graph[0].dispatch.groups (product)",
        ),
        (
            "/graph/0/dispatch/bindings/1/buffer",
            json!("z"),
            "graph[0].dispatch.bindings[1]: no buffer named \"z\"",
        ),
        (
            "/graph/0/dispatch/bindings/1/binding",
            json!(0),
            "graph[0].dispatch.bindings[1]: binding 0 twice",
        ),
        (
            "/graph/0/dispatch/bindings/1/buffer",
            json!("x"),
            "graph[0].dispatch.bindings[1]: buffer \"x\" is bound twice",
        ),
        (
            "/graph",
            copy(68, 0),
            "graph[0].copy.src: bytes 0 on, 68 long, do not lie in buffer \"y\" of 64",
        ),
        ("/graph", copy(u64::MAX - 3, 0), "graph[0].copy.src: bytes"),
        (
            "/graph",
            copy(8, 4),
            "graph[0].copy: source and destination overlap",
        ),
        ("/graph", copy(0, 0), "graph[0].copy.src: bytes"),
        (
            "/graph",
            json!([{"fill":{"buffer":"y","offset":2,"size":4,"value":0}}]),
            "graph[0].fill offset: expected a multiple of 4",
        ),
        (
            "/graph",
            repeat(4_097, json!([dispatch])),
            "graph[0].repeat.times: expected 1 to 4096, got 4097",
        ),
        (
            "/graph",
            repeat(2, repeat(2, json!([dispatch]))),
            "graph[0].repeat.body[0]: a repeat inside a repeat",
        ),
        (
            "/graph",
            repeat(4_096, json!(vec![dispatch.clone(); 300])),
            "graph (steps as run)",
        ),
        (
            "/checkpoints",
            json!([{"after":1,"buffers":["y"]}]),
            "checkpoints[0].after: expected a step of 0 to 0, got 1",
        ),
        (
            "/checkpoints",
            json!([{"after":0,"buffers":["y"]},{"after":0,"buffers":["y"]}]),
            "checkpoints[1].after: expected rising",
        ),
        (
            "/outputs/0/buffer",
            json!("z"),
            "outputs[0].buffer: no buffer named \"z\"",
        ),
        (
            "/outputs/0/format",
            json!("ratio"),
            "outputs[0].format: a ratio is 8 bytes, the buffer has 64",
        ),
        (
            "/outputs/0/format",
            json!({"png_rgba8":{"width":4,"height":5}}),
            "outputs[0].format: 4 x 5 pixels are 80 bytes",
        ),
        ("/limits/wall_ms", json!(0), "limits.wall_ms: expected 1 to"),
        (
            "/limits/ops_per_invocation",
            json!(0),
            "limits.ops_per_invocation: expected 1 to",
        ),
        ("/limits/ops_per_invocation", json!(-1), "invalid value"),
    ] {
        let error = with(pointer, value).expect_err(want);
        assert!(error.starts_with(want), "expected {want:?}, got {error:?}");
    }
    assert!(check::advice(&manifest()).is_empty());
    let mut long = manifest();
    long.limits.ops_per_invocation = 60_001;
    assert!(check::advice(&long)[0].contains("lavapipe serves at most 60000"));
}

#[test]
fn the_manifest_must_fit_its_kernels() {
    let device = NullDevice::default();
    let text = head("u32") + "@compute @workgroup_size(1) fn main() { y[0] = x[0]; }";
    let job = small(&text, Exactness::E0, &[0; 16], 64, 1);
    let compile = |change: &dyn Fn(&mut Value)| {
        let mut json = serde_json::to_value(&job.manifest).unwrap();
        change(&mut json);
        let manifest: Manifest = serde_json::from_value(json).unwrap();
        job::compile(&manifest, device.info(), &|h| job.bytes.get(h).cloned())
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    compile(&|_| {}).unwrap();
    let bindings = "/graph/0/dispatch/bindings";
    let set = |at: &str, v: Value| {
        let at = format!("{bindings}{at}");
        compile(&move |j| *j.pointer_mut(&at).unwrap() = v.clone()).unwrap_err()
    };
    assert!(
        set("/0/access", json!("read_write"))
            .contains("bindings[0].access: the module declares read, the manifest read_write")
    );
    assert!(
        set("/1/access", json!("read"))
            .contains("bindings[1].access: the module declares read_write, the manifest read")
    );
    assert!(
        set("/1/binding", json!(5)).contains("bindings[1]: module \"k\" declares no binding 5")
    );
    assert!(set("", json!([])).contains("module \"k\" uses binding 0, which has no buffer"));
    let fixed = text.replace("array<u32>", "array<u32, 32>");
    let job = small(&fixed, Exactness::E0, &[0; 16], 64, 1);
    let error = job::compile(&job.manifest, device.info(), &|h| job.bytes.get(h).cloned())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "graph[0].dispatch.bindings[0]: the module needs 128 bytes, buffer \"x\" has 16"
    );
    let error = job::compile(&job.manifest, device.info(), &|_| None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("was not uploaded"), "{error}");
}

#[test]
fn a_job_directory_becomes_a_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let text = head("u32") + "@compute @workgroup_size(1) fn main() { y[0] = x[0]; }";
    std::fs::create_dir(dir.path().join("kernels")).unwrap();
    std::fs::write(dir.path().join("kernels/k.wgsl"), &text).unwrap();
    std::fs::write(dir.path().join("x.bin"), [0; 16]).unwrap();
    let mut json = serde_json::to_value(manifest()).unwrap();
    json["modules"] =
        json!([{"name":"k","language":"wgsl","file":"kernels/k.wgsl","entry":"main"}]);
    json["blobs"] = json!([{"name":"x","file":"x.bin"}]);
    let write =
        |json: &Value| std::fs::write(dir.path().join("job.json"), json.to_string()).unwrap();
    write(&json);
    let (built, files) = JobDir::load(dir.path()).unwrap();
    assert_eq!(built, manifest());
    assert_eq!(files.len(), 2);
    assert_eq!(files[0].0, Hash::of(text.as_bytes()));

    let refused = |json: Value| {
        write(&json);
        JobDir::load(dir.path()).unwrap_err().to_string()
    };
    let with = |pointer: &str, value: Value| {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        json
    };
    assert!(
        refused(with("/blobs/0/file", json!("../../etc/passwd")))
            .starts_with("blobs[0].file: expected a path below")
    );
    assert!(
        refused(with("/blobs/0/file", json!("/etc/passwd")))
            .starts_with("blobs[0].file: expected a path below")
    );
    assert!(refused(with("/modules/0/file", json!("none.wgsl"))).starts_with("modules[0].file:"));
    assert!(
        refused(with(
            "/limits",
            json!({"wall_ms":1,"ops_per_invocation":1,"more":1})
        ))
        .contains("unknown field `more`")
    );
}

#[test]
fn the_null_device_does_copies_fills_and_repeats() {
    let mut json = serde_json::to_value(manifest()).unwrap();
    json["graph"] = json!([
        {"fill":{"buffer":"y","offset":4,"size":8,"value":7}},
        {"repeat":{"times":3,"counter":{"buffer":"y","offset":0},"body":[
            {"copy":{"src":"y","src_offset":0,"dst":"y","dst_offset":16,"size":12}}]}},
    ]);
    json["checkpoints"] = json!([{"after":0,"buffers":["y","x"]}]);
    let manifest: Manifest = serde_json::from_value(json).unwrap();
    let mut device = NullDevice::default();
    let text = head("u32") + "@compute @workgroup_size(1) fn main() { y[0] = x[0]; }";
    let bytes: BTreeMap<Hash, Arc<[u8]>> = [text.as_bytes(), &[0; 16]]
        .map(|b| (Hash::of(b), Arc::from(b)))
        .into();
    let compiled = job::compile(&manifest, device.info(), &|h| bytes.get(h).cloned()).unwrap();
    let report = device.run(&compiled.plan, &mut |_| {}).unwrap();
    assert_eq!(
        compute_common::words(&report.outputs[0])[..8],
        [2, 7, 7, 0, 2, 7, 7, 0]
    );
    assert_eq!(report.checkpoints[0][1], Hash::of(&[0; 16]));
    // The same on a GPU.
    let Some(mut gpu) = compute_common::gpu() else {
        return;
    };
    let compiled = job::compile(&manifest, gpu.info(), &|h| bytes.get(h).cloned()).unwrap();
    let theirs = gpu.run(&compiled.plan, &mut |_| {}).unwrap();
    assert_eq!(theirs.outputs, report.outputs);
    assert_eq!(theirs.checkpoints, report.checkpoints);
}
