// Second layer: 3x3 convolution with stride 2, 16 -> 32 channels, 8x8 -> 4x4 pixels, zero padding, ReLU to 0..127.
//
// One workgroup is one image: it first copies the image's activations (1 KiB) to workgroup memory, because every
// word is read about nine times by each of the eight channel groups. One invocation makes four channels of one pixel.

const IN_WORDS: u32 = 4;    // 16 input channels of a pixel
const OUT_WORDS: u32 = 8;   // 32 output channels of a pixel
const FILTER_WORDS: u32 = 36; // nine taps of 16 channels

@group(0) @binding(0) var<storage, read> inputs: array<u32>;        // [image][8x8][16] bytes 0..127
@group(0) @binding(1) var<storage, read> weights: array<u32>;       // [32 out][9 taps][16 in] int8
@group(0) @binding(2) var<storage, read> bias: array<i32>;          // [32 out]
@group(0) @binding(3) var<storage, read> shifts: array<u32>;        // rounding shift of each layer
@group(0) @binding(4) var<storage, read_write> activations: array<u32>; // [image][4x4][32] bytes 0..127

var<workgroup> window: array<u32, 256>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let image = group.x;
    window[local] = inputs[image * 256u + local];
    window[local + 128u] = inputs[image * 256u + local + 128u];
    workgroupBarrier();

    let at = local / OUT_WORDS;
    let quad = local % OUT_WORDS;
    let left = i32(at % 4u) * 2 - 1;
    let top = i32(at / 4u) * 2 - 1;
    let first = quad * 4u;

    var sum = vec4<i32>(bias[first], bias[first + 1u], bias[first + 2u], bias[first + 3u]);
    for (var tap = 0u; tap < 9u; tap++) {
        let x = left + i32(tap % 3u);
        let y = top + i32(tap / 3u);
        if x < 0 || x > 7 || y < 0 || y > 7 {
            continue;
        }
        let base = u32(y * 8 + x) * IN_WORDS;
        let w = first * FILTER_WORDS + tap * IN_WORDS;
        for (var c = 0u; c < IN_WORDS; c++) {
            let values = window[base + c];
            sum += vec4<i32>(
                dot4I8Packed(values, weights[w + c]),
                dot4I8Packed(values, weights[w + c + FILTER_WORDS]),
                dot4I8Packed(values, weights[w + c + 2u * FILTER_WORDS]),
                dot4I8Packed(values, weights[w + c + 3u * FILTER_WORDS]),
            );
        }
    }

    let shift = shifts[1];
    let half = 1i << (shift - 1u);
    var packed = 0u;
    for (var i = 0u; i < 4u; i++) {
        packed |= u32(clamp((sum[i] + half) >> shift, 0i, 127i)) << (i * 8u);
    }
    activations[image * 128u + local] = packed;
}
