// node agent/plan/changes/generate-live-changes.ts: writes docs/live-changes.md anew. field-effects.test.ts fails while it
// differs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveChangesPage } from './live-changes-page.ts';

const root = join(import.meta.dirname, '..', '..', '..');
writeFileSync(join(root, 'docs', 'live-changes.md'), liveChangesPage());
