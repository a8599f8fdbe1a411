// The glow around bright things: the light above white is gathered at a quarter of the resolution and blurred, once
// narrow and once wide. Three entry points: `gather`, then `across` and `down` for each blur.

const WIDTH: u32 = 640;
const SMALL_WIDTH: u32 = 160;
const SMALL_HEIGHT: u32 = 90;

// The right half of a Gaussian, the centre first; the whole sums to one.
struct Blur {
    radius: u32,
    weights: array<f32, 27>,
}

@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> small: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> blur: Blur;

fn over(x: f32) -> f32 {
    let y = x - 1.0;
    return select(select(y, 12.0, y > 12.0), 0.0, y < 0.0);
}

// Mean of the excess light of four by four pixels. `source` holds sums of 64 samples.
@compute @workgroup_size(8, 8)
fn gather(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= SMALL_WIDTH || id.y >= SMALL_HEIGHT {
        return;
    }
    var sum = vec3<f32>(0.0);
    for (var i = 0u; i < 16u; i++) {
        let c = source[(id.y * 4u + i / 4u) * WIDTH + id.x * 4u + i % 4u].xyz * 0.015625;
        sum = sum + vec3<f32>(over(c.x), over(c.y), over(c.z));
    }
    small[id.y * SMALL_WIDTH + id.x] = vec4<f32>(sum * 0.0625, 0.0);
}

@compute @workgroup_size(8, 8)
fn across(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= SMALL_WIDTH || id.y >= SMALL_HEIGHT {
        return;
    }
    let row = id.y * SMALL_WIDTH;
    var sum = source[row + id.x].xyz * blur.weights[0];
    for (var i = 1u; i <= blur.radius; i++) {
        let left = source[row + u32(max(i32(id.x) - i32(i), 0))].xyz;
        let right = source[row + min(id.x + i, SMALL_WIDTH - 1u)].xyz;
        sum = sum + (left + right) * blur.weights[i];
    }
    small[row + id.x] = vec4<f32>(sum, 0.0);
}

@compute @workgroup_size(8, 8)
fn down(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= SMALL_WIDTH || id.y >= SMALL_HEIGHT {
        return;
    }
    var sum = source[id.y * SMALL_WIDTH + id.x].xyz * blur.weights[0];
    for (var i = 1u; i <= blur.radius; i++) {
        let above = source[u32(max(i32(id.y) - i32(i), 0)) * SMALL_WIDTH + id.x].xyz;
        let below = source[min(id.y + i, SMALL_HEIGHT - 1u) * SMALL_WIDTH + id.x].xyz;
        sum = sum + (above + below) * blur.weights[i];
    }
    small[id.y * SMALL_WIDTH + id.x] = vec4<f32>(sum, 0.0);
}
