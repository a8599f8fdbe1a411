// Picks the class with the largest logit (the lower class on a tie) and counts how many are right.
// The counters are integer atomics: their sum does not depend on the order of the invocations.

const IMAGES: u32 = 360;
const CLASSES: u32 = 10;

@group(0) @binding(0) var<storage, read> logits: array<i32>;           // [image][class]
@group(0) @binding(1) var<storage, read> labels: array<u32>;           // [image] the true digit
@group(0) @binding(2) var<storage, read_write> predictions: array<u32>; // [image] the digit we say it is
@group(0) @binding(3) var<storage, read_write> score: array<atomic<u32>, 2>; // images right, images seen

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let image = id.x;
    if image >= IMAGES {
        return;
    }
    var best = 0u;
    for (var c = 1u; c < CLASSES; c++) {
        if logits[image * CLASSES + c] > logits[image * CLASSES + best] {
            best = c;
        }
    }
    predictions[image] = best;
    atomicAdd(&score[0], select(0u, 1u, best == labels[image]));
    atomicAdd(&score[1], 1u);
}
