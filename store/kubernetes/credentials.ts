// How to reach a cluster's API server and who we are there: in a pod by its service account, else by a kubeconfig file.
// Read again often: a service account's token and a kubeconfig's certificates are replaced while the agent runs.
import { type RequestOptions, Agent as HttpsAgent } from 'node:https';
// The rest of the client (requests, all models of the API) is not used, and twice as large in memory.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Clock } from '#world';
import { StorePlaceError } from '../store-place.ts';

const FRESH_MS = 10_000;

/** A kubeconfig file; undefined: the pod's service account. */
export interface ClusterPlace {
  readonly kubeconfig?: string;
}

export interface Access {
  readonly url: URL;
  readonly options: RequestOptions;
}

export class Credentials {
  readonly #place: ClusterPlace;
  readonly #clock: Clock;
  #config: KubeConfig;
  #access: Promise<Access> | undefined;
  #readMs = 0;
  #agent: { readonly of: string; readonly agent: HttpsAgent } | undefined;

  /** Throws when there is no such file, or no cluster in it. */
  constructor(place: ClusterPlace, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
    this.#config = load(place);
  }

  /** 'https://10.96.0.1:443' */
  get server(): string {
    return this.#config.getCurrentCluster()!.server;
  }

  /** The namespace that the context names; a pod's own. */
  get namespace(): string | undefined {
    const context = this.#config.getContextObject(this.#config.getCurrentContext());
    return context?.namespace === '' ? undefined : context?.namespace;
  }

  /** Rejects when a token or certificate cannot be read. */
  access(): Promise<Access> {
    if (this.#access === undefined || this.#clock.now() - this.#readMs >= FRESH_MS) this.#read();
    return this.#access!;
  }

  /** The server does not know us any more. */
  expire(): void {
    this.#access = undefined;
  }

  #read(): void {
    this.#readMs = this.#clock.now();
    this.#access = this.#readNow();
    // Whoever asks next tries again.
    this.#access.catch(() => this.expire());
  }

  async #readNow(): Promise<Access> {
    this.#config = load(this.#place);
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options).catch((error: unknown) => {
      const { kubeconfig } = this.#place;
      const whose = kubeconfig === undefined ? 'service account of this pod' : `kubeconfig ${kubeconfig}`;
      throw new Error(`${whose}: its credentials cannot be had: ${(error as Error).message}`);
    });
    const url = new URL(this.server);
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const isProxied = this.#config.getCurrentCluster()!.proxyUrl !== undefined;
    if (isProxied || url.protocol === 'http:') return { url, options };
    const tls = { ca, cert, key, servername, rejectUnauthorized };
    return { url, options: { ...options, agent: this.#agentFor(tls) } };
  }

  /** One for as long as the certificates are the same: it keeps connections open between questions. */
  #agentFor(tls: Readonly<Record<string, unknown>>): HttpsAgent {
    const of = JSON.stringify(tls);
    if (this.#agent?.of !== of) {
      const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
      this.#agent = { of, agent: new HttpsAgent({ ...given, keepAlive: true, keepAliveMsecs: 30_000 }) };
    }
    return this.#agent.agent;
  }
}

/** Throws what to mend: the agent does not start, and one that runs goes on with what it has heard. */
function load({ kubeconfig }: ClusterPlace): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) {
    // The client would make 'https://undefined:undefined' of it.
    if (process.env['KUBERNETES_SERVICE_HOST'] === undefined) throw new StorePlaceError(NO_PLACE);
    config.loadFromCluster();
    return config;
  }
  const where = `kubeconfig ${kubeconfig}`;
  try {
    config.loadFromFile(kubeconfig);
  } catch (error) {
    // What a parser says may have lines of the file, and with them a token.
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StorePlaceError(
      code === undefined
        ? `${where} is no YAML that can be read: ${message.split('\n', 1)[0]}`
        : `${where} cannot be read: ${message}`,
    );
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new StorePlaceError(`${where}: ${withoutCluster(config)}`);
  const at = `${where}: server "${cluster.server}" of cluster "${cluster.name}"`;
  const protocol = URL.parse(cluster.server)?.protocol;
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new StorePlaceError(`${at} is no URL (expected one such as https://10.0.0.1:6443)`);
  }
  if (protocol === 'http:' && cluster.skipTLSVerify !== true) {
    throw new StorePlaceError(
      `${at} is not encrypted (expected https://; http:// is taken with insecure-skip-tls-verify: true)`,
    );
  }
  return config;
}

const NO_PLACE =
  'nothing says where the API server is: this is no pod of Kubernetes (KUBERNETES_SERVICE_HOST is not set), and ' +
  'neither --store kubernetes:KUBECONFIG nor the variable KUBECONFIG names a file';

/** What of current-context, context and cluster is not there. */
function withoutCluster(config: KubeConfig): string {
  const named = config.getCurrentContext() as string | undefined;
  const contexts = config.getContexts().map(({ name }) => `"${name}"`);
  const there = contexts.length === 0 ? 'there is none' : `there are ${contexts.join(', ')}`;
  if (!named) return `current-context is not set (expected the name of a context; ${there})`;
  const context = config.getContextObject(named);
  if (context === null) return `current-context "${named}" is not among its contexts (${there})`;
  return `context "${named}" names the cluster "${context.cluster}", which is not among its clusters`;
}
