/** Numbers as a person reads them. */

const THOUSAND = 1000;
const UNITS = ['', 'k', 'M', 'G', 'T'] as const;

/** `1,234,567`, whatever the locale. */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1.2M`: at most six columns. */
export const compactCount = (count: number): string => {
  if (count < THOUSAND) return String(Math.round(count));
  let power = Math.min(Math.floor(Math.log10(count) / 3), UNITS.length - 1);
  if (Number((count / THOUSAND ** power).toFixed(1)) >= THOUSAND && power < UNITS.length - 1) power++;
  return `${(count / THOUSAND ** power).toFixed(1)}${UNITS[power]}`;
};

/** `12.3 %`; a dash if there is no whole. */
export const formatShare = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((part / whole) * 100).toFixed(1)} %`;

/** A probability as `1 in 1,234`; `0` for none. */
export const oddsText = (probability: number): string =>
  probability <= 0 ? '0' : `1 in ${formatCount(Math.max(1, Math.round(1 / probability)))}`;

/** Milliseconds as `0.4 s`, `12 s`, `3 m 05 s` or `1 h 02 m`. */
export const formatTime = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / THOUSAND);
  if (milliseconds < 9_950) return `${(milliseconds / THOUSAND).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${twoDigits(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} m`;
};

const twoDigits = (count: number): string => String(count).padStart(2, '0');

/** `1 step`, `2 steps`, `12,345 steps`. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${formatCount(count)} ${count === 1 ? noun : plural}`;

/** `1 step`, `2 steps`, `12.3k steps`. */
export const compactlyCounted = (count: number, noun: string): string =>
  `${compactCount(count)} ${count === 1 ? noun : `${noun}s`}`;

/** `, 50,704 of them judged in full`, behind a number of programs; nothing if all of them were. */
export const judgedText = (judged: number, programs: number): string =>
  judged === programs ? '' : `, ${formatCount(judged)} of them judged in full`;
