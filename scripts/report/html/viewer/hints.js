/** Tooltips: the text of an element's `data-hint`, beside it, while it is hovered or focused. */

const hint = /** @type {HTMLElement} */ (document.getElementById('hint'));
/** Pixels between the hint and its element, and between the hint and the edge of the window. */
const GAP = 6;
const EDGE = 8;

/** @type {HTMLElement | undefined} */
let about = undefined;

/** @param {EventTarget | null} target @returns {HTMLElement | undefined} */
const hinted = (target) => {
  const element = target instanceof Element ? target.closest('[data-hint]') : null;
  return element instanceof HTMLElement ? element : undefined;
};

/** @param {HTMLElement} element */
const show = (element) => {
  hide();
  about = element;
  element.setAttribute('aria-describedby', hint.id);
  hint.textContent = element.dataset.hint ?? '';
  hint.hidden = false;
  place(element);
};

/** @param {HTMLElement} element */
const place = (element) => {
  const around = element.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = hint;
  const left = Math.max(EDGE, Math.min(around.left, innerWidth - width - EDGE));
  const below = around.bottom + GAP;
  hint.style.left = `${left}px`;
  hint.style.top = `${below + height > innerHeight - EDGE ? Math.max(EDGE, around.top - height - GAP) : below}px`;
};

const hide = () => {
  about?.removeAttribute('aria-describedby');
  about = undefined;
  hint.hidden = true;
};

for (const name of ['pointerover', 'focusin']) {
  document.addEventListener(name, ({ target }) => {
    const element = hinted(target);
    if (element !== undefined && element !== about) show(element);
  });
}
for (const name of ['pointerout', 'focusout']) {
  document.addEventListener(name, ({ target }) => {
    if (hinted(target) === about) hide();
  });
}
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') hide();
});
// Focusing an element may scroll it into view after `focusin`.
addEventListener('scroll', () => about !== undefined && place(about), { capture: true, passive: true });
