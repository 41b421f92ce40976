// One real API server for the tests of a file, beside this process.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubernetesApi } from '#lab';

/** With podroute's kinds, unless there shall be none. Stops and removes all of it when it is disposed of. */
export async function startServer(
  kinds?: 'without kinds',
): Promise<{ readonly api: KubernetesApi } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-api-'));
  let started: KubernetesApi | undefined;
  try {
    const api = await KubernetesApi.start({ folder, address: '127.0.0.1' });
    started = api;
    if (kinds === undefined) api.install('');
    return {
      api,
      [Symbol.asyncDispose]: async () => {
        await api[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await started?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
