/** Keeping a frame small: of many rows those that matter. */

/** Rows of one tree of the guest, or of one slot, that a frame holds. */
export const MOST_ROWS = 256;

/** The first `most` rows in their order, after those that matter. */
export const mostImportant = <Row>(
  rows: readonly Row[],
  matters: (row: Row) => boolean,
  most = MOST_ROWS,
): readonly Row[] => {
  if (rows.length <= most) return rows;
  const first = new Set(rows.filter(matters).slice(0, most));
  for (const row of rows) {
    if (first.size >= most) break;
    first.add(row);
  }
  return rows.filter((row) => first.has(row));
};
