/**
 * Follows an address through the tables of the step that a finding shows: the guest's walk beside the shadow leaf of each slot. The
 * walk stays open from step to step.
 */

/**
 * @typedef {import('../../../../properties/explain/explanation.js').FollowData} Explanation
 * @typedef {Explanation['frames'][number]} Frame
 * @typedef {import('../../../../properties/explain/explanation.js').GuestRow} GuestRow
 * @typedef {import('../../../../properties/explain/explanation.js').ShadowSlot} ShadowSlot
 * @typedef {{ readonly head: string, readonly detail: string, readonly wrong?: boolean }} Line
 */

const PAGE = 4096;

/** @param {number} value */
const hex = (value) => `0x${value.toString(16)}`;

/** `0x400000` or `400000`; undefined for anything else than a 32-bit address. @param {string} text */
const parseAddress = (text) => (/^\s*(?:0x)?[0-9a-f]{1,8}\s*$/i.test(text) ? parseInt(text, 16) : undefined);

// The guest's walk.

/** @param {Explanation} explanation @param {Frame} frame @param {number} address @returns {readonly Line[]} */
const guestWalk = (explanation, { guest }, address) => {
  if (address >= Number(explanation.switcherAddress)) {
    return [{ head: hex(address), detail: 'belongs to the hypervisor: the guest cannot map anything here' }];
  }
  if (guest.linear || guest.root === undefined) {
    return [{ head: hex(address), detail: 'maps to itself: the guest has loaded no root yet' }];
  }
  const tree = guest.trees.find(({ current }) => current);
  if (tree === undefined) return [{ head: guest.root, detail: 'this root is not shown here' }];
  /** @type {Line[]} */
  const lines = [];
  let table = Number(guest.root);
  for (const [level, { name, shift, entries, entryBytes }] of explanation.levels.entries()) {
    const index = Math.floor(address / 2 ** shift) % entries;
    const here = tree.tables.find((each) => each.level === level && Number(each.paddr) === table);
    const row = here?.rows.find((each) => each.index === index);
    const head = `${name}[${index}] at ${hex(table + index * entryBytes)}`;
    if (here?.outside === true)
      return [...lines, { head, detail: 'outside guest RAM: reading it kills the guest', wrong: true }];
    if (row === undefined || Number(row.value) === 0) {
      const detail =
        row === undefined && tree.leftOut > 0
          ? 'zero, or not shown here'
          : 'zero: not present, the guest gets a page fault';
      return [...lines, { head, detail }];
    }
    lines.push({ head, detail: `${row.value}   ${row.text}`, wrong: row.divergent });
    if (!row.present) return [...lines, { head: 'ends here', detail: 'not present: the guest gets a page fault' }];
    table = row.page * PAGE;
    if (level === explanation.levels.length - 1) lines.push(arrival(explanation, row, address));
  }
  return lines;
};

/** @param {Explanation} explanation @param {GuestRow} leaf @param {number} address @returns {Line} */
const arrival = ({ machine }, { page }, address) => {
  const head = hex(page * PAGE + (address % PAGE));
  if (page < machine.guestPages) return { head, detail: `in page ${page} of guest RAM` };
  if (page < machine.guestPages + machine.devicePages) return { head, detail: `in device page ${page}: never mapped` };
  return { head, detail: `page ${page} does not exist: using it kills the guest`, wrong: true };
};

// The CPU's walk.

/** The leaf of each slot that has one, then the slots without. @param {Explanation} explanation @param {Frame} frame @param {number} address */
const shadowWalk = (explanation, { shadow }, address) => {
  if (shadow === undefined) return [{ head: 'shadow', detail: 'this subject does not expose its shadow tables' }];
  const page = address - (address % PAGE);
  const empty = shadow.slots.filter(({ leaves }) => !leaves.some(({ vaddr }) => Number(vaddr) === page));
  const lines = shadow.slots.flatMap((slot) => slotWalk(explanation, slot, address));
  if (empty.length === 0) return lines;
  const leftOut = empty.some((slot) => slot.leftOut > 0) ? ', or not shown here' : '';
  const head = `slot ${empty.map(({ slot, current }) => `${slot}${current ? ' (current)' : ''}`).join(', ')}`;
  return [...lines, { head, detail: `no leaf${leftOut}: an access traps to the hypervisor` }];
};

