#!/usr/bin/env python3
"""Trains the digit classifier, quantises it to int8 and writes the job's blobs.

    python3 -m venv /tmp/digits && /tmp/digits/bin/pip install numpy
    /tmp/digits/bin/python train.py            # writes data/*.bin and prints the accuracies
    /tmp/digits/bin/python train.py --export   # (needs scikit-learn) re-creates data/digits.bin first

The network, for one 8x8 image with pixels 0..16:

    conv1  3x3,  1 -> 16 channels, pad 1            -> 8x8x16, ReLU
    conv2  3x3, 16 -> 32 channels, pad 1, stride 2  -> 4x4x32, ReLU
    dense  512 -> 10 logits

Quantisation: weights int8 (symmetric, one scale a layer), biases int32, activations 0..127. A layer's
scales are chosen so that going from its int32 sums to the next layer's int8 inputs is a rounding shift
to the right: the device needs nothing but integer multiply, add, shift and clamp.

Everything is seeded. The float training runs through the BLAS of this machine, so another machine may
end in slightly different weights; the committed blobs are the job, and from there every bit is fixed.
"""
import pathlib
import sys

import numpy as np

DATA = pathlib.Path(__file__).resolve().parent / "data"
SEED = 20260101
EPOCHS = 60
BATCH = 64
C1, C2, CLASSES = 16, 32, 10


