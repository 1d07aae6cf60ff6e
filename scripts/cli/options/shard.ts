/** Which part of a campaign this process runs. */

import { BadInput } from '../../../properties/formats/index.js';
import type { Shard } from '../../../properties/campaign/batches.js';
import { MOST_SHARDS } from '../../../properties/campaign/campaign-bounds.js';

/** Schedulers, and the variables in which they number processes. A first number other than 0 is subtracted. */
const SCHEDULERS = [
  { name: 'GitHub matrix', index: 'SHARD_INDEX', total: 'SHARD_TOTAL', first: undefined },
  {
    name: 'SLURM array',
    index: 'SLURM_ARRAY_TASK_ID',
    total: 'SLURM_ARRAY_TASK_COUNT',
    first: 'SLURM_ARRAY_TASK_MIN',
  },
  { name: 'Kubernetes indexed job', index: 'JOB_COMPLETION_INDEX', total: 'JOB_COMPLETIONS', first: undefined },
] as const;

/**
 * `2/7`, or `auto`: from the variables of a scheduler.
 *
 * @throws BadInput for anything else, and for variables that are missing or contradict each other
 */
export const shardOf = (text: string, env: Readonly<Record<string, string | undefined>>): Shard => {
  if (text === 'auto') return shardFrom(env);
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (index === undefined || of === undefined) {
    throw new BadInput('--shard', `${JSON.stringify(text)} is not a shard; write i/n, such as 0/4, or auto`);
  }
  return checked({ index: Number(index), of: Number(of) }, '--shard');
};

const shardFrom = (env: Readonly<Record<string, string | undefined>>): Shard => {
  const scheduler = SCHEDULERS.find(({ index }) => (env[index] ?? '') !== '');
  if (scheduler === undefined) {
    const known = SCHEDULERS.map(({ index, total }) => `${index} and ${total}`).join(', or ');
    throw new BadInput('--shard', `auto finds no variable of a scheduler; set ${known}, or write i/n`);
  }
  const first =
    scheduler.first === undefined || env[scheduler.first] === undefined ? 0 : numberIn(env, scheduler.first);
  const index = numberIn(env, scheduler.index) - first;
  return checked({ index, of: numberIn(env, scheduler.total) }, `--shard auto (${scheduler.name})`);
};

const numberIn = (env: Readonly<Record<string, string | undefined>>, variable: string): number => {
  const value = env[variable] ?? '';
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new BadInput(variable, `${JSON.stringify(value)} is not a whole number; set it, or write --shard i/n`);
};

const checked = (shard: Shard, where: string): Shard => {
  const { index, of } = shard;
  if (of >= 1 && of <= MOST_SHARDS && index >= 0 && index < of) return shard;
  const choice =
    of >= 1 && of <= MOST_SHARDS ? `i/${of}, with i from 0 to ${of - 1}` : `i/n, with n from 1 to ${MOST_SHARDS}`;
  throw new BadInput(where, `${index}/${of} is not a shard; write ${choice}`);
};
