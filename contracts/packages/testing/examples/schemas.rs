//! Rewrites the repository's `schemas/`; `scripts/build-contracts` runs it.

fn main() -> anyhow::Result<()> {
    ember_testing::schemas::write(&ember_testing::schemas::dir())
}
