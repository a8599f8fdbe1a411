// Path tracer: adds SAMPLES samples of every pixel to `sums`. The job repeats it; `pass_index` counts the repeats.
//
// Exactness E2: an f32 meets only + - *, comparisons, conversions and bit operations. Square roots and reciprocals are
// Newton steps from an integer guess, sine is a polynomial, random numbers are integers. `twin/` has the same
// functions under the same names; the order of every sum matters.

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
const PIXEL_X: f32 = 0.003125;      // 2 / WIDTH
const PIXEL_Y: f32 = 0.0055555557;  // 2 / HEIGHT
const SAMPLES: u32 = 2;
const BOUNCES: u32 = 6;
const SPHERES: u32 = 24;
const SOLIDS: u32 = 12;     // they come first, and they alone throw shadows; then sparks, too small to matter
const LAMPS: u32 = 18;      // the first ember that lights others
const FAR: f32 = 1.0e9;
const SKY: i32 = -2;        // what a ray may hit instead of a sphere
const GROUND: i32 = -1;

struct Sphere {
    place: vec4<f32>,       // centre, radius
    colour: vec4<f32>,      // colour, kind: 0 matte, 1 metal, 2 glass, 3 ember
    glow: vec4<f32>,        // emission, fuzz
    coat: vec4<f32>,        // reflectance at right angles
}

struct Scene {
    eye: vec4<f32>,         // camera, lens radius
    right: vec4<f32>,       // half the picture at the focus plane
    up: vec4<f32>,
    ahead: vec4<f32>,       // centre of the focus plane
    sun: vec4<f32>,         // direction, apparent radius
    sunlight: vec4<f32>,
    spheres: array<Sphere, SPHERES>,
}

@group(0) @binding(0) var<uniform> scene: Scene;
@group(0) @binding(1) var<storage, read> pass_index: u32;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4<f32>>;

// ---- arithmetic -----------------------------------------------------------------------------------------------

fn dot3(a: vec3<f32>, b: vec3<f32>) -> f32 {
    return (a.x * b.x + a.y * b.y) + a.z * b.z;
}

fn larger(a: f32, b: f32) -> f32 {
    return select(b, a, a > b);
}

// 1/sqrt(x) for x >= 0, relative error below 5e-6; large but finite for zero.
fn rsqrt(x: f32) -> f32 {
    let h = 0.5 * x;
    let y = bitcast<f32>(0x5f3759dfu - (bitcast<u32>(x) >> 1u));
    let z = y * (1.5 - (h * y) * y);
    return z * (1.5 - (h * z) * z);
}

fn root(x: f32) -> f32 {
    return x * rsqrt(x);
}

fn recip(x: f32) -> f32 {
    var y = bitcast<f32>(0x7ef311c7u - bitcast<u32>(x));
    y = y * (2.0 - x * y);
    y = y * (2.0 - x * y);
    return y * (2.0 - x * y);
}

fn unit(v: vec3<f32>) -> vec3<f32> {
    return v * rsqrt(dot3(v, v));
}

fn sine(x: f32) -> f32 {
    let s = x * x;
    return x * (1.5707964 + s * (-0.6459637 + s * (0.0796893 + s * (-0.0046738 + s * 0.0001515))));
}

fn fold(x: f32) -> f32 {
    return select(select(x, -2.0 - x, x < -1.0), 2.0 - x, x > 1.0);
}

fn circle(turn: f32) -> vec2<f32> {
    let a = 4.0 * turn - 2.0;
    let b = a + 1.0;
    return vec2<f32>(sine(fold(select(b, b - 4.0, b > 2.0))), sine(fold(a)));
}

fn pcg(x: u32) -> u32 {
    let s = x * 747796405u + 2891336453u;
    let w = ((s >> ((s >> 28u) + 4u)) ^ s) * 277803737u;
    return (w >> 22u) ^ w;
}

fn fraction(x: u32) -> f32 {
    return f32(x >> 8u) * 5.9604644775390625e-8;
}

fn ease(t: f32) -> f32 {
    return (t * t) * (3.0 - 2.0 * t);
}

fn blend(a: f32, b: f32, t: f32) -> f32 {
    return a + (b - a) * t;
}