/** @param {Explanation} explanation @param {ShadowSlot} slot @param {number} address @returns {readonly Line[]} */
const slotWalk = (explanation, slot, address) => {
  const page = address - (address % PAGE);
  const leaf = slot.leaves.find(({ vaddr }) => Number(vaddr) === page);
  if (leaf === undefined) return [];
  const head = `slot ${slot.slot}${slot.current ? ' (current)' : ''}`;
  const way = slot.tables
    .filter(({ from, to }) => Number(from) <= address && address <= Number(to))
    .map(
      ({ level, frame, allocated }) =>
        `${explanation.levels[level].name} in host page ${frame}${allocated ? '' : ' (freed)'}`,
    );
  const since = leaf.since === undefined ? 'since creation' : `since step ${leaf.since}`;
  return [
    { head, detail: `${leaf.targetText}, ${leaf.rights}, ${since}`, wrong: leaf.divergent },
    ...(slot.current && way.length > 0 ? [{ head: 'through', detail: way.join(', ') }] : []),
  ];
};

// Showing them.

/** @param {string} name @param {string} text @param {string} [className] */
const element = (name, text, className = '') => {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
};

/** @param {string} title @param {readonly Line[]} lines */
const column = (title, lines) => {
  const made = element('div', '', 'way');
  const list = element('dl', '');
  for (const { head, detail, wrong } of lines) {
    const line = element('div', '', wrong === true ? 'divergent' : '');
    line.append(element('dt', head), element('dd', detail));
    list.append(line);
  }
  made.append(element('h5', title), list);
  return made;
};

class Follower {
  /** @param {HTMLElement} finding @param {Explanation} explanation */
  constructor(finding, explanation) {
    this.explanation = explanation;
    this.finding = finding;
    this.panel = /** @type {HTMLElement} */ (finding.querySelector('.walk'));
    this.input = /** @type {HTMLInputElement} */ (finding.querySelector('input[name="address"]'));
    /** The followed address, as typed. */
    this.text = '';
  }

  /** @param {string} text */
  follow(text) {
    this.text = text;
    this.input.value = text;
    this.refresh();
  }

  refresh() {
    this.panel.hidden = this.text === '';
    const frame = this.frame();
    if (this.text === '' || frame === undefined) return;
    const address = parseAddress(this.text);
    this.panel.replaceChildren(...(address === undefined ? this.refusal() : this.walk(frame, address)));
  }

  frame() {
    const shown = this.finding.querySelector('.frame:not([hidden])')?.getAttribute('aria-label');
    return this.explanation.frames.find(({ name }) => name === shown);
  }

  refusal() {
    return [element('p', `“${this.text}” is not a 32-bit address; write it like 0x400000.`)];
  }

  /** @param {Frame} frame @param {number} address */
  walk(frame, address) {
    const columns = element('div', '', 'pair');
    columns.append(
      column('By the guest’s tables', guestWalk(this.explanation, frame, address)),
      column('By the shadow tables', shadowWalk(this.explanation, frame, address)),
    );
    const close = element('button', 'Close', 'close');
    close.setAttribute('type', 'button');
    close.addEventListener('click', () => this.follow(''));
    return [element('h4', `${hex(address)} after ${frame.name}`), close, columns];
  }
}

/** @type {WeakMap<HTMLElement, Follower>} */
const followers = new WeakMap();

/** Of the finding that an element is part of. @param {EventTarget | null} target */
const followerOf = (target) => {
  const finding = target instanceof Element ? target.closest('details.finding') : null;
  const data = finding === null ? null : document.getElementById(`${finding.id}-explanation`);
  if (!(finding instanceof HTMLElement) || data === null) return undefined;
  const follower = followers.get(finding) ?? new Follower(finding, JSON.parse(data.textContent ?? ''));
  followers.set(finding, follower);
  return follower;
};

document.addEventListener('moment', ({ target }) => followerOf(target)?.refresh());
document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button') : null;
  if (button?.dataset.follow !== undefined) followerOf(button)?.follow(button.dataset.follow);
});
document.addEventListener('submit', (event) => {
  const follower = followerOf(event.target);
  if (follower === undefined) return;
  event.preventDefault();
  follower.follow(follower.input.value.trim());
});
