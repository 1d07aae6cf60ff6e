/** What the page to play in shows: a program and the machines that run it. It travels as the part of a link after `#?`. */

import * as z from 'zod/mini';
import type { Program } from '../../../model/vocabulary/index.js';
import { anyText, choice, exactObject } from '../../../properties/formats/fields.js';
import { BadInput, programFromJson, programToJson, readJson } from '../../../properties/formats/index.js';
import { Problems } from '../../../properties/formats/problems.js';
import type { Profile } from '../../../properties/profile.js';
import { PROFILES } from '../../../properties/profile.js';

/** Names of machines, as in formats.md. */
export interface PlaySides {
  readonly subject: string;
  readonly reference: string;
  /** Left out: `lguest`. */
  readonly profile?: Profile | undefined;
  /** The guest promises nothing, even if it keeps the contract. Left out: the program decides. */
  readonly traffic?: 'hostile' | undefined;
}

export interface Setup extends PlaySides {
  readonly program: Program;
}

const FORMAT = 'shadowdiff-play/1';

const setupSchema = exactObject({
  format: choice([FORMAT]),
  subject: anyText,
  reference: anyText,
  profile: z.optional(choice(PROFILES)),
  traffic: z.optional(choice(['hostile'])),
  program: z.optional(z.unknown()),
});

/** Bytes of JSON: as many as a file of a program may have. */
const LARGEST_SETUP = 16 * 2 ** 20;
const SOURCE = 'the link';

/** JSON, deflated, in base64url. */
export const encodeSetup = async ({ program, ...sides }: Setup): Promise<string> => {
  const json = { format: FORMAT, ...sides, program: programToJson(program) };
  const stream = new Blob([JSON.stringify(json)]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return base64url(new Uint8Array(await new Response(stream).arrayBuffer()));
};

/** Throws `BadInput` for what `encodeSetup` did not make. */
export const decodeSetup = async (code: string): Promise<Setup> => {
  const json = readJson(await inflated(bytesOf(code)), SOURCE, 'file');
  const { format: _format, program, ...sides } = new Problems(SOURCE).readWhole(setupSchema, json);
  return { ...sides, program: programFromJson(program, `${SOURCE}: program`) };
};

const base64url = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const bytesOf = (code: string): Uint8Array<ArrayBuffer> => {
  if (!/^[\w-]*$/.test(code) || code.length % 4 === 1) throw damaged();
  return Uint8Array.from(atob(code.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
};

const damaged = (): BadInput => new BadInput(SOURCE, 'it is damaged; copy it again, with all that follows #?');

/** Stops where the text becomes too long, because a short link may inflate to any length. */
const inflated = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  for (let size = 0; ;) {
    const { done, value } = await reader.read().catch(() => {
      throw damaged();
    });
    if (done) return await new Blob(pieces).text();
    pieces.push(value as Uint8Array<ArrayBuffer>);
    size += value.length;
    if (size > LARGEST_SETUP) throw new BadInput(SOURCE, `its program is too long; send it as a file`);
  }
};
