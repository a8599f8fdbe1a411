#!/usr/bin/env python3
"""Writes data/scene.bin and data/tone.bin: what there is to see, and how light becomes bytes.

    python3 scene.py        # needs nothing but Python

scene.bin is an array of vec4<f32>, little endian:
    0      camera position, lens radius
    1 2 3  camera right, up (half the picture at the focus plane) and centre of the focus plane
    4      direction to the sun, its apparent radius
    5      irradiance of the sun
    6 ...  four vectors a sphere: (centre, radius) (colour, kind) (emission, fuzz) (coat, -, -, -)
Kinds: 0 matte under a coat of varnish, 1 metal, 2 glass, 3 ember. The embers stand last.

tone.bin is u16[4096]: entry i is the 16-bit sRGB value of a pixel whose linear light is 16 * (i / 4095)^2.
"""
import math
import pathlib
import struct

DATA = pathlib.Path(__file__).resolve().parent / "data"
WIDTH, HEIGHT = 640, 360
EXPOSURE = 1.0


def norm(v):
    length = math.sqrt(sum(x * x for x in v))
    return [x / length for x in v]


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def camera(at, look, half_width, focus, lens):
    """`half_width` is the tangent of half the horizontal angle."""
    ahead = norm([l - a for l, a in zip(look, at)])
    right = norm(cross(ahead, [0, 1, 0]))
    up = cross(right, ahead)
    across, high = half_width * focus, half_width * focus * HEIGHT / WIDTH
    return [
        [*at, lens],
        [*[across * x for x in right], 0],
        [*[high * x for x in up], 0],
        [*[a + focus * x for a, x in zip(at, ahead)], 0],
    ]


def matte(x, z, r, colour, coat=0.04, fuzz=0.0):
    return [[x, r, z, r], [*colour, 0], [0, 0, 0, fuzz], [coat, 0, 0, 0]]


def metal(x, z, r, colour, fuzz=0.0):
    return [[x, r, z, r], [*colour, 1], [0, 0, 0, fuzz], [0, 0, 0, 0]]


def glass(x, z, r, colour=(1, 1, 1), y=None):
    return [[x, r if y is None else y, z, r], [*colour, 2], [0, 0, 0, 0], [0.04, 0, 0, 0]]


def ember(x, z, r, power=1.0, y=None):
    glow = [16.0 * power, 5.6 * power, 1.5 * power]
    return [[x, r if y is None else y, z, r], [0, 0, 0, 3], [*glow, 0], [0, 0, 0, 0]]


def spark(x, y, z, r):
    """Seen and mirrored, but too small to light anything."""
    return ember(x, z, r, 1.6, y)


SPHERES = [
    glass(0.0, 0.0, 1.0, (0.97, 0.99, 0.98)),
    metal(-1.95, -0.55, 0.85, (1.00, 0.71, 0.29), 0.02),
    matte(1.85, -0.35, 0.75, (0.02, 0.13, 0.20), 0.06),
    metal(3.35, -1.9, 1.05, (0.90, 0.90, 0.92), 0.0),
    matte(-3.6, -2.3, 1.15, (0.46, 0.07, 0.05), 0.05),
    matte(1.15, -3.2, 0.8, (0.75, 0.72, 0.66), 0.03),
    matte(-0.95, 1.15, 0.27, (0.80, 0.78, 0.74), 0.04),
    metal(1.10, 1.05, 0.30, (0.95, 0.55, 0.42), 0.08),
    glass(-1.75, 1.05, 0.33, (0.85, 0.96, 1.0)),
    matte(2.55, 0.95, 0.28, (0.62, 0.26, 0.04), 0.05),
    metal(-3.0, 0.25, 0.36, (0.55, 0.62, 0.72), 0.15),
    glass(3.3, 0.25, 0.40, (1.0, 0.86, 0.74)),
    spark(-1.12, 1.62, 0.60, 0.030),
    spark(1.28, 1.66, 0.35, 0.036),
    spark(-0.35, 0.28, 2.35, 0.028),
    spark(2.62, 1.18, 0.10, 0.030),
    spark(-2.75, 1.55, -0.20, 0.034),
    spark(1.05, 0.62, 2.10, 0.022),
    ember(0.42, 1.55, 0.17, 1.0),
    ember(-2.45, 0.75, 0.20, 1.0),
    ember(1.85, 1.55, 0.12, 1.2),
    ember(-0.85, -1.55, 0.30, 0.9),
    ember(2.55, -1.15, 0.22, 1.0),
    ember(-4.6, -0.6, 0.22, 1.0),
]


LAMPS = [s for s in SPHERES if s[1][3] == 3 and s[0][3] > 0.1]


def gaussian(sigma, radius):
    """Blur of kernels/bloom.wgsl: the radius, then 27 weights."""
    weights = [math.exp(-0.5 * (i / sigma) ** 2) if i <= radius else 0.0 for i in range(27)]
    total = 2 * sum(weights) - weights[0]
    return struct.pack("<I27f", radius, *[w / total for w in weights])


def filmic(x):
    """Narkowicz' fit of the ACES curve."""
    return min(1.0, max(0.0, x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)))


def srgb(x):
    return 12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055


def main():
    sun = norm([-0.165, 0.055, -1.0])
    rows = camera((0.35, 1.35, 6.6), (0.05, 0.72, 0.0), 0.50, 6.1, 0.045)
    rows += [[*sun, 0.03], [2.2, 1.05, 0.42, 0]]
    for sphere in SPHERES:
        rows += sphere
    (DATA / "scene.bin").write_bytes(b"".join(struct.pack("<4f", *row) for row in rows))
    tone = [srgb(filmic(EXPOSURE * 16 * (i / 4095) ** 2)) for i in range(4096)]
    (DATA / "tone.bin").write_bytes(b"".join(struct.pack("<H", round(v * 65280)) for v in tone))
    (DATA / "narrow.bin").write_bytes(gaussian(1.8, 6))
    (DATA / "wide.bin").write_bytes(gaussian(7.0, 22))
    print(len(SPHERES), "spheres, of which the last", len(LAMPS), "are lamps;", len(rows), "vectors")


if __name__ == "__main__":
    main()
