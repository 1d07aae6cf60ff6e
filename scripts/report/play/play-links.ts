/** How a report leads to the page to play in: the report is one file, so it holds the page, packed, and opens it from there. */

import { deflateRawSync } from 'node:zlib';
import type { Finding } from '../../../properties/finding.js';
import { LONGEST_LISTING, formatListing } from '../../../properties/formats/index.js';
import type { Markup } from '../html/markup.js';
import { html, verbatim } from '../html/markup.js';
import type { Page } from '../html/page-frame.js';
import { pageMarkup } from '../html/page-frame.js';
import { runsInPage, setupOf } from './play-page.js';
import { encodeSetup } from './setup.js';

/** The script of the viewer that unpacks the page and completes the links. */
export const PLAY_LINKS = 'play-links.js';

/**
 * Hidden until the script has made it lead somewhere; undefined for a program that is too long to be changed by hand, or that the
 * machines of the page cannot run.
 */
export const playLink = async (finding: Finding): Promise<Markup | undefined> =>
  !runsInPage(finding.case.program) || formatListing(finding.case.program).length > LONGEST_LISTING
    ? undefined
    : html`<a class="play" target="_blank" data-play="${await encodeSetup(setupOf(finding))}" hidden
        >Change it and see</a
      >`;

export const packedPage = (page: Page): Markup => {
  const packed = deflateRawSync(pageMarkup(page).text, { level: 9 }).toString('base64');
  return verbatim(`<script type="text/plain" id="play-page">${packed}</script>`);
};
