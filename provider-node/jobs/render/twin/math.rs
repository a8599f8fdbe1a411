//! Exact arithmetic: what the kernels build from `+ - *` and bit operations.

use std::f32::consts::FRAC_PI_2;
use std::ops;

#[derive(Clone, Copy)]
pub struct V(pub f32, pub f32, pub f32);

pub const BLACK: V = V(0.0, 0.0, 0.0);
pub const WHITE: V = V(1.0, 1.0, 1.0);

impl ops::Add for V {
    type Output = V;
    fn add(self, o: V) -> V {
        V(self.0 + o.0, self.1 + o.1, self.2 + o.2)
    }
}
impl ops::Sub for V {
    type Output = V;
    fn sub(self, o: V) -> V {
        V(self.0 - o.0, self.1 - o.1, self.2 - o.2)
    }
}
impl ops::Mul for V {
    type Output = V;
    fn mul(self, o: V) -> V {
        V(self.0 * o.0, self.1 * o.1, self.2 * o.2)
    }
}
impl ops::Mul<f32> for V {
    type Output = V;
    fn mul(self, k: f32) -> V {
        V(self.0 * k, self.1 * k, self.2 * k)
    }
}

pub fn dot3(a: V, b: V) -> f32 {
    (a.0 * b.0 + a.1 * b.1) + a.2 * b.2
}

pub fn sum3(v: V) -> f32 {
    (v.0 + v.1) + v.2
}

/// Not `max`, which leaves the sign of a zero open.
pub fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// 1/sqrt(x) for x >= 0, relative error below 5e-6. Zero gives a large finite number.
pub fn rsqrt(x: f32) -> f32 {
    let h = 0.5 * x;
    let y = f32::from_bits(0x5f37_59df - (x.to_bits() >> 1));
    let z = y * (1.5 - (h * y) * y);
    z * (1.5 - (h * z) * z)
}

pub fn root(x: f32) -> f32 {
    x * rsqrt(x)
}

/// 1/x for x > 0, relative error below 5e-7.
pub fn recip(x: f32) -> f32 {
    let y = f32::from_bits(0x7ef3_11c7 - x.to_bits());
    let y = y * (2.0 - x * y);
    let y = y * (2.0 - x * y);
    y * (2.0 - x * y)
}

pub fn unit(v: V) -> V {
    v * rsqrt(dot3(v, v))
}

/// sin(pi/2 x) for x in -1..=1, error below 5e-6.
pub fn sine(x: f32) -> f32 {
    let s = x * x;
    x * (FRAC_PI_2 + s * (-0.6459637 + s * (0.0796893 + s * (-0.0046738 + s * 0.0001515))))
}

pub fn fold(x: f32) -> f32 {
    if x > 1.0 {
        2.0 - x
    } else if x < -1.0 {
        -2.0 - x
    } else {
        x
    }
}

/// A point of the unit circle for a turn in 0..1.
pub fn circle(turn: f32) -> (f32, f32) {
    let a = 4.0 * turn - 2.0;
    let b = a + 1.0;
    (sine(fold(if b > 2.0 { b - 4.0 } else { b })), sine(fold(a)))
}

pub fn pcg(x: u32) -> u32 {
    let s = x.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let w = ((s >> ((s >> 28) + 4)) ^ s).wrapping_mul(277_803_737);
    (w >> 22) ^ w
}

/// The top 24 bits as a number in 0..1, exactly.
pub fn fraction(x: u32) -> f32 {
    (x >> 8) as f32 * 5.960_464_5e-8
}

pub fn draw(key: u32, dim: u32, index: u32, step: u32) -> f32 {
    fraction(pcg(key.wrapping_add(dim)).wrapping_add(index.wrapping_mul(step)))
}

pub fn noise(p: V) -> f32 {
    let f = V(p.0.floor(), p.1.floor(), p.2.floor());
    let (x, y, z) = (f.0 as i32 as u32, f.1 as i32 as u32, f.2 as i32 as u32);
    let ease = |t: f32| (t * t) * (3.0 - 2.0 * t);
    let blend = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let corner = |i: u32, j: u32, k: u32| {
        let (x, y, z) = (x.wrapping_add(i), y.wrapping_add(j), z.wrapping_add(k));
        fraction(pcg(x.wrapping_mul(73_856_093)
            ^ y.wrapping_mul(19_349_663)
            ^ z.wrapping_mul(83_492_791)))
    };
    let e = V(ease(p.0 - f.0), ease(p.1 - f.1), ease(p.2 - f.2));
    let plane = |k| {
        let low = blend(corner(0, 0, k), corner(1, 0, k), e.0);
        let high = blend(corner(0, 1, k), corner(1, 1, k), e.0);
        blend(low, high, e.1)
    };
    blend(plane(0), plane(1), e.2)
}
