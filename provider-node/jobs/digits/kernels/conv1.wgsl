// First layer: 3x3 convolution of the 8x8 images, 1 -> 16 channels, zero padding, then ReLU to 0..127.
//
// One workgroup is one image. One invocation makes four neighbouring channels of one pixel, which are the four
// bytes of one word of `activations`: no two invocations write the same word.

const PIXELS: u32 = 64;          // of an image
const CHANNEL_WORDS: u32 = 4;    // 16 channels, four bytes a word

@group(0) @binding(0) var<storage, read> images: array<u32>;        // [image][pixel] bytes 0..16, 16 words an image
@group(0) @binding(1) var<storage, read> weights: array<u32>;       // [channel][9 taps + 3 zeros] int8, 3 words a channel
@group(0) @binding(2) var<storage, read> bias: array<i32>;          // [channel]
@group(0) @binding(3) var<storage, read> shifts: array<u32>;        // rounding shift of each layer
@group(0) @binding(4) var<storage, read_write> activations: array<u32>; // [image][pixel][channel] bytes 0..127

// The pixel as a byte of its image, zero outside of it.
fn pixel(image: u32, x: i32, y: i32) -> u32 {
    if x < 0 || x > 7 || y < 0 || y > 7 {
        return 0u;
    }
    let at = u32(y) * 8u + u32(x);
    return extractBits(images[image * 16u + at / 4u], (at % 4u) * 8u, 8u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let image = group.x;
    let at = local / CHANNEL_WORDS;
    let quad = local % CHANNEL_WORDS;
    let x = i32(at % 8u);
    let y = i32(at / 8u);

    // The nine taps in three words, in the order of the weights; the last three bytes stay zero.
    let p0 = pixel(image, x - 1, y - 1) | (pixel(image, x, y - 1) << 8u) | (pixel(image, x + 1, y - 1) << 16u) | (pixel(image, x - 1, y) << 24u);
    let p1 = pixel(image, x, y) | (pixel(image, x + 1, y) << 8u) | (pixel(image, x - 1, y + 1) << 16u) | (pixel(image, x, y + 1) << 24u);
    let p2 = pixel(image, x + 1, y + 1);

    let shift = shifts[0];
    var packed = 0u;
    for (var i = 0u; i < 4u; i++) {
        let channel = quad * 4u + i;
        let w = channel * 3u;
        let sum = bias[channel] + dot4I8Packed(p0, weights[w]) + dot4I8Packed(p1, weights[w + 1u]) + dot4I8Packed(p2, weights[w + 2u]);
        let rounded = (sum + (1i << (shift - 1u))) >> shift;
        packed |= u32(clamp(rounded, 0i, 127i)) << (i * 8u);
    }
    activations[(image * PIXELS + at) * CHANNEL_WORDS + quad] = packed;
}
