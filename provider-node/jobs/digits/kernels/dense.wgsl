// Third layer: 512 inputs -> 10 logits an image. One invocation is one logit.

const INPUT_WORDS: u32 = 128; // 512 bytes
const IMAGES: u32 = 360;
const CLASSES: u32 = 10;

@group(0) @binding(0) var<storage, read> inputs: array<u32>;   // [image][512] bytes 0..127
@group(0) @binding(1) var<storage, read> weights: array<u32>;  // [class][512] int8
@group(0) @binding(2) var<storage, read> bias: array<i32>;     // [class]
@group(0) @binding(3) var<storage, read_write> logits: array<i32>; // [image][class]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= IMAGES * CLASSES {
        return;
    }
    let image = id.x / CLASSES;
    let class_ = id.x % CLASSES;
    var sum = bias[class_];
    for (var i = 0u; i < INPUT_WORDS; i++) {
        sum += dot4I8Packed(inputs[image * INPUT_WORDS + i], weights[class_ * INPUT_WORDS + i]);
    }
    logits[id.x] = sum;
}
