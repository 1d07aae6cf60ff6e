/** The manifest, against the schema that Kubernetes publishes and against what shadowdiff asks of it. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IJob } from 'kubernetes-models/batch/v1';
import { Job } from 'kubernetes-models/batch/v1';
import type { IPersistentVolumeClaim } from 'kubernetes-models/v1';
import { PersistentVolumeClaim } from 'kubernetes-models/v1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { shardOf } from '../cli/options/shard.js';

type Resource = IPersistentVolumeClaim | IJob;

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(new URL('kubernetes.yaml', import.meta.url), 'utf8');

const resourcesOf = (manifest: string): readonly Resource[] =>
  parseAllDocuments(manifest).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Resource;
  });

const jobsIn = (manifest: string): readonly IJob[] =>
  resourcesOf(manifest).filter((each): each is IJob => each.kind === 'Job');

/** What the schema says against a manifest. */
const schemaProblems = (manifest: string): readonly string[] =>
  resourcesOf(manifest).flatMap((resource) => {
    try {
      if (resource.kind === 'Job') new Job(resource).validate();
      else new PersistentVolumeClaim(resource).validate();
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'shadowdiff-kubernetes-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the types of the schema say besides: it allows fields that it does not know, and the API server drops them in silence. */
const typeProblems = (manifest: string): string => {
  const file = join(directory, 'manifest.ts');
  const [claim, ...jobs] = resourcesOf(manifest);
  const models = join(REPOSITORY, 'node_modules', 'kubernetes-models');
  writeFileSync(
    file,
    `import type { IJob } from ${JSON.stringify(join(models, 'batch/v1/Job'))};
import type { IPersistentVolumeClaim } from ${JSON.stringify(join(models, 'v1/PersistentVolumeClaim'))};
export const claim: IPersistentVolumeClaim = ${JSON.stringify(claim)};
export const jobs: readonly IJob[] = ${JSON.stringify(jobs)};
`,
  );
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler'];
  return spawnSync(join(REPOSITORY, 'node_modules', '.bin', 'tsc'), [...options, '--ignoreConfig', file], {
    encoding: 'utf8',
  }).stdout;
};

test('the manifest is as the schema has it', () => {
  expect(schemaProblems(text)).toEqual([]);
  expect(typeProblems(text)).toBe('');
});

describe('a manifest that is not is refused:', () => {
  test.each([
    ['no number of completions', /completions: 8/, 'completions: eight', 'completions must be integer'],
    ['a container without a name', /- name: shard\n\s+image/, '- image', "required property 'name'"],
    ['a wrong type', /backoffLimit: 0/, 'backoffLimit: none', 'backoffLimit must be integer'],
  ])('%s', (_, what, instead, problem) => {
    const broken = text.replace(what, instead);
    expect(broken).not.toBe(text);
    expect(schemaProblems(broken).join()).toContain(problem.replaceAll("'", ''));
  });

  test.each([
    ['a field that nobody knows', /completionMode:/, 'completionsMode:', 'completionsMode'],
    ['a field at the wrong place', /restartPolicy: Never/, 'backoffLimit: 1', 'backoffLimit'],
    ['a word that nobody knows', /Indexed\n/, 'Index\n', '"Index"'],
  ])('%s', (_, what, instead, problem) => {
    const broken = text.replace(what, instead);
    expect(broken).not.toBe(text);
    expect(typeProblems(broken)).toContain(problem);
  });
});

test('the image runs as a user who is not root, as its pods do', () => {
  const [, user] = /^USER (\d+)$/m.exec(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8')) ?? [];
  for (const job of jobsIn(text)) expect(String(job.spec!.template.spec!.securityContext!.runAsUser)).toBe(user);
});

test('the shards are as many as their Job says', () => {
  const { spec } = jobsIn(text).find(({ metadata }) => metadata?.name === 'shadowdiff')!;
  const { env = [] } = spec!.template.spec!.containers[0];
  const variables = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 8 });
  expect(shardOf('auto', { ...variables, JOB_COMPLETION_INDEX: '7' })).toEqual({ index: 7, of: spec!.completions });
});

/** What the Pod Security Standard "restricted" asks of a pod, and the limits that it does not ask for. */
describe.each(jobsIn(text).map((job) => [job.metadata!.name!, job.spec!.template.spec!] as const))('%s', (_, pod) => {
  const { securityContext, automountServiceAccountToken, containers, volumes = [] } = pod;

  test('runs as nobody in particular, under the seccomp profile of the node', () => {
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(securityContext!.runAsUser).toBeGreaterThan(0);
    expect(pod).not.toMatchObject({ initContainers: expect.anything() });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(field);
  });

  test('gains no privileges, and has none', () => {
    for (const container of containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('gets no token', () => {
    expect(automountServiceAccountToken).toBe(false);
  });

  test('is limited in processors and memory', () => {
    for (const { resources } of containers) {
      expect(resources).toMatchObject({ limits: { cpu: expect.any(String), memory: expect.any(String) } });
    }
  });

  test('writes to its volumes alone, which are the campaigns and /tmp', () => {
    for (const { volumeMounts = [] } of containers) {
      expect(volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/campaigns', '/tmp']);
    }
    expect(volumes).toEqual([
      { name: 'campaigns', persistentVolumeClaim: { claimName: 'shadowdiff' } },
      { name: 'tmp', emptyDir: { sizeLimit: expect.any(String) } },
    ]);
  });
});
