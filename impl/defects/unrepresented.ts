/** Bugs that were looked at for the catalogue and cannot be had on this machine, with the reason. */

export interface Unrepresented {
  readonly origin: string;
  readonly reason: string;
}

export const UNREPRESENTED: readonly Unrepresented[] = [
  {
    origin: 'Xen XSA-410',
    reason: 'pages that take too long to be freed: no step here has a duration, so that none can be too long',
  },
  {
    origin: 'lguest 88df781afb7',
    reason:
      'a page that the Launcher replaced by copy-on-write beneath a mapping: its pages never change their identity here',
  },
];
