//! Kernels on a real driver: bounds, budget, silent truncation, zeroed memory, bit-exact floats.
#![allow(clippy::unwrap_used, reason = "tests")]

mod compute_common;

use compute_common::{Failed, bytes_of, gpu, head, small, words};
use ember_provider_node::compute::{Device, DeviceError};
use ember_provider_node::job::Exactness::{E0, E2, U};

const MAIN: &str =
    "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) ";

#[test]
fn out_of_bounds_accesses_stay_inside() {
    let Some(mut gpu) = gpu() else { return };
    let x = bytes_of(0..16);
    let tables = [
        // Storage: far beyond, and a negative index.
        format!(
            "{}{MAIN}{{ y[id.x * 100000u + 4294900000u] = x[id.x + 4294967000u]; y[i32(id.x) - 100] = 5u; }}",
            head("u32")
        ),
        // Workgroup memory.
        format!(
            "{}var<workgroup> w: array<u32, 8>;\n{MAIN}{{ w[id.x * 1000003u] = 1u; workgroupBarrier(); y[id.x & 15u] = w[id.x + 70000u]; }}",
            head("u32")
        ),
        // Private and local memory.
        format!(
            "{}var<private> p: array<u32, 8>;\n{MAIN}{{ var l: array<u32, 4>; l[id.x * 77777u] = 3u; p[id.x * 99999u] = 2u; \
             y[id.x & 15u] = l[id.x + 4000000000u] + p[id.x + 123456u]; }}",
            head("u32")
        ),
        // Division by zero, the least integer by -1, shifts too wide.
        format!(
            "{}{MAIN}{{ let z = i32(x[0]); y[id.x & 15u] = u32((-2147483648 + z) / (z - 1)) + x[1] / x[0] + (x[3] << (x[15] * 9u)); }}",
            head("u32")
        ),
    ];
    for text in tables {
        let job = small(&text, E0, &x, 64, 4);
        assert_eq!(job.words(&mut gpu).len(), 16, "{text}");
    }
    // The device still works, and nothing was written beside the buffer.
    let copy = format!("{}{MAIN}{{ y[id.x] = x[id.x]; }}", head("u32"));
    assert_eq!(
        small(&copy, E0, &x, 64, 1).words(&mut gpu),
        (0..16).collect::<Vec<u32>>()
    );
}

#[test]
fn endless_loops_are_refused_and_the_device_lives() {
    let Some(mut gpu) = gpu() else { return };
    let endless = [
        format!(
            "{}{MAIN}{{ loop {{ y[0] += 1u; if y[0] == 4294967295u {{ break; }} }} y[1] = 7u; }}",
            head("u32")
        ),
        format!(
            "{}fn f() -> u32 {{ var k = 0u; loop {{ k ^= x[0]; if k == 99u {{ return k; }} }} return 1u; }}\n{MAIN}{{ y[0] = f(); }}",
            head("u32")
        ),
        format!(
            "{}{MAIN}{{ for (;;) {{ for (;;) {{ y[2] = 1u; if x[0] == 77u {{ return; }} }} }} }}",
            head("u32")
        ),
    ];
    for text in endless {
        let outcome = small(&text, E0, &[0; 16], 64, 1).run(&mut gpu);
        assert!(
            matches!(
                outcome,
                Err(Failed::Device(DeviceError::BudgetExceeded { .. }))
            ),
            "{text}: {outcome:?}"
        );
    }
    let fine = format!("{}{MAIN}{{ y[id.x] = 3u; }}", head("u32"));
    assert_eq!(small(&fine, E0, &[0; 16], 256, 1).words(&mut gpu), [3; 64]);
}

#[test]
fn the_budget_counts_exactly() {
    let Some(mut gpu) = gpu() else { return };
    // 40 iterations outside, 40 * 5 inside, and the check that ends a loop costs one as well.
    let text = format!(
        "{}{MAIN}{{ for (var a = 0u; a < x[0]; a++) {{ for (var b = 0u; b < x[1]; b++) {{ y[id.x] += 1u; }} }} }}",
        head("u32")
    );
    let needs = 40 + 1 + 40 * (5 + 1);
    for (budget, enough) in [(needs, true), (needs - 1, false)] {
        let mut job = small(&text, E0, &bytes_of([40, 5, 0, 0]), 256, 1);
        job.manifest.limits.ops_per_invocation = budget;
        match job.run(&mut gpu) {
            Ok(report) if enough => assert_eq!(words(&report.outputs[0]), [200; 64]),
            Err(Failed::Device(DeviceError::BudgetExceeded { budget: b, .. })) if !enough => {
                assert_eq!(b, budget)
            }
            other => panic!("budget {budget}: {other:?}"),
        }
    }
}

