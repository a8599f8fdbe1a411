//! `kernels/bloom.wgsl` and `kernels/tone.wgsl`: the glow around bright things, and from light to bytes.

use super::math::{BLACK, V, WHITE, pcg, rsqrt};
use super::{HEIGHT, WIDTH};

const SMALL_WIDTH: usize = 160;
const SMALL_HEIGHT: usize = 90;

/// The light above white, at a quarter of the resolution.
pub fn gather(sums: &[V]) -> Vec<V> {
    let over = |x: f32| {
        let y = x - 1.0;
        y.clamp(0.0, 12.0)
    };
    let mean = |at: usize| {
        let (x, y) = (at % SMALL_WIDTH, at / SMALL_WIDTH);
        let sum = (0..16).fold(BLACK, |sum, i| {
            let c = sums[(y * 4 + i / 4) * WIDTH + x * 4 + i % 4] * 0.015625;
            sum + V(over(c.0), over(c.1), over(c.2))
        });
        sum * 0.0625
    };
    (0..SMALL_WIDTH * SMALL_HEIGHT).map(mean).collect()
}

/// `blur` is the radius, then weights.
fn blurred(source: &[V], blur: &[u32], neighbour: impl Fn(usize, isize) -> usize) -> Vec<V> {
    let weight = |i: usize| f32::from_bits(blur[1 + i]);
    let pixel = |at: usize| {
        (1..=blur[0] as usize).fold(source[at] * weight(0), |sum, i| {
            let (before, after) = (
                source[neighbour(at, -(i as isize))],
                source[neighbour(at, i as isize)],
            );
            sum + (before + after) * weight(i)
        })
    };
    (0..source.len()).map(pixel).collect()
}

/// Blurs along rows.
pub fn across(source: &[V], blur: &[u32]) -> Vec<V> {
    blurred(source, blur, |at, step| {
        let x = (at % SMALL_WIDTH)
            .saturating_add_signed(step)
            .min(SMALL_WIDTH - 1);
        at / SMALL_WIDTH * SMALL_WIDTH + x
    })
}

/// Blurs along columns.
pub fn down(source: &[V], blur: &[u32]) -> Vec<V> {
    blurred(source, blur, |at, step| {
        let y = (at / SMALL_WIDTH)
            .saturating_add_signed(step)
            .min(SMALL_HEIGHT - 1);
        y * SMALL_WIDTH + at % SMALL_WIDTH
    })
}

fn calm(sums: &[V], x: usize, y: usize) -> V {
    let around = (0..9).fold(BLACK, |sum, i| {
        let nx = (x + i % 3).saturating_sub(1).min(WIDTH - 1);
        let ny = (y + i / 3).saturating_sub(1).min(HEIGHT - 1);
        sum + sums[ny * WIDTH + nx]
    });
    let own = sums[y * WIDTH + x];
    let most = (around - own) * 0.17 + WHITE;
    let least = |a: f32, b: f32| if a > b { b } else { a };
    V(
        least(own.0, most.0),
        least(own.1, most.1),
        least(own.2, most.2),
    ) * 0.015625
}

/// The RGBA bytes of the pixel `at`.
pub fn encode_pixel(at: usize, sums: &[V], narrow: &[V], wide: &[V], tone: &[u32]) -> [u8; 4] {
    let (px, py) = (at % WIDTH, at / WIDTH);
    let (x, y) = (px as i32 * 2 - 3, py as i32 * 2 - 3);
    let (fx, fy) = ((x & 7) as f32 * 0.125, (y & 7) as f32 * 0.125);
    let column = |i: i32| (x >> 3).saturating_add(i).clamp(0, SMALL_WIDTH as i32 - 1) as usize;
    let row = |i: i32| (y >> 3).saturating_add(i).clamp(0, SMALL_HEIGHT as i32 - 1) as usize;
    let glow = |i, j| {
        let at = row(j) * SMALL_WIDTH + column(i);
        narrow[at] * 0.12 + wide[at] * 0.16
    };
    let (a, b, c, d) = (glow(0, 0), glow(1, 0), glow(0, 1), glow(1, 1));
    let top = a + (b - a) * fx;
    let bottom = c + (d - c) * fx;
    let glow = top + (bottom - top) * fy;

    let (u, v) = (
        (px as f32 - 319.5) * 0.003125,
        (py as f32 - 179.5) * 0.003125,
    );
    let corner = 1.0 - 0.28 * (u * u + v * v);
    let light = (calm(sums, px, py) + glow) * corner;
    let noise = pcg(at as u32);
    let encode = |light: f32, dither: u32| {
        let x = light.clamp(0.0, 16.0) * 0.0625;
        let at = ((x * rsqrt(x) * 4095.0) as u32).min(4095);
        let value = tone[at as usize / 2] >> ((at % 2) * 16) & 0xffff;
        ((value + dither) >> 8).min(255) as u8
    };
    [
        encode(light.0, noise & 255),
        encode(light.1, noise >> 8 & 255),
        encode(light.2, noise >> 16 & 255),
        255,
    ]
}
