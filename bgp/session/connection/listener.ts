// The speaker's listening sockets: one for each configured address, each with the neighbours' MD5 keys set
// before any connection is accepted (SEC-1).
import { type Family, familyOf } from '#ip';
import type { Connection, ListenerHandle, Transport } from '../../io.ts';

interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

export class Listener {
  readonly #transport: Transport;
  readonly #accept: (connection: Connection) => void;
  readonly #handles = new Map<string, { readonly family: Family; readonly handle: ListenerHandle }>();
  /** Keys by prefix, for sockets that are opened later. */
  readonly #keys = new Map<string, string>();

  constructor(transport: Transport, accept: (connection: Connection) => void) {
    this.#transport = transport;
    this.#accept = accept;
  }

  get addresses(): readonly { readonly address: string; readonly port: number }[] {
    return [...this.#handles].map(([key, { handle }]) => ({
      address: key.slice(0, key.lastIndexOf('|')),
      port: handle.port,
    }));
  }

  /** Opens what is new, closes what is no longer wanted. Rejects at the first that cannot be opened; the others stay. */
  async listenOn(wanted: readonly ListenAddress[]): Promise<void> {
    const keys = new Set(wanted.map(keyOf));
    for (const [key, { handle }] of this.#handles) {
      if (keys.has(key)) continue;
      handle.close();
      this.#handles.delete(key);
    }
    for (const one of wanted) {
      const key = keyOf(one);
      if (this.#handles.has(key)) continue;
      const handle = await this.#transport.listen(one, this.#accept);
      const family = familyOf(one.address);
      this.#handles.set(key, { family, handle });
      for (const [prefix, secret] of this.#keys) {
        if (familyOf(prefix) === family) handle.setMd5Key(prefix, secret);
      }
    }
  }

  /** Throws when the transport cannot; then no connection from there may be accepted. */
  setMd5Key(prefix: string, secret: string | undefined): void {
    if (secret === undefined && !this.#keys.has(prefix)) return;
    if (secret === undefined) this.#keys.delete(prefix);
    else this.#keys.set(prefix, secret);
    for (const { family, handle } of this.#handles.values()) {
      if (family === familyOf(prefix)) handle.setMd5Key(prefix, secret);
    }
  }

  close(): void {
    for (const { handle } of this.#handles.values()) handle.close();
    this.#handles.clear();
  }
}

function keyOf(one: ListenAddress): string {
  return `${one.address}|${one.port}`;
}
