/**
 * A subject of formats.md (Subject protocol) that runs its programs in our kernel: between shadowdiff on standard input and output and a
 * machine that has booted it. If the machine dies, the adapter writes why to standard error and exits, and is started anew with a new machine.
 *
 * Its arguments are those of `AdapterOptions`.
 */

import { writeSync } from 'node:fs';
import { formatHello } from '../../properties/subjects/capabilities.js';
import type { AdapterOptions } from '../../properties/subjects/metal-subject.js';
import { hasVariant, metalCapabilities, readArguments } from '../../properties/subjects/metal-subject.js';
import type { Machine } from './machine.js';
import { DEATHS, MachineDied } from './machine.js';
import { Conversation, MOST_BATCH } from './conversation.js';
import { boot, wrongFeatures } from './platforms.js';

const WORD = 4;
const NEWLINE = 0x0a;

/** Cuts standard input into messages: a hello, a line, and then programs. */
class Inbox {
  private pieces: Buffer = Buffer.alloc(0);
  private readonly chunks = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;

  async readLine(): Promise<boolean> {
    while (!this.pieces.includes(NEWLINE)) if (!(await this.readMore())) return false;
    this.pieces = this.pieces.subarray(this.pieces.indexOf(NEWLINE) + 1);
    return true;
  }

  /** At least one program, and as many more as are there and fit, each behind its length; undefined at the end of input. */
  async readPrograms(room: number): Promise<Buffer | undefined> {
    for (;;) {
      const length = this.wholePrograms(room);
      if (length > 0) {
        const programs = this.pieces.subarray(0, length);
        this.pieces = this.pieces.subarray(length);
        return programs;
      }
      if (!(await this.readMore())) return undefined;
    }
  }

  private wholePrograms(room: number): number {
    const { pieces } = this;
    let end = 0;
    while (pieces.length - end >= WORD) {
      const next = end + WORD * (1 + pieces.readUInt32LE(end));
      if (next - end > MOST_BATCH)
        throw new MachineDied('refused', `a program is longer than ${MOST_BATCH} bytes; give a smaller --max-steps`);
      if (next > pieces.length || (end > 0 && next > room)) break;
      end = next;
    }
    return end;
  }

  private async readMore(): Promise<boolean> {
    const { done, value } = await this.chunks.next();
    if (done === true) return false;
    this.pieces = Buffer.concat([this.pieces, value]);
    return true;
  }
}

const serve = async (
  machine: Machine,
  { platform, variant, startTimeout, caseTimeout }: AdapterOptions,
): Promise<void> => {
  const conversation = new Conversation(machine, { start: startTimeout, program: caseTimeout });
  const inbox = new Inbox();
  try {
    const present = await conversation.begin(variant);
    const left = hasVariant(variant, 'every-feature') ? [] : wrongFeatures(platform);
    const features = present.filter((each) => !left.includes(each));
    if (!(await inbox.readLine())) return;
    process.stdout.write(`${formatHello({ ...metalCapabilities(variant), name: machine.name, features })}\n`);
    for (;;) {
      const programs = await inbox.readPrograms(conversation.room);
      if (programs === undefined) return;
      process.stdout.write(await conversation.run(programs));
    }
  } catch (error) {
    if (!(error instanceof MachineDied)) throw error;
    await bury(error, machine, conversation);
  }
};

/** Its last words stand last. */
const bury = async ({ death, message }: MachineDied, machine: Machine, conversation: Conversation): Promise<void> => {
  const registers = death === 'refused' ? undefined : await machine.registers?.();
  const lines = [conversation.breadcrumb(), registers, message].filter((each) => each !== undefined);
  writeSync(process.stderr.fd, `${lines.join('\n')}\n`);
  process.exitCode = DEATHS[death];
};

const main = async (): Promise<void> => {
  const options = readArguments(process.argv.slice(2));
  const machine = await boot(options.platform, options.kernel);
  process.once('exit', () => machine.end());
  await serve(machine, options);
  process.exit();
};

/** A machine that could not be made. */
await main().catch((error: unknown) => {
  if (!(error instanceof MachineDied)) throw error;
  writeSync(process.stderr.fd, `${error.message}\n`);
  process.exit(DEATHS[error.death]);
});
