/**
 * Shows one step of each finding at a time. A step is a section with an anchor (`finding-1/step-3`), and the page's address decides
 * which one is shown, so steps can be linked to, and back and forward work. What follows the anchor after `?` is the page's own and stays.
 * When a finding shows another step, it dispatches `moment`. A page that puts findings in place of others dispatches `findings`.
 */

/** @returns {readonly HTMLDetailsElement[]} */
const allFindings = () =>
  [...document.querySelectorAll('details')].filter((each) => each.classList.contains('finding'));

/** The finding that the keys step through, unless it is off the screen and another one is on it. @type {HTMLDetailsElement | undefined} */
let active = undefined;

/** @param {Element} finding @returns {readonly HTMLElement[]} */
const framesOf = (finding) =>
  [...finding.querySelectorAll('section')].filter((each) => each.classList.contains('frame'));

/** @param {Element} finding */
const shownIndex = (finding) => framesOf(finding).findIndex((frame) => !frame.hidden);

/** @param {HTMLDetailsElement} finding @param {number} index */
const show = (finding, index) => {
  const frames = framesOf(finding);
  const shown = frames[index];
  active = finding;
  finding.open = true;
  for (const frame of frames) frame.hidden = frame !== shown;
  for (const link of finding.querySelectorAll('.program a')) {
    if (link.getAttribute('href') === `#${shown.id}`) {
      link.setAttribute('aria-current', 'step');
      keepInView(/** @type {HTMLElement} */ (link));
    } else link.removeAttribute('aria-current');
  }
  const position = finding.querySelector('output');
  if (position !== null) position.textContent = shown.getAttribute('aria-label');
  for (const button of finding.querySelectorAll('button')) {
    const by = Number(button.dataset.go ?? 0);
    if (by !== 0) button.disabled = frames[index + by] === undefined;
  }
  finding.dispatchEvent(new CustomEvent('moment', { bubbles: true }));
};

/** Scrolls the list of steps, not the page. @param {HTMLElement} link */
const keepInView = (link) => {
  const list = link.closest('nav');
  if (list === null) return;
  const above = link.offsetTop - list.offsetTop;
  if (above < list.scrollTop) list.scrollTop = above;
  const below = above + link.offsetHeight - list.clientHeight;
  if (below > list.scrollTop) list.scrollTop = below;
};

/** @param {HTMLElement | undefined} finding */
const isOnScreen = (finding) => {
  const { top, bottom } = finding?.querySelector('.stepper')?.getBoundingClientRect() ?? { top: 0, bottom: 0 };
  return top < innerHeight && bottom > 0;
};

/** @param {number} by */
const step = (by) => {
  if (!isOnScreen(active)) active = allFindings().find(isOnScreen) ?? active;
  if (active === undefined) return;
  const frame = framesOf(active)[shownIndex(active) + by];
  if (frame !== undefined) goTo(frame.id);
};

/** @param {string} anchor */
const goTo = (anchor) => {
  const own = location.hash.indexOf('?');
  history.pushState(null, '', `#${anchor}${own < 0 ? '' : location.hash.slice(own)}`);
  follow(anchor);
};

/** Shows the step that an anchor names; returns its finding, or undefined for any other anchor. @param {string} anchor */
const follow = (anchor) => {
  const frame = document.getElementById(anchor);
  const finding = frame?.closest('details.finding');
  if (!(finding instanceof HTMLDetailsElement)) return undefined;
  finding.open = true;
  const index = framesOf(finding).findIndex((each) => each === frame);
  if (index >= 0) show(finding, index);
  return finding;
};

/** `#step-3` alone means the first finding. */
const anchorOfPage = () => {
  const [anchor] = location.hash.slice(1).split('?', 1);
  return /^(step-\d+|create|end|destroy)$/.test(anchor) ? `finding-1/${anchor}` : anchor;
};

const route = () => {
  const anchor = anchorOfPage();
  if (anchor === '' && active !== undefined) show(active, framesOf(active).length - 1);
  const finding = follow(anchor);
  if (finding === undefined) return;
  const title = document.getElementById(anchor)?.querySelector('.step-title');
  if (title instanceof HTMLElement) title.scrollIntoView();
  else (finding.querySelector('.why') ?? finding).scrollIntoView();
};

/** @param {KeyboardEvent} event */
const stepOf = ({ key, ctrlKey, metaKey, altKey, target }) => {
  if (ctrlKey || metaKey || altKey || !(target instanceof Element)) return 0;
  // There, the keys move the cursor or scroll.
  if (target.closest('input, select, textarea, .scroll') !== null) return 0;
  if (key === 'ArrowRight' || key === 'j') return 1;
  return key === 'ArrowLeft' || key === 'k' ? -1 : 0;
};

document.addEventListener('keydown', (event) => {
  const by = stepOf(event);
  if (by === 0) return;
  event.preventDefault();
  step(by);
});

document.addEventListener('click', (event) => {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const finding = event.target.closest('details.finding');
  if (finding instanceof HTMLDetailsElement && finding.querySelector('.frame') !== null) active = finding;
  const button = event.target.closest('button');
  if (button?.dataset.go !== undefined) step(Number(button.dataset.go));
  const link = event.target.closest('.stepper a');
  const anchor = link?.getAttribute('href')?.slice(1) ?? '';
  if (document.getElementById(anchor)?.classList.contains('frame') !== true) return;
  event.preventDefault();
  goTo(anchor);
});

const begin = () => {
  for (const finding of allFindings()) {
    const last = framesOf(finding).length - 1;
    const { open } = finding;
    if (last >= 0) show(finding, last);
    finding.open = open;
  }
  active = allFindings().find((each) => each.querySelector('.frame') !== null);
};

addEventListener('popstate', route);
// Without scrolling: the reader may be elsewhere on the page.
document.addEventListener('findings', () => {
  begin();
  follow(anchorOfPage());
});
begin();
if (location.hash !== '') route();
