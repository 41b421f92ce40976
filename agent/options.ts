// What the daemon is told on its command line.
import type { StorePlace } from '#store';

export interface AgentOptions {
  readonly version: string;
  readonly nodeName: string;
  /** An IPv4 address, or 'hash' (of the node's name); undefined: what the objects say. */
  readonly routerId?: string;
  readonly store: StorePlace;
  /** 'none': the kernel is left alone (route reflector, looking glass, benchmarks). */
  readonly fib: 'kernel' | 'none';
  /** Kernel routing table for learned routes and own blocks. */
  readonly table: number;
  /** HTTP over this unix socket, for the command line. */
  readonly socketPath: string;
  /** IPAM journal, lock file. */
  readonly stateDir: string;
  readonly cniSocketPath: string;
  /** Where the conflist is written once ADD can be served; undefined: nowhere. */
  readonly cniConfDir?: string;
  /** 'ADDR:PORT' for /healthz, /readyz and /metrics over TCP. */
  readonly http?: string;
  /** Taken off the Node once pods can be served; undefined: taints are left alone. */
  readonly startupTaint?: string;
  /** How long a Pod must have been gone before its addresses count as leaked; 0: they never do. */
  readonly leakGraceSeconds: number;
  readonly logLevel: LogLevel;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
