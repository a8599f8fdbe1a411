// From light to bytes: mean of the samples, the two glows on top, darker corners, the film curve by table, and a
// dither of less than one step, so that the sky shows no bands. One invocation packs one pixel, red lowest.

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
const SMALL_WIDTH: u32 = 160;
const SMALL_HEIGHT: u32 = 90;

@group(0) @binding(0) var<storage, read> sums: array<vec4<f32>>;    // 64 samples a pixel
@group(0) @binding(1) var<storage, read> narrow: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> wide: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> tone: array<u32>;          // 4096 half words, see scene.py
@group(0) @binding(4) var<storage, read_write> image: array<u32>;

fn rsqrt(x: f32) -> f32 {
    let h = 0.5 * x;
    let y = bitcast<f32>(0x5f3759dfu - (bitcast<u32>(x) >> 1u));
    let z = y * (1.5 - (h * y) * y);
    return z * (1.5 - (h * z) * z);
}

fn pcg(x: u32) -> u32 {
    let s = x * 747796405u + 2891336453u;
    let w = ((s >> ((s >> 28u) + 4u)) ^ s) * 277803737u;
    return (w >> 22u) ^ w;
}

// `light` 0..16 to a byte; `dither` 0..255.
fn encode(light: f32, dither: u32) -> u32 {
    let x = select(select(light, 16.0, light > 16.0), 0.0, light < 0.0) * 0.0625;
    let at = min(u32(x * rsqrt(x) * 4095.0), 4095u);
    let value = extractBits(tone[at / 2u], (at % 2u) * 16u, 16u);
    return min((value + dither) >> 8u, 255u);
}

// The pixel, but no brighter than its neighbours make likely: that takes away the single sparks of a path tracer.
fn calm(x: i32, y: i32) -> vec3<f32> {
    var around = vec3<f32>(0.0);
    for (var i = 0; i < 9; i++) {
        let nx = clamp(x + i % 3 - 1, 0, i32(WIDTH) - 1);
        let ny = clamp(y + i / 3 - 1, 0, i32(HEIGHT) - 1);
        around = around + sums[u32(ny) * WIDTH + u32(nx)].xyz;
    }
    let own = sums[u32(y) * WIDTH + u32(x)].xyz;
    let most = (around - own) * 0.17 + vec3<f32>(1.0);
    return select(own, most, own > most) * 0.015625;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.y * WIDTH + id.x;
    // The four small pixels around this one, in eighths: their centres lie at 4 n + 1.5.
    let x = i32(id.x) * 2 - 3;
    let y = i32(id.y) * 2 - 3;
    let fx = f32(x & 7) * 0.125;
    let fy = f32(y & 7) * 0.125;
    let x0 = u32(max(x >> 3u, 0));
    let y0 = u32(max(y >> 3u, 0)) * SMALL_WIDTH;
    let x1 = u32(min((x >> 3u) + 1, i32(SMALL_WIDTH) - 1));
    let y1 = u32(min((y >> 3u) + 1, i32(SMALL_HEIGHT) - 1)) * SMALL_WIDTH;
    let a = narrow[y0 + x0].xyz * 0.12 + wide[y0 + x0].xyz * 0.16;
    let b = narrow[y0 + x1].xyz * 0.12 + wide[y0 + x1].xyz * 0.16;
    let c = narrow[y1 + x0].xyz * 0.12 + wide[y1 + x0].xyz * 0.16;
    let d = narrow[y1 + x1].xyz * 0.12 + wide[y1 + x1].xyz * 0.16;
    let top = a + (b - a) * fx;
    let bottom = c + (d - c) * fx;
    let glow = top + (bottom - top) * fy;

    let u = (f32(id.x) - 319.5) * 0.003125;
    let v = (f32(id.y) - 179.5) * 0.003125;
    let corner = 1.0 - 0.28 * (u * u + v * v);
    let light = (calm(i32(id.x), i32(id.y)) + glow) * corner;
    let noise = pcg(at);
    let r = encode(light.x, noise & 255u);
    let g = encode(light.y, (noise >> 8u) & 255u);
    let bl = encode(light.z, (noise >> 16u) & 255u);
    image[at] = r | (g << 8u) | (bl << 16u) | 0xff000000u;
}
