import { edits } from './edits.js';
import { hunks } from './hunks.js';

const SIGNS = { same: ' ', removed: '-', added: '+' };

function lines(text) {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** The difference of two texts in the unified format; empty when there is none. */
export function diff(oldText, newText, { context = 3, oldName = 'old', newName = 'new' } = {}) {
  const found = hunks(edits(lines(oldText), lines(newText)), context);
  if (found.length === 0) return '';
  const shown = found.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldCount} +${hunk.newStart},${hunk.newCount} @@`,
    ...hunk.edits.map(({ type, line }) => SIGNS[type] + line),
  ]);
  return [`--- ${oldName}`, `+++ ${newName}`, ...shown, ''].join('\n');
}
