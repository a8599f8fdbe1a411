//! The kernel pipeline without a device: what is refused and with which words, what the canonical form holds.
#![allow(clippy::unwrap_used, reason = "tests")]

mod compute_common;

use compute_common::head;
use ember_provider_node::compute::FloatControls;
use ember_provider_node::kernel::canon::is_float_arithmetic;
use ember_provider_node::kernel::{Exactness, Kernel, KernelError, Language, Source, canon};
use rspirv::spirv::{Capability, ExecutionMode, Op};
use std::io::Write;
use std::process::{Command, Stdio};

fn wgsl(text: &str, class: Exactness) -> Result<Kernel, KernelError> {
    Kernel::compile(
        Source {
            language: Language::Wgsl,
            bytes: text.as_bytes(),
            entry: "main",
        },
        class,
    )
}

fn body(of: &str, statements: &str) -> String {
    format!(
        "{}@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{\n\
         let i = id.x;\n{statements}\n}}\n",
        head(of)
    )
}

const FLOATS: &str = "var s = x[i]; for (var k = 0u; k < 9u; k++) { s = s * 0.5 + x[i + k] - 1.0; }\n\
                      let v = vec4<f32>(s, s, 1.0, 2.0) * s; y[i] = -(v.x + v.y);";

const BOTH: FloatControls = FloatControls {
    rte32: true,
    preserve32: true,
};