fn corner(x: u32, y: u32, z: u32) -> f32 {
    return fraction(pcg((x * 73856093u) ^ (y * 19349663u) ^ (z * 83492791u)));
}

fn noise(p: vec3<f32>) -> f32 {
    let f = floor(p);
    let c = bitcast<vec3<u32>>(vec3<i32>(f));
    let e = vec3<f32>(ease(p.x - f.x), ease(p.y - f.y), ease(p.z - f.z));
    let near = blend(blend(corner(c.x, c.y, c.z), corner(c.x + 1u, c.y, c.z), e.x), blend(corner(c.x, c.y + 1u, c.z), corner(c.x + 1u, c.y + 1u, c.z), e.x), e.y);
    let far = blend(blend(corner(c.x, c.y, c.z + 1u), corner(c.x + 1u, c.y, c.z + 1u), e.x), blend(corner(c.x, c.y + 1u, c.z + 1u), corner(c.x + 1u, c.y + 1u, c.z + 1u), e.x), e.y);
    return blend(near, far, e.z);
}

// ---- scene ----------------------------------------------------------------------------------------------------

// How near to the sun a direction points: its cosine to the 8th power.
fn toward_sun(d: vec3<f32>) -> f32 {
    let near = larger(dot3(d, scene.sun.xyz), 0.0);
    let n2 = near * near;
    return (n2 * n2) * (n2 * n2);
}

// What the far ground fades into: the mist at the feet of the hills.
fn haze_light(d: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(0.035, 0.022, 0.045) + vec3<f32>(0.36, 0.13, 0.05) * toward_sun(d);
}

// Light from far away. `disc` 1 shows the sun, 0 hides it; `far` and `close` are the heights of two ridges of hills.
fn sky(d: vec3<f32>, disc: f32, far: f32, close: f32) -> vec3<f32> {
    let low = 1.0 - larger(d.y, 0.0);
    let low2 = low * low;
    let low4 = low2 * low2;
    let low16 = (low4 * low4) * (low4 * low4);
    let low64 = (low16 * low16) * (low16 * low16);
    let n8 = toward_sun(d);
    let n32 = (n8 * n8) * (n8 * n8);
    let n128 = (n32 * n32) * (n32 * n32);
    var c = vec3<f32>(0.010, 0.024, 0.085) + vec3<f32>(0.03, 0.05, 0.16) * low4 + vec3<f32>(0.22, 0.07, 0.08) * low16 + vec3<f32>(0.75, 0.26, 0.03) * low64;
    c = c + vec3<f32>(0.10, 0.045, 0.02) * n8 + vec3<f32>(0.60, 0.24, 0.05) * n128;
    c = c + vec3<f32>(20.0, 11.0, 4.0) * select(0.0, disc, dot3(d, scene.sun.xyz) > 0.9994);
    let mist = low64 * low16;
    c = select(c, vec3<f32>(0.10, 0.055, 0.09) + vec3<f32>(0.42, 0.16, 0.06) * (mist * n8), d.y < far);
    return select(c, vec3<f32>(0.035, 0.022, 0.045) + vec3<f32>(0.36, 0.13, 0.05) * ((mist * mist) * n8), d.y < close);
}

struct Hit {
    t: f32,
    id: i32,
}

fn nearest(o: vec3<f32>, d: vec3<f32>) -> Hit {
    var best = Hit(FAR, SKY);
    let ground = o.y * recip(select(1.0, 0.0 - d.y, d.y < -1.0e-4));
    if d.y < -1.0e-4 && ground > 1.0e-3 {
        best = Hit(ground, GROUND);
    }
    for (var i = 0u; i < SPHERES; i++) {
        let place = scene.spheres[i].place;
        let oc = o - place.xyz;
        let b = dot3(oc, d);
        let disc = b * b - (dot3(oc, oc) - place.w * place.w);
        let r = root(larger(disc, 0.0));
        let t0 = (0.0 - b) - r;
        let t = select(r - b, t0, t0 > 1.0e-3);
        if disc > 0.0 && t > 1.0e-3 && t < best.t {
            best = Hit(t, i32(i));
        }
    }
    return best;
}

