//! `kernels/trace.wgsl`: the light of every pixel.

use super::math::{
    BLACK, V, WHITE, circle, dot3, draw, larger, noise, pcg, recip, root, rsqrt, sum3, unit,
};
use super::scene::{FAR, Hit, Kind, Scene, Sphere, lamp_light};
use super::{HEIGHT, WIDTH};
use std::thread;

/// Of each pixel: 32 iterations of the job's `repeat` with two each.
const SAMPLES: u32 = 64;
const BOUNCES: u32 = 6;

/// The sums of all samples of each pixel.
pub fn trace(scene: &Scene) -> Vec<V> {
    let threads = thread::available_parallelism()
        .map_or(1, |n| n.get())
        .min(HEIGHT);
    let mut sums = vec![BLACK; WIDTH * HEIGHT];
    thread::scope(|scope| {
        for (part, pixels) in sums
            .chunks_mut((WIDTH * HEIGHT).div_ceil(threads))
            .enumerate()
        {
            let first = part * (WIDTH * HEIGHT).div_ceil(threads);
            scope.spawn(move || {
                for (i, sum) in pixels.iter_mut().enumerate() {
                    for index in 0..SAMPLES {
                        *sum = *sum + sample(scene, (first + i) as u32, index);
                    }
                }
            });
        }
    });
    sums
}

/// The light along the ray of one sample of the pixel `at`.
fn sample(scene: &Scene, at: u32, index: u32) -> V {
    let pixel = pcg(at);
    let (x, y) = (at % WIDTH as u32, at / WIDTH as u32);
    let px = (x as f32 + draw(pixel, 0, index, 3_242_174_889)) * 0.003125 - 1.0;
    let py = 1.0 - (y as f32 + draw(pixel, 1, index, 2_447_445_414)) * 0.0055555557;
    let turn = circle(draw(pixel, 2, index, 1_779_033_704));
    let lr = root(draw(pixel, 3, index, 3_144_134_277)) * scene.lens;
    let (right, up) = (scene.right, scene.up);
    let lens = right * ((turn.0 * lr) * rsqrt(dot3(right, right)))
        + up * ((turn.1 * lr) * rsqrt(dot3(up, up)));
    let mut o = scene.eye + lens;
    let mut d = unit((scene.ahead + right * px + up * py) - o);

    let mut light = BLACK;
    let mut through = WHITE;
    let mut seen = 1.0;
    for bounce in 0..BOUNCES {
        let key = pcg(pixel.wrapping_add(bounce + 1));
        let turns = index * (2 * bounce + 1);
        let grain = |p: V, scale: f32| {
            0.65 * noise(p * scale) + 0.35 * noise(p * (scale * 2.7) + V(17.0, 5.0, 29.0))
        };
        let (p, mut n, ball) = match scene.nearest(o, d) {
            Hit::Sky => {
                light = light + through * scene.sky(d, seen);
                break;
            }
            Hit::Ground(t) => {
                let p = o + d * t;
                let grain = grain(p, 1.1);
                let f = (t * 0.02) * (t * 0.02);
                let haze = f * recip(1.0 + f);
                light = light + through * scene.haze_light(d) * haze;
                through = through * (1.0 - haze);
                let ground = Sphere {
                    centre: BLACK,
                    radius: 1.0,
                    colour: V(0.075, 0.08, 0.095) * (0.6 + 0.8 * grain),
                    kind: Kind::Matte,
                    glow: BLACK,
                    fuzz: 0.01 + 0.10 * (grain * grain),
                    coat: 0.06,
                };
                (p, V(0.0, 1.0, 0.0), ground)
            }
            Hit::Sphere(t, ball) => {
                let p = o + d * t;
                (p, (p - ball.centre) * recip(ball.radius), ball)
            }
        };
        let mut c = 0.0 - dot3(d, n);
        if ball.kind == Kind::Ember {
            let grain = grain(p, 1.7 * recip(ball.radius));
            let crack = larger(1.0 - 7.0 * (grain - 0.5).abs(), 0.0);
            let heat = (0.14 + 0.20 * larger(c, 0.0)) + 0.66 * (crack * crack);
            light = light
                + through * ball.glow * V(heat, heat * heat, (heat * heat) * heat) * (0.75 * seen);
            break;
        }
        let inside = c < 0.0;
        if inside {
            n = n * -1.0;
            c = 0.0 - c;
        }
        let m = larger(1.0 - c, 0.0);
        let schlick = ((m * m) * (m * m)) * m;

        let z = 1.0 - 2.0 * draw(key, 0, turns, 2_654_435_769);
        let around = circle(draw(key, 1, turns, 1_013_904_242));
        let ring = root(larger(1.0 - z * z, 0.0));
        let any = V(around.0 * ring, around.1 * ring, z);

        let mirror = unit((d + n * (2.0 * c)) + any * ball.fuzz);
        let eta = if inside { 1.5 } else { 0.6666667 };
        let k = 1.0 - (eta * eta) * (1.0 - c * c);
        let reflectance = if k < 0.0 {
            1.0
        } else {
            ball.coat + (1.0 - ball.coat) * schlick
        };
        let glass = ball.kind == Kind::Glass;
        let faint = reflectance < 1.0 && (bounce == 0 || (!glass && seen == 1.0));
        let odds = match (faint, glass) {
            (false, _) => reflectance,
            (true, false) => 0.5,
            (true, true) => 0.25,
        };
        let mirrored = draw(key, 2, turns, 2_027_808_484) < odds;

        if ball.kind == Kind::Metal {
            through = through * (ball.colour + (WHITE - ball.colour) * schlick);
            d = mirror;
            o = p + n * 1.0e-3;
        } else if mirrored {
            through = through
                * if faint {
                    if glass {
                        4.0 * reflectance
                    } else {
                        2.0 * reflectance
                    }
                } else {
                    1.0
                };
            d = mirror;
            o = p + n * 1.0e-3;
        } else if glass {
            through = through
                * ball.colour
                * if faint {
                    1.3333334 * (1.0 - reflectance)
                } else {
                    1.0
                };
            d = unit(d * eta + n * (eta * c - root(larger(k, 0.0))));
            o = p - n * 1.0e-3;
        } else {
            through = through
                * ball.colour
                * if faint {
                    2.0 * (1.0 - reflectance)
                } else {
                    1.0
                };
            o = p + n * 1.0e-3;
            light =
                light + through * direct(scene, o, n, any, |dim, step| draw(key, dim, turns, step));
            d = unit(n + any * 0.999);
            seen = 0.0;
        }
    }
    light
}