/// Runs spirv-val where it is installed.
fn spirv_val(words: &[u32]) {
    let child = Command::new("spirv-val")
        .args(["--target-env", "vulkan1.3", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIP: no spirv-val (package spirv-tools)");
        return;
    };
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let out = child.wait_with_output().unwrap();
    let text =
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{text}");
}

#[test]
fn every_float_operation_is_decorated_and_nothing_else_is_left_of_the_source() {
    let kernel = wgsl(&body("f32", FLOATS), Exactness::E2).unwrap();
    let module = canon::load(&kernel.canonical).unwrap();
    let decorated = canon::decorated(&module);
    let floats: Vec<u32> = module
        .all_inst_iter()
        .filter(|i| is_float_arithmetic(i.class.opcode))
        .map(|i| i.result_id.unwrap())
        .collect();
    assert!(floats.len() >= 6, "{floats:?}");
    assert!(floats.iter().all(|id| decorated.contains(id)));
    assert_eq!(floats.len(), decorated.len());
    assert!(module.debug_names.is_empty() && module.debug_string_source.is_empty());
    assert!(
        module
            .all_inst_iter()
            .all(|i| !matches!(i.class.opcode, Op::Line | Op::NoLine))
    );
    spirv_val(&kernel.canonical);
}

#[test]
fn comments_and_names_do_not_change_the_hash_and_code_does() {
    let text = body("f32", FLOATS);
    let first = wgsl(&text, Exactness::E2).unwrap();
    let renamed = text
        .replace("let v", "// a comment\nlet other")
        .replace("v.x", "other.x")
        .replace("v.y", "other.y");
    assert_ne!(text, renamed);
    assert_eq!(first.hash, wgsl(&renamed, Exactness::U).unwrap().hash);
    assert_ne!(
        first.hash,
        wgsl(&text.replace("9u", "8u"), Exactness::E2).unwrap().hash
    );
}

#[test]
fn execution_modes_come_only_where_the_device_has_them() {
    let kernel = wgsl(&body("f32", FLOATS), Exactness::E2).unwrap();
    assert_eq!(
        kernel.for_device(FloatControls::default(), false).unwrap(),
        kernel.canonical
    );
    for canary in [false, true] {
        let words = kernel.for_device(BOTH, canary).unwrap();
        let module = canon::load(&words).unwrap();
        let has = |mode| {
            module.execution_modes.iter().any(|i| {
                i.operands
                    .contains(&rspirv::dr::Operand::ExecutionMode(mode))
            })
        };
        assert!(
            has(ExecutionMode::RoundingModeRTE) && has(ExecutionMode::SignedZeroInfNanPreserve)
        );
        let capability = rspirv::dr::Operand::Capability(Capability::RoundingModeRTE);
        assert!(
            module
                .capabilities
                .iter()
                .any(|i| i.operands.contains(&capability))
        );
        spirv_val(&words);
    }
    // Without floats there is nothing to say.
    let integers = wgsl(&body("u32", "y[i] = x[i];"), Exactness::E0).unwrap();
    assert_eq!(
        integers.for_device(BOTH, false).unwrap(),
        integers.canonical
    );
}

#[test]
fn hostile_shapes_pass_the_validator_after_instrumentation() {
    let value_loop = format!(
        "{}fn f(n: u32) -> u32 {{ var k = n; loop {{ k += 1u; if k > 1000u {{ return k; }} }} return 0u; }}\n\
         @compute @workgroup_size(1) fn main() {{ y[0] = f(x[0]); }}",
        head("u32")
    );
    let nested = body(
        "u32",
        "var s = 0u; for (var a = 0u; a < x[0]; a++) { loop { s += 1u; if s == 7u { continue; } switch s { case 3u: { break; } \
         case 4u: { return; } default: { } } continuing { s += 1u; break if s > 9u; } } } y[i] = s;",
    );
    let barrier = format!(
        "{}var<workgroup> w: array<u32, 64>;\n@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {{\n\
         for (var k = 0u; k < 6u; k++) {{ w[i] = x[k]; workgroupBarrier(); y[i] += w[63u - i]; workgroupBarrier(); }} }}",
        head("u32")
    );
    for text in [value_loop, nested, barrier] {
        let kernel = wgsl(&text, Exactness::E0).unwrap();
        assert!(kernel.has_loops);
        spirv_val(&kernel.canonical);
        spirv_val(&kernel.for_device(BOTH, true).unwrap());
    }
}

#[test]
fn a_source_that_does_not_parse_names_its_line() {
    let error = wgsl(&body("f32", "y[i] = x[i] +;"), Exactness::U).unwrap_err();
    assert!(error.to_string().starts_with("line 5, column"), "{error}");
    // Valid grammar, wrong types.
    let error = wgsl(&body("f32", "y[i] = 1u;"), Exactness::U).unwrap_err();
    assert!(
        matches!(error, KernelError::Source { line: 5, .. }),
        "{error}"
    );
    let glsl = Source {
        language: Language::Glsl,
        bytes: b"#version 450\nvoid main() { int = 1; }",
        entry: "main",
    };
    let error = Kernel::compile(glsl, Exactness::U).unwrap_err();
    assert!(
        matches!(error, KernelError::Source { line: 2, .. }),
        "{error}"
    );
    let noise = Source {
        language: Language::Spirv,
        bytes: b"not spir-v at all",
        entry: "main",
    };
    assert!(matches!(
        Kernel::compile(noise, Exactness::U),
        Err(KernelError::Source { .. })
    ));
    let noise = Source {
        language: Language::Wgsl,
        bytes: b"\xff\xfe",
        entry: "main",
    };
    assert!(matches!(
        Kernel::compile(noise, Exactness::U),
        Err(KernelError::Source { .. })
    ));
    let error = wgsl("fn other() {}", Exactness::U).unwrap_err();
    assert_eq!(
        error,
        KernelError::NoEntry {
            wanted: "main".into(),
            have: vec![]
        }
    );
    let long = " ".repeat(300_000);
    assert!(matches!(
        wgsl(&long, Exactness::U),
        Err(KernelError::SourceTooLong { .. })
    ));
}

#[test]
fn exactness_is_an_allow_list() {
    use Exactness::{E0, E1, E2};
    let refused = [
        (E0, "f32", "y[i] = x[i];", "float"),
        (E2, "f32", "y[i] = x[i] / 3.0;", "float division"),
        (E2, "f32", "y[i] = x[i] % 3.0;", "remainder"),
        (E2, "f32", "y[i] = sqrt(x[i]);", "sqrt()"),
        (E2, "f32", "y[i] = exp(x[i]);", "exp()"),
        (E2, "f32", "y[i] = sin(x[i]);", "sin()"),
        (E2, "f32", "y[i] = fma(x[i], x[i], 1.0);", "fma()"),
        (E1, "f32", "y[i] = fma(x[i], x[i], 1.0);", "fma()"),
        (E2, "f32", "y[i] = mix(x[i], 1.0, 0.3);", "mix"),
        (E2, "f32", "y[i] = length(vec2(x[i], 1.0));", "length()"),
        (
            E2,
            "f32",
            "y[i] = dot(vec2(x[i], 1.0), vec2(2.0, x[i]));",
            "dot()",
        ),
        (
            E2,
            "f32",
            "y[i] = (mat2x2(x[i], 1., 2., 3.) * vec2(x[i], 1.)).x;",
            "matrix",
        ),
        (
            E2,
            "u32",
            "y[i] = pack2x16float(vec2(bitcast<f32>(x[i]), 1.0));",
            "pack",
        ),
    ];
    for (class, of, statement, what) in refused {
        let error = wgsl(&body(of, statement), class).expect_err(statement);
        assert!(
            matches!(error, KernelError::Inexact { .. }),
            "{statement}: {error}"
        );
        assert!(error.to_string().contains(what), "{statement}: {error}");
        assert!(
            class == E0 || error.to_string().starts_with("line 5: "),
            "{statement}: {error}"
        );
        wgsl(&body(of, statement), Exactness::U).unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
    let accepted = [
        (E0, "u32", "y[i] = x[i] / 3u + x[i] % (x[i] & 7u);"),
        (
            E0,
            "i32",
            "y[i] = dot(vec4(x[i]), vec4(1, 2, 3, 4)) + abs(x[i]) + clamp(x[i], -3, 9);",
        ),
        (E0, "u32", "y[i] = u32(dot4I8Packed(x[i], 7u));"),
        (
            E2,
            "f32",
            "y[i] = clamp(floor(x[i]) * 2.0 - x[i], -1.0, 1.0) + abs(x[i]) + f32(i32(x[i]));",
        ),
        (
            E2,
            "f32",
            "y[i] = bitcast<f32>(bitcast<u32>(x[i]) + 8388608u);",
        ),
        (
            E1,
            "u32",
            "let h = unpack2x16float(x[i]); y[i] = bitcast<u32>(fma(h.x, h.y, 1.5));",
        ),
    ];
    for (class, of, statement) in accepted {
        wgsl(&body(of, statement), class).unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

#[test]
fn order_dependent_atomics_are_inexact() {
    let atomics = |statement: &str| {
        format!(
            "@group(0) @binding(0) var<storage, read_write> a: atomic<u32>;\n\
             @group(0) @binding(1) var<storage, read_write> y: array<u32>;\n\
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{ {statement} }}"
        )
    };
    wgsl(
        &atomics("atomicAdd(&a, id.x); y[id.x] = 1u;"),
        Exactness::E0,
    )
    .unwrap();
    for statement in [
        "y[id.x] = atomicAdd(&a, 1u);",
        "y[id.x] = atomicExchange(&a, 1u);",
    ] {
        assert!(
            matches!(
                wgsl(&atomics(statement), Exactness::E0),
                Err(KernelError::Inexact { .. })
            ),
            "{statement}"
        );
        wgsl(&atomics(statement), Exactness::U).unwrap();
    }
}

#[test]
fn what_no_kernel_may_have() {
    let main = "@compute @workgroup_size(64) fn main() {}";
    let refused = [
        ("enable f16;\n@compute @workgroup_size(1) fn main() { var h = 1h; h += 1h; }".into(), "f16"),
        ("@compute @workgroup_size(512) fn main() {}".into(), "invocations of a workgroup"),
        (format!("var<workgroup> w: array<u32, 5000>;\n{}", "@compute @workgroup_size(1) fn main() { w[0] = 1u; }"), "workgroup memory"),
        (
            "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) { var a: array<u32, 20000>; a[id.x] = 1u; }"
                .into(),
            "private and local memory",
        ),
        ("@group(1) @binding(0) var<storage> x: array<u32>;\n@compute @workgroup_size(1) fn main() { _ = x[0]; }".into(), "group 1"),
        ("@group(0) @binding(63) var<storage> x: array<u32>;\n@compute @workgroup_size(1) fn main() { _ = x[0]; }".into(), "binding 63"),
        ("@group(0) @binding(0) var t: texture_2d<f32>;\n@compute @workgroup_size(1) fn main() { _ = textureLoad(t, vec2(0), 0); }".into(), "t in address space"),
        (format!("override n: u32 = 3;\n{main}"), "override"),
        (
            format!("{}@compute @workgroup_size(64) fn main() {{ y[0] = subgroupAdd(1u); }}", head("u32")),
            "subgroup",
        ),
    ];
    for (text, what) in refused {
        let error = wgsl(&text, Exactness::U).expect_err(&text).to_string();
        assert!(error.to_lowercase().contains(what), "{what}: {error}");
    }
}

#[test]
fn calls_that_double_forty_times_are_refused_before_the_driver_sees_them() {
    let mut text = head("u32") + "fn f0() { y[0] += 1u; }\n";
    for n in 1..40 {
        text += &format!("fn f{n}() {{ f{0}(); f{0}(); }}\n", n - 1);
    }
    text += "@compute @workgroup_size(1) fn main() { f39(); }";
    let error = wgsl(&text, Exactness::E0).unwrap_err();
    assert!(
        matches!(
            error,
            KernelError::TooLarge {
                what: "length with every call expanded",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn glsl_and_spirv_go_the_same_way() {
    let glsl = "#version 450\nlayout(local_size_x = 64) in;\n\
                layout(set = 0, binding = 0) readonly buffer X { float x[]; };\n\
                layout(set = 0, binding = 1) buffer Y { float y[]; };\n\
                void main() { uint i = gl_GlobalInvocationID.x; y[i] = x[i] * 2.0 + 1.0; }";
    let source = Source {
        language: Language::Glsl,
        bytes: glsl.as_bytes(),
        entry: "main",
    };
    let kernel = Kernel::compile(source, Exactness::E2).unwrap();
    assert_eq!(
        kernel
            .bindings
            .iter()
            .map(|b| (b.binding, b.writable))
            .collect::<Vec<_>>(),
        [(0, false), (1, true)]
    );
    spirv_val(&kernel.canonical);

    let module = naga::front::wgsl::parse_str(&body("f32", "y[i] = x[i] * 2.0 + 1.0;")).unwrap();
    let info = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::empty(),
    )
    .validate(&module)
    .unwrap();
    let words =
        naga::back::spv::write_vec(&module, &info, &naga::back::spv::Options::default(), None)
            .unwrap();
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let source = Source {
        language: Language::Spirv,
        bytes: &bytes,
        entry: "main",
    };
    let kernel = Kernel::compile(source, Exactness::E2).unwrap();
    assert_eq!(
        canon::decorated(&canon::load(&kernel.canonical).unwrap()).len(),
        2
    );
    spirv_val(&kernel.canonical);
}

proptest::proptest! {
    /// Sources with pieces cut out, doubled and swapped are compiled or refused; what compiles is well formed.
    #[test]
    fn mangled_sources_never_bring_the_compiler_down(cuts in proptest::collection::vec((0usize..400, 0usize..30, 0usize..400), 1..6)) {
        let mut text = body("f32", FLOATS).into_bytes();
        for (from, length, to) in cuts {
            let from = from % text.len();
            let piece: Vec<u8> = text[from..(from + length).min(text.len())].to_vec();
            let to = to % text.len();
            text.splice(to..to, piece);
            let end = (from + length / 2).min(text.len());
            text.drain(from..end);
        }
        let source = Source { language: Language::Wgsl, bytes: &text, entry: "main" };
        if let Ok(kernel) = Kernel::compile(source, Exactness::U) {
            canon::load(&kernel.for_device(BOTH, true).unwrap()).unwrap();
        }
    }
}
