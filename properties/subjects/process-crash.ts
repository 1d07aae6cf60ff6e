/**
 * What a process that crashed left on its standard error (formats.md, Crashes): the report of a sanitizer, and where it was in its program.
 * A signature made from it has no addresses, process ids and paths, and no numbers that the program decides: the same bug always reads alike.
 */

import type { Program } from '../../model/vocabulary/index.js';
import { quoted } from '../formats/index.js';
import type { FailedAnswer } from './subject.js';

/** UTF-16 units of a function's name, an error, and the last line of standard error. */
const MOST_NAME = 80;
const MOST_ERROR = 160;
const MOST_WORDS = 200;

/** What is known of a process that ended: how (`exited with code 1`), the end of its standard error, and where it was in its program. */
export const processCrash = (how: string, errors: string, at: FailedAnswer['at']): FailedAnswer => {
  const report = sanitizerReport(errors);
  return {
    kind: 'failed',
    failure: 'subject-crash',
    detail: `${how}${report === undefined ? lastWords(errors) : `: ${report}`}`,
    did: `crashed: ${report ?? how}`,
    at,
    ...(errors === '' ? {} : { standardError: errors }),
  };
};

/** What crashed, such as `AddressSanitizer: heap-buffer-overflow in lookup`; undefined if no sanitizer reported it. */
export const sanitizerReport = (errors: string): string | undefined => {
  const lines = errors.split(/\r?\n/);
  const last = lines.findLastIndex((line) => SUMMARY.test(line) || RUNTIME_ERROR.test(line));
  if (last === -1) return undefined;
  const [, sanitizer, kind] = SUMMARY.exec(lines[last]) ?? [];
  return sanitizer === undefined ? runtimeError(lines, last) : summarized(sanitizer, kind, lines, last);
};

/** UBSan's own summary says less than its runtime error above it. */
const SUMMARY = /^SUMMARY: (?!UndefinedBehaviorSanitizer)(\w+Sanitizer): (.+)$/;
const RUNTIME_ERROR = /^(\S.*?):(\d+)(?::\d+)?: runtime error: (.+)$/;

const summarized = (sanitizer: string, text: string, lines: readonly string[], at: number): string => {
  const isLeak = /\bleaked in\b/.test(text);
  const report = lines.slice(lines.findLastIndex((line, index) => index < at && ERROR.test(line)) + 1, at);
  const frame = isLeak ? firstOfLeaks(report) : ownFrame(stackFrom(report, 0));
  return `${sanitizer}: ${isLeak ? 'memory leak' : kindOf(text)}${frame === undefined ? '' : ` in ${frame}`}`;
};

const ERROR = /^(?:==\d+==)?(?:ERROR|WARNING): \w+Sanitizer|^WARNING: ThreadSanitizer/;

/** The words before the place: `heap-use-after-free`, `data race`. */
const kindOf = (text: string): string =>
  /^[\w-]+(?: [\w-]+)*(?= |$)/.exec(text.slice(0, MOST_ERROR).replace(PLACE, ''))?.[0] ?? 'error';
const PLACE = / (?:\S*[/.:(<?]\S*|in) .*$| \S*[/.:(<?]\S*$/;

/** Sizes decide the order of leaks, and programs the sizes: the first by name is the same in every run. */
const firstOfLeaks = (report: readonly string[]): string | undefined => {
  const frames = report.flatMap((line, index) =>
    line.startsWith('Direct leak of ') ? [ownFrame(stackFrom(report, index))] : [],
  );
  return frames.filter((frame) => frame !== undefined).toSorted()[0];
};

/** Where no stack was printed, the line of the source distinguishes two errors. */
const runtimeError = (lines: readonly string[], at: number): string => {
  const [, file, line, text] = RUNTIME_ERROR.exec(lines[at])!;
  const frame = FRAME.test(lines[at + 1] ?? '') ? ownFrame(stackFrom(lines, at)) : undefined;
  return `UndefinedBehaviorSanitizer: ${withoutValues(text)} in ${frame ?? `${baseName(file)}:${line}`}`;
};

/** Numbers that the program decides become `N`; those of types, as in `'int [4]'`, stay. */
const withoutValues = (text: string): string =>
  text
    .slice(0, MOST_ERROR)
    .split(/('[^']*')/)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(/(?<![\w-])-?(?:0x[0-9a-f]+|\d[\d.e+-]*)(?![\w-])/g, 'N'),
    )
    .join('');

const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/** `#1 0x55cd125b265c in main /tmp/walker.c:11`: the function, and where it is. */
const FRAME = /^\s+#\d+ 0x[\da-f]+ in (\S.*?)(?: ((?:\/|\(|<|\?\?|[\w.-]+\/).*))?$/;

/** The first stack from a line on. */
const stackFrom = (lines: readonly string[], from: number): readonly string[] => {
  const first = lines.findIndex((line, index) => index >= from && FRAME.test(line));
  if (first === -1) return [];
  const end = lines.findIndex((line, index) => index > first && !FRAME.test(line));
  return lines.slice(first, end === -1 ? undefined : end);
};

/** The innermost function that is not of a sanitizer or a library. */
const ownFrame = (stack: readonly string[]): string | undefined => {
  for (const line of stack) {
    const [, called, place = ''] = FRAME.exec(line)!;
    const name = called.replace(/(?<=\S)\(.*$/, '');
    if (!FOREIGN_FUNCTION.test(name) && !FOREIGN_PLACE.test(place)) return name.slice(0, MOST_NAME);
  }
  return undefined;
};

const FOREIGN_FUNCTION =
  /^(?:_+(?:interceptor|asan|ubsan|lsan|msan|tsan|sanitizer|libc|GI|assert|pthread)\w*|__\w+_chk|_start|start_thread|clone3?|raise|abort|gsignal|exit|malloc|calloc|realloc|reallocarray|free|aligned_alloc|memalign|posix_memalign|operator (?:new|delete).*|mem(?:cpy|move|set|cmp|chr|mem)|str(?:n?len|n?cpy|n?cat|n?cmp|n?casecmp|r?chr|str|n?dup|tok|spn|cspn|pbrk|tou?ll?|tod)|v?f?s?n?printf|puts|f?write|f?read|qsort|bsearch)$|^(?:__)?(?:asan|ubsan|lsan|msan|tsan|sanitizer)\w*::/;
const FOREIGN_PLACE =
  /libsanitizer|sanitizer_common|compiler-rt|(?:^|\/)sysdeps\/|^(?:\.\.\/)?csu\/|\/lib(?:c|m|asan|ubsan|lsan|tsan|msan|pthread|stdc\+\+|c\+\+)[-.]|\/ld-linux/;

/** Where a program was when the process crashed, if the last breadcrumb names a place in it. */
export const breadcrumb = (errors: string, { steps }: Program): FailedAnswer['at'] => {
  const [, where, step] = [...errors.matchAll(/^shadowdiff: at (create|destroy|step (\d{1,9}))\r?$/gm)].at(-1) ?? [];
  if (where === 'create' || where === 'destroy') return { place: { kind: where }, stage: where };
  const index = Number(step);
  return index < steps.length ? { place: { kind: 'step', index }, stage: steps[index].op } : undefined;
};

/** The last line that says something about the crash, for the end of a sentence: no breadcrumb, and not that the process will now abort. */
export const lastWords = (errors: string): string => {
  const lines = errors.split('\n').map((line) => line.trim());
  const words = lines.findLast((line) => line !== '' && !/^shadowdiff: at |^==\d+==ABORTING$/.test(line));
  return words === undefined ? '' : `; its last words: ${quoted(words, MOST_WORDS)}`;
};