fn visible(o: vec3<f32>, d: vec3<f32>, far: f32) -> f32 {
    var light = 1.0;
    for (var i = 0u; i < SOLIDS; i++) {
        let place = scene.spheres[i].place;
        let oc = o - place.xyz;
        let b = dot3(oc, d);
        let r2 = place.w * place.w;
        let disc = b * b - (dot3(oc, oc) - r2);
        // Glass gathers light behind its middle: a cheap stand-in for a caustic.
        let q = disc * recip(r2);
        let through = select(0.0, 0.15 + 1.3 * ((q * q) * q), scene.spheres[i].colour.w == 2.0);
        if disc > 0.0 && b < 0.0 && 0.0 - b < far {
            light = light * through;
        }
    }
    return light;
}

fn lamp_light(i: u32, o: vec3<f32>, n: vec3<f32>) -> vec3<f32> {
    let lamp = scene.spheres[i];
    let to = lamp.place.xyz - o;
    let inv = rsqrt(dot3(to, to));
    let turned = lamp.place.w * inv;
    return lamp.glow.xyz * ((turned * turned) * (larger(dot3(n, to), 0.0) * inv));
}

fn sum3(v: vec3<f32>) -> f32 {
    return (v.x + v.y) + v.z;
}

fn draw(key: u32, dim: u32, index: u32, step: u32) -> f32 {
    return fraction(pcg(key + dim) + index * step);
}

