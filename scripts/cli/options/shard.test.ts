import { expect, test } from 'vitest';
import { shardOf } from './shard.js';

test('a shard is counted from 0', () => {
  expect(shardOf('0/1', {})).toEqual({ index: 0, of: 1 });
  expect(shardOf('6/7', {})).toEqual({ index: 6, of: 7 });
});

test.each(['', '1', '7/7', '0/0', '-1/2', '1/2/3', 'a/b', '0/100001', ' 0/1'])('%j is refused', (text) => {
  expect(() => shardOf(text, {})).toThrow(/^--shard: .*; /);
});

test.each([
  [
    { SHARD_INDEX: '2', SHARD_TOTAL: '5' },
    { index: 2, of: 5 },
  ],
  [
    { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '1' },
    { index: 2, of: 4 },
  ],
  [
    { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_COUNT: '4' },
    { index: 3, of: 4 },
  ],
  [
    { JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '8' },
    { index: 0, of: 8 },
  ],
])('auto reads %j', (env, shard) => {
  expect(shardOf('auto', env)).toEqual(shard);
});

test.each([
  [{}, 'auto finds no variable of a scheduler'],
  [{ SHARD_INDEX: '2' }, 'SHARD_TOTAL: "" is not a whole number'],
  [{ JOB_COMPLETION_INDEX: '3', JOB_COMPLETIONS: '3' }, '3/3 is not a shard'],
  [{ SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '1' }, '-1/4 is not a shard'],
  [{ SHARD_INDEX: 'x', SHARD_TOTAL: '2' }, 'SHARD_INDEX: "x" is not a whole number'],
])('auto refuses %j', (env, message) => {
  expect(() => shardOf('auto', env)).toThrow(message);
});
