// How to reach a cluster's API server and who we are there: in a pod by its service account, else by a kubeconfig file.
// Read again often: a service account's token and a kubeconfig's certificates are replaced while the agent runs.
import { type RequestOptions, Agent as HttpsAgent } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '#world';

const FRESH_MS = 10_000;
/** Below the root of the file system. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

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
    await this.#config.applyToHTTPSOptions(options);
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

function load({ kubeconfig }: ClusterPlace): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  if (config.getCurrentCluster() === null) {
    throw new Error(
      kubeconfig === undefined
        ? `no cluster: KUBERNETES_SERVICE_HOST is not set, and ${SERVICE_ACCOUNT} is a pod's`
        : `${kubeconfig}: its current context names no cluster`,
    );
  }
  return config;
}
