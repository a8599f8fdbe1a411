# Sourced by the other scripts: where things are, and how they speak.
# shellcheck shell=bash
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"
export EMBER_CONTRACTS_DIR="${EMBER_CONTRACTS_DIR:-$CARGO_TARGET_DIR/contracts}"
export EMBER_JOBS_DIR="$ROOT/provider-node/jobs"
export EMBER_BIN_DIR="$CARGO_TARGET_DIR/release"
export PATH="$PATH:$HOME/.cargo/bin:/usr/local/go/bin"
COMETBFT_VERSION=v0.38.25

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# CometBFT where PATH, GOBIN or GOPATH has it; empty when it is nowhere.
find_cometbft() {
  if have cometbft; then command -v cometbft && return; fi
  have go || return 0
  local bin
  bin="$(go env GOBIN)"
  bin="${bin:-$(go env GOPATH)/bin}/cometbft"
  if [ -x "$bin" ]; then printf '%s\n' "$bin"; fi
}

# Whether any Vulkan driver is installed.
has_vulkan() {
  [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && return 0
  compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null
}
has_vulkan_loader() { ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'; }

# Everything that the demo, the tests and the benches run, built once.
build_all() {
  say "building emberd, ember and the end-to-end harness"
  cargo build --release --locked --bins
  ./scripts/build-contracts --wasm-only
  EMBER_COMETBFT="$(find_cometbft)"
  export EMBER_COMETBFT
}
