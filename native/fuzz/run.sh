#!/usr/bin/env bash
# Fuzzes one target with the seeds of the tests.
#
#   fuzz/run.sh <target> [seconds] [more folders of seeds…]
#
# Needs cargo-fuzz; a stable toolchain will do. Crashes go to fuzz/artifacts,
# contained panics of libraries to fuzz/artifacts/panics.
set -euo pipefail
cd "$(dirname "$0")"
target=$1
seconds=${2:-900}
shift $(($# < 2 ? $# : 2))
export RUSTC_BOOTSTRAP=1 FUZZ_PANICS=$PWD/artifacts/panics/$target
corpus=corpus/$target
mkdir -p "$corpus" "artifacts/$target"
if [ "$target" = prepare ]; then
    # Each input begins with a policy: see checks::policy_and_image.
    for folder in ../tests/seeds "$@"; do
        for file in "$folder"/*; do
            for policy in '' '\x01' '\x0a\x09' '\x01\x00\x03\x01' '\x03\x00\x02' '\x01\x00\x00\x04\x01\x01\x02'; do
                { printf "$policy"; head -c 12 /dev/zero; } | head -c 12 |
                    cat - "$file" >"$corpus/seed-${policy//\\x/}-${file##*/}"
            done
        done
    done
    seeds=()
elif [ "$target" = vp8 ]; then
    tail -c +21 ../tests/seeds/lossy.webp >"$corpus/seed-lossy"
    seeds=()
else
    seeds=(../tests/seeds "$@")
fi
exec cargo fuzz run -O --sanitizer address "$target" "$corpus" "${seeds[@]}" -- \
    -dict=images.dict -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1