def export():
    """Writes the UCI data as scikit-learn ships it: 64 pixel bytes and one label byte an image."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = np.hstack([digits.data, digits.target[:, None]]).astype(np.uint8)
    (DATA / "digits.bin").write_bytes(rows.tobytes())


def load():
    """All images, in the order of the source, split: every fifth image is held out."""
    rows = np.frombuffer((DATA / "digits.bin").read_bytes(), np.uint8).reshape(-1, 65)
    images, labels = rows[:, :64].reshape(-1, 8, 8), rows[:, 64].astype(np.int64)
    held = np.arange(len(rows)) % 5 == 0
    return images[~held], labels[~held], images[held], labels[held]


# ---- float network: im2col convolutions, so that a layer is one matrix product ---------------------------------


def patches(x, stride):
    """(n, h, w, c) -> (n, h/stride, w/stride, 9*c): the zero-padded 3x3 neighbourhoods, tap-major."""
    n, h, w, c = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    taps = [padded[:, dy : dy + h : stride, dx : dx + w : stride] for dy in range(3) for dx in range(3)]
    return np.concatenate(taps, axis=3)


def unpatch(grad, stride, shape):
    """The transpose of `patches`: adds every patch gradient back to the pixel it came from."""
    n, h, w, c = shape
    padded = np.zeros((n, h + 2, w + 2, c), grad.dtype)
    for tap in range(9):
        dy, dx = divmod(tap, 3)
        padded[:, dy : dy + h : stride, dx : dx + w : stride] += grad[..., tap * c : (tap + 1) * c]
    return padded[:, 1:-1, 1:-1]


def forward(p, x):
    cols1 = patches(x, 1)
    act1 = np.maximum(cols1 @ p["w1"] + p["b1"], 0)
    cols2 = patches(act1, 2)
    act2 = np.maximum(cols2 @ p["w2"] + p["b2"], 0)
    flat = act2.reshape(len(x), -1)
    return flat @ p["w3"] + p["b3"], (cols1, act1, cols2, act2, flat)


def backward(p, x, labels):
    logits, (cols1, act1, cols2, act2, flat) = forward(p, x)
    soft = np.exp(logits - logits.max(1, keepdims=True))
    soft /= soft.sum(1, keepdims=True)
    # Label smoothing keeps the logits small, which an int8 network likes.
    target = np.full_like(soft, 0.05 / CLASSES)
    target[np.arange(len(x)), labels] += 0.95
    d3 = (soft - target) / len(x)
    g = {"w3": flat.T @ d3, "b3": d3.sum(0)}
    d2 = (d3 @ p["w3"].T).reshape(act2.shape) * (act2 > 0)
    g["w2"] = cols2.reshape(-1, cols2.shape[3]).T @ d2.reshape(-1, C2)
    g["b2"] = d2.sum((0, 1, 2))
    d1 = unpatch(d2 @ p["w2"].T, 2, act1.shape) * (act1 > 0)
    g["w1"] = cols1.reshape(-1, 9).T @ d1.reshape(-1, C1)
    g["b1"] = d1.sum((0, 1, 2))
    return g


def shifted(rng, x):
    """Augmentation: moves every image by -1, 0 or 1 pixel in each direction."""
    out = np.zeros_like(x)
    for i, (dy, dx) in enumerate(rng.integers(-1, 2, (len(x), 2))):
        out[i] = np.roll(x[i], (dy, dx), (0, 1))
        if dy:
            out[i, 0 if dy > 0 else -1] = 0
        if dx:
            out[i, :, 0 if dx > 0 else -1] = 0
    return out


def train(images, labels):
    rng = np.random.default_rng(SEED)
    he = lambda i, o: (rng.standard_normal((i, o)) * np.sqrt(2 / i)).astype(np.float32)
    p = {"w1": he(9, C1), "b1": np.zeros(C1, np.float32), "w2": he(9 * C1, C2), "b2": np.zeros(C2, np.float32),
         "w3": he(16 * C2, CLASSES), "b3": np.zeros(CLASSES, np.float32)}  # fmt: skip
    mean = {k: np.zeros_like(v) for k, v in p.items()}
    var = {k: np.zeros_like(v) for k, v in p.items()}
    x = images[..., None].astype(np.float32) / 16
    step = 0
    for epoch in range(EPOCHS):
        rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS))
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            pick = order[start : start + BATCH]
            step += 1
            for k, grad in backward(p, shifted(rng, x[pick]), labels[pick]).items():
                # AdamW
                mean[k] = 0.9 * mean[k] + 0.1 * grad
                var[k] = 0.999 * var[k] + 0.001 * grad**2
                adam = mean[k] / (1 - 0.9**step) / (np.sqrt(var[k] / (1 - 0.999**step)) + 1e-8)
                p[k] = (p[k] - rate * (adam + 0.01 * p[k] * (p[k].ndim == 2))).astype(np.float32)
    return p


# ---- quantisation ---------------------------------------------------------------------------------------------


def quantise(p, images):
    """Integer weights, biases and shifts. A value v of a layer is stored as round(v / scale)."""
    x = images[..., None].astype(np.float32) / 16
    _, (_, act1, _, act2, _) = forward(p, x)
    q, scale_in = {}, 1 / 16  # pixels are stored as they are, 0..16
    for layer, act in (("1", act1), ("2", act2), ("3", None)):
        w = p["w" + layer]
        scale_w = np.abs(w).max() / 127
        if act is not None:
            # The smallest shift that brings the largest activation to 127 or less. A power of two may overshoot:
            # the activations then use less than their seven bits, at the worst six.
            shift = int(np.ceil(np.log2(act.max() / 127 / (scale_in * scale_w))))
            q["s" + layer] = shift
        q["w" + layer] = np.clip(np.rint(w / scale_w), -127, 127).astype(np.int8)
        q["b" + layer] = np.rint(p["b" + layer] / (scale_in * scale_w)).astype(np.int32)
        if act is not None:
            scale_in = scale_in * scale_w * 2.0**shift
    return q


def integer_forward(q, images):
    """What the device computes, in numpy."""
    x = images[..., None].astype(np.int32)
    for layer, stride in (("1", 1), ("2", 2)):
        acc = patches(x, stride) @ q["w" + layer].astype(np.int32) + q["b" + layer]
        shift = q["s" + layer]
        x = np.clip((acc + (1 << (shift - 1))) >> shift, 0, 127)
    return x.reshape(len(x), -1) @ q["w3"].astype(np.int32) + q["b3"]


def write(q, images, labels):
    def put(name, array):
        (DATA / name).write_bytes(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())

    w1 = np.zeros((C1, 12), np.int8)  # nine taps and three zeros: three words a channel
    w1[:, :9] = q["w1"].T
    put("conv1_weights.bin", w1)
    put("conv2_weights.bin", q["w2"].T)  # [32 out][9 taps][16 in]
    put("dense_weights.bin", q["w3"].T)  # [10 classes][16 pixels][32 channels]
    for layer, name in (("1", "conv1"), ("2", "conv2"), ("3", "dense")):
        put(f"{name}_bias.bin", q["b" + layer])
    put("shifts.bin", np.array([q["s1"], q["s2"]], np.uint32))
    put("images.bin", images)
    put("labels.bin", labels.astype(np.uint32))


def main():
    if "--export" in sys.argv:
        export()
    train_x, train_y, held_x, held_y = load()
    p = train(train_x, train_y)
    q = quantise(p, train_x)
    float_hits = (forward(p, held_x[..., None].astype(np.float32) / 16)[0].argmax(1) == held_y).sum()
    hits = (integer_forward(q, held_x).argmax(1) == held_y).sum()
    write(q, held_x, held_y)
    print(f"trained on {len(train_x)} images; held out {len(held_x)}")
    print(f"float accuracy {float_hits}/{len(held_x)} = {float_hits / len(held_x):.4f}")
    print(f"int8 accuracy  {hits}/{len(held_x)} = {hits / len(held_x):.4f}  shifts {q['s1']}, {q['s2']}")


if __name__ == "__main__":
    main()
