/** The script of the page to play in. It starts itself again as a worker, in which the machines run: there a long program hangs nothing. */

import { defectNamed } from '../../../../impl/defects/catalogue.js';
import { readJson } from '../../../../properties/formats/index.js';
import type { PlayData, Ran, Refused, Reply, Request, Source } from '../player.js';
import { answer } from '../player.js';
import type { PlaySides } from '../setup.js';

/** Milliseconds after the last key until the program runs, and until the page says that something is running. */
const TYPING_PAUSE = 200;
const PATIENCE = 400;

type Action = Request['action'];

/** What becomes of the address: typing changes the entry of the history that the first key made. */
type Entry = 'new' | 'same';

interface Job {
  readonly action: Action;
  readonly source: Source;
  readonly entry: Entry;
}

const byId = (id: string): HTMLElement => document.getElementById(id)!;

class PlayPage {
  private readonly gallery = byId('gallery') as HTMLSelectElement;
  private readonly subject = byId('subject') as HTMLSelectElement;
  private readonly text = byId('text') as HTMLTextAreaElement;
  private readonly result = byId('result');
  private readonly status = byId('status');
  private readonly dropButton = byId('drop') as HTMLButtonElement;
  private readonly shrinkButton = byId('shrink') as HTMLButtonElement;
  private readonly cancelButton = byId('cancel') as HTMLButtonElement;
  private readonly data = readJson(byId('play-data').textContent, 'the page', 'file') as PlayData;
  private readonly workerUrl: string;
  private worker: Worker | undefined;
  /** What the worker does. */
  private job: Job | undefined;
  private typing: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** The reader is typing, and the history has an entry for it. */
  private hasEntry = false;
  /** Of the program that is shown. */
  private sides: PlaySides = { subject: 'impl', reference: 'model' };
  private shown: Ran | undefined;

  /** `script`: this one. */
  constructor(script: string) {
    this.workerUrl = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  }

  begin(): void {
    this.text.addEventListener('input', () => this.typed());
    this.text.addEventListener('blur', () => this.left());
    this.gallery.addEventListener('change', () => this.choose());
    this.subject.addEventListener('change', () => this.plant());
    this.dropButton.addEventListener('click', () => this.start({ action: { drop: this.shownStep()! } }));
    this.shrinkButton.addEventListener('click', () => this.start({ action: 'shrink' }));
    this.cancelButton.addEventListener('click', () => this.cancel());
    document.addEventListener('click', (event) => this.clicked(event));
    document.addEventListener('moment', () => this.offerDrop());
    addEventListener('popstate', () => this.open());
    if (codeInAddress() === undefined) history.replaceState(null, '', `#?${this.data.start}`);
    this.open();
  }

  // What the reader does.

  private typed(): void {
    clearTimeout(this.typing);
    this.result.classList.add('old');
    this.typing = setTimeout(() => {
      this.typing = undefined;
      this.start({ entry: this.hasEntry ? 'same' : 'new' });
      this.hasEntry = true;
    }, TYPING_PAUSE);
  }

  private left(): void {
    this.hasEntry = false;
    if (this.typing === undefined && this.job === undefined && this.shown !== undefined) this.tidy(this.shown);
  }

  /** Has words of an entry follow its word where the reader changed that, unless comments would be lost. */
  private tidy({ read, remarks, text }: Ran): void {
    const isShown = read === this.text.value && document.activeElement !== this.text;
    if (isShown && remarks.length > 0 && !read.includes('#')) this.text.value = text;
  }

  private choose(): void {
    if (this.gallery.value !== '') this.start({ source: { code: this.gallery.value } });
  }

  private plant(): void {
    this.sides = { ...this.sides, subject: this.subject.value };
    this.start({});
  }

  private clicked(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return;
    const source = event.target.closest('button')?.dataset['copy'];
    if (source !== undefined) void this.copy(byId(source) as HTMLTextAreaElement);
    const anchor = event.target.closest('a')?.getAttribute('href');
    if (anchor === undefined || anchor === null || event.defaultPrevented) return;
    // The address holds the program, so it does not become the anchor.
    event.preventDefault();
    const place = document.getElementById(anchor.slice(1));
    for (let each = place?.closest('details'); each; each = each.parentElement?.closest('details')) each.open = true;
    place?.scrollIntoView();
  }

  private async copy(field: HTMLInputElement | HTMLTextAreaElement): Promise<void> {
    this.tell(await copied(field));
  }

  /** Shows the program that the address holds, if it is another. */
  private open(): void {
    const code = codeInAddress();
    this.hasEntry = false;
    if (code !== undefined && code !== this.shown?.code) this.start({ source: { code }, entry: 'same' });
  }

  // Running it.

