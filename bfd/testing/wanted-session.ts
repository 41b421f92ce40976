// A session as tests want it: a's, unless it is said otherwise.
import type { BfdSessionConfig } from '../session-config.ts';

export const LOCAL = '10.0.0.1';
export const REMOTE = '10.0.0.2';

export const sessionConfig = (more: Partial<BfdSessionConfig> = {}): BfdSessionConfig => ({
  id: 'tor',
  local: LOCAL,
  remote: REMOTE,
  hops: 'single',
  leastTtl: 255,
  transmitMicros: 100_000,
  receiveMicros: 100_000,
  multiplier: 3,
  ...more,
});
