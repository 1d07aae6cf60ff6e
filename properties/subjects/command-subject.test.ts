import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { BadInput } from '../formats/index.js';
import type { Program, Step } from '../../model/vocabulary/index.js';
import { cpu } from '../../model/vocabulary/index.js';
import { CommandSubject } from './command-subject.js';

/** Milliseconds that are enough for an answer on a busy machine, and few enough to wait for one that never comes. */
const ENOUGH = 20_000;
const SHORT = 400;

const directory = mkdtempSync(join(tmpdir(), 'command-subject-'));
const subjects: CommandSubject[] = [];
const exitListeners = process.listenerCount('exit');

afterEach(async () => {
  await Promise.all(subjects.splice(0).map((subject) => subject.close()));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const programOf = (steps: number): Program => ({
  machine: { paging: '2-level', guestPages: 8, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: Array.from({ length: steps }, (): Step => ({ op: 'migrate', cpu: cpu(0) })),
});
const PROGRAM = programOf(1);

/**
 * `life` counts from 1 how often the script was started; `trace` answers a program, and says `tables` in it. `each` answers the hello and
 * leaves every program to `work`; a script without it never answers the hello.
 */
const PRELUDE = `
const fs = require('node:fs');
fs.appendFileSync(__filename + '.lives', process.pid + '\\n');
const life = fs.readFileSync(__filename + '.lives', 'utf8').split('\\n').length - 1;
const trace = (line, tables = 2) => {
  const observation = (kind) => ({ outcome: { kind }, references: [], stores: [], tables, switcher: { text: 1, state: [0], registers: 0 } });
  const steps = JSON.parse(line).steps.map(() => observation('ok'));
  return JSON.stringify({ created: observation('created'), steps, destroyed: observation('destroyed') });
};
const lines = (work) => require('node:readline').createInterface({ input: process.stdin }).on('line', work);
const hello = (more) => JSON.stringify({ format: 'shadowdiff-hello/2', ...more });
const each = (work) => lines((line) => (line.includes('shadowdiff-hello') ? fs.writeSync(1, hello() + '\\n') : work(line)));
const answer = (line) => console.log(trace(line));
`;

let scripts = 0;
const scriptOf = (body: string): string => {
  const path = join(directory, `script-${++scripts}.cjs`);
  writeFileSync(path, PRELUDE + body);
  return path;
};

/** Process ids of the lives that a script has had. */
const livesOf = (path: string): number[] =>
  existsSync(`${path}.lives`) ? readFileSync(`${path}.lives`, 'utf8').trim().split('\n').map(Number) : [];

const commanded = (command: string, caseTimeout = ENOUGH, startTimeout = ENOUGH): CommandSubject => {
  const subject = new CommandSubject(command, '--subject', { caseTimeout, startTimeout });
  subjects.push(subject);
  return subject;
};

const running = (path: string, timeout = ENOUGH, startTimeout = ENOUGH): CommandSubject =>
  commanded(`${process.execPath} ${path}`, timeout, startTimeout);

/** For tests that run side by side: each closes its own subject. */
const withSubject = async (
  path: string,
  caseTimeout: number,
  work: (subject: CommandSubject) => Promise<void>,
  startTimeout = ENOUGH,
): Promise<void> => {
  const subject = new CommandSubject(`${process.execPath} ${path}`, '--subject', { caseTimeout, startTimeout });
  await work(subject).finally(() => subject.close());
};

/** What a subject makes of a program, in a word or a sentence. */
const outcomeOf = async (subject: CommandSubject, program = PROGRAM): Promise<string> => {
  const answer = await subject.answer(program);
  return answer.kind === 'trace' ? `trace ${answer.trace.destroyed.tables}` : `${answer.failure}: ${answer.detail}`;
};

/** Misbehaves in its first life, and answers in all others. */
const onlyAtFirst = (misbehaviour: string): string => scriptOf(`if (life > 1) each(answer); else { ${misbehaviour} }`);

/** A dead process that nobody has asked for yet is not alive; in a container without an init that may take for ever. */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self');
  }
};

const untilGone = async (pid: number): Promise<void> => {
  while (isAlive(pid)) await sleep(10);
};

const untilWritten = async (path: string): Promise<string> => {
  while (!existsSync(path) || !readFileSync(path, 'utf8').endsWith('\n')) await sleep(10);
  return readFileSync(path, 'utf8').trim();
};

describe('a command line that cannot be used', () => {
  const plain = join(directory, 'plain-file');
  writeFileSync(plain, 'no program\n');

  test.each([
    ['./no-such-command', 'cannot start "./no-such-command": there is no such command'],
    ['/', 'cannot start "/": permission denied'],
    [plain, 'permission denied'],
    ['a\0b', 'null bytes'],
  ])('%j is refused when it is started', async (command, message) => {
    const subject = commanded(command);
    await expect(subject.start()).rejects.toThrow(BadInput);
    await expect(subject.answer(PROGRAM)).rejects.toThrow(message);
    await expect(subject.answer(PROGRAM)).rejects.toThrow(/^--subject: .*; check its path/);
  });

  test.each(['', '  ', '""', `"" x`, '"open', `it's`])('%j is refused at once', (command) => {
    expect(() => commanded(command)).toThrow(BadInput);
  });

  test('a command that appears later can be started then', async () => {
    const path = join(directory, 'late-command');
    const subject = commanded(path);
    await expect(subject.start()).rejects.toThrow(BadInput);
    writeFileSync(path, `#!${process.execPath}\n${PRELUDE} each(answer);`);
    chmodSync(path, 0o755);
    expect(await outcomeOf(subject)).toBe('trace 2');
  });
});

describe('words of a command line', () => {
  test('quotes hold words together', async () => {
    const spaced = join(directory, 'with spaces');
    mkdirSync(spaced);
    const path = join(spaced, 'a script.cjs');
    writeFileSync(
      path,
      `${PRELUDE} each((line) => console.error(JSON.stringify(process.argv.slice(2))) || process.exit(9));`,
    );
    const subject = commanded(`'${process.execPath}' "${path}" "it's" two' 'words '' $HOME a\\b`);
    const words = JSON.stringify(["it's", 'two words', '', '$HOME', 'a\\b']);
    expect(await outcomeOf(subject)).toBe(
      `subject-crash: exited with code 9; its last words: ${JSON.stringify(words)}`,
    );
  });

  test('a relative path counts from the working directory', async () => {
    const path = join(directory, 'relative-command');
    writeFileSync(path, `#!${process.execPath}\n${PRELUDE} each(answer);`);
    chmodSync(path, 0o755);
    expect(await outcomeOf(commanded(relative(process.cwd(), path)))).toBe('trace 2');
  });
});

describe('after a failure it is started afresh', () => {
  const ON_LINE = (work: string): string => `each((line) => { ${work} });`;

  test.concurrent.each([
    ['exits with code 0', ON_LINE('process.exit(0)'), 'subject-crash: exited with code 0'],
    ['exits instead of an answer', ON_LINE('process.exit(3)'), 'subject-crash: exited with code 3'],
    ['dies by SIGKILL', ON_LINE(`process.kill(process.pid, 'SIGKILL')`), 'subject-crash: killed by SIGKILL'],
    ['dies by SIGSEGV', ON_LINE(`process.kill(process.pid, 'SIGSEGV')`), 'subject-crash: killed by SIGSEGV'],
    [
      'says why it dies',
      ON_LINE(`fs.writeSync(2, 'first\\n\\x1b[31mlast\\n'); process.exit(1)`),
      'subject-crash: exited with code 1; its last words: "\\u001b[31mlast"',
    ],
    [
      'dies in the middle of a line',
      ON_LINE(`fs.writeSync(1, trace(line)); process.exit(0)`),
      'subject-crash: exited with code 0',
    ],
    ['answers with no JSON', ON_LINE(`console.log('{"created":')`), /^subject-garbage: answer: line 1, column 12: /],
    ['answers with no trace', ON_LINE(`console.log('{"unsupported":"this"}')`), /^subject-garbage: answer: steps: /],
    ['answers with an empty line', ON_LINE('console.log()'), 'subject-garbage: answer: the answer is empty; '],
    [
      'answers another program',
      ON_LINE(`console.log(trace('{"steps":[1,2]}'))`),
      'subject-garbage: answer: steps: 2 answers, but the number of steps is 1',
    ],
    [
      'answers two lines at once',
      ON_LINE(`process.stdout.write(trace(line) + '\\n' + trace(line) + '\\n')`),
      'subject-garbage: output beside the one line that answers a program',
    ],
    ['prints a banner when it is asked', ON_LINE(`console.log('hello'); answer(line)`), /^subject-garbage: /],
    [
      'answers in no UTF-8',
      ON_LINE(`process.stdout.write(Buffer.from(trace(line).replace('}', ',"x":"\\xff"}') + '\\n', 'latin1'))`),
      'subject-garbage: a line that is not UTF-8',
    ],
    [
      'answers with millions of brackets',
      ON_LINE(`process.stdout.write('['.repeat(2 ** 26) + '\\n')`),
      'subject-garbage: answer: line 1, column 101: brackets nested more than 100 deep',
    ],
    [
      'floods its output when it is asked',
      ON_LINE(`const flood = Buffer.alloc(2 ** 20, 97); for (;;) fs.writeSync(1, flood);`),
      'subject-garbage: a line longer than 67108864 bytes',
    ],
  ])('when it %s', async (_, misbehaviour, expected) => {
    await withSubject(onlyAtFirst(misbehaviour), ENOUGH, async (subject) => {
      const outcome = await outcomeOf(subject);
      if (typeof expected === 'string') expect(outcome.slice(0, expected.length)).toBe(expected);
      else expect(outcome).toMatch(expected);
      expect(await outcomeOf(subject)).toBe('trace 2');
      expect(await outcomeOf(subject)).toBe('trace 2');
    });
  });

  test('when it prints much before it dies, of which the end is kept', async () => {
    const path = onlyAtFirst(ON_LINE(`fs.writeSync(2, 'x'.repeat(100_000) + 'the end'); process.exit(1)`));
    const answer = await running(path).answer(PROGRAM);
    expect(answer).toMatchObject({ standardError: expect.stringMatching(/^x{65529}the end$/) });
  });

  test.each([
    ['SIGKILL', true],
    ['SIGSEGV', false],
  ])('when it dies by %s, for which the machine may be to blame: %s', async (signal, mayBeChance) => {
    const subject = running(onlyAtFirst(ON_LINE(`process.kill(process.pid, '${signal}')`)));
    expect(await subject.answer(PROGRAM)).toMatchObject({ failure: 'subject-crash', mayBeChance });
  });

  test('when it dies between two programs, which is told of the second', async () => {
    const path = scriptOf(`each((line) => { answer(line); if (life === 1) setTimeout(() => process.exit(4), 20); });`);
    const subject = running(path);
    expect(await outcomeOf(subject)).toBe('trace 2');
    await untilGone(livesOf(path)[0]);
    expect(await outcomeOf(subject)).toBe('subject-crash: exited with code 4');
    expect(await outcomeOf(subject)).toBe('trace 2');
  });

  test('when it dies after its last answer, which is a failure at the end of its input, reported once', async () => {
    const path = scriptOf(`each((line) => { answer(line); setTimeout(() => process.exit(4), 20); });`);
    const subject = running(path);
    expect(await outcomeOf(subject)).toBe('trace 2');
    await untilGone(livesOf(path)[0]);
    await sleep(50);
    expect(await subject.close()).toMatchObject({
      answer: { failure: 'subject-crash', detail: 'exited with code 4', at: { place: { kind: 'end-of-input' } } },
      seen: [PROGRAM],
    });
    expect(await subject.close()).toBeUndefined();
  });

  test('when it prints something unasked', async () => {
    const mark = join(directory, 'unasked');
    const late = `setTimeout(() => { answer(line); fs.writeFileSync('${mark}', 'x\\n'); }, 20)`;
    const subject = running(scriptOf(`each((line) => { answer(line); if (life === 1) ${late}; });`));
    expect(await outcomeOf(subject)).toBe('trace 2');
    await untilWritten(mark);
    expect(await outcomeOf(subject)).toMatch(/^subject-garbage: output beside/);
    expect(await outcomeOf(subject)).toBe('trace 2');
  });

  test('a second line that lies in the pipe never passes for the next answer', async () => {
    const path = scriptOf(
      `each((line) => { fs.writeSync(1, trace(line, 1) + '\\n'); fs.writeSync(1, trace(line, 7) + '\\n'); });`,
    );
    const subject = running(path);
    for (let index = 0; index < 6; index++) {
      expect(await outcomeOf(subject)).not.toBe('trace 7');
      blockFor(20);
    }
  });
});

/** Keeps this process from looking at any pipe, as a long comparison does. */
const blockFor = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

describe('no answer in time', () => {
  const LATE = `subject-timeout: no answer within ${SHORT} ms`;

  test.concurrent.each([
    ['prints half a line and hangs', `each((line) => fs.writeSync(1, trace(line).slice(0, 20)));`],
    [
      'reads no further',
      `each(() => undefined).once('line', () => process.stdin.pause()); setInterval(() => undefined, 1000);`,
    ],
    ['is in an endless loop', `each(() => { for (;;); });`],
    [
      'closes its input',
      `each(() => undefined).once('line', () => process.stdin.destroy()); setInterval(() => undefined, 1000);`,
    ],
    ['closes its output', `each(() => fs.closeSync(1)); setInterval(() => undefined, 1000);`],
  ])('when it %s, which ends it', async (_, misbehaviour) => {
    const path = scriptOf(misbehaviour);
    await withSubject(path, SHORT, async (subject) => {
      // A program that does not fit the pipe.
      expect(await outcomeOf(subject, programOf(5000))).toBe(LATE);
      for (const pid of livesOf(path)) expect(isAlive(pid)).toBe(false);
    });
  });

  test('a late answer is never taken for that of the next program', async () => {
    // Long enough for the second process to start on a busy machine.
    const limit = 4 * SHORT;
    const path = scriptOf(
      `each((line) => setTimeout(() => console.log(trace(line, life)), life === 1 ? 2 * ${limit} : 0));`,
    );
    const subject = running(path, limit);
    expect(await outcomeOf(subject)).toBe(`subject-timeout: no answer within ${limit} ms`);
    await sleep(limit);
    expect(await outcomeOf(subject)).toBe('trace 2');
  });

  test('an answer that came in time counts, though we had no time to look', async () => {
    const subject = running(scriptOf('each(answer);'), 4 * SHORT);
    expect(await outcomeOf(subject)).toBe('trace 2');
    const asked = outcomeOf(subject);
    // By then the program is sent.
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
    blockFor(4 * SHORT + 50);
    expect(await asked).toBe('trace 2');
  });
});

describe('what the protocol allows', () => {
  test('lines that end as on Windows, further keys and much on standard error', async () => {
    const noise = `fs.writeSync(2, 'x'.repeat(2 ** 20) + '\\n'); fs.writeSync(2, 'y'.repeat(2 ** 20));`;
    const subject = running(
      scriptOf(
        `each((line) => { ${noise} process.stdout.write(trace(line).replace('{', '{"more":"ü",') + '\\r\\n'); });`,
      ),
    );
    for (let index = 0; index < 3; index++) expect(await outcomeOf(subject)).toBe('trace 2');
  });

  test('an answer in pieces, cut inside a character', async () => {
    const send = `const bytes = Buffer.from(trace(line).replace('{', '{"more":"ü",') + '\\n'); fs.writeSync(1, bytes.subarray(0, 10)); setTimeout(() => fs.writeSync(1, bytes.subarray(10)), 20);`;
    expect(await outcomeOf(running(scriptOf(`each((line) => { ${send} });`)))).toBe('trace 2');
  });

  test('thousands of programs, one life', async () => {
    const path = scriptOf('each(answer);');
    const subject = running(path);
    for (let index = 0; index < 3000; index++) expect((await subject.answer(PROGRAM)).kind).toBe('trace');
    expect(livesOf(path)).toHaveLength(1);
  });

  test('programs and answers larger than any pipe', async () => {
    expect(await outcomeOf(running(scriptOf('each(answer);')), programOf(20_000))).toBe('trace 2');
  });
});

describe('processes that it leaves behind', () => {
  const START_SLEEPER = (detached: boolean): string =>
    `const sleeper = require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => 0, 20000)'], { stdio: 'inherit', detached: ${detached} });
     fs.writeFileSync(__filename + '.sleeper', sleeper.pid + '\\n');`;

  test('one of its group is ended with it', async () => {
    const path = scriptOf(`each(() => { ${START_SLEEPER(false)} process.exit(5); });`);
    expect(await outcomeOf(running(path))).toBe('subject-crash: exited with code 5');
    await untilGone(Number(await untilWritten(`${path}.sleeper`)));
  });

  test('one that left the group and holds the pipes does not keep us waiting', async () => {
    const path = scriptOf(`each(() => { ${START_SLEEPER(true)} process.exit(5); });`);
    expect(await outcomeOf(running(path))).toBe('subject-crash: exited with code 5');
    const sleeper = Number(await untilWritten(`${path}.sleeper`));
    expect(isAlive(sleeper)).toBe(true);
    process.kill(sleeper, 'SIGKILL');
  });
});

describe('start and close', () => {
  test('started twice it runs once', async () => {
    const path = scriptOf('each(answer);');
    const subject = running(path);
    await Promise.all([subject.start(), subject.start()]);
    await subject.start();
    expect(await outcomeOf(subject)).toBe('trace 2');
    expect(livesOf(path)).toHaveLength(1);
  });

  test('closed while it is asked it has not failed, and it may be asked again', async () => {
    const path = scriptOf(
      'if (life > 1) each(answer); else each(() => fs.writeFileSync(`${__filename}.asked`, "x\\n"));',
    );
    const subject = running(path);
    const asked = subject.answer(PROGRAM);
    const refusal = asked.then(
      () => 'answered',
      (error: Error) => error.message,
    );
    await untilWritten(`${path}.asked`);
    await subject.close();
    expect(await refusal).toMatch(/was closed before it answered$/);
    expect(isAlive(livesOf(path)[0])).toBe(false);
    expect(await outcomeOf(subject)).toBe('trace 2');
  });

  test('closed while it starts, twice, or never started', async () => {
    const path = scriptOf('setInterval(() => undefined, 1000);');
    const subject = running(path);
    await subject.close();
    const starting = subject.start().catch((error: Error) => error.message);
    await untilWritten(`${path}.lives`);
    await Promise.all([subject.close(), subject.close()]);
    expect(await starting).toContain('was closed');
    expect(isAlive(livesOf(path)[0])).toBe(false);
    await expect(subject.close()).resolves.toBeUndefined();
  });

  test('asked again before it answered it answers in order', async () => {
    const subject = running(
      scriptOf('let n = 0; each((line) => setTimeout(() => console.log(trace(line, ++n)), 50));'),
    );
    const asked = [1, 2, 3].map(() => outcomeOf(subject));
    expect(await Promise.all(asked)).toEqual(['trace 1', 'trace 2', 'trace 3']);
  });

  test('an idle command may write down what it has when its input ends', async () => {
    const path = scriptOf(
      `each(answer).on('close', () => setTimeout(() => fs.writeFileSync(__filename + '.done', 'x\\n'), 20));`,
    );
    const subject = running(path);
    await outcomeOf(subject);
    await subject.close();
    expect(existsSync(`${path}.done`)).toBe(true);
  });

  test('one that outlives its input is ended', async () => {
    const path = scriptOf(`each(answer).on('close', () => setInterval(() => undefined, 1000));`);
    const subject = running(path);
    await outcomeOf(subject);
    await subject.close();
    expect(isAlive(livesOf(path)[0])).toBe(false);
  });

  test('an idle command keeps nobody from exiting, and a closed one leaves nothing behind', async () => {
    const held = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap' || kind === 'ProcessWrap').length;
    // Handles of the test before are counted until Node has closed them.
    await sleep(100);
    const before = held();
    const subject = running(scriptOf('each(answer);'));
    for (let life = 0; life < 20; life++) {
      await outcomeOf(subject);
      expect(held()).toBe(before);
      if (life % 10 === 0) await subject.close();
    }
    await subject.close();
    expect(process.listenerCount('exit')).toBe(exitListeners);
  });

  test('when this process exits, a command that hangs is ended', async () => {
    const path = scriptOf('each(() => { fs.writeFileSync(`${__filename}.asked`, "x\\n"); for (;;); });');
    const others = new Set(process.listeners('exit'));
    const subject = running(path);
    const asked = outcomeOf(subject);
    await untilWritten(`${path}.asked`);
    const ours = process.listeners('exit').filter((listener) => !others.has(listener));
    expect(ours).toHaveLength(1);
    ours[0].call(process, 0);
    expect(await asked).toBe('subject-crash: killed by SIGKILL');
  });
});

/** What a subject can do, or why it cannot be used. */
const startOf = async (subject: CommandSubject): Promise<string> => {
  try {
    const { version, name, observes } = await subject.start();
    return `version ${version}, ${name}: ${observes.join(' ')}`;
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return error.message;
  }
};

describe('the hello', () => {
  const SAYS = (fields: string): string =>
    `lines((line) => line.includes('hello') ? console.log(hello(${fields})) : answer(line));`;
  const ALL = 'outcome references stores tables switcher';

  test('is answered once for all programs of a life', async () => {
    const path = scriptOf(SAYS(`{ name: 'mine', observes: ['outcome', 'tables'] }`));
    const subject = running(path);
    expect(await startOf(subject)).toBe('version 2, mine: outcome tables');
    // On a busy machine a hello may come so late that the command is started again.
    const lives = livesOf(path);
    for (let index = 0; index < 3; index++) expect(await outcomeOf(subject)).toBe('trace 2');
    expect(livesOf(path)).toEqual(lives);
  });

  test('is answered anew after each restart, and known after a close', async () => {
    const counting = `let n = 0; lines((line) => line.includes('hello') ? console.log(hello({ name: 'mine' })) : n++ === 0 && life < 3 ? process.exit(1) : answer(line));`;
    const subject = running(scriptOf(counting));
    expect(await outcomeOf(subject)).toBe('subject-crash: exited with code 1');
    expect(await outcomeOf(subject)).toBe('subject-crash: exited with code 1');
    expect(await outcomeOf(subject)).toBe('trace 2');
    await subject.close();
    expect(await startOf(subject)).toMatch(/^version 2, mine/);
    expect(await outcomeOf(subject)).toBe('trace 2');
  });

  test.each([
    ['another name', `console.log(hello({ name: 'life ' + life }))`],
    ['no hello', `life === 1 ? console.log(hello()) : answer('{"steps":[]}')`],
    ['a hello that cannot be read', `console.log(hello(life === 1 ? {} : { paging: 'all' }))`],
  ])('that becomes %s is a finding, and the run goes on', async (_, says) => {
    const path = scriptOf(`lines((line) => line.includes('hello') ? ${says} : process.exit(1));`);
    const subject = running(path);
    expect(await outcomeOf(subject)).toBe('subject-crash: exited with code 1');
    for (let time = 0; time < 2; time++)
      expect(await outcomeOf(subject)).toBe('subject-garbage: another answer to the hello than at its first start');
    expect(livesOf(path)).toHaveLength(3);
  });

  test.each([
    [`console.log(hello({ encoding: 'xml' }))`, 'encoding: "xml" is not known; use one of "json", "binary"'],
    [`console.log(hello({ steps: ['fly'] }))`, 'steps[0]: "fly" is not known'],
    [`console.log(hello().slice(0, -1))`, 'line 1, column 31: the text ends where'],
  ])('%s is refused, and the process ended', async (says, message) => {
    const path = scriptOf(`lines(() => ${says});`);
    expect(await startOf(running(path))).toContain(`--subject: ${message}`);
    for (const pid of livesOf(path)) expect(isAlive(pid)).toBe(false);
  });

  test.concurrent('may take its time: then it is asked again without a program behind it', async () => {
    const path = scriptOf(`setTimeout(() => { ${SAYS(`{ name: 'slow' }`)} }, 1500);`);
    await withSubject(path, ENOUGH, async (subject) => {
      expect(await startOf(subject)).toBe(`version 2, slow: ${ALL}`);
      expect(await outcomeOf(subject)).toBe('trace 2');
      expect(livesOf(path)).toHaveLength(2);
    });
  });

  test('is known from another process', async () => {
    const path = scriptOf(SAYS(`{ name: 'mine' }`));
    const command = `${process.execPath} ${path}`;
    const known = await running(path).start();
    const subject = new CommandSubject(command, '--subject', { caseTimeout: ENOUGH, startTimeout: ENOUGH, known });
    subjects.push(subject);
    expect(await subject.start()).toBe(known);
    expect(livesOf(path)).toHaveLength(1);
    expect(await outcomeOf(subject)).toBe('trace 2');
    const changed = new CommandSubject(command, '--subject', {
      caseTimeout: ENOUGH,
      startTimeout: ENOUGH,
      known: { ...known, name: 'another' },
    });
    subjects.push(changed);
    expect(await outcomeOf(changed)).toMatch(/^subject-garbage: another answer to the hello/);
  });
});

describe('a subject of version 1', () => {
  const VERSION_1 = /^version 1, exec:.*: outcome references stores tables switcher$/;
  const PROGRAMS_ONLY = 'answer(line)';

  test.concurrent.each([
    ['exits over the hello', `lines(answer);`, 2],
    ['answers something else', `lines((line) => line.includes('hello') ? console.log('what?') : answer(line));`, 2],
    [
      'answers with two lines',
      `lines((line) => line.includes('hello') ? console.log('what?\\nwhat?') : answer(line));`,
      2,
    ],
    [
      'prints a banner and then ignores it',
      `if (life === 1) console.log('ready'); lines((line) => line.includes('hello') || answer(line));`,
      2,
    ],
    ['ignores the hello', `lines((line) => line.includes('hello') || answer(line));`, 2],
    [
      'floods its output at first',
      `if (life > 1) lines(answer); else { const flood = Buffer.alloc(2 ** 20, 97); for (;;) fs.writeSync(1, flood); }`,
      2,
    ],
  ])('that %s is started afresh, and never sent a hello again', async (_, script, lives) => {
    const path = scriptOf(
      `const heard = (line) => fs.appendFileSync(__filename + '.heard', line.includes('hello') ? 'h' : 'p'); ${script.replace('lines((line) =>', 'lines((line) => heard(line) ||')}`,
    );
    await withSubject(path, ENOUGH, async (subject) => {
      expect(await startOf(subject)).toMatch(VERSION_1);
      expect(livesOf(path)).toHaveLength(lives);
      expect(await outcomeOf(subject)).toBe('trace 2');
      process.kill(livesOf(path)[lives - 1], 'SIGKILL');
      expect(await outcomeOf(subject)).toBe('subject-crash: killed by SIGKILL');
      expect(await outcomeOf(subject)).toBe('trace 2');
      expect(livesOf(path)).toHaveLength(lives + 1);
      if (existsSync(`${path}.heard`)) expect(readFileSync(`${path}.heard`, 'utf8')).toMatch(/^h?p+$/);
    });
  });

  test.concurrent.each([
    [
      'exits at once',
      `console.error('no licence'); process.exit(4);`,
      'exited with code 4 before its first answer; its last words: "no licence"; run it by hand',
    ],
    [
      'dies over the first program',
      `lines((line) => line.includes('hello') ? console.log('?') : process.exit(5));`,
      'exited with code 5 before its first answer; run it by hand',
    ],
    ['never reads', `setInterval(() => undefined, 1000);`, 'no first answer within 1600 ms of its start; let it flush'],
    ['is in an endless loop', `for (;;);`, 'no first answer within 1600 ms'],
    ['has closed its input', `fs.closeSync(0); setInterval(() => undefined, 1000);`, 'no first answer within 1600 ms'],
    ['has closed its output', `fs.closeSync(1); setInterval(() => undefined, 1000);`, 'no first answer within 1600 ms'],
    ['hangs over the hello', `lines(() => { for (;;); });`, 'no first answer within 1600 ms'],
  ])('that %s cannot be used', async (_, script, message) => {
    const path = scriptOf(script);
    const check = async (subject: CommandSubject): Promise<void> => {
      expect(await startOf(subject)).toContain(`--subject: cannot use ${JSON.stringify(process.execPath)}: ${message}`);
      await expect(subject.answer(PROGRAM)).rejects.toThrow(BadInput);
      for (const pid of livesOf(path)) expect(isAlive(pid)).toBe(false);
    };
    await withSubject(path, ENOUGH, check, 1600);
  });

  test.concurrent('whose restart fails is a finding, and the run goes on', async () => {
    const path = scriptOf(
      `lines((line) => line.includes('hello') || life === 3 ? process.exit(6) : ${PROGRAMS_ONLY});`,
    );
    await withSubject(path, ENOUGH, async (subject) => {
      expect(await startOf(subject)).toMatch(VERSION_1);
      process.kill(livesOf(path)[1], 'SIGKILL');
      expect(await outcomeOf(subject)).toBe('subject-crash: killed by SIGKILL');
      expect(await outcomeOf(subject)).toBe('subject-crash: exited with code 6 before its first answer');
      expect(await outcomeOf(subject)).toBe('trace 2');
    });
  });

  test('has its time for starting, which is not that of a program', async () => {
    const path = scriptOf(
      `const at = Date.now() + 1200; while (Date.now() < at); lines((line) => line.includes('hello') ? console.log('?') : answer(line));`,
    );
    const subject = running(path, 600);
    expect(await outcomeOf(subject)).toBe('trace 2');
  });
});

describe('several programs in flight', () => {
  /** Of different lengths, as those of a campaign are. */
  const numbered = (draw: number): Program => {
    const { machine, steps } = programOf(draw % 5);
    return { machine: { ...machine, draw }, steps };
  };
  const COUNT = 40;

  /** Answers a program with its number as `tables`, and misbehaves on some of them: `work` may answer in its place. */
  const taking = (inFlight: number, work: string): string =>
    scriptOf(`
      let seen = 0;
      lines((line) => {
        if (line.includes('shadowdiff-hello')) return console.log(hello({ inFlight: ${inFlight} }));
        const number = JSON.parse(line).machine.draw;
        seen++;
        ${work}
        fs.writeSync(1, trace(line, number) + '\\n');
      });`);

  const outcomesOf = async (path: string, timeout = ENOUGH): Promise<readonly string[]> => {
    const subject = running(path, timeout);
    return Promise.all(Array.from({ length: COUNT }, (_, number) => outcomeOf(subject, numbered(number))));
  };

  const good = Array.from({ length: COUNT }, (_, number) => `trace ${number}`);

  test.each([1, 3, 16, 1024])('%i are answered in order in one life', async (inFlight) => {
    const path = taking(inFlight, '');
    expect(await outcomesOf(path)).toEqual(good);
    expect(livesOf(path)).toHaveLength(1);
  });

  test('are no more than the subject takes, and the next are sent before the last are judged', async () => {
    const path = scriptOf(`
      let pending = [];
      lines((line) => {
        if (line.includes('shadowdiff-hello')) return console.log(hello({ inFlight: 4 }));
        if (pending.push(line) > 4) process.exit(1);
        if (pending.length === 1) setTimeout(() => {
          fs.appendFileSync(__filename + '.rounds', pending.length + '\\n');
          pending.splice(0).forEach(answer);
        }, 20);
      });`);
    const subject = running(path);
    const answers = Array.from({ length: 20 }, () => outcomeOf(subject));
    expect(await answers[0]).toBe('trace 2');
    // The first round is handed over when the second has been answered and the third been sent. Now nothing else has a turn.
    blockFor(500);
    expect(readFileSync(`${path}.rounds`, 'utf8')).toBe('4\n4\n4\n');
    expect(await Promise.all(answers)).toEqual(answers.map(() => 'trace 2'));
    expect(livesOf(path)).toHaveLength(1);
  });

  /** Outcomes of programs that do not end well, whoever was in flight with them. */
  test.each<[string, string, Readonly<Record<number, string>>, number?]>([
    [
      'crash',
      `if (number % 13 === 5) process.exit(3);`,
      Object.fromEntries([5, 18, 31].map((each) => [each, 'subject-crash: exited with code 3'])),
    ],
    [
      'crash later, when others have been answered',
      `if (number === 7) setTimeout(() => process.exit(3), 30); if (number === 7) return;`,
      { 7: 'subject-crash: exited with code 3' },
    ],
    [
      'are never answered',
      `if (number === 20) return;`,
      { 20: `subject-timeout: no answer within ${SHORT} ms` },
      SHORT,
    ],
    [
      'are answered with garbage',
      `if (number === 9) return console.log('{"unsupported":"this"}');`,
      { 9: 'subject-garbage: answer: steps: missing; give a list: […]' },
    ],
    [
      'are answered twice',
      `if (number === 11) fs.writeSync(1, trace(line, number) + '\\n');`,
      { 11: 'subject-garbage: output beside the one line that answers a program' },
    ],
    [
      'are the last, and answered twice at once',
      `if (number === ${COUNT - 1}) return fs.writeSync(1, (trace(line, number) + '\\n').repeat(2));`,
      { [COUNT - 1]: 'subject-garbage: output beside the one line that answers a program' },
    ],
  ])('that %s fail by themselves', async (_, work, failures, timeout) => {
    const expected = good.map((each, number) => failures[number] ?? each);
    for (const inFlight of [1, 2, 16, 1024]) {
      const outcomes = await outcomesOf(taking(inFlight, work), timeout);
      expect(outcomes).toEqual(expected);
    }
  });

  test('a failure that does not show again is kept, where it was seen first', async () => {
    for (const inFlight of [1, 8]) {
      const path = taking(inFlight, 'if (life === 1 && seen === 12) process.exit(4);');
      const outcomes = await outcomesOf(path);
      expect(outcomes.filter((each, number) => each !== good[number])).toEqual(['subject-crash: exited with code 4']);
    }
  });

  test('closed while they are asked, all of them are refused', async () => {
    const path = taking(4, `if (number === 9) return fs.writeFileSync(__filename + '.nine', 'x\\n');`);
    const subject = running(path);
    const outcomes = Array.from({ length: 20 }, (_, number) =>
      outcomeOf(subject, numbered(number)).catch((error: Error) => error.message),
    );
    await untilWritten(`${path}.nine`);
    await subject.close();
    const ended = await Promise.all(outcomes);
    // The second round was answered, and waited for the third.
    expect(ended.slice(0, 4)).toEqual(good.slice(0, 4));
    for (const each of ended.slice(4)) expect(each).toMatch(/ was closed before it answered$/);
    expect(await outcomeOf(subject, numbered(3))).toBe('trace 3');
  });
});

describe('the binary encoding', () => {
  /** `work` may answer in the place of `send(number)`, which answers with a number as \`tables\`. */
  const speaking = (work: string): string =>
    scriptOf(`
      const wordsOf = (words) => Buffer.from(Uint32Array.from(words).buffer);
      const observation = (kind, tables) => [kind, 0, 0, tables, 1, 0, 0];
      const traceWords = (steps, tables) => [...observation(0, tables), ...Array.from({ length: steps }, () => observation(3, tables)).flat(), ...observation(11, tables)];
      const framed = (words) => wordsOf([words.length, ...words]);
      let input = Buffer.alloc(0);
      let greeted = false;
      process.stdin.on('data', (chunk) => {
        input = Buffer.concat([input, chunk]);
        if (!greeted) {
          input = input.subarray(input.indexOf('\\n') + 1);
          greeted = true;
          fs.writeSync(1, hello({ inFlight: 8, encoding: 'binary' }) + '\\n');
        }
        while (input.length >= 4 && input.length >= 4 + 4 * input.readUInt32LE(0)) {
          const length = 4 * input.readUInt32LE(0);
          const at = (index) => input.readUInt32LE(4 + 4 * index);
          const number = at(4);
          const steps = at(6);
          const send = (tables) => fs.writeSync(1, framed(traceWords(steps, tables)));
          input = input.subarray(4 + length);
          ${work}
        }
      });`);

  const outcomesOf = (path: string, timeout = ENOUGH): Promise<readonly string[]> => {
    const subject = running(path, timeout);
    const programs = Array.from({ length: 20 }, (_, draw) => ({ ...PROGRAM, machine: { ...PROGRAM.machine, draw } }));
    return Promise.all(programs.map((program) => outcomeOf(subject, program)));
  };
  const good = Array.from({ length: 20 }, (_, number) => `trace ${number}`);

  test('carries programs and traces', async () => {
    const path = speaking('send(number);');
    expect(await outcomesOf(path)).toEqual(good);
    expect(await outcomeOf(running(path), programOf(20_000))).toBe('trace 0');
  });

  test('may arrive in any pieces', async () => {
    const path = speaking(
      `const bytes = framed(traceWords(steps, number)); for (let from = 0; from < bytes.length; from += 7) fs.writeSync(1, bytes.subarray(from, from + 7));`,
    );
    expect(await outcomesOf(path)).toEqual(good);
  });

  test.each([
    [
      'breaks off',
      'fs.writeSync(1, framed(traceWords(steps, number)).subarray(0, 30)); process.exit(0);',
      'subject-crash: exited with code 0',
    ],
    [
      'is too short',
      'fs.writeSync(1, framed(traceWords(steps, number).slice(0, -1)));',
      'subject-garbage: answer: destroyed.switcher: it takes 3 words, and 2 are left of the message; check the lengths',
    ],
    [
      'is empty',
      'fs.writeSync(1, framed([]));',
      'subject-garbage: answer: created.outcome: the message ends before it; check the lengths',
    ],
    [
      'claims to be endless',
      'fs.writeSync(1, wordsOf([0xffffffff, 0]));',
      'subject-garbage: a message of 4294967295 words, where 4194304 are the most',
    ],
    ['is JSON', 'fs.writeSync(1, hello() + "\\n");', /^subject-garbage: a message of \d+ words/],
    [
      'holds a lie',
      'fs.writeSync(1, framed([...observation(0, 0), 3, 99]));',
      /^subject-garbage: answer: steps\[0\]\.references: it takes 198 words, and 0 are left/,
    ],
  ])('that %s is a finding of its program alone', async (_, work, expected) => {
    const path = speaking(`if (number === 6) { ${work} continue; } send(number);`);
    const outcomes = await outcomesOf(path);
    if (typeof expected === 'string') expect(outcomes[6]).toBe(expected);
    else expect(outcomes[6]).toMatch(expected);
    expect(outcomes.toSpliced(6, 1)).toEqual(good.toSpliced(6, 1));
  });
});
