//! What there is to see, from data/scene.bin, and how rays meet it.

use super::math::{V, dot3, larger, noise, recip, root, rsqrt};

/// Spheres that throw shadows; they come first.
const SOLIDS: usize = 12;
/// Spheres that light the others; they come last.
const LAMPS: usize = 6;
/// Beyond everything.
pub const FAR: f32 = 1.0e9;

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Matte,
    Metal,
    Glass,
    Ember,
}

#[derive(Clone, Copy)]
pub struct Sphere {
    pub centre: V,
    pub radius: f32,
    pub colour: V,
    pub kind: Kind,
    pub glow: V,
    pub fuzz: f32,
    pub coat: f32,
}

pub struct Scene {
    pub eye: V,
    pub lens: f32,
    pub right: V,
    pub up: V,
    pub ahead: V,
    pub sun: V,
    pub sun_radius: f32,
    pub sunlight: V,
    pub spheres: Vec<Sphere>,
}

pub enum Hit {
    Sky,
    Ground(f32),
    Sphere(f32, Sphere),
}

impl Scene {
    pub fn new(words: &[u32]) -> Scene {
        let rows: Vec<(V, f32)> = words
            .chunks_exact(4)
            .map(|w| {
                (
                    V(
                        f32::from_bits(w[0]),
                        f32::from_bits(w[1]),
                        f32::from_bits(w[2]),
                    ),
                    f32::from_bits(w[3]),
                )
            })
            .collect();
        let sphere = |r: &[(V, f32)]| Sphere {
            centre: r[0].0,
            radius: r[0].1,
            colour: r[1].0,
            kind: [Kind::Matte, Kind::Metal, Kind::Glass, Kind::Ember][r[1].1 as usize],
            glow: r[2].0,
            fuzz: r[2].1,
            coat: r[3].0.0,
        };
        Scene {
            eye: rows[0].0,
            lens: rows[0].1,
            right: rows[1].0,
            up: rows[2].0,
            ahead: rows[3].0,
            sun: rows[4].0,
            sun_radius: rows[4].1,
            sunlight: rows[5].0,
            spheres: rows[6..].chunks_exact(4).map(sphere).collect(),
        }
    }

    pub fn lamps(&self) -> &[Sphere] {
        &self.spheres[self.spheres.len() - LAMPS..]
    }

    /// How near to the sun a direction points: its cosine to the 8th power.
    fn toward_sun(&self, d: V) -> f32 {
        let near = larger(dot3(d, self.sun), 0.0);
        let n2 = near * near;
        (n2 * n2) * (n2 * n2)
    }

    /// What the far ground fades into: the mist at the feet of the hills.
    pub fn haze_light(&self, d: V) -> V {
        V(0.035, 0.022, 0.045) + V(0.36, 0.13, 0.05) * self.toward_sun(d)
    }

    /// Light from far away; `disc` 1 shows the sun, 0 hides it.
    pub fn sky(&self, d: V, disc: f32) -> V {
        let low = 1.0 - larger(d.1, 0.0);
        let low2 = low * low;
        let low4 = low2 * low2;
        let low16 = (low4 * low4) * (low4 * low4);
        let low64 = (low16 * low16) * (low16 * low16);
        let n8 = self.toward_sun(d);
        let n32 = (n8 * n8) * (n8 * n8);
        let n128 = (n32 * n32) * (n32 * n32);
        let mist = low64 * low16;
        // No hill reaches a tenth.
        if d.1 < 0.1 {
            let close = 0.060 * noise(V(d.0 * 5.0, 7.5, d.2 * 5.0)) - 0.004;
            if d.1 < close {
                return V(0.035, 0.022, 0.045) + V(0.36, 0.13, 0.05) * ((mist * mist) * n8);
            }
            let far = 0.018 + 0.055 * noise(V(d.0 * 9.0 + 3.0, 0.5, d.2 * 9.0));
            if d.1 < far {
                return V(0.10, 0.055, 0.09) + V(0.42, 0.16, 0.06) * (mist * n8);
            }
        }
        let c = V(0.010, 0.024, 0.085)
            + V(0.03, 0.05, 0.16) * low4
            + V(0.22, 0.07, 0.08) * low16
            + V(0.75, 0.26, 0.03) * low64;
        let c = c + V(0.10, 0.045, 0.02) * n8 + V(0.60, 0.24, 0.05) * n128;
        c + V(20.0, 11.0, 4.0)
            * if dot3(d, self.sun) > 0.9994 {
                disc
            } else {
                0.0
            }
    }

    pub fn nearest(&self, o: V, d: V) -> Hit {
        let mut best = FAR;
        let mut hit = Hit::Sky;
        if d.1 < -1.0e-4 {
            let t = o.1 * recip(0.0 - d.1);
            if t > 1.0e-3 {
                best = t;
                hit = Hit::Ground(t);
            }
        }
        for sphere in &self.spheres {
            let oc = o - sphere.centre;
            let b = dot3(oc, d);
            let disc = b * b - (dot3(oc, oc) - sphere.radius * sphere.radius);
            if disc > 0.0 {
                let r = root(disc);
                let t0 = (0.0 - b) - r;
                let t = if t0 > 1.0e-3 { t0 } else { r - b };
                if t > 1.0e-3 && t < best {
                    best = t;
                    hit = Hit::Sphere(t, *sphere);
                }
            }
        }
        hit
    }

    /// The part of the light that comes through from a lamp `far` away.
    pub fn visible(&self, o: V, d: V, far: f32) -> f32 {
        let mut light = 1.0;
        for sphere in &self.spheres[..SOLIDS] {
            let oc = o - sphere.centre;
            let b = dot3(oc, d);
            let r2 = sphere.radius * sphere.radius;
            let disc = b * b - (dot3(oc, oc) - r2);
            if disc > 0.0 && b < 0.0 && 0.0 - b < far {
                let q = disc * recip(r2);
                light *= if sphere.kind == Kind::Glass {
                    0.15 + 1.3 * ((q * q) * q)
                } else {
                    0.0
                };
            }
        }
        light
    }
}

/// What a lamp would give to a surface at `o` with the normal `n` if nothing stood between.
pub fn lamp_light(lamp: &Sphere, o: V, n: V) -> V {
    let to = lamp.centre - o;
    let inv = rsqrt(dot3(to, to));
    let turned = lamp.radius * inv;
    lamp.glow * ((turned * turned) * (larger(dot3(n, to), 0.0) * inv))
}
