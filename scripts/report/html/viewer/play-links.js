/** Links of findings to the page to play in, which the report holds packed: each opens it with the finding's program. */

const packed = document.getElementById('play-page')?.textContent ?? '';
const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
const page = URL.createObjectURL(new Blob([await new Response(unpacked).text()], { type: 'text/html' }));

for (const link of document.querySelectorAll('a')) {
  if (link.dataset.play === undefined) continue;
  link.href = `${page}#?${link.dataset.play}`;
  link.hidden = false;
}
