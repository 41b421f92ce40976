// An image as one file without a container engine: layers, configuration and manifest of the OCI image format, in an OCI
// layout that `docker load` takes as well. The same contents and time give the same octets.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Entry, Layers } from './contents.ts';

export interface ImageFacts {
  /** 'podroute:0.1.0' */
  readonly name: string;
  /** As OCI calls it: amd64, arm64. */
  readonly architecture: string;
  /** Of everything in it: of the commit. */
  readonly time: Date;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Image {
  readonly archive: Buffer;
  /** 'sha256:…' of the manifest: what a registry calls it by. */
  readonly digest: string;
  /** What is fetched: the compressed layers. */
  readonly layerBytes: number;
}

interface Blob {
  readonly bytes: Buffer;
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

const OCI = 'application/vnd.oci.image';

export async function makeImage({ runtime, program }: Layers, facts: ImageFacts): Promise<Image> {
  const { name, architecture, time } = facts;
  const tars = [await tar(runtime, time), await tar(program, time)];
  const layers = tars.map((bytes) => blob(`${OCI}.layer.v1.tar+gzip`, gzipSync(bytes)));
  const config = json(`${OCI}.config.v1+json`, imageConfig(facts, tars.map(sha256)));
  const manifest = json(`${OCI}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  const index = {
    schemaVersion: 2,
    mediaType: `${OCI}.index.v1+json`,
    manifests: [
      {
        ...manifest.descriptor,
        platform: { os: 'linux', architecture },
        annotations: {
          'org.opencontainers.image.ref.name': name.slice(name.indexOf(':') + 1),
          'io.containerd.image.name': `docker.io/library/${name}`,
        },
      },
    ],
  };
  // For `docker load` before version 25.
  const forDocker = [
    { Config: blobPath(config), RepoTags: [name], Layers: layers.map((layer) => blobPath(layer)) },
  ];
  const archive = await tar(
    [
      ...[...layers, config, manifest].map((one) => plain(`/${blobPath(one)}`, one.bytes)),
      plain('/index.json', Buffer.from(JSON.stringify(index))),
      plain('/manifest.json', Buffer.from(JSON.stringify(forDocker))),
      plain('/oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    ],
    time,
  );
  const layerBytes = layers.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { archive, digest: manifest.descriptor.digest, layerBytes };
}

function imageConfig({ architecture, time, labels }: ImageFacts, diffIds: readonly string[]): object {
  return {
    architecture,
    os: 'linux',
    created: time.toISOString(),
    config: {
      Entrypoint: ['/usr/bin/podroute'],
      Env: ['PATH=/usr/bin', 'NODE_ENV=production'],
      WorkingDir: '/',
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created: time.toISOString(), created_by: 'npm run image' })),
  };
}

const plain = (path: string, bytes: Buffer): Entry => ({ path, kind: 'file', mode: 0o644, bytes });
const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const blobPath = ({ descriptor }: Blob): string => `blobs/${descriptor.digest.replace(':', '/')}`;
const json = (mediaType: string, value: object): Blob => blob(mediaType, Buffer.from(JSON.stringify(value)));

function blob(mediaType: string, bytes: Buffer): Blob {
  return { bytes, descriptor: { mediaType, digest: sha256(bytes), size: bytes.length } };
}

/** Everything is root's and of one time, whoever built it and when. */
async function tar(entries: readonly Entry[], mtime: Date): Promise<Buffer> {
  const stream = pack();
  for (const entry of entries) {
    const header = { name: entry.path.slice(1), mtime, uid: 0, gid: 0 };
    switch (entry.kind) {
      case 'folder':
        stream.entry({ ...header, type: 'directory', mode: entry.mode });
        break;
      case 'file':
        stream.entry({ ...header, type: 'file', mode: entry.mode }, entry.bytes);
        break;
      case 'link':
        stream.entry({ ...header, type: 'symlink', mode: 0o777, linkname: entry.target });
        break;
    }
  }
  stream.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