/// All the lights at once as they shine unhindered, times what a ray to one of them, drawn by its share, lets through.
fn direct(scene: &Scene, o: V, n: V, any: V, draw: impl Fn(u32, u32) -> f32) -> V {
    let sun = scene.sun;
    let first = scene.sunlight * larger(dot3(n, sun), 0.0);
    let total = scene
        .lamps()
        .iter()
        .fold(first, |total, lamp| total + lamp_light(lamp, o, n));
    let at = draw(3, 3_598_474_721) * sum3(total);
    let turn = circle(draw(4, 3_904_405_357));
    let wide = root(draw(5, 915_541_963)) * scene.sun_radius;
    let tangent = unit(V(sun.2, 0.0, 0.0 - sun.0));
    let across = V(
        sun.1 * tangent.2 - sun.2 * tangent.1,
        sun.2 * tangent.0 - sun.0 * tangent.2,
        sun.0 * tangent.1 - sun.1 * tangent.0,
    );
    let mut to = sun + tangent * (turn.0 * wide) + across * (turn.1 * wide);
    let mut lamp_chosen = false;
    let mut below = sum3(first);
    for lamp in scene.lamps() {
        let above = below + sum3(lamp_light(lamp, o, n));
        if at >= below && at < above {
            to = (lamp.centre + any * (lamp.radius * 0.9)) - o;
            lamp_chosen = true;
        }
        below = above;
    }
    let length2 = dot3(to, to);
    let inv = rsqrt(length2);
    let far = if lamp_chosen { length2 * inv } else { FAR };
    total * scene.visible(o, to * inv, far)
}
