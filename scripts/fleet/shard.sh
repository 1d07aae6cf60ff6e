#!/usr/bin/env bash
# Runs one shard of a campaign, or resumes it where it was cut off. Schedulers start it, and restart it.
#
#   shard.sh CAMPAIGN DIRECTORY [--jobs COUNT] [options of shadowdiff nightly]
#
# The shard's number comes from the scheduler's variables (--shard auto). DIRECTORY belongs to this shard alone.
# Exit codes: 0 if the shard finished, whatever it found, because a scheduler takes anything else for a broken machine; else that of
# shadowdiff nightly.
set -euo pipefail

if [[ $# -lt 2 ]]; then
  echo 'shard.sh: give the name of the campaign and the directory of the shard' >&2
  exit 2
fi
campaign=$1 directory=$2
shift 2
shadowdiff=$(dirname "${BASH_SOURCE[0]}")/../../dist/scripts/shadowdiff.js

code=0
if [[ -e $directory/run.json ]]; then
  echo "shard.sh: $directory has a run already; resuming it"
  node "$shadowdiff" nightly --resume "$directory" "$@" || code=$?
else
  node "$shadowdiff" nightly --seed "$campaign" --shard auto --out "$directory" "$@" || code=$?
fi

case $code in
  0 | 1 | 3) exit 0 ;; # clean, divergence, inconclusive: the merge judges all shards together
  *) exit "$code" ;;
esac
