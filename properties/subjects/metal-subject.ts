/**
 * `metal:` subjects: our kernel on a real or emulated CPU (scripts/metal/README.md). Each is a command subject whose command is an adapter
 * of this package, a process that boots the kernel and speaks the subject protocol for it.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FEATURES } from '../../model/vocabulary/index.js';
import { BadInput, quoted } from '../formats/index.js';
import type { Capabilities } from './capabilities.js';
import { capabilitiesOfCpu } from './capabilities.js';
import type { OwnCommand } from './command-subject.js';

/** What the adapter is started with. */
export interface AdapterOptions {
  /** `qemu`, `bochs`, `v86`, or a command with `{kernel}` in it. */
  readonly platform: string;
  /** The kernel, an ELF file. */
  readonly kernel: string;
  /** The sum of the bits in scripts/metal/guest/guest.h. */
  readonly variant: number;
  /** Milliseconds. */
  readonly startTimeout: number;
  readonly caseTimeout: number;
}

export const PLATFORMS = ['qemu', 'v86', 'bochs'];

/** Kernels that make mistakes, to show that such are found. */
export const METAL_MISTAKES = ['no-invlpg', 'early-flush', 'no-pgd-reload', 'last-root', 'user-at-cpl-0'] as const;

/**
 * Variants of the kernel, in the order of their bits in guest.h. `pdpte-flags` reports bit 5 of PAE's top entries too, which QEMU's TCG
 * sets, and `speculates` reports no stores, because its CPU may set A ahead of the program (machine.md 6). `every-feature` concerns the adapter: it declares the features that the platform is known to get wrong, too.
 */
export const METAL_VARIANTS = [...METAL_MISTAKES, 'pdpte-flags', 'speculates', 'every-feature'] as const;

export const hasVariant = (variant: number, name: (typeof METAL_VARIANTS)[number]): boolean =>
  (variant & (1 << METAL_VARIANTS.indexOf(name))) !== 0;

const argumentsOf = ({ platform, kernel, variant, startTimeout, caseTimeout }: AdapterOptions): readonly string[] => [
  platform,
  kernel,
  ...[variant, startTimeout, caseTimeout].map(String),
];

export const readArguments = ([platform, kernel, ...numbers]: readonly string[]): AdapterOptions => {
  const [variant, startTimeout, caseTimeout] = numbers.map(Number);
  return { platform, kernel, variant, startTimeout, caseTimeout };
};

/** What the adapter answers to the hello, but for its name, and for features that the CPU lacks. */
export const metalCapabilities = (variant: number): Capabilities => ({
  ...capabilitiesOfCpu('metal', FEATURES),
  inFlight: 64,
  encoding: 'binary',
  ...(hasVariant(variant, 'speculates') ? { observes: ['outcome'], upperStores: false } : {}),
});

const REMEDIES: OwnCommand['remedies'] = {
  'subject-crash': 'mend that, or name another platform',
  'subject-timeout': 'give it more --start-timeout',
  'subject-garbage': 'use the same emulator at every start',
};

/** Times for the adapter's own limits, which end before those of the subject, so that it can say why. */
const OWN_SHARE = 0.8;

/** The directory of this package, whether from its sources or from a bundle. */
const packageDirectory = (): string => dirname(createRequire(import.meta.url).resolve('shadowdiff/package.json'));

/** A platform and the variants behind it. A command may have commas of its own: of its words, those at the end that name variants. */
const partsOf = (rest: string): readonly string[] => {
  const words = rest.split(',');
  if (!rest.includes('{kernel}')) return words;
  const end = 1 + words.findLastIndex((word) => !isVariant(word));
  return [words.slice(0, end).join(','), ...words.slice(end)];
};

const isVariant = (word: string): boolean => (METAL_VARIANTS as readonly string[]).includes(word);

/**
 * The adapter for what follows `metal:`, as `qemu`, `v86,no-invlpg` or `my-emulator {kernel},speculates`.
 *
 * @param where - the option or file that the name came from, for messages
 * @throws BadInput for an unknown platform or an unknown variant of the kernel
 */
export const metalCommand = (
  rest: string,
  where: string,
  { startTimeout, caseTimeout }: Readonly<Record<'startTimeout' | 'caseTimeout', number>>,
): OwnCommand => {
  const [platform, ...variants] = partsOf(rest);
  if (!platform.includes('{kernel}') && !PLATFORMS.includes(platform)) {
    const remedy = `use one of ${PLATFORMS.join(', ')}, or a command with {kernel} in it`;
    throw new BadInput(where, `there is no platform ${quoted(platform)}; ${remedy}`);
  }
  const options: AdapterOptions = {
    platform,
    kernel: join(packageDirectory(), 'scripts/metal/metal.elf'),
    variant: variants.map((name) => bitOf(name, where)).reduce((sum, bit) => sum | bit, 0),
    startTimeout: Math.ceil(startTimeout * OWN_SHARE),
    caseTimeout: Math.ceil(caseTimeout * OWN_SHARE),
  };
  const adapter = join(packageDirectory(), 'dist/scripts/metal/adapter.js');
  return { name: `metal:${rest}`, argv: [process.execPath, adapter, ...argumentsOf(options)], remedies: REMEDIES };
};

const bitOf = (name: string, where: string): number => {
  if (isVariant(name)) return 2 ** (METAL_VARIANTS as readonly string[]).indexOf(name);
  throw new BadInput(where, `the kernel has no variant ${quoted(name)}; use one of: ${METAL_VARIANTS.join(', ')}`);
};
