// A process of its own that changes one object again and again, for the tests of many writers:
// node writer.ts FOLDER KIND-NAME COUNT. Each change adds one to a label; prints the number of changes that succeeded.
import { realDisk } from '#linux';
import { systemClock } from '#world';
import { openDirectoryStore } from '../directory-store.ts';

const [folder = '', name = '', count = '1'] = process.argv.slice(2);
const store = openDirectoryStore(folder, { clock: systemClock, disk: realDisk });
for (let done = 0; done < Number(count); ) {
  const block = await store.get({ kind: 'IPAMBlock', name });
  if (block === undefined) throw new Error(`${name} is gone`);
  const changes = Number(block.metadata.labels?.['changes'] ?? '0') + 1;
  const labels = { ...block.metadata.labels, changes: String(changes) };
  const stored = await store.update({ ...block, metadata: { ...block.metadata, labels } });
  if (stored.kind === 'stored') {
    done++;
    process.stdout.write('.');
  }
}