  private start({ action = 'run', source, entry = 'new' }: Partial<Job>): void {
    clearTimeout(this.typing);
    if (this.job !== undefined) this.stop();
    const job: Job = { action, source: source ?? { text: this.text.value, ...this.sides }, entry };
    this.job = job;
    this.worker ??= this.newWorker();
    const date = new Date().toISOString();
    this.worker.postMessage({ action, source: job.source, date, version: this.data.version } satisfies Request);
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.wait(action === 'shrink' ? 'Shrinking …' : 'Running …'), PATIENCE);
  }

  private newWorker(): Worker {
    const worker = new Worker(this.workerUrl);
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.receive(data));
    worker.addEventListener('error', ({ message }) =>
      this.receive({ kind: 'refused', message: `${message}; this is a bug in shadowdiff, please report it` }),
    );
    return worker;
  }

  private wait(text: string): void {
    this.tell(text);
    this.cancelButton.hidden = false;
  }

  private stop(): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.job = undefined;
  }

  private cancel(): void {
    this.stop();
    this.settled('Cancelled');
  }

  private receive(reply: Reply): void {
    const { job } = this;
    if (job === undefined) return;
    if (reply.kind === 'shrinking')
      return this.wait(`Shrinking: ${reply.tried} programs tried, ${reply.steps} steps left`);
    this.job = undefined;
    this.settled(reply.kind === 'ran' && job.action === 'shrink' ? `Shrunk to ${stepsIn(reply)} steps` : '');
    if (reply.kind === 'refused') this.refuse(reply);
    else this.show(reply, job);
  }

  private settled(text: string): void {
    clearTimeout(this.patience);
    this.cancelButton.hidden = true;
    this.tell(text);
  }

  private tell(text: string): void {
    this.status.textContent = text;
  }

  // Showing it.

  private refuse({ message, line }: Refused): void {
    this.result.classList.add('old');
    this.text.setAttribute('aria-invalid', 'true');
    const problem = byId('problem');
    problem.textContent = message;
    if (line === undefined) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = `Go to line ${line}`;
    button.addEventListener('click', () => selectLine(this.text, line));
    problem.append(' ', button);
  }

  private show(ran: Ran, { action, source, entry }: Job): void {
    this.shown = ran;
    this.sides = ran.sides;
    if (action !== 'run' || 'code' in source) this.text.value = ran.text;
    this.text.removeAttribute('aria-invalid');
    byId('problem').textContent = '';
    const isMove = 'code' in source || action !== 'run';
    this.enter(ran.code, isMove ? '' : anchorInAddress(), entry);
    this.showMenus(ran);
    this.showRemarks(ran.remarks);
    this.result.classList.remove('old');
    // It was escaped where it was made (html/markup.ts).
    this.result.innerHTML = ran.view;
    document.dispatchEvent(new Event('findings'));
    this.shrinkButton.disabled = !ran.diverges;
    this.offerDrop();
    this.tidy(ran);
    (byId('link') as HTMLInputElement).value = linkOf(ran.code);
    (byId('json') as HTMLTextAreaElement).value = ran.json;
    byId('file').textContent = ran.file === undefined ? '' : `To keep it as a regression test: corpus/${ran.file}`;
    (byId('reference-trace') as HTMLTextAreaElement).value = ran.traces.reference;
    (byId('subject-trace') as HTMLTextAreaElement).value = ran.traces.subject;
  }

  private enter(code: string, anchor: string, entry: Entry): void {
    if (code === codeInAddress()) return;
    const address = `#${anchor}?${code}`;
    if (entry === 'new') history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }

  private showMenus({ sides: { subject }, code }: Ran): void {
    this.gallery.value = code;
    if (this.gallery.selectedIndex < 0) this.gallery.value = '';
    this.subject.value = subject;
    if (this.subject.selectedIndex < 0) {
      this.subject.append(new Option(subject, subject));
      this.subject.value = subject;
    }
    const planted = subject.startsWith('impl:') ? subject.slice('impl:'.length).split(',') : [];
    const texts = planted.flatMap((id) => defectNamed(id) ?? []).map(({ wrong, origin }) => `${wrong} (${origin})`);
    byId('about').textContent = texts.join(' ');
  }

  private showRemarks(remarks: readonly string[]): void {
    const list = byId('remarks');
    list.hidden = remarks.length === 0;
    list.replaceChildren(
      ...remarks.map((remark) => Object.assign(document.createElement('li'), { textContent: remark })),
    );
  }

  private shownStep(): number | undefined {
    const name = this.result.querySelector('.frame:not([hidden])')?.getAttribute('aria-label') ?? '';
    const step = /^step (\d+)$/.exec(name)?.[1];
    return step === undefined ? undefined : Number(step);
  }

  private offerDrop(): void {
    const step = this.shownStep();
    this.dropButton.disabled = step === undefined;
    this.dropButton.textContent = step === undefined ? 'Drop step' : `Drop step ${step}`;
  }
}

const stepsIn = ({ text }: Ran): number => text.split('\n').length - 1;

const codeInAddress = (): string | undefined => /\?(.*)$/.exec(location.hash)?.[1];

const anchorInAddress = (): string => location.hash.slice(1).split('?', 1)[0];

/** Where the page lies on a disk is nobody else's address. */
const linkOf = (code: string): string =>
  location.protocol.startsWith('http') ? `${location.href.split('#', 1)[0]}#?${code}` : `play.html#?${code}`;

/** Returns what happened. */
const copied = async (field: HTMLInputElement | HTMLTextAreaElement): Promise<string> => {
  try {
    await navigator.clipboard.writeText(field.value);
    return 'Copied';
  } catch {
    field.focus();
    field.select();
    return 'Selected: copy it with the keyboard';
  }
};

const selectLine = (text: HTMLTextAreaElement, line: number): void => {
  const lines = text.value.split('\n');
  const from = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(from, from + lines[line - 1].length);
};

if (typeof document === 'undefined') {
  addEventListener('message', ({ data }: MessageEvent<Request>) => {
    void answer(data, (progress) => postMessage(progress)).then((reply) => postMessage(reply));
  });
} else {
  const script = [...document.scripts].findLast(({ type }) => type === 'module')!;
  new PlayPage(script.text).begin();
}
