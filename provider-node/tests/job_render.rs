//! The render job on a real Vulkan driver against plain Rust: every byte of the picture, floats and all.

mod job_support;
#[path = "../jobs/render/twin/mod.rs"]
mod twin;

#[test]
fn the_picture_is_plain_rusts_to_the_bit() {
    let Some(device) = job_support::run("render") else {
        return;
    };
    let twin = twin::render(&job_support::dir("render")).expect("the blobs");
    let image = &device["image"];
    assert_eq!(image.len(), twin::WIDTH * twin::HEIGHT * 4);
    let differing = image
        .chunks(4)
        .zip(twin.chunks(4))
        .filter(|(a, b)| a != b)
        .count();
    assert_eq!(differing, 0, "pixels that differ, of {}", twin.len() / 4);
    // And it shows something: a black picture would agree as well.
    let colours: std::collections::BTreeSet<&[u8]> = twin.chunks(4).collect();
    assert!(colours.len() > 10_000, "{} colours", colours.len());
}