/// Each lane runs far fewer iterations than lavapipe's limit, but a group of lanes together runs more.
#[test]
fn a_loop_that_the_driver_cuts_short_is_found() {
    let Some(mut gpu) = gpu() else { return };
    if gpu.info().limits.silent_loop_limit.is_none() {
        eprintln!("SKIP: {} has no silent loop limit", gpu.info().model);
        return;
    }
    let mut text = head("u32") + MAIN + "{ var s = 0u;";
    for lane in 0..8 {
        text += &format!(
            "if (id.x & 7u) == {lane}u {{ for (var k = 0u; k < x[0]; k++) {{ s = s * 5u + x[1]; }} }}\n"
        );
    }
    text += "y[id.x] = s; }";
    for (iterations, fits) in [(1_000, true), (20_000, false)] {
        let mut job = small(&text, E0, &bytes_of([iterations, 1]), 256, 1);
        job.manifest.limits.ops_per_invocation = 60_000;
        let outcome = job.run(&mut gpu);
        match outcome {
            Ok(report) if fits => {
                let want = (0..iterations).fold(0u32, |s, _| s.wrapping_mul(5).wrapping_add(1));
                assert_eq!(words(&report.outputs[0]), [want; 64]);
            }
            Err(Failed::Device(DeviceError::LoopTruncated { .. })) if !fits => {}
            other => panic!("{iterations}: {other:?}"),
        }
    }
    // One lane group, 50,000 iterations each in step: within the driver's limit, and correct.
    let text = format!(
        "{}{MAIN}{{ var s = 0u; for (var k = 0u; k < x[0]; k++) {{ s += k; }} y[id.x] = s; }}",
        head("u32")
    );
    let mut job = small(&text, E0, &bytes_of([50_000]), 256, 1);
    job.manifest.limits.ops_per_invocation = 1_000_000;
    assert_eq!(
        job.words(&mut gpu),
        [(0..50_000u32).fold(0u32, u32::wrapping_add); 64]
    );
    // Beyond 60,000 the budget on this driver ends, whatever the manifest asks for.
    let mut job = small(&text, E0, &bytes_of([61_000]), 256, 1);
    job.manifest.limits.ops_per_invocation = 1_000_000;
    assert!(matches!(
        job.run(&mut gpu),
        Err(Failed::Device(DeviceError::BudgetExceeded {
            budget: 60_000,
            ..
        }))
    ));
}

#[test]
fn memory_is_zero_at_first_however_often() {
    let Some(mut gpu) = gpu() else { return };
    let secret = format!(
        "{}{MAIN}{{ y[id.x] = 0xdeadbeefu ^ (x[0] & 0u); }}",
        head("u32")
    );
    let reader = format!("{}{MAIN}{{ y[id.x] += x[0]; }}", head("u32"));
    let stale = format!(
        "{}var<workgroup> w: array<u32, 64>;\n{MAIN}{{ y[id.x] = w[id.x & 63u] | x[0]; }}",
        head("u32")
    );
    for _ in 0..5 {
        assert!(
            small(&secret, E0, &[0; 4], 1 << 16, 256)
                .words(&mut gpu)
                .iter()
                .all(|w| *w == 0xdead_beef)
        );
        assert!(
            small(&reader, E0, &[0; 4], 1 << 16, 256)
                .words(&mut gpu)
                .iter()
                .all(|w| *w == 0)
        );
        assert!(
            small(&stale, E0, &[0; 4], 1 << 16, 256)
                .words(&mut gpu)
                .iter()
                .all(|w| *w == 0)
        );
    }
}

const EXP_WGSL: &str = "
fn my_exp(v: f32) -> f32 {
  let t = clamp(v, -80.0, 80.0);
  let m = t * 1.44269504 + 12582912.0;
  let n = m - 12582912.0;
  let r = (t - n * 0.693359375) + n * 0.00021219444;
  let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.16666667 + r * (0.041666668 + r * 0.008333334))));
  return bitcast<f32>(bitcast<i32>(p) + (bitcast<i32>(m) << 23u));
}
";

#[allow(
    clippy::excessive_precision,
    reason = "the same digits as in the kernel"
)]
fn my_exp(v: f32) -> f32 {
    let t = v.clamp(-80.0, 80.0);
    let m = t * std::f32::consts::LOG2_E + 12_582_912.0;
    let n = m - 12_582_912.0;
    let r = (t - n * 0.693_359_375) + n * 0.000_212_194_44;
    let p =
        1.0 + r * (1.0 + r * (0.5 + r * (0.166_666_67 + r * (0.041_666_668 + r * 0.008_333_334))));
    f32::from_bits((p.to_bits() as i32).wrapping_add((m.to_bits() as i32).wrapping_shl(23)) as u32)
}

#[test]
fn an_exponential_of_plus_and_times_is_bit_exact() {
    let Some(mut gpu) = gpu() else { return };
    let mut state = 1u32;
    let inputs: Vec<f32> = (0..1 << 18)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * 150.0 - 75.0
        })
        .collect();
    let text = format!(
        "{}{EXP_WGSL}{MAIN}{{ y[id.x] = my_exp(x[id.x]); }}",
        head("f32")
    );
    let job = small(
        &text,
        E2,
        &bytes_of(inputs.iter().map(|v| v.to_bits())),
        4 << 18,
        1 << 12,
    );
    let got = job.words(&mut gpu);
    let differ = inputs
        .iter()
        .zip(&got)
        .filter(|(v, w)| my_exp(**v).to_bits() != **w)
        .count();
    assert_eq!(differ, 0, "of {}", inputs.len());
    // It is an exponential, too.
    assert!(
        inputs
            .iter()
            .zip(&got)
            .all(|(v, w)| (f32::from_bits(*w) / v.exp() - 1.0).abs() < 1e-5)
    );
}

#[test]
fn progress_and_usage_say_what_ran() {
    let Some(mut gpu) = gpu() else { return };
    let text = format!("{}{MAIN}{{ y[id.x] = x[0]; }}", head("f32"));
    let job = small(&text, U, &[0; 4], 1_024, 4);
    let compiled = ember_provider_node::job::compile(&job.manifest, gpu.info(), &|h| {
        job.bytes.get(h).cloned()
    })
    .unwrap();
    let mut seen = Vec::new();
    let report = gpu.run(&compiled.plan, &mut |p| seen.push(p)).unwrap();
    assert_eq!(
        (report.usage.dispatches, report.usage.invocations),
        (1, 256)
    );
    let last = seen.last().unwrap();
    assert_eq!((last.step, last.steps), (1, 1));
}
