import { expect, test } from 'vitest';
import { dataElement, html } from './markup.js';

const EVIL = `</script><b a="1" c='2'>&amp;<!-- \u2028`;

test('what is put into a template stays text, alone and in lists', () => {
  const { text } = html`<p title="${EVIL}">${[EVIL, html`<i>${1}</i>`, undefined]}</p>`;
  const escaped = '&lt;/script&gt;&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;!-- \\u2028';
  expect(text).toBe(`<p title="${escaped}">${escaped}<i>1</i></p>`);
});

test('data cannot end its element, and comes out as it went in or visible', () => {
  const { text } = dataElement('a', { [EVIL]: EVIL });
  const [, content] = /^<script type="application\/json" id="a">(.*)<\/script>$/s.exec(text) ?? [];
  expect(content).not.toContain('<');
  expect(content).not.toContain('\u2028');
  expect(JSON.parse(content)).toEqual({ [EVIL]: EVIL.replace('\u2028', '\\u2028') });
});
