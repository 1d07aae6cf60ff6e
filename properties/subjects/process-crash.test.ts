import { describe, expect, test } from 'vitest';
import { paddr, vaddr, cpu } from '../../model/vocabulary/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import { breadcrumb, lastWords, sanitizerReport } from './process-crash.js';

// What gcc 12 and clang 14 print, shortened.

const GCC_OVERFLOW = `=================================================================
==8884==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60400000003c at pc 0x55cd125b2319 bp 0x7ffe sp 0x7ffe
READ of size 4 at 0x60400000003c thread T0
    #0 0x55cd125b2318 in over /tmp/crashx/a.c:4
    #1 0x55cd125b265c in main /tmp/crashx/a.c:11
    #2 0x7f2ec2045249 in __libc_start_call_main ../sysdeps/nptl/libc_start_call_main.h:58

0x60400000003c is located 4 bytes to the right of 40-byte region [0x604000000010,0x604000000038)
allocated by thread T0 here:
    #0 0x7f2ec2ab89cf in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x55cd125b2278 in make /tmp/crashx/a.c:4

SUMMARY: AddressSanitizer: heap-buffer-overflow /tmp/crashx/a.c:4 in over
Shadow bytes around the buggy address:
  0x0c087fff7fb0: 00 00 00 00 00 00 00 00
==8884==ABORTING
`;

const GCC_MEMSET = `==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000018 at pc 0x7f0f
WRITE of size 21 at 0x602000000018 thread T0
    #0 0x7f0f66a47680 in __interceptor_memset ../../../../src/libsanitizer/sanitizer_common/sanitizer_common_interceptors.inc:799
    #1 0x562528b3844e in clear_table /tmp/crashx/a.c:6
    #2 0x562528b38897 in main /tmp/crashx/a.c:11

SUMMARY: AddressSanitizer: heap-buffer-overflow ../../../../src/libsanitizer/sanitizer_common/sanitizer_common_interceptors.inc:799 in __interceptor_memset
`;

const CLANG_STACK = `a.c:7:63: runtime error: index 7 out of bounds for type 'int[4]'
SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.c:7:63 in 
=================================================================
==9==ERROR: AddressSanitizer: stack-buffer-overflow on address 0x7ffd at pc 0x563f bp 0x7ffd sp 0x7ffd
READ of size 4 at 0x7ffd thread T0
    #0 0x563ffb59f13a in ub /tmp/crashx/a.c:7:63
    #1 0x563ffb59f2e2 in main /tmp/crashx/a.c:11:131
    #2 0x7f458a74e249 in __libc_start_call_main csu/../sysdeps/nptl/libc_start_call_main.h:58:16
    #4 0x563ffb4e1300 in _start (/tmp/crashx/ac+0x21300) (BuildId: d6d8e1cc84e81377c0353284b6571538edbdaec1)

SUMMARY: AddressSanitizer: stack-buffer-overflow /tmp/crashx/a.c:7:63 in ub
`;

const CLANG_FREE = `==10==ERROR: AddressSanitizer: attempting double-free on 0x602000000010 in thread T0:
    #0 0x55eea2 in free (/tmp/crashx/ac+0xa3ea2) (BuildId: d6d8e1cc84e81377c0353284b6571538edbdaec1)
    #1 0x561f68 in mmu::table<int>::~table(int, unsigned long) /tmp/crashx/a.cpp:5:61

SUMMARY: AddressSanitizer: double-free (/tmp/crashx/ac+0xa3ea2) (BuildId: d6d8e1cc84e81377c0353284b6571538edbdaec1) in free
==10==ABORTING
`;

const GCC_LEAKS = `
=================================================================
==23==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 48 byte(s) in 2 object(s) allocated from:
    #0 0x7fbbe8ab89cf in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x563d347a6727 in new_root /tmp/crashx/a.c:10

Direct leak of 24 byte(s) in 1 object(s) allocated from:
    #0 0x7fbbe8ab89cf in __interceptor_calloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:77
    #1 0x563d347a6727 in make_table /tmp/crashx/a.c:10

SUMMARY: AddressSanitizer: 72 byte(s) leaked in 3 allocation(s).
`;

const RACE = `==================
WARNING: ThreadSanitizer: data race (pid=25)
  Write of size 4 at 0x55 by thread T1:
    #0 0x4a in flush_tlb /tmp/crashx/t.c:5

SUMMARY: ThreadSanitizer: data race /tmp/crashx/t.c:5 in flush_tlb
`;

