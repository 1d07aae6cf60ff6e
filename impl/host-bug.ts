/**
 * The hypervisor itself broke: it dropped a reference that it did not hold, freed a table twice, or followed a pointer to
 * memory that is not its own. Thrown, because it is a broken invariant of our own code; the machine answers `host-bug`.
 */
export class HostBug extends Error {}
