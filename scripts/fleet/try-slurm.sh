#!/usr/bin/env bash
# Runs a campaign on a one-node Slurm that it sets up in a temporary directory, on the loopback interface: four shards, one of them
# killed and requeued, and the job that merges them. The result must equal that of the campaign in one piece.
#
#   apt-get install slurm-wlm munge && npm run try-slurm
#
# Needs root, and two or three minutes. Exit codes: 0, or 1 with a message.
set -euo pipefail

SHARDS=4
KILLED=2
CAMPAIGN=try
PROGRAMS=${PROGRAMS:-16000}
OPTIONS=(--subject impl:set-pgd-loses-switcher --programs "$PROGRAMS" --max-tries 200 --shrink-time 1m)
# Seconds.
PATIENCE=300

fleet=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shadowdiff=$fleet/../../dist/scripts/shadowdiff.js
directory=$(mktemp -d --tmpdir shadowdiff-slurm-XXXXXX)
export SLURM_CONF=$directory/slurm.conf

fail() {
  echo "try-slurm: $1" >&2
  exit 1
}

# Ends the daemons, however the script exits. On failure their logs are shown and kept.
daemons=()
end() {
  local code=$?
  trap - EXIT
  [[ ${#daemons[@]} -eq 0 ]] || scancel --quiet --user=root --full 2>/dev/null || true
  for ((at = ${#daemons[@]} - 1; at >= 0; at--)); do
    kill "${daemons[at]}" 2>/dev/null || true
    wait "${daemons[at]}" 2>/dev/null || true
  done
  if [[ $code -eq 0 ]]; then
    rm -rf "$directory"
  else
    tail -n 15 "$directory"/*.log "$directory/runs/out/$CAMPAIGN"/*.log >&2 2>/dev/null || true
    echo "try-slurm: failed; see $directory" >&2
  fi
  exit "$code"
}
trap end EXIT
trap 'exit 130' INT TERM

# Waits until a command succeeds.
await() {
  local what=$1 deadline=$((SECONDS + PATIENCE))
  shift
  until "$@"; do
    [[ $SECONDS -lt $deadline ]] || fail "waited $PATIENCE s for $what"
    sleep 0.2
  done
}

check_machine() {
  [[ $EUID -eq 0 ]] || fail 'the daemons of Slurm need root; run it as root, in a container'
  local command
  for command in munged slurmctld slurmd sbatch scontrol; do
    PATH=$PATH:/usr/sbin command -v "$command" >/dev/null || fail "$command is missing; apt-get install slurm-wlm munge"
  done
  [[ -e $shadowdiff ]] || fail 'dist/ is missing; npm run build'
}

configure() {
  chmod 755 "$directory"
  mkdir "$directory"/{state,spool,runs}
  (umask 077 && head -c 1024 /dev/urandom >"$directory/munge.key")
  # cred_expire is also how long a requeued task waits. The node is given a core per shard, so that all shards run at once.
  cat >"$SLURM_CONF" <<CONFIGURATION
ClusterName=try
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$directory/munge.socket,cred_expire=5
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/spool
SlurmctldPidFile=$directory/slurmctld.pid
SlurmdPidFile=$directory/slurmd.pid
SlurmctldLogFile=$directory/slurmctld.log
SlurmdLogFile=$directory/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2
KillWait=2
ReturnToService=2
NodeName=node NodeHostname=$(hostname) NodeAddr=127.0.0.1 CPUs=$SHARDS RealMemory=$((SHARDS * 1024)) State=UNKNOWN
PartitionName=try Nodes=ALL Default=YES State=UP
CONFIGURATION
}

start_slurm() {
  PATH=$PATH:/usr/sbin
  munged --foreground --force --socket="$directory/munge.socket" --key-file="$directory/munge.key" \
    --pid-file="$directory/munge.pid" --seed-file="$directory/munge.seed" >"$directory/munged.log" 2>&1 &
  daemons+=($!)
  await 'munged' test -S "$directory/munge.socket"
  slurmctld -D >/dev/null 2>&1 &
  daemons+=($!)
  slurmd -D -N node >/dev/null 2>&1 &
  daemons+=($!)
  await 'an idle node' node_is_idle
}

node_is_idle() { [[ $(sinfo --noheader --format=%T 2>/dev/null) == idle ]]; }

# The state of a job or a task, such as RUNNING.
state() { scontrol --oneliner show job "$1" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }
has_ended() { [[ $(state "$1") =~ ^(COMPLETED|FAILED|CANCELLED|NODE_FAIL|TIMEOUT)$ ]]; }

# Kills the processes of a running task, as a node does that is out of memory, and requeues it.
kill_and_requeue() {
  local task=$1 run=$2 pids
  await "task $task to run a batch" grep -qs '"kind":"batch"' "$run/events.jsonl"
  pids=$(scontrol listpids | awk -v job="$(scontrol --oneliner show job "$task" | sed -n 's/^JobId=\([0-9]*\).*/\1/p')" '$2 == job { print $1 }')
  [[ -n $pids ]] || fail "no process of task $task was found; give more PROGRAMS"
  # shellcheck disable=SC2086
  kill -KILL $pids
  await "task $task to end" has_ended "$task"
  [[ $(state "$task") == FAILED ]] || fail "task $task was killed and is $(state "$task"); give more PROGRAMS"
  ! grep -q '"kind":"end"' "$run/events.jsonl" || fail "task $task had ended before it was killed; give more PROGRAMS"
  scontrol requeue "$task"
}

# What must not depend on how a campaign is split: everything but times and paths.
essence() {
  node --input-type=module - "$1" <<'PROGRAM'
import { readFileSync, readdirSync } from 'node:fs';
const [directory] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(`${directory}/${file}`, 'utf8'));
const { time, findings, ...counters } = read('summary.json');
const entries = readdirSync(`${directory}/findings`).sort().map((file) => read(`findings/${file}`));
for (const { provenance } of entries) delete provenance.date;
const told = findings.map(({ file, replay, ...finding }) => finding);
console.log(JSON.stringify({ counters, told, entries }, undefined, 1));
PROGRAM
}

check_machine
configure
start_slurm
cd "$directory/runs"

submitted=$(bash "$fleet/slurm.sh" "$CAMPAIGN" "$SHARDS" --corpus none "${OPTIONS[@]}")
echo "$submitted"
array=$(sed -n 's/^shards  job \([0-9]*\),.*/\1/p' <<<"$submitted")
merge=$(sed -n 's/^merge   job \([0-9]*\),.*/\1/p' <<<"$submitted")

kill_and_requeue "${array}_$KILLED" "out/$CAMPAIGN/shard-$KILLED"
echo "task    $KILLED killed and requeued"
await 'the merge' has_ended "$merge"
cat "out/$CAMPAIGN/merge.log"
[[ $(grep -c '"kind":"begin"' "out/$CAMPAIGN/shard-$KILLED/events.jsonl") -eq 2 ]] || fail "shard $KILLED did not resume where it was killed"
# The merge fails because of the findings.
[[ $(state "$merge") == FAILED ]] || fail "the merge job is $(state "$merge"), and there are findings"

node "$shadowdiff" nightly --seed "$CAMPAIGN" --out whole --corpus none "${OPTIONS[@]}" >whole.log 2>&1 || [[ $? -eq 1 ]] ||
  fail 'the campaign in one piece failed; see runs/whole.log'
node "$shadowdiff" merge whole --out out/whole >/dev/null || [[ $? -eq 1 ]]
diff <(essence out/whole) <(essence "out/$CAMPAIGN/merged") || fail 'four shards differ from one (see above)'
echo "try-slurm: $SHARDS shards, one killed and requeued, give exactly what the campaign gives in one piece"