describe('the report of a sanitizer', () => {
  test.each([
    [GCC_OVERFLOW, 'AddressSanitizer: heap-buffer-overflow in over'],
    [GCC_MEMSET, 'AddressSanitizer: heap-buffer-overflow in clear_table'],
    [CLANG_STACK, 'AddressSanitizer: stack-buffer-overflow in ub'],
    [CLANG_FREE, 'AddressSanitizer: double-free in mmu::table<int>::~table'],
    [GCC_LEAKS, 'AddressSanitizer: memory leak in make_table'],
    [RACE, 'ThreadSanitizer: data race in flush_tlb'],
    ['SUMMARY: AddressSanitizer: SEGV ??:0 \n', 'AddressSanitizer: SEGV'],
    ['SUMMARY: LeakSanitizer: 24 byte(s) leaked in 1 allocation(s).\n', 'LeakSanitizer: memory leak'],
    ['SUMMARY: AddressSanitizer: stack-overflow (/tmp/ac+0x12) in walk\n', 'AddressSanitizer: stack-overflow'],
    [
      'SUMMARY: MemorySanitizer: use-of-uninitialized-value a.c:3:4 in f\n',
      'MemorySanitizer: use-of-uninitialized-value',
    ],
  ])('%#', (errors, report) => {
    expect(sanitizerReport(errors)).toBe(report);
  });

  test.each([
    [
      "a.c:7:64: runtime error: index 7 out of bounds for type 'int [4]'",
      "index N out of bounds for type 'int [4]' in a.c:7",
    ],
    [
      "../mm/a.c:7:64: runtime error: index -1 out of bounds for type 'int [4]'",
      "index N out of bounds for type 'int [4]' in a.c:7",
    ],
    ["/x/a.c:8:50: runtime error: load of null pointer of type 'int'", "load of null pointer of type 'int' in a.c:8"],
    [
      "a.c:9:53: runtime error: shift exponent 42 is too large for 32-bit type 'int'",
      "shift exponent N is too large for 32-bit type 'int' in a.c:9",
    ],
    [
      "a.c:9:5: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'",
      "signed integer overflow: N + N cannot be represented in type 'int' in a.c:9",
    ],
    [
      "a.c:7:64: runtime error: load of misaligned address 0x7ffcd898a69d for type 'int', which requires 4 byte alignment",
      "load of misaligned address N for type 'int', which requires N byte alignment in a.c:7",
    ],
    [
      "a.c:8:50: runtime error: load of null pointer of type 'int'\n    #0 0x55 in walk /x/a.c:8:50\n    #1 0x56 in main",
      "load of null pointer of type 'int' in walk",
    ],
    [
      "a.c:8:50: runtime error: load of null pointer of type 'int'\nSUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.c:8:50 in \n",
      "load of null pointer of type 'int' in a.c:8",
    ],
  ])('%s', (errors, report) => {
    expect(sanitizerReport(errors)).toBe(`UndefinedBehaviorSanitizer: ${report}`);
  });

  test('is the last of several', () => {
    expect(sanitizerReport(`a.c:7:64: runtime error: load of null pointer\n${GCC_OVERFLOW}`)).toContain('in over');
    expect(sanitizerReport(`${GCC_OVERFLOW}${GCC_MEMSET}`)).toContain('in clear_table');
    expect(sanitizerReport(`${GCC_OVERFLOW}a.c:7:64: runtime error: division by zero\n`)).toContain(
      'division by zero in a.c:7',
    );
  });

  test('reads alike at other addresses, in another process and directory', () => {
    const elsewhere = GCC_OVERFLOW.replaceAll('8884', '77')
      .replaceAll('/tmp/crashx', '/home/me')
      .replaceAll('0x60400000003c', '0x604000000f00')
      .replaceAll('0x55cd125b2318', '0x7fffffff2318');
    expect(sanitizerReport(elsewhere)).toBe(sanitizerReport(GCC_OVERFLOW));
  });

  test.each(['', 'usage: walker\n', 'free(): invalid pointer\n'])('is none in %j', (errors) => {
    expect(sanitizerReport(errors)).toBeUndefined();
  });

  test('takes no long time, whatever was printed', () => {
    for (const piece of [
      'SUMMARY: AddressSanitizer: ',
      'a.c:1: runtime error: ',
      '    #0 0x1 in (',
      ' ',
      "'",
      '1-',
      '::',
    ])
      sanitizerReport(`a.c:1: runtime error: ${piece.repeat(2 ** 16 / piece.length)}`);
    for (const piece of ['.', ' .', ' in', '/ '])
      sanitizerReport(`SUMMARY: AddressSanitizer: a ${piece.repeat(2 ** 16 / piece.length)}`);
  }, 2000);
});

const PROGRAM: Program = {
  machine: { paging: '2-level', guestPages: 8, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: [
    { op: 'migrate', cpu: cpu(0) },
    { op: 'set-pgd', root: paddr(0), index: 0 },
    { op: 'guest-pa', vaddr: vaddr(0) },
  ],
};

describe('a breadcrumb', () => {
  test.each([
    ['shadowdiff: at create\n', { place: { kind: 'create' }, stage: 'create' }],
    ['shadowdiff: at step 1\n', { place: { kind: 'step', index: 1 }, stage: 'set-pgd' }],
    ['shadowdiff: at destroy', { place: { kind: 'destroy' }, stage: 'destroy' }],
    [
      'shadowdiff: at step 0\n==1==ABORTING\nshadowdiff: at step 2\r\nsomething',
      { place: { kind: 'step', index: 2 }, stage: 'guest-pa' },
    ],
    ['', undefined],
    ['shadowdiff: at step 3\n', undefined],
    ['shadowdiff: at step -1\n', undefined],
    ['shadowdiff: at step 99999999999999999999\n', undefined],
    ['I am shadowdiff: at step 1\n', undefined],
    ['shadowdiff: at step 1 or so\n', undefined],
  ])('%j', (errors, expected) => {
    expect(breadcrumb(errors, PROGRAM)).toEqual(expected);
  });
});

test.each([
  [GCC_OVERFLOW, '; its last words: "0x0c087fff7fb0: 00 00 00 00 00 00 00 00"'],
  ['no memory\nshadowdiff: at step 3\n\n', '; its last words: "no memory"'],
  ['\n', ''],
])('the last words of %#', (errors, words) => {
  expect(lastWords(errors)).toBe(words);
});
