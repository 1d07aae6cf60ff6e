/**
 * How a command that was just started introduces itself (formats.md, Hello): it answers the hello, or, if it is of version 1, a first
 * program. Either must come within the time for starting, so that no later program pays for the start.
 */

import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import type { Program } from '../../model/vocabulary/index.js';
import { BadInput, formatProgram } from '../formats/index.js';
import type { Capabilities } from './capabilities.js';
import { HELLO, readHello, versionOne } from './capabilities.js';
import type { Break, Life, Reply } from './command-life.js';
import { processCrash } from './process-crash.js';
import type { FailedAnswer } from './subject.js';
import { failedAnswer } from './subject.js';

/** Milliseconds after which a subject that has not answered the hello is also sent a program. */
const SILENCE = 1000;

/** A program that any subject answers at once. */
const FIRST_PROGRAM: Program = {
  machine: { paging: '2-level', guestPages: 64, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: [],
};

export interface IntroductionOptions {
  /** The command, for messages. */
  readonly name: string;
  /** The option that it came from, for messages. */
  readonly where: string;
  /** Milliseconds from its start to its first answer. */
  readonly timeout: number;
  readonly begin: () => Promise<Life>;
}

/** A command that is ready for programs. */
export interface Introduced {
  readonly life: Life;
  readonly capabilities: Capabilities;
}

/** It started, but did not come to its first answer, or gave a wrong one. */
export class NotIntroduced extends Error {
  override readonly name = 'NotIntroduced';
  readonly answer: FailedAnswer;

  constructor(answer: FailedAnswer) {
    super(`${answer.failure}: ${answer.detail}`);
    this.answer = answer;
  }
}

/** Starts a command of which nothing is known. Throws `NotIntroduced`; `BadInput` for a hello that cannot be read. */
export const introduce = async (options: IntroductionOptions): Promise<Introduced> => {
  let isReminded = false;
  const remind = (): string => {
    isReminded = true;
    return `${formatProgram(FIRST_PROGRAM)}\n`;
  };
  const { name, timeout } = options;
  const life = await options.begin();
  const reminder = { after: SILENCE, text: remind };
  const reply = await life.ask({ message: `${HELLO}\n`, count: 1, timeout, reminder });
  const { broken } = reply;
  if (broken?.kind === 'late' || broken?.kind === 'closed') throw await refusal(broken, life, timeout);
  const capabilities = await helloOrKill(reply, life, options);
  if (capabilities !== undefined && broken === undefined && !isReminded) return ready(life, capabilities);
  // Whatever it made of the program, its next answer must be to the next one.
  await life.kill();
  return await reintroduce(options, capabilities ?? versionOne(name));
};

/** Starts a command again. Throws `NotIntroduced`, also if it is not as it was before. */
export const reintroduce = async (options: IntroductionOptions, known: Capabilities): Promise<Introduced> => {
  const { name, where, timeout, begin } = options;
  const life = await begin();
  const message = `${known.version === 1 ? formatProgram(FIRST_PROGRAM) : HELLO}\n`;
  const reply = await life.ask({ message, count: 1, timeout });
  // Output that no program asked for is a finding of the next program, for which the life then answers.
  const { broken } = reply;
  if (broken?.kind === 'late' || broken?.kind === 'gone' || broken?.kind === 'closed')
    throw await refusal(broken, life, timeout);
  if (known.version === 1 || isDeepStrictEqual(helloAgain(reply, where, name), known)) return ready(life, known);
  await life.kill();
  throw new NotIntroduced(failedAnswer('subject-garbage', 'another answer to the hello than at its first start'));
};

const ready = (life: Life, capabilities: Capabilities): Introduced => {
  life.use(capabilities.encoding);
  return { life, capabilities };
};

/** As `helloOf`; a hello that cannot be read ends the life. */
const helloOrKill = async (
  reply: Reply,
  life: Life,
  { where, name }: IntroductionOptions,
): Promise<Capabilities | undefined> => {
  try {
    return helloOf(reply, where, name);
  } catch (error) {
    await life.kill();
    throw error;
  }
};

/** Undefined if its first line is no hello. */
const helloOf = ({ answers }: Reply, where: string, name: string): Capabilities | undefined => {
  const line = answers.at(0);
  return line !== undefined && isUtf8(line) ? readHello(line.toString('utf8'), where, name) : undefined;
};

const helloAgain = (reply: Reply, where: string, name: string): Capabilities | undefined => {
  try {
    return helloOf(reply, where, name);
  } catch (error) {
    if (error instanceof BadInput) return undefined;
    throw error;
  }
};

/** Of a life that did not come to its first answer. */
const refusal = async (
  broken: Extract<Break, { kind: 'late' | 'gone' | 'closed' }>,
  life: Life,
  timeout: number,
): Promise<Error> => {
  await life.kill();
  switch (broken.kind) {
    case 'late':
      return new NotIntroduced({
        ...failedAnswer('subject-timeout', `no first answer within ${timeout} ms of its start`),
        mayBeChance: true,
      });
    case 'gone':
      return new NotIntroduced({
        ...processCrash(`${broken.how} before its first answer`, life.standardError, undefined),
        mayBeChance: broken.isFromOutside,
      });
    case 'closed':
      return new Error('the command was closed while it started');
    default:
      return broken satisfies never;
  }
};
