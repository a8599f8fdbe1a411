//! Rewrites the repository's `schemas/` and `contracts/EVENTS.md`; `scripts/build-contracts` runs it.

fn main() -> anyhow::Result<()> {
    std::fs::write(
        ember_testing::events::page(),
        ember_testing::events::render(),
    )?;
    ember_testing::schemas::write(&ember_testing::schemas::dir())
}
