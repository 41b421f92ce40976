// The thread beside the agent's that parses large files (see document-worker.ts): texts in, documents out, one at a time.
// Its first message says that it has begun.
import { parentPort } from 'node:worker_threads';
import { readText } from '#api';

parentPort?.on('message', ({ text, file }: { text: string; file: string }) => {
  parentPort?.postMessage(readText(text, file));
});
parentPort?.postMessage('begun');