fn sample(x: u32, y: u32, index: u32) -> vec3<f32> {
    let pixel = pcg(y * WIDTH + x);
    let px = (f32(x) + draw(pixel, 0u, index, 3242174889u)) * PIXEL_X - 1.0;
    let py = 1.0 - (f32(y) + draw(pixel, 1u, index, 2447445414u)) * PIXEL_Y;
    let turn = circle(draw(pixel, 2u, index, 1779033704u));
    let lr = root(draw(pixel, 3u, index, 3144134277u)) * scene.eye.w;
    let right = scene.right.xyz;
    let up = scene.up.xyz;
    let lens = right * ((turn.x * lr) * rsqrt(dot3(right, right))) + up * ((turn.y * lr) * rsqrt(dot3(up, up)));
    var o = scene.eye.xyz + lens;
    var d = unit((scene.ahead.xyz + right * px + up * py) - o);

    var light = vec3<f32>(0.0);
    var through = vec3<f32>(1.0);
    var seen = 1.0;
    for (var bounce = 0u; bounce < BOUNCES; bounce++) {
        let key = pcg(pixel + bounce + 1u);
        let turns = index * (2u * bounce + 1u);
        let hit = nearest(o, d);
        let p = o + d * hit.t;
        let ground = hit.id == GROUND;
        let ball = scene.spheres[u32(max(hit.id, 0))]; // of no use for the ground
        let r = recip(ball.place.w);
        // Two noises: the grain of what was hit, or the hills where nothing was.
        let scale = select(1.7 * r, 1.1, ground);
        let coarse = noise(select(p * scale, vec3<f32>(d.x * 5.0, 7.5, d.z * 5.0), hit.id == SKY));
        let fine = noise(select(p * (scale * 2.7) + vec3<f32>(17.0, 5.0, 29.0), vec3<f32>(d.x * 9.0 + 3.0, 0.5, d.z * 9.0), hit.id == SKY));
        if hit.id == SKY {
            light = light + through * sky(d, seen, 0.018 + 0.055 * fine, 0.060 * coarse - 0.004);
            break;
        }
        let grain = 0.65 * coarse + 0.35 * fine;
        var n = select((p - ball.place.xyz) * r, vec3<f32>(0.0, 1.0, 0.0), ground);
        var colour = ball.colour.xyz;
        var kind = ball.colour.w;
        var fuzz = ball.glow.w;
        var coat = ball.coat.x;
        if ground {
            colour = vec3<f32>(0.075, 0.08, 0.095) * (0.6 + 0.8 * grain);
            kind = 0.0;
            fuzz = 0.01 + 0.10 * (grain * grain);
            coat = 0.06;
            let f = (hit.t * 0.02) * (hit.t * 0.02);
            let haze = f * recip(1.0 + f);
            light = light + through * haze_light(d) * haze;
            through = through * (1.0 - haze);
        }
        var c = 0.0 - dot3(d, n);
        if kind == 3.0 {
            let crack = larger(1.0 - 7.0 * abs(grain - 0.5), 0.0);
            let heat = (0.14 + 0.20 * larger(c, 0.0)) + 0.66 * (crack * crack);
            light = light + through * ball.glow.xyz * vec3<f32>(heat, heat * heat, (heat * heat) * heat) * (0.75 * seen);
            break;
        }
        let inside = c < 0.0;
        n = select(n, n * -1.0, inside);
        c = select(c, 0.0 - c, inside);
        let m = larger(1.0 - c, 0.0);
        let schlick = ((m * m) * (m * m)) * m;

        let z = 1.0 - 2.0 * draw(key, 0u, turns, 2654435769u);
        let around = circle(draw(key, 1u, turns, 1013904242u)) * root(larger(1.0 - z * z, 0.0));
        let any = vec3<f32>(around, z);

        let mirror = unit((d + n * (2.0 * c)) + any * fuzz);
        let eta = select(0.6666667, 1.5, inside);
        let k = 1.0 - (eta * eta) * (1.0 - c * c);
        let bent = unit(d * eta + n * (eta * c - root(larger(k, 0.0))));
        let reflectance = select(coat + (1.0 - coat) * schlick, 1.0, k < 0.0);
        // What the camera sees, if only through glass or a mirror, gets many samples of its faint mirror image.
        let glass = kind == 2.0;
        let faint = reflectance < 1.0 && (bounce == 0u || (!glass && seen == 1.0));
        let odds = select(reflectance, select(0.5, 0.25, glass), faint);
        let mirrored = draw(key, 2u, turns, 2027808484u) < odds;

        if kind == 1.0 {
            through = through * (colour + (vec3<f32>(1.0) - colour) * schlick);
            d = mirror;
            o = p + n * 1.0e-3;
        } else if mirrored {
            through = through * select(1.0, select(2.0, 4.0, glass) * reflectance, faint);
            d = mirror;
            o = p + n * 1.0e-3;
        } else if glass {
            through = through * colour * select(1.0, 1.3333334 * (1.0 - reflectance), faint);
            d = bent;
            o = p - n * 1.0e-3;
        } else {
            through = through * colour * select(1.0, 2.0 * (1.0 - reflectance), faint);
            o = p + n * 1.0e-3;
            let sun = scene.sun.xyz;
            let first = scene.sunlight.xyz * larger(dot3(n, sun), 0.0);
            var total = first;
            for (var i = LAMPS; i < SPHERES; i++) {
                total = total + lamp_light(i, o, n);
            }
            let at = draw(key, 3u, turns, 3598474721u) * sum3(total);
            let spot = circle(draw(key, 4u, turns, 3904405357u)) * (root(draw(key, 5u, turns, 915541963u)) * scene.sun.w);
            let tangent = unit(vec3<f32>(sun.z, 0.0, 0.0 - sun.x));
            let across = vec3<f32>(sun.y * tangent.z - sun.z * tangent.y, sun.z * tangent.x - sun.x * tangent.z, sun.x * tangent.y - sun.y * tangent.x);
            var to = sun + tangent * spot.x + across * spot.y;
            var lamp = false;
            var below = sum3(first);
            for (var i = LAMPS; i < SPHERES; i++) {
                let above = below + sum3(lamp_light(i, o, n));
                if at >= below && at < above {
                    to = (scene.spheres[i].place.xyz + any * (scene.spheres[i].place.w * 0.9)) - o;
                    lamp = true;
                }
                below = above;
            }
            let length2 = dot3(to, to);
            let inv = rsqrt(length2);
            light = light + through * total * visible(o, to * inv, select(FAR, length2 * inv, lamp));
            d = unit(n + any * 0.999);
            seen = 0.0;
        }
    }
    return light;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.y * WIDTH + id.x;
    var sum = sums[at].xyz;
    for (var i = 0u; i < SAMPLES; i++) {
        sum = sum + sample(id.x, id.y, pass_index * SAMPLES + i);
    }
    sums[at] = vec4<f32>(sum, 0.0);
}
