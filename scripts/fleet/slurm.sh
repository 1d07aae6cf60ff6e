#!/usr/bin/env bash
# Submits a campaign to Slurm: an array of shards, and a job that merges them when the last has ended.
#
#   slurm.sh CAMPAIGN SHARDS [options of shadowdiff nightly, such as --time 1h]
#
# Run it in the directory that holds corpus/, on a file system that all nodes share. Each shard writes to out/CAMPAIGN, the merge to
# out/CAMPAIGN/merged. Set the partition, account and time limit with SBATCH_PARTITION, SBATCH_ACCOUNT and SBATCH_TIMELIMIT.
# Resubmitting resumes the campaign.
set -euo pipefail

if [[ $# -lt 2 || ! $1 =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ || ! $2 =~ ^[1-9][0-9]*$ ]]; then
  echo 'slurm.sh: name the campaign (letters, digits, ".", "_", "-") and give the number of shards, such as: tonight 16' >&2
  exit 2
fi
campaign=$1 shards=$2
shift 2
SHADOWDIFF_FLEET=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SHADOWDIFF_FLEET
mkdir -p "out/$campaign"

array=$(sbatch --parsable --array="0-$((shards - 1))" --output="out/$campaign/shard-%a.log" \
  "$SHADOWDIFF_FLEET/slurm.sbatch" "$campaign" "$@")
array=${array%%;*} # a federation adds the name of its cluster
# afterany: even if a shard is lost, which the merge reports.
merge=$(sbatch --parsable --dependency="afterany:$array" --job-name=shadowdiff-merge --output="out/$campaign/merge.log" \
  --open-mode=append --wrap "node '$SHADOWDIFF_FLEET/../../dist/scripts/shadowdiff.js' merge out/$campaign/shard-*/ --out out/$campaign/merged")
echo "shards  job $array, tasks 0 to $((shards - 1))"
echo "merge   job ${merge%%;*}, which fails if anything was found; results in out/$campaign/merged"
