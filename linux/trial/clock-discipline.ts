// Whether something keeps the kernel's clock right: adjtimex(2), which any user may ask.
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';

const STA_INS = 0x10;
const STA_DEL = 0x20;
const STA_UNSYNC = 0x40;

export interface ClockDiscipline {
  /** False: no program has corrected it for some hours, or none ever has. Hypervisors do it without saying so. */
  readonly isSynchronised: boolean;
  /** Tonight's last minute has 61 or 59 seconds. */
  readonly leapSecondToday: boolean;
}

/** Throws KernelError where a sandbox forbids even to ask. */
export function clockDiscipline(): ClockDiscipline {
  const status = addon().clockStatus();
  if (status < 0) throw new KernelError('ask', 'adjtimex', -status);
  return {
    isSynchronised: (status & STA_UNSYNC) === 0,
    leapSecondToday: (status & (STA_INS | STA_DEL)) !== 0,
  };
}
