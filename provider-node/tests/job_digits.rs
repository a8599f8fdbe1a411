//! The digits job on a real Vulkan driver against plain Rust: equal bytes, and a network worth running.

mod job_support;
#[path = "../jobs/digits/twin.rs"]
mod twin;

#[test]
fn the_network_is_right_on_at_least_95_of_100_images_it_never_saw() {
    let outputs = twin::run(&job_support::dir("digits")).expect("the blobs");
    assert!(
        outputs.right as usize * 100 >= twin::IMAGES * 95,
        "{} of {}",
        outputs.right,
        twin::IMAGES
    );
}

#[test]
fn held_out_images_are_every_fifth_of_the_source_and_weights_cannot_have_seen_them() {
    let data = |name: &str| {
        std::fs::read(job_support::dir("digits").join("data").join(name)).expect("a blob")
    };
    let (source, images, labels) = (data("digits.bin"), data("images.bin"), data("labels.bin"));
    let held: Vec<&[u8]> = source.chunks_exact(65).step_by(5).collect();
    assert_eq!(held.len(), twin::IMAGES);
    assert_eq!(
        held.iter()
            .flat_map(|row| &row[..64])
            .copied()
            .collect::<Vec<u8>>(),
        images
    );
    assert_eq!(
        held.iter()
            .flat_map(|row| [row[64], 0, 0, 0])
            .collect::<Vec<u8>>(),
        labels
    );
}

#[test]
fn the_device_agrees_with_plain_rust_to_the_bit() {
    let Some(device) = job_support::run("digits") else {
        return;
    };
    let twin = twin::run(&job_support::dir("digits")).expect("the blobs");
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex();
    assert_eq!(
        hash(&device["predictions"]),
        hash(&twin.predictions),
        "predictions"
    );
    assert_eq!(hash(&device["accuracy"]), hash(&twin.accuracy), "accuracy");
    assert_eq!(hash(&device["logits"]), hash(&twin.logits), "logits");
}
