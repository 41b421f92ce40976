// What the agent's parts log to: pino's call shape, so that main.ts can hand in a pino logger. Fields name the subject
// (peer, prefix, pod, object); the message is for people.

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** For tests and for parts that nobody listens to. */
export const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
