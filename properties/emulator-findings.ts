/** What our kernel found in emulators' MMUs (scripts/metal/README.md): differences between them and the manual. */

export interface EmulatorFinding {
  readonly title: string;
  /** Emulators and versions, and whether a newer one was looked at. */
  readonly seenIn: string;
  readonly wrong: string;
  /** What a guest would see. */
  readonly consequence: string;
  /** Section of Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3A. */
  readonly rule: string;
  /** The minimized program as it is listed, if one can show it. */
  readonly program?: readonly string[];
}

export const EMULATOR_FINDINGS: readonly EmulatorFinding[] = [
  {
    title: 'QEMU’s TCG sets A in the four top entries of PAE',
    seenIn:
      'QEMU 7.2.22, which is not the newest. The source of a newer one (commit 0f64fb6743, `mmu_translate`) does the same; it was read, not run. v86 0.5.462, the newest on npm, and Bochs 2.7 do not.',
    wrong:
      'A walk sets bit 5 of the PDPTE in memory. A CPU keeps the four entries in registers, and bit 5 is reserved.',
    consequence:
      'A guest that compares its table with what it wrote finds a bit that it never set. With that bit in memory, loading CR3 again would raise #GP on a CPU.',
    rule: '4.4.1',
    program: [
      'PAE, 4 guest pages',
      '   0  init        kernel 0xc0000000',
      '   1  store       [0x0] = 0x1001   pfn 1 P',
      '   2  store       [0x1000] = 0x2003   pfn 2 P RW',
      '   3  store       [0x2000] = 0x3023   pfn 3 P RW A',
      '   4  new-pgtable root 0x0',
      '>  5  access      0x0 read kernel     stores [0x0] = 0x1021',
    ],
  },
  {
    title: 'QEMU’s TCG reads the four top entries of PAE at every walk',
    seenIn: 'QEMU 7.2.22, which is not the newest.',
    wrong: 'An entry that is cleared in memory counts at once. A CPU goes on with its register until CR3 is loaded.',
    consequence: 'A guest that clears an entry before it has left the mappings behind it faults, where a CPU goes on.',
    rule: '4.4.1',
  },
  {
    title: 'A CR3 whose PAE entries have reserved bits set is loaded',
    seenIn: 'QEMU 7.2.22, which is not the newest, and v86 0.5.462, the newest on npm. Bochs 2.7 raises #GP.',
    wrong: 'Loading CR3 does not check the reserved bits of present PDPTEs.',
    consequence: 'A guest with such a bug works under the emulator and takes #GP on a CPU.',
    rule: '4.4.1',
  },
  {
    title: 'v86 lets the user write to a read-only page that the kernel has written to with CR0.WP off',
    seenIn:
      'v86 0.5.462, the newest on npm. The source of the newest commit looked at (71a97849) does the same; it was read, not run. QEMU 7.2.22 does not.',
    wrong:
      'The TLB has one bit for “read-only”. A write of the kernel that CR0.WP lets through clears it, for the user as well.',
    consequence:
      'User code writes to pages that its kernel has mapped read-only for it, until the translation is dropped.',
    rule: '4.6.1',
    program: [
      '2-level, 3 guest pages, features write-protect-off',
      '   0  init        kernel 0xc0000000',
      '   1  store       [0x0] = 0x1005   pfn 1 P US',
      '   2  store       [0x1000] = 0x2005   pfn 2 P US',
      '   3  new-pgtable root 0x0',
      '   4  access      0x0 write kernel   mapped 0x2000',
      '>  5  access      0x0 write user     mapped 0x2000; a CPU: fault code 7 (present, write, user)',
    ],
  },
  {
    title: 'INVLPG drops no more than 4 KB of a large page in v86',
    seenIn:
      'v86 0.5.462, the newest on npm. The source of the newest commit looked at (71a97849) does the same; it was read, not run. QEMU 7.2.22 does not.',
    wrong:
      'The TLB holds a large page in pieces of 4 KB. INVLPG drops the piece of its address; on a CPU it drops all of them.',
    consequence:
      'After a large page was unmapped, moved or protected, and one of its addresses invalidated, the rest of it is as it was.',
    rule: '4.10.4.1',
    program: [
      'PAE, 3 guest pages, features large-pages',
      '   0  init        kernel 0xc0000000',
      '   1  store       [0x1000] = 0x2001   pfn 2 P',
      '   2  store       [0x2000] = 0x81   pfn 0 P PSE',
      '   3  new-pgtable root 0x1000',
      '   4  access      0x0 read kernel   stores [0x2000] = 0xa1',
      '   5  store       [0x2000] = 0x81   pfn 0 P PSE',
      '   6  set-pte     root 0x1000 vaddr 0x1000 = 0x81   pfn 0 P PSE',
      '>  7  access      0x0 read kernel   stores nothing; a CPU: [0x2000] = 0xa1',
    ],
  },
  {
    title: 'QEMU’s TCG reports reserved bits without P',
    seenIn:
      'QEMU 7.2.22, which is not the newest. The newest source looked at (`do_fault_rsvd` in `mmu_translate`) does the same, and one before the function was rewritten for 7.2 set both bits; they were read, not run.',
    wrong:
      'A fault for a reserved bit has error code bit 3 set and bit 0 clear. On a CPU bit 3 comes with bit 0 alone.',
    consequence: 'A guest takes the fault for one of a page that is not present, such as one that it swapped out.',
    rule: '4.7',
    program: [
      'PAE, 2 guest pages, features reserved-bits',
      '   0  init        kernel 0xc0000000',
      '   1  store       [0x0] = 0x1001   pfn 1 P',
      '   2  store       [0x1000] = 0x10000000001001   pfn 1 P reserved 0x10000000000000',
      '   3  new-pgtable root 0x0',
      '>  4  access      0x0 read kernel   fault code 8; a CPU: fault code 9',
    ],
  },
  {
    title: 'v86 does not look at reserved bits of PAE entries',
    seenIn: 'v86 0.5.462, the newest on npm.',
    wrong: 'Bits 52 to 63 of an entry are ignored. v86 has no EFER.NXE, so bit 63 is reserved too.',
    consequence: 'A guest that marks entries by such bits gets no fault.',
    rule: '4.7',
  },
];
