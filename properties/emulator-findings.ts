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
];
