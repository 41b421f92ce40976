// Errors as the CNI specification has them: a code, a message, details. Codes from 100 on are ours.
export const codes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  containerUnknown: 3,
  invalidEnvironment: 4,
  inputOutput: 5,
  decoding: 6,
  invalidConfig: 7,
  netnsIsOwn: 8,
  tryAgain: 11,
  unavailable: 50,
  addressesExhausted: 100,
  poolNotFound: 101,
  addressTaken: 102,
  storeNotReady: 104,
  /** The kernel refused a step of wiring; everything made before it is gone again. */
  wiringFailed: 110,
  /** ADD for an interface that is there. */
  interfaceExists: 111,
  /** CHECK found something missing. */
  checkFailed: 112,
  internal: 999,
} as const;

export type CniCode = (typeof codes)[keyof typeof codes];

export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: CniCode;
  readonly details: string;

  constructor(code: CniCode, message: string, details = '') {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  return new CniError(codes.internal, error instanceof Error ? error.message : String(error));
}

export function errorJson(error: CniError, cniVersion: string): string {
  const details = error.details === '' ? {} : { details: error.details };
  return `${JSON.stringify({ cniVersion, code: error.code, msg: error.message, ...details })}\n`;
}
